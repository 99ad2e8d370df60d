package purge

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
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
	restored []string // places that lacked lines when the ledger was opened
}

type policyID struct{ tenant, policy string }

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

// Open reads all places. What one lacks and another has is written into it: a database or a
// folder that was put back from a backup learns again what was purged since ([Ledger.Restored]
// tells). A line that is damaged is fault.Corrupt: nothing may be opened then, for nobody knows
// what has been purged.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	if len(c.Key) != ed25519.PrivateKeySize || len(c.Places) == 0 {
		return nil, errors.New("purge: Key and Places are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	l := &Ledger{
		sign:   func(e entry) ([]byte, error) { return e.encode(c.Key) },
		record: func(r Record) (string, error) { return signRecord(r, c.Key) },
		public: c.Key.Public().(ed25519.PublicKey), places: c.Places, now: c.Now,
		purged: map[policyID]*Purge{}, blocked: map[policyID]int{}, marks: map[mark]struct{}{},
	}
	return l, l.load(ctx)
}

// A lineID names a line: the same in every place.
type lineID struct {
	id   string
	part int
}

// load reads the places, brings them to the same state, and fills the memory.
func (l *Ledger) load(ctx context.Context) error {
	all := map[lineID][]byte{}
	var order []lineID
	orders := map[string]entry{}
	has := make([]map[lineID]bool, len(l.places))
	for i, p := range l.places {
		has[i] = map[lineID]bool{}
		err := p.Lines(ctx, func(line []byte) error {
			e, err := decode(line, l.public)
			if err != nil {
				return fault.Wrap(fault.Corrupt, err, "the ledger of purges %s is damaged", p.Name()).
					WithHint("if another copy of it is whole, move the damaged one away: it is made anew from the other")
			}
			id := lineID{e.ID, e.Part}
			has[i][id] = true
			if all[id] == nil {
				all[id] = append(slices.Clone(line), '\n')
				order = append(order, id)
			}
			if e.Part == 0 {
				orders[e.ID] = e
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for id, e := range orders {
		for part := range e.Parts {
			if all[lineID{id, part + 1}] == nil {
				return fault.New(fault.Corrupt, "the ledger of purges lacks lines of the purge of policy %s", e.Policy).
					WithHint("put back a whole copy of it from a backup; nothing can be opened safely without")
			}
		}
		l.take(e)
	}
	if err := l.heal(ctx, order, all, orders, has); err != nil {
		return err
	}
	return l.remember(order, all, orders)
}

// heal writes into each place the lines of orders in force that it lacks. Within a place the
// parts of a purge stand before its order.
func (l *Ledger) heal(ctx context.Context, order []lineID, all map[lineID][]byte, orders map[string]entry, has []map[lineID]bool) error {
	for i, p := range l.places {
		var missing [][]byte
		for _, id := range order {
			if _, inForce := orders[id.id]; inForce && !has[i][id] {
				missing = append(missing, all[id])
			}
		}
		if len(missing) == 0 {
			continue
		}
		if err := p.Append(ctx, missing); err != nil {
			return err
		}
		l.restored = append(l.restored, p.Name())
	}
	return nil
}

// remember marks the keys of what is purged.
func (l *Ledger) remember(order []lineID, all map[lineID][]byte, orders map[string]entry) error {
	for _, id := range order {
		if _, inForce := orders[id.id]; !inForce || id.part == 0 {
			continue
		}
		e, err := decode(all[id][:len(all[id])-1], l.public)
		if err != nil {
			return err
		}
		if e.Part == recordPart {
			l.purged[policyID{e.Tenant, e.Policy}].Record = e.Record
		}
		l.mark(e)
	}
	return nil
}

// take notes an order.
func (l *Ledger) take(e entry) {
	at := policyID{e.Tenant, e.Policy}
	if l.purged[at] == nil {
		l.purged[at] = &Purge{ID: e.ID, Tenant: e.Tenant, Policy: e.Policy, Order: *e.Order, At: *e.At, parts: e.Parts}
	}
}

func (l *Ledger) mark(e entry) {
	for _, text := range e.Keys {
		if k, err := parseKey(text); err == nil {
			l.marks[markOf(e.Tenant, k)] = struct{}{}
		}
	}
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

// Add puts an order in force: the point from which nothing leads back. keys are those that it
// destroys. When it returns nil every place has all of it; after an error, or a crash, it is in
// force or not, and calling again goes on. A policy that is purged already changes nothing.
func (l *Ledger) Add(ctx context.Context, tenant, policy string, o Order, keys iter.Seq2[Key, error]) (Purge, error) {
	l.adding.Lock()
	defer l.adding.Unlock()
	if p, found := l.Find(tenant, policy); found {
		return p, nil
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Purge{}, fault.Wrap(fault.Unavailable, err, "no random number for the id of a purge")
	}
	a := &attempt{l: l, next: entry{Version: entryVersion, ID: id.String(), Tenant: tenant, Policy: policy}}
	for k, err := range keys {
		if err != nil {
			return Purge{}, err
		}
		if err := a.add(ctx, k); err != nil {
			return Purge{}, err
		}
	}
	return a.commit(ctx, o)
}

// An attempt writes the lines of one purge.
type attempt struct {
	l       *Ledger
	next    entry // with the keys that are not written yet
	parts   int
	written []entry
}

func (a *attempt) add(ctx context.Context, k Key) error {
	a.next.Keys = append(a.next.Keys, k.String())
	if len(a.next.Keys) < keysInLine {
		return nil
	}
	return a.flush(ctx)
}

// flush writes the keys so far as one line.
func (a *attempt) flush(ctx context.Context) error {
	if len(a.next.Keys) == 0 {
		return nil
	}
	a.parts++
	e := a.next
	e.Part, a.next.Keys = a.parts, nil
	a.written = append(a.written, e)
	return a.l.append(ctx, e)
}

// commit writes the order behind the keys.
func (a *attempt) commit(ctx context.Context, o Order) (Purge, error) {
	if err := a.flush(ctx); err != nil {
		return Purge{}, err
	}
	e := a.next
	at := a.l.now().UTC().Truncate(time.Microsecond)
	e.Part, e.Parts, e.Order, e.At = 0, a.parts, &o, &at
	err := a.l.append(ctx, e)
	if err != nil && !a.l.anyHas(ctx, e) {
		return Purge{}, err
	}
	a.l.mu.Lock() // in force as soon as one place has it, for the next start will find it there
	a.l.take(e)
	for _, part := range a.written {
		a.l.mark(part)
	}
	a.l.mu.Unlock()
	p, _ := a.l.Find(e.Tenant, e.Policy)
	return p, err
}

// append writes an entry to every place.
func (l *Ledger) append(ctx context.Context, e entry) error {
	line, err := l.sign(e)
	if err != nil {
		return err
	}
	for _, p := range l.places {
		if err := p.Append(ctx, [][]byte{line}); err != nil {
			return fmt.Errorf("writing to %s: %w", p.Name(), err)
		}
	}
	return nil
}

// anyHas reports whether a place has the entry; one that cannot be read may.
func (l *Ledger) anyHas(ctx context.Context, want entry) bool {
	ctx = context.WithoutCancel(ctx)
	for _, p := range l.places {
		found := false
		err := p.Lines(ctx, func(line []byte) error {
			e, err := decode(line, l.public)
			found = found || err == nil && e.ID == want.ID && e.Part == want.Part
			return nil
		})
		if found || err != nil {
			return true
		}
	}
	return false
}

// Complete writes what the places still lack of a purge in force: one of them may have failed
// when it was added.
func (l *Ledger) Complete(ctx context.Context) error {
	l.adding.Lock()
	defer l.adding.Unlock()
	found, err := l.reload(ctx)
	if err != nil {
		return err
	}
	for _, p := range l.All() {
		if _, written := found.Find(p.Tenant, p.Policy); written {
			continue
		}
		if err := l.append(ctx, p.order()); err != nil { // no place could be asked when it was added
			return err
		}
	}
	_, err = l.reload(ctx)
	return err
}

// reload reads the places anew and brings them to the same state.
func (l *Ledger) reload(ctx context.Context) (*Ledger, error) {
	again := &Ledger{public: l.public, places: l.places, purged: map[policyID]*Purge{}, marks: map[mark]struct{}{}}
	return again, again.load(ctx)
}

// order returns the line that put a purge in force.
func (p Purge) order() entry {
	return entry{Version: entryVersion, ID: p.ID, Tenant: p.Tenant, Policy: p.Policy, Parts: p.parts, Order: &p.Order, At: &p.At}
}

// Keys calls fn with the keys that the purge of a policy destroys, some hundreds at a time.
func (l *Ledger) Keys(ctx context.Context, tenant, policy string, fn func([]Key) error) error {
	p, found := l.Find(tenant, policy)
	if !found {
		return fault.New(fault.NotFound, "the policy was not purged")
	}
	seen := 0
	err := l.places[0].Lines(ctx, func(line []byte) error {
		e, err := decode(line, l.public)
		if err != nil || e.ID != p.ID || e.Part < 1 {
			return err
		}
		keys := make([]Key, len(e.Keys))
		for i, text := range e.Keys {
			keys[i], _ = parseKey(text) // decode has checked it
		}
		seen++
		return fn(keys)
	})
	if err == nil && seen < p.parts {
		err = fault.New(fault.Corrupt, "the ledger of purges %s has lost lines", l.places[0].Name()).WithHint("start the service again: it makes them anew from another copy")
	}
	return err
}

// Finish signs the record of a purge that was carried out and keeps it. The first one counts:
// what was carried out again after a restore does not change it.
func (l *Ledger) Finish(ctx context.Context, r Record) (note string, err error) {
	l.adding.Lock()
	defer l.adding.Unlock()
	p, found := l.Find(r.Tenant, r.Policy)
	if !found {
		return "", fault.New(fault.NotFound, "the policy was not purged")
	}
	if p.Record != "" {
		return p.Record, nil
	}
	if note, err = l.record(r); err != nil {
		return "", err
	}
	e := entry{Version: entryVersion, ID: p.ID, Tenant: p.Tenant, Policy: p.Policy, Part: recordPart, Record: note}
	if err := l.append(ctx, e); err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purged[policyID{p.Tenant, p.Policy}].Record = note
	return note, nil
}

// VerifierKey returns the public key to check the records of a tenant's purges with.
func (l *Ledger) VerifierKey(tenant string) (string, error) { return verifierKey(tenant, l.public) }
