package audit

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	maxBatch    = 256              // entries in one transaction; times MaxLeaf, the memory it may take
	recordLimit = 10 * time.Second // for one transaction; then its entries are refused
)

// A request is one entry on its way into the log.
type request struct {
	ctx    context.Context
	tenant string
	leaf   []byte
	done   chan error // buffered: its caller may have left
}

// Record appends e, with the time of the log's clock, and returns when it is durable and under
// a signed head. Entries that arrive while others are being written wait and are written
// together: whoever is first among those waiting writes for all.
//
// On an error the caller must not act. The entry may still have been recorded, if ctx ended or
// the database went away meanwhile: a log may say that something was allowed which then did
// not happen, never the other way round.
func (l *Log) Record(ctx context.Context, e Entry) error { return l.Submit(ctx, e)() }

// Submit implements Submitter: it is Record in two halves. The entry is written with those of
// others, or when durable is called, which has to be.
func (l *Log) Submit(ctx context.Context, e Entry) (durable func() error) {
	e.Time = l.now()
	leaf, err := EncodeLeaf(e)
	if err != nil {
		return func() error { return err }
	}
	r := &request{ctx: ctx, tenant: e.Tenant, leaf: leaf, done: make(chan error, 1)}
	l.mu.Lock()
	l.queue = append(l.queue, r)
	l.mu.Unlock()
	return func() error { return l.settle(r) }
}

// settle waits until r was written, or writes it.
func (l *Log) settle(r *request) error {
	for {
		select {
		case err := <-r.done:
			return err
		default:
		}
		select {
		case err := <-r.done:
			return err
		case <-r.ctx.Done():
			return cannotRecord(r.ctx.Err()) // left in the queue; the next batch drops it
		case l.turn <- struct{}{}:
			l.writeBatch(r.ctx)
			<-l.turn
		}
	}
}

// writeBatch writes the entries that have waited longest and answers them. The transaction does
// not end with the context of the caller who happens to write it.
func (l *Log) writeBatch(ctx context.Context) {
	runtime.Gosched() // whoever could run now hands in his entry first, and shares this flush
	batch := l.take()
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	var failed map[string]error // by tenant
	err := l.store.Append(ctx, func(ctx context.Context, tx Tx) (err error) {
		failed, err = l.appendAll(ctx, tx, batch)
		return err
	})
	for _, r := range batch {
		if err != nil {
			r.done <- cannotRecord(err)
			continue
		}
		r.done <- cannotRecord(failed[r.tenant])
	}
}

// take removes the next batch from the queue, without those whose callers have left.
func (l *Log) take() (batch []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for ; n < len(l.queue) && len(batch) < maxBatch; n++ {
		if l.queue[n].ctx.Err() == nil {
			batch = append(batch, l.queue[n])
		}
	}
	l.queue = l.queue[n:]
	return batch
}

// A growth is what a batch adds to one tenant's log.
type growth struct {
	tree  *tree // with the new leaves
	first int64 // index of the first of them
	rows  []Row
}

// appendAll appends the batch to the logs of its tenants. A tenant whose stored head is not
// what was signed is in failed and gets nothing; the others do not suffer for it.
func (l *Log) appendAll(ctx context.Context, tx Tx, batch []*request) (failed map[string]error, err error) {
	failed = map[string]error{}
	grown := map[string]*growth{}
	for _, r := range batch {
		if grown[r.tenant] == nil && failed[r.tenant] == nil {
			latest, err := tx.Latest(ctx, r.tenant)
			if err != nil {
				return nil, err
			}
			t, err := l.open(r.tenant, latest)
			if err != nil {
				failed[r.tenant] = err
				continue
			}
			grown[r.tenant] = &growth{tree: t, first: t.size}
		}
		if g := grown[r.tenant]; g != nil {
			g.rows = append(g.rows, Row{Leaf: r.leaf, Hashes: joinHashes(g.tree.add(r.leaf))})
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(grown)) { // always in one order: no deadlock between nodes
		if err := l.write(ctx, tx, tenant, grown[tenant]); err != nil {
			return nil, err
		}
	}
	return failed, nil
}

// write stores a growth. The head comes first: it is the row that two nodes collide on.
func (l *Log) write(ctx context.Context, tx Tx, tenant string, g *growth) error {
	h, err := l.seal(tenant, g.tree)
	if err != nil {
		return err
	}
	latest := Latest{Size: h.Size, Edge: joinHashes(g.tree.edge), Note: string(h.Note)}
	if err := tx.SetLatest(ctx, tenant, latest); err != nil {
		return err
	}
	l.remember(tenant, latest)
	return tx.Add(ctx, tenant, g.first, g.rows)
}

// cannotRecord is what every failure of Record becomes; nil stays nil.
func cannotRecord(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Wrap(fault.Unavailable, err, "the request cannot be recorded in the audit log, so it was not carried out")
	switch {
	case fault.Is(err, fault.Corrupt):
		return f.WithHint("the stored log differs from its signed head: run ck audit verify, then restore it from a backup")
	case fault.As(err).Hint != "":
		return f.WithHint("%s", fault.As(err).Hint)
	}
	return f.WithHint("try again")
}
