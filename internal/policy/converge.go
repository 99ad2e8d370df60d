package policy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// Handlers returns the work that policies need done, for the operation.Runner.
func (s *Service) Handlers() map[string]operation.Handler {
	return map[string]operation.Handler{converge: s.converge, rollAvailability: s.rollAvailability}
}

// A walk is one claim of a "converge" operation: it walks the tenant's container keys in
// their order, pass after pass, until every one is where it belongs. Total is how many there
// were when it began, Done how many it has looked at, never more than Total: the percentage
// never goes back.
type walk struct {
	s      *Service
	run    *operation.Run
	caller directory.Caller
	at     checkpoint
}

// A checkpoint is how far a walk is, as JSON in the operation.
type checkpoint struct {
	Pass      int    `json:"pass"`      // finished passes
	Container string `json:"container"` // the last key that was looked at; "" before the first
	Version   int    `json:"version"`
	Moved     int64  `json:"moved"`           // keys moved in this pass
	Broken    int64  `json:"broken"`          // keys of this pass that do not open
	First     string `json:"first,omitempty"` // what the first of those said
}

// converge moves every container key of the operation's tenant to the generation it belongs
// under, then destroys the generations that nothing is under. It reads what is in force anew
// for each batch, so a change on the way is followed at once.
func (s *Service) converge(ctx context.Context, run *operation.Run) error {
	w := &walk{s: s, run: run, caller: directory.SystemCaller(run.Op.Tenant, converge, run.Op.ID)}
	if run.Op.Checkpoint != "" {
		if err := json.Unmarshal([]byte(run.Op.Checkpoint), &w.at); err != nil {
			return fault.Wrap(fault.Corrupt, err, "the checkpoint of the operation cannot be read")
		}
	}
	if run.Op.Checkpoint == "" {
		if err := w.begin(ctx); err != nil {
			return err
		}
	}
	for {
		if err := w.pass(ctx); err != nil {
			return err
		}
		settled, err := w.settled(ctx)
		if err != nil || settled {
			return err
		}
	}
}

// begin counts the keys and saves the first checkpoint.
func (w *walk) begin(ctx context.Context) error {
	usage, err := w.s.c.Store.Usage(ctx, w.run.Op.Tenant)
	if err != nil {
		return err
	}
	var total int64
	for _, u := range usage {
		total += u.Keys
	}
	return w.run.Save(ctx, w.at.encode(), 0, total)
}

// pass goes through all keys after the checkpoint.
func (w *walk) pass(ctx context.Context) error {
	for {
		keys, err := w.s.c.Store.ContainerKeys(ctx, w.run.Op.Tenant, Place{w.at.Container, w.at.Version}, w.s.c.Batch)
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := w.batch(ctx, keys); err != nil {
			return err
		}
	}
}

// batch moves those of keys that are elsewhere than they belong, and saves the checkpoint
// behind the last of them in the same transaction.
func (w *walk) batch(ctx context.Context, keys []hierarchy.ContainerKey) error {
	next := w.at
	moves, err := w.rewrap(ctx, keys, &next)
	if err != nil {
		return err
	}
	last := keys[len(keys)-1]
	next.Container, next.Version = last.Container, last.Version
	next.Moved += int64(len(moves))
	done := min(w.run.Op.Done+int64(len(keys)), w.run.Op.Total)
	f := w.run.Fence(next.encode(), done, w.run.Op.Total)
	left, err := w.s.c.Store.Move(ctx, moves, f)
	if err != nil {
		return err
	}
	w.run.Saved(f)
	w.at = next
	w.at.Moved -= int64(left) // not saved: after a crash it only costs one more pass
	return nil
}

// rewrap wraps anew, in memory, those of keys that belong elsewhere. One that does not open
// is counted and left: it must not keep the others from moving.
func (w *walk) rewrap(ctx context.Context, keys []hierarchy.ContainerKey, at *checkpoint) ([]Move, error) {
	m, err := w.s.chart(ctx, w.run.Op.Tenant, keys)
	if err != nil {
		return nil, err
	}
	var moves []Move
	for _, key := range keys {
		to, err := m.generation(ctx, key)
		if err != nil {
			return nil, err
		}
		if to.ID == "" || to.ID == key.Generation {
			continue
		}
		moved, err := w.s.c.Keys.Rewrap(ctx, w.caller, key, to)
		if err == nil {
			moves = append(moves, Move{Key: moved, From: key.Generation})
			continue
		}
		if err := w.excuse(ctx, key, err, at); err != nil {
			return nil, err
		}
	}
	return moves, nil
}

// excuse decides what a key that could not be rewrapped means: it is broken, and counted; it
// was overtaken by another change, and is looked at again in the next pass; or the work
// cannot go on now.
func (w *walk) excuse(ctx context.Context, key hierarchy.ContainerKey, err error, at *checkpoint) error {
	broken := fault.Is(err, fault.Corrupt) || fault.Is(err, fault.NotFound) // NotFound: a row above it is gone
	if fault.As(err).Reason == hierarchy.ReasonGenerationDestroyed {
		again, err := w.s.c.Store.ContainerKeys(ctx, key.Tenant, Place{key.Container, key.Version - 1}, 1)
		if err != nil {
			return err
		}
		g, err := w.s.c.Store.Generation(ctx, key.Tenant, key.Generation)
		if err != nil {
			return err
		}
		same := len(again) == 1 && again[0].Container == key.Container && again[0].Version == key.Version && again[0].Generation == key.Generation
		if broken = same && g.State == hierarchy.Destroyed; !broken {
			return nil
		}
	}
	if !broken {
		return err
	}
	if at.Broken++; at.First == "" {
		at.First = clip(fault.As(err).Message)
	}
	return nil
}

// settled ends a pass: it reports whether all keys are where they belong and nothing is left
// to do, or prepares the next pass.
func (w *walk) settled(ctx context.Context) (bool, error) {
	left, err := w.s.astray(ctx, w.run.Op.Tenant)
	if err != nil {
		return false, err
	}
	still := w.at.Moved == 0 // this pass has changed nothing: another one alone would not either
	if left == 0 || still {
		if err := w.destroyDrained(ctx); err != nil {
			return false, err
		}
		if err := pause(ctx, w.s.c.Settle); err != nil {
			return false, err
		}
		if left, err = w.s.astray(ctx, w.run.Op.Tenant); err != nil {
			return false, err
		}
	}
	switch {
	case left == 0:
		return true, nil
	case still && left <= w.at.Broken:
		return false, fault.New(fault.Corrupt, "%d container keys do not open and were left where they are; the first: %s", left, w.at.First).
			WithHint("everything else has moved; restore those keys from a backup of the database, then assign or refresh again")
	case still && w.at.Pass > 0:
		return false, fault.New(fault.Unavailable, "%d container keys are in use by other changes", left).WithHint("this goes on by itself")
	}
	w.at = checkpoint{Pass: w.at.Pass + 1}
	return false, w.run.Save(ctx, w.at.encode(), w.run.Op.Done, w.run.Op.Total)
}

// encode returns the checkpoint as it is stored.
func (c checkpoint) encode() string {
	text, _ := json.Marshal(c) // numbers and text always marshal
	return string(text)
}

// pause waits, or returns early with the reason why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
