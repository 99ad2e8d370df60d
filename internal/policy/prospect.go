package policy

import (
	"slices"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A Prospect is what decides where a tenant's content belongs, and where it is: as it stands, or
// as it would stand after some edits.
type Prospect struct {
	Live    []hierarchy.Generation // of all policies, not destroyed
	Current map[string]string      // active generation of each policy
	InForce []Standing
	Usage   []Usage

	// Leaves says which places' keys go where new content goes, whatever the rule of their workload;
	// none if nil.
	Leaves func(Prospect, Usage) bool
}

// Held is what lies under a tenant's container keys.
type Held struct {
	Items      []HeldItems
	Containers []HeldBy // containers, by all the places of their keys
	People     []HeldBy // owners of containers, by the places of the keys of all that they own
}

// HeldItems counts what lies under the keys of one place; its Keys is not used.
type HeldItems struct {
	Under        Usage
	Items, Bytes int64
}

// HeldBy counts whoever has keys in all of these places and in no other.
type HeldBy struct {
	Under  []Usage
	Number int64
}

// home returns the generation that keys of a place belong under; "" if that is not known.
func (p Prospect) home(rule func(string) Rule, u Usage) string {
	return p.Current[p.belongs(rule, u)]
}

// belongs returns the policy that keys of a place belong under.
func (p Prospect) belongs(rule func(string) Rule, u Usage) string {
	if p.Leaves != nil && p.Leaves(p, u) {
		if to := rule(u.Workload).choose(p.InForce, u.Geo, u.Own); to != "" {
			return to
		}
	}
	return rule(u.Workload).belongs(u.Policy, p.InForce, u.Geo, u.Own)
}

// needs returns the versions of root keys that generations need that are not destroyed: until then
// none is safe to retire.
func (p Prospect) needs() map[string]bool {
	return versionsOf(p.Live)
}

// needsThen is needs once everything has moved: the active generation of each policy is left, and
// those of whose keys some stay where they are.
func (p Prospect) needsThen(rule func(string) Rule) map[string]bool {
	stays := map[string]bool{}
	for _, u := range p.Usage {
		if home := p.home(rule, u); home == "" || home == u.Generation {
			stays[u.Generation] = true
		}
	}
	return versionsOf(slices.DeleteFunc(slices.Clone(p.Live), func(g hierarchy.Generation) bool {
		return p.Current[g.Policy] != g.ID && !stays[g.ID]
	}))
}

func versionsOf(generations []hierarchy.Generation) map[string]bool {
	kids := map[string]bool{}
	for _, g := range generations {
		kids[g.Roots[0].KeyID], kids[g.Roots[1].KeyID] = true, true
	}
	return kids
}

// A Toll says how much content something concerns.
type Toll struct {
	Keys         int64 // versions of container keys
	Containers   int64
	Items, Bytes int64
	People       int64 // owners of such containers: of mailboxes and what else has one; one for each mailbox that is nobody's own
}

// toll counts what lies under the keys of the places that are chosen.
func (h Held) toll(usage []Usage, chosen func(Usage) bool) (t Toll) {
	for _, u := range usage {
		if chosen(u) {
			t.Keys += u.Keys
		}
	}
	for _, i := range h.Items {
		if chosen(i.Under) {
			t.Items += i.Items
			t.Bytes += i.Bytes
		}
	}
	t.Containers, t.People = sum(h.Containers, chosen), sum(h.People, chosen)
	return t
}

func sum(all []HeldBy, chosen func(Usage) bool) (n int64) {
	for _, by := range all {
		for _, u := range by.Under {
			if chosen(u) {
				n += by.Number
				break
			}
		}
	}
	return n
}
