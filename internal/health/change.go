package health

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// A ChangeType says what has changed, as receivers read it.
type ChangeType string

// Types of changes.
const (
	PolicyChanged       ChangeType = "CustomerKey.PolicyHealthChanged"
	RootChanged         ChangeType = "CustomerKey.RootKeyHealthChanged"
	RootExpiring        ChangeType = "CustomerKey.RootKeyExpiring"        // within 30 days, or already
	RootNearBackupLimit ChangeType = "CustomerKey.RootKeyNearBackupLimit" // 450 versions of 500 (KV-70)
	PolicyKeyEnding     ChangeType = "CustomerKey.PolicyKeyEnding"        // one held for hours cannot be renewed (CK-70)
)

// ChangeTypes returns every type there is.
func ChangeTypes() []ChangeType {
	return []ChangeType{PolicyChanged, RootChanged, RootExpiring, RootNearBackupLimit, PolicyKeyEnding}
}

// A Change is something about a root key or a policy that its owner is told.
type Change struct {
	Tenant     string
	Seq        int64  // the order within the tenant
	ID         string // a GUID
	Type       ChangeType
	Policies   []PolicyName      // that it concerns: one where it is about a policy
	Root       hierarchy.RootRef // zero where it is about a policy
	Was, State State             // the same for a warning
	Why        Why
	Time       time.Time
}

// A PolicyName says which policy is meant.
type PolicyName struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Family policy.Family `json:"family"`
}

// Worse reports whether the change is for the worse; warnings are.
func (c Change) Worse() bool { return c.Was == c.State || c.State.Worse(c.Was) }

// Subject says in a few words what the change is about.
func (c Change) Subject() string {
	if c.aboutRoot() {
		return short(c.Root.URI)
	}
	return c.Policies[0].Name
}

func (c Change) aboutRoot() bool { return c.Root.URI != "" }

// Text says in a sentence what has happened.
func (c Change) Text() string {
	what := "policy"
	if c.aboutRoot() {
		what = "root key"
	}
	text := fmt.Sprintf("%s %s is %s", what, c.Subject(), c.State)
	if c.Why.Message != "" {
		text += ": " + c.Why.Message
	}
	return text
}

// short names a root key as messages do, "vault/key".
func short(uri string) string {
	host, path, ok := strings.Cut(strings.TrimPrefix(uri, "https://"), "/keys/")
	if !ok {
		return uri
	}
	vault, _, _ := strings.Cut(host, ".")
	name, _, _ := strings.Cut(path, "/")
	return vault + "/" + name
}

// An Edit is what one observation changes. Without Changes and Policies it touches the root's row
// alone.
type Edit struct {
	Tenant   string
	Head     int64         // that it was made from; checked if there are Changes or Policies
	Root     Root          // Revision: that it was made from; zero where no root changes
	Policies []PolicyState // whose state or words are others now
	Gone     []string      // policies that no generation is left of
	Changes  []Change      // Seq from Head + 1 on
}

// edit works out what becomes of the policies when a root of the picture is as next says.
func (s *Service) edit(p Picture, was, next Root) Edit {
	now := s.now()
	e := Edit{Tenant: next.Ref.Tenant, Head: p.Head, Root: next}
	concerned := usersOf(p.Uses, next.Ref)
	if was.State != next.State && !(was.State == Unknown && next.State == Healthy) {
		e.add(Change{Type: RootChanged, Root: next.Ref, Policies: concerned, Was: was.State, State: next.State, Why: next.Why, Time: now})
	}
	for _, v := range warnings(was, next) {
		e.add(Change{
			Type: warned[v.Check], Root: next.Ref, Policies: concerned, Was: next.State, State: next.State, Time: now,
			Why: Why{Reason: v.Row, Message: v.Message, Hint: v.Hint},
		})
	}
	states := stateOf(p, next)
	for _, name := range concerned {
		old := p.policy(name.ID)
		state, why := s.judge(p.Uses, name.ID, states)
		fresh := PolicyState{Policy: name.ID, State: state, Since: old.Since, Message: why.Message}
		if old.State != state || fresh.Since.After(now) {
			fresh.Since = now
		}
		if fresh == old {
			continue
		}
		e.Policies = append(e.Policies, fresh)
		if old.State != state && !(old.State == Unknown && state == Healthy) {
			e.add(Change{Type: PolicyChanged, Policies: []PolicyName{name}, Was: old.State, State: state, Why: why, Time: now})
		}
	}
	for _, old := range p.Policies {
		if !lives(p.Uses, old.Policy) {
			e.Gone = append(e.Gone, old.Policy)
		}
	}
	return e
}

// add numbers a change and takes it in.
func (e *Edit) add(c Change) {
	c.Tenant, c.Seq, c.ID = e.Tenant, e.Head+int64(len(e.Changes))+1, uuid.NewString()
	e.Changes = append(e.Changes, c)
}

// stateOf returns how roots are: as the picture has them, but for one.
func stateOf(p Picture, next Root) func(hierarchy.RootRef) Root {
	return func(ref hierarchy.RootRef) Root {
		if ref == next.Ref {
			return next
		}
		return p.at(ref)
	}
}

// judge returns the state of a policy: the worst of what the pairs of roots make of its
// generations, for each of them may be all that some content lies under.
func (s *Service) judge(uses []Use, id string, root func(hierarchy.RootRef) Root) (State, Why) {
	state, why := Healthy, Why{}
	for _, u := range uses {
		if u.Policy != id {
			continue
		}
		a, b := root(u.Roots[0]), root(u.Roots[1])
		if both := Pair(a.State, b.State, s.c.Mixed); both.Worse(state) {
			state, why = both, whyBoth(a, b)
		}
	}
	return state, why
}

// whyBoth says what is wrong with a pair of roots.
func whyBoth(a, b Root) Why {
	switch {
	case a.Why.Message == "":
		return b.Why
	case b.Why.Message == "":
		return a.Why
	}
	return Why{
		Reason: a.Why.Reason, Message: a.Why.Message + "; " + b.Why.Message, Hint: a.Why.Hint + "; " + b.Why.Hint,
	}
}

// usersOf returns the policies that need a root key, each once, in the order of the uses.
func usersOf(uses []Use, ref hierarchy.RootRef) (names []PolicyName) {
	seen := map[string]bool{}
	for _, u := range uses {
		if (u.Roots[0] == ref || u.Roots[1] == ref) && !seen[u.Policy] {
			seen[u.Policy] = true
			names = append(names, PolicyName{u.Policy, u.Name, u.Family})
		}
	}
	return names
}

func lives(uses []Use, id string) bool {
	for _, u := range uses {
		if u.Policy == id {
			return true
		}
	}
	return false
}
