package importer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/customerkey/customerkey/client"
)

// A Target is the container that is imported into or exported from.
type Target struct {
	Client    *client.Client
	Workload  string
	Container string
}

func (t Target) ref(item string) client.Ref {
	return client.Ref{Workload: t.Workload, Container: t.Container, Item: item}
}

// Options of a transfer.
type Options struct {
	Workers int                          // transfers at once; 8 if 0
	Failure func(from string, err error) // told each thing that failed; one call at a time
	Tally   *Tally                       // counts while the transfer runs; may be nil
	Force   bool                         // export only: replace files that differ
}

// A Tally counts what is done. It may be read while a transfer runs.
type Tally struct {
	Done      atomic.Int64 // things transferred
	Unchanged atomic.Int64 // things that were there already
	Failed    atomic.Int64 // things that could not be read or were refused
	Bytes     atomic.Int64 // content transferred
	Weight    atomic.Int64 // input worked through, in the unit of InputSize
}

// pool runs a transfer: things in, a bounded number at once, until one fails in a way that
// every other would too.
type pool[T any] struct {
	o     Options
	mu    sync.Mutex // serializes o.Failure
	tally *Tally
}

func newPool[T any](o Options) *pool[T] {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Tally == nil {
		o.Tally = &Tally{}
	}
	return &pool[T]{o: o, tally: o.Tally}
}

// run feeds what produce sends to do. An error of produce, and one of do that is fatal, ends
// the transfer; what was under way ends too.
func (p *pool[T]) run(ctx context.Context, produce func(ctx context.Context, send func(T) bool) error, do func(ctx context.Context, thing T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	things := make(chan T)
	group.Go(func() error {
		defer close(things)
		return produce(ctx, func(thing T) bool {
			select {
			case things <- thing:
				return true
			case <-ctx.Done():
				return false
			}
		})
	})
	for range p.o.Workers {
		group.Go(func() error {
			for thing := range things {
				if err := do(ctx, thing); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// failed counts and reports one thing that failed by itself, or returns err if it would hit
// every other thing as well.
func (p *pool[T]) failed(from string, err error) error {
	if fatal(err) {
		return err
	}
	p.tally.Failed.Add(1)
	if p.o.Failure != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.o.Failure(from, err)
	}
	return nil
}

// fatal reports whether err says something about the whole transfer and not about one thing:
// the service cannot be reached, the caller may not, the root keys are denied.
func fatal(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var all *hopelessError
	if errors.As(err, &all) {
		return true
	}
	var local *localError
	if errors.As(err, &local) {
		return false
	}
	var answer *client.Error
	if !errors.As(err, &answer) {
		return true // no answer at all
	}
	switch answer.Code {
	case client.CodeInvalid, client.CodeNotFound, client.CodeConflict, client.CodeTooLarge, client.CodeCorrupt:
		return false
	}
	return true
}

// hopelessError is an answer that every other thing would get too.
type hopelessError struct{ err error }

func (e *hopelessError) Error() string { return e.err.Error() }
func (e *hopelessError) Unwrap() error { return e.err }

// localError is a failure of this machine's files, not of the service.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

func local(err error) error {
	if err == nil {
		return nil
	}
	return &localError{err}
}
