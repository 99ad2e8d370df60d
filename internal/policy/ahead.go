package policy

import (
	"context"
	"runtime"
	"sync"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A batch is container keys in their order, those of them that belong elsewhere wrapped anew
// in memory, nothing of it stored.
type batch struct {
	last     Place // of the last key that was looked at
	moves    []Move
	failures []failure // keys that could not be wrapped anew: they must not keep the others from moving
}

type failure struct {
	key hierarchy.ContainerKey
	err error
}

// An ahead reads and wraps the next batch of a pass while the last one is written. At most two
// batches are in memory.
type ahead struct {
	ready  chan *batch // closed at the end of the keys, or at a failure
	err    error       // why, once ready is closed
	cancel context.CancelFunc
}

// prepare starts to prepare the batches after the walk's checkpoint.
func (w *walk) prepare(ctx context.Context) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{ready: make(chan *batch), cancel: cancel}
	from := Place{w.at.Container, w.at.Version}
	go func() {
		defer close(a.ready)
		a.err = w.prepareAll(ctx, from, a.ready)
	}()
	return a
}

// next returns the next batch, nil after the last.
func (a *ahead) next(ctx context.Context) (*batch, error) {
	select {
	case b, ok := <-a.ready:
		if !ok {
			return nil, a.err
		}
		return b, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// stop ends the preparation and waits for its end.
func (a *ahead) stop() {
	a.cancel()
	for range a.ready {
	}
}

func (w *walk) prepareAll(ctx context.Context, from Place, ready chan<- *batch) error {
	for {
		keys, err := w.s.c.Store.ContainerKeys(ctx, w.run.Op.Tenant, from, w.run.Batch(w.s.c.Batch))
		if err != nil || len(keys) == 0 {
			return err
		}
		b, err := w.rewrap(ctx, keys)
		if err != nil {
			return err
		}
		select {
		case ready <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		from = b.last
	}
}

// rewrap wraps anew those of keys that belong elsewhere, on all processors.
func (w *walk) rewrap(ctx context.Context, keys []hierarchy.ContainerKey) (*batch, error) {
	m, err := w.s.chart(ctx, w.run.Op.Tenant, keys)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, key := range keys {
		to, err := m.generation(ctx, key)
		if err != nil {
			return nil, err
		}
		if to.ID != "" && to.ID != key.Generation {
			jobs = append(jobs, job{from: key, to: to})
		}
	}
	w.work(ctx, jobs)
	return gather(keys, jobs), ctx.Err()
}

// gather makes a batch of what came of jobs for some of keys.
func gather(keys []hierarchy.ContainerKey, jobs []job) *batch {
	last := keys[len(keys)-1]
	b := &batch{last: Place{last.Container, last.Version}, moves: make([]Move, 0, len(jobs))}
	for _, j := range jobs {
		if j.err != nil {
			b.failures = append(b.failures, failure{j.from, j.err})
			continue
		}
		b.moves = append(b.moves, Move{Key: j.key, From: j.from})
	}
	return b
}

// A job is one key to be wrapped anew, and what came of it.
type job struct {
	from hierarchy.ContainerKey
	to   hierarchy.Generation
	key  hierarchy.ContainerKey
	err  error
}

// work does the jobs. After a failure that concerns all of them, such as a vault that does not
// answer, the rest is not tried.
func (w *walk) work(ctx context.Context, jobs []job) {
	workers := max(min(runtime.GOMAXPROCS(0), len(jobs)/16), 1)
	size := (len(jobs) + workers - 1) / workers
	var all sync.WaitGroup
	for first := 0; first < len(jobs); first += size {
		part := jobs[first:min(first+size, len(jobs))]
		all.Go(func() { w.workThrough(ctx, part) })
	}
	all.Wait()
}

func (w *walk) workThrough(ctx context.Context, jobs []job) {
	var stuck error
	for i := range jobs {
		j := &jobs[i]
		if j.err = stuck; stuck != nil {
			continue
		}
		j.key, j.err = w.s.c.Keys.Rewrap(ctx, w.caller, j.from, j.to)
		if j.err != nil && !concernsOne(j.err) {
			stuck = j.err
		}
	}
}

// concernsOne reports whether a failure says nothing about the other keys.
func concernsOne(err error) bool {
	reason := fault.As(err).Reason
	return closed(err) || fault.Is(err, fault.Corrupt) || fault.Is(err, fault.NotFound) ||
		reason == hierarchy.ReasonGenerationDestroyed || reason == hierarchy.ReasonPurged
}
