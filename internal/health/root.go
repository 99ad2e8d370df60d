package health

import (
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// A Root is what is known about one root key.
type Root struct {
	Ref    hierarchy.RootRef
	State  State
	Since  time.Time           // when it came into its state; zero while Unknown
	Why    Why                 // why it is not healthy; zero if it is
	Checks []rootcheck.Verdict // of the last look that was answered

	Misses   int       // looks and uses in a row that got no answer
	Checked  time.Time // when it was last looked at, answered or not; zero before
	Looked   time.Time // when versions and rotation were last looked at, which is done rarely
	Due      time.Time // when it is looked at next
	Revision int64     // raised by each change but a claim
}

// A Why says what is wrong, in words of the fault it came from.
type Why struct {
	Reason  string `json:"reason,omitempty"` // "KeyDisabled"
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
	KeyID   string `json:"keyId,omitempty"` // the version it is about, where it is about one
}

// A PolicyState is what the states of its roots make of a policy.
type PolicyState struct {
	Policy  string
	State   State
	Since   time.Time
	Message string // what is wrong with which root; "" if nothing is
}

// A Use is a generation of a policy key that is not destroyed, and so needs its roots.
type Use struct {
	Policy, Name string
	Family       policy.Family
	Generation   string
	Active       bool // new content is under it
	Roots        [2]hierarchy.RootRef
	KeyIDs       [2]string // the versions that wrapped it
}

// A Picture is one moment's state of all that concerns the health of a tenant.
type Picture struct {
	Head     int64  // number of the last Change
	Roots    []Root // in the tenant's vaults
	Uses     []Use  // of the tenant's policies: by family and name, the newest generation first
	Policies []PolicyState
}

// root returns the row of a root key; false if it is not in the picture.
func (p Picture) root(ref hierarchy.RootRef) (Root, bool) {
	for _, r := range p.Roots {
		if r.Ref == ref {
			return r, true
		}
	}
	return Root{Ref: ref, State: Unknown}, false
}

// at is root, for who does not mind.
func (p Picture) at(ref hierarchy.RootRef) Root {
	r, _ := p.root(ref)
	return r
}

// policy returns the state that a policy was last seen in.
func (p Picture) policy(id string) PolicyState {
	for _, s := range p.Policies {
		if s.Policy == id {
			return s
		}
	}
	return PolicyState{Policy: id, State: Unknown}
}

// needed returns the versions of a root key that generations are under: the one of an active
// generation first, each once.
func needed(uses []Use, ref hierarchy.RootRef) (kids []string, active string) {
	seen := map[string]bool{}
	for _, wantActive := range []bool{true, false} {
		for _, u := range uses {
			for i, r := range u.Roots {
				if r != ref || u.Active != wantActive || seen[u.KeyIDs[i]] {
					continue
				}
				seen[u.KeyIDs[i]] = true
				kids = append(kids, u.KeyIDs[i])
				if u.Active && active == "" {
					active = u.KeyIDs[i]
				}
			}
		}
	}
	return kids, active
}
