package purge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// Config is what a Ledger needs.
type Config struct {
	Key    ed25519.PrivateKey // required: signs the lines
	Places []Place            // required: at least one; all of them hold the same
	Now    func() time.Time   // time.Now if nil
}

// A Ledger says what was purged. It is safe for concurrent use; asking it costs a look into
// memory.
type Ledger struct {
	sign   func(e entry) ([]byte, error) // closures, so that printing a Ledger shows no key
	record func(r Record) (string, error)
	public ed25519.PublicKey
	places []Place
	now    func() time.Time

	adding sync.Mutex // one change at a time

	mu       sync.RWMutex
	purged   map[policyID]*Purge
	blocked  map[policyID]int
	marks    map[mark]struct{}
	off      map[requestID]struct{} // requests that were called off
	restored []string               // places that lacked lines when the ledger was opened
}

type policyID struct{ tenant, policy string }

type requestID struct{ tenant, request string }

// A mark is the beginning of a digest of tenant, container and version.
type mark [16]byte

func markOf(tenant string, k Key) mark {
	sum := sha256.Sum256([]byte(tenant + "\x00" + k.String()))
	return mark(sum[:16])
}

// A Purge is one that is in force: nothing takes it back.
type Purge struct {
	ID, Tenant, Policy string
	Order              Order
	At                 time.Time // when it came into force
	Record             string    // signed, see Record; "" until all is destroyed

	parts int
}

// Restored returns the names of the places that lacked something when the ledger was opened:
// they, and what lies beside them, come from a backup that is older than a purge.
func (l *Ledger) Restored() []string { return slices.Clone(l.restored) }

// Policy reports whether a policy was purged, or is about to be ([Ledger.Block]): nothing opens
// under it.
func (l *Ledger) Policy(tenant, policy string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at := policyID{tenant, policy}
	return l.purged[at] != nil || l.blocked[at] > 0
}

// Ordered reports whether the purge of a policy is in force.
func (l *Ledger) Ordered(tenant, policy string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.purged[policyID{tenant, policy}] != nil
}

// Key reports whether a version of a container's key was purged, under whatever policy it may
// be found again: that version, or the container as a whole, whose every version counts, also
// those that only a backup still has. With version 0 it reports the latter alone.
func (l *Ledger) Key(tenant, container string, version int) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.marks) == 0 {
		return false
	}
	_, whole := l.marks[markOf(tenant, Key{Container: container})]
	if whole || version == 0 {
		return whole
	}
	_, found := l.marks[markOf(tenant, Key{Container: container, Version: version})]
	return found
}

// Find returns the purge of a policy; false if there is none in force.
func (l *Ledger) Find(tenant, policy string) (Purge, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if p := l.purged[policyID{tenant, policy}]; p != nil {
		return *p, true
	}
	return Purge{}, false
}

// All returns every purge in force, in the order of their tenants and policies.
func (l *Ledger) All() []Purge {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]Purge, 0, len(l.purged))
	for _, p := range l.purged {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Purge) int {
		return slices.Compare([]string{a.Tenant, a.Policy}, []string{b.Tenant, b.Policy})
	})
	return all
}

// Block makes Policy report a policy that is about to be purged, in this process only, until
// release is called.
func (l *Ledger) Block(tenant, policy string) (release func()) {
	at := policyID{tenant, policy}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked[at]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.blocked[at]--; l.blocked[at] == 0 {
			delete(l.blocked, at)
		}
	})
}

// VerifierKey returns the public key to check the records of a tenant's purges with.
func (l *Ledger) VerifierKey(tenant string) (string, error) { return verifierKey(tenant, l.public) }
