package policy

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// A Status is how a policy stands, as one moment's rows say it (CK-163).
type Status struct {
	Policy       Policy
	Assigned     bool                 // in force for the tenant, a geo, or at least one container
	Objects      int64                // containers that have the policy for themselves (mailbox family)
	Generations  []GenerationStatus   // oldest first
	Roots        []RootVersion        // by root, oldest first
	Containers   int64                // container keys that the policy holds or that belong under it
	Percent      float64              // of those, how many are where they belong; 100 if there are none
	Workloads    []WorkloadStatus     // the same by workload, in alphabetical order
	Health       [2]RootHealth        // of the roots, as this node last saw them
	Availability AvailabilityKey      // as it stands a moment later
	Operation    *operation.Operation // the "converge" of the tenant that is open, else the newest; nil if there was none
	Free         bool                 // nothing needs the roots: the permissions on them can be removed (CK-249)
	Under        int64                // container keys under the policy
	Purge        PurgeOrder           // if one was asked for
	Recovery     hierarchy.Recovery   // the newest, if there was one
	RecoveryFor  time.Duration        // how much longer it goes on
}

// A GenerationStatus is one generation and what is still under it.
type GenerationStatus struct {
	ID                 string
	Number             int
	State              hierarchy.GenerationState
	Containers         int64     // container keys under it
	KeyIDs             [2]string // versions of the roots that wrapped its policy key
	Created, Destroyed time.Time
}

// A WorkloadStatus counts the container keys of one workload that concern a policy (CK-316).
type WorkloadStatus struct {
	Workload            string
	Containers, Settled int64 // Settled: those that are where they belong
}

// A RootVersion is a version of a root key that the policy has used. It is safe to retire
// when every generation it has wrapped, of any policy of the tenant, is destroyed (CK-246):
// then nothing in this service asks for it any more.
type RootVersion struct {
	Root         int    // 0 or 1
	KeyID        string // versioned
	Containers   int64  // container keys of this policy that still need it
	Current      bool   // wrapped the active generation
	SafeToRetire bool
}

// RootHealth is how a root last answered; Known is false if this node has not asked it.
type RootHealth struct {
	URI   string
	Known bool
	hierarchy.Health
}

// Status tells how a policy stands.
func (s *Service) Status(ctx context.Context, caller directory.Caller, f Family, identity string) (Status, error) {
	p, err := s.enter(ctx, caller, f, Read, identity, nil)
	if err != nil {
		return Status{}, err
	}
	picture, err := s.c.Store.Picture(ctx, caller.Tenant, p.ID, converge)
	if err != nil {
		return Status{}, err
	}
	st := s.summary(picture)
	s.health(&st)
	if err := s.departing(ctx, &st); err != nil {
		return Status{}, err
	}
	st.Availability, err = s.availabilityKey(ctx, caller, picture.Policy)
	return st, err
}

// health adds how the roots of the policy were last seen.
func (s *Service) health(st *Status) {
	for i, ref := range st.Policy.Roots {
		st.Health[i].URI = ref.URI
		st.Health[i].Health, st.Health[i].Known = s.c.Keys.Health(st.Policy.Tenant, ref.URI)
	}
}

// summary is what a picture shows.
func (s *Service) summary(p Picture) Status {
	st := Status{
		Policy: p.Policy, Assigned: p.assigned(), Objects: p.Owned,
		Operation: p.Operation, Percent: 100,
	}
	under := map[string]int64{}
	for _, u := range p.Usage {
		under[u.Generation] += u.Keys
	}
	for _, g := range p.Generations {
		st.Generations = append(st.Generations, GenerationStatus{
			ID: g.ID, Number: g.Number, State: g.State, Containers: under[g.ID],
			KeyIDs: [2]string{g.Roots[0].KeyID, g.Roots[1].KeyID}, Created: g.Created, Destroyed: g.Destroyed,
		})
	}
	st.Roots = rootVersions(p, under)
	st.Workloads = s.settledKeys(p)
	var settled int64
	for _, w := range st.Workloads {
		st.Containers += w.Containers
		settled += w.Settled
	}
	if st.Containers > 0 {
		st.Percent = 100 * float64(settled) / float64(st.Containers)
	}
	st.Free, st.Under = p.free()
	return st
}

// departing adds what is known of a purge and of a recovery.
func (s *Service) departing(ctx context.Context, st *Status) (err error) {
	p := st.Policy
	if s.c.Purging != nil {
		if st.Purge, err = s.c.Purging.Store.Order(ctx, p.Tenant, p.ID); err != nil {
			return err
		}
	}
	if s.c.Recoveries != nil {
		st.Recovery, err = s.c.Recoveries.Recovery(ctx, p.Tenant, p.ID)
		st.RecoveryFor = st.Recovery.Left(s.now())
	}
	return err
}

// assigned reports whether the policy is in force anywhere.
func (p Picture) assigned() bool {
	return p.Owned > 0 || slices.ContainsFunc(p.InForce, func(at Standing) bool { return at.Policy == p.Policy.ID })
}

// settledKeys counts the container keys that concern the policy, because they are under it
// or belong under it, and those of them that are where they belong, by workload.
func (s *Service) settledKeys(p Picture) []WorkloadStatus {
	count := map[string]WorkloadStatus{}
	for _, u := range p.Usage {
		to := s.c.Rule(u.Workload).belongs(u.Policy, p.InForce, u.Geo, u.Own)
		if u.Keys == 0 || s.gone(p.Policy.Tenant, u.Policy) || u.Policy != p.Policy.ID && to != p.Policy.ID {
			continue
		}
		w := count[u.Workload]
		w.Workload = u.Workload
		w.Containers += u.Keys
		if to == u.Policy && p.Current[u.Policy] == u.Generation {
			w.Settled += u.Keys
		}
		count[u.Workload] = w
	}
	return slices.SortedFunc(maps.Values(count), func(a, b WorkloadStatus) int { return strings.Compare(a.Workload, b.Workload) })
}

// rootVersions lists the versions that the policy has used of each root, oldest first.
func rootVersions(p Picture, under map[string]int64) []RootVersion {
	needed := map[string]bool{}
	for _, g := range p.Live {
		needed[g.Roots[0].KeyID], needed[g.Roots[1].KeyID] = true, true
	}
	var versions []RootVersion
	for root := range 2 {
		at := map[string]int{} // index in versions
		for _, g := range p.Generations {
			kid := g.Roots[root].KeyID
			i, ok := at[kid]
			if !ok {
				i = len(versions)
				at[kid] = i
				versions = append(versions, RootVersion{Root: root, KeyID: kid, SafeToRetire: !needed[kid]})
			}
			versions[i].Containers += under[g.ID]
			versions[i].Current = versions[i].Current || g.State == hierarchy.Active
		}
	}
	return versions
}
