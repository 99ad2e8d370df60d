package purge

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
)

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
