package purge

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

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
		purged: map[policyID]*Purge{}, blocked: map[policyID]int{}, marks: map[mark]struct{}{}, off: map[requestID]struct{}{},
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
			switch e.Part {
			case 0:
				orders[e.ID] = e
			case calledOff:
				l.off[requestID{e.Tenant, e.ID}] = struct{}{}
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

// heal writes into each place the lines of orders in force, and of requests that were called off,
// that it lacks. Within a place the parts of a purge stand before its order.
func (l *Ledger) heal(ctx context.Context, order []lineID, all map[lineID][]byte, orders map[string]entry, has []map[lineID]bool) error {
	for i, p := range l.places {
		var missing [][]byte
		for _, id := range order {
			if _, inForce := orders[id.id]; (inForce || id.part == calledOff) && !has[i][id] {
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
	again := &Ledger{public: l.public, places: l.places, purged: map[policyID]*Purge{}, marks: map[mark]struct{}{}, off: map[requestID]struct{}{}}
	return again, again.load(ctx)
}
