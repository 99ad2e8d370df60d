package purge

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

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
