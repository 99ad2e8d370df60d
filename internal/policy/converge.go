package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// Handlers returns the work that policies need done, for the operation.Runner.
func (s *Service) Handlers() map[string]operation.Handler {
	handlers := s.requestHandlers()
	handlers[converge], handlers[rollAvailability] = s.converge, s.rollAvailability
	return handlers
}

// A walk is one claim of a "converge" operation: it walks the tenant's container keys in
// their order, pass after pass, until every one is where it belongs. Done is how many keys
// were moved, Total that and how many are elsewhere than they belong; when a change on the way
// makes more work, the percentage stands still until the work has caught up.
type walk struct {
	s      *Service
	run    *operation.Run
	caller directory.Caller
	at     checkpoint
	saved  time.Time // of the last checkpoint
	late   bool      // this pass was begun by an earlier claim: what it found may be over
}

// A checkpoint is how far a walk is, as JSON in the operation.
type checkpoint struct {
	Pass      int    `json:"pass"`      // finished passes
	Container string `json:"container"` // the last key that was looked at; "" before the first
	Version   int    `json:"version"`
	Moved     int64  `json:"moved"`            // keys moved in this pass
	Broken    int64  `json:"broken"`           // keys of this pass that do not open
	First     string `json:"first,omitempty"`  // what the first of those said
	Names     string `json:"names,omitempty"`  // containers of the first few of those, with the versions
	Closed    int64  `json:"closed,omitempty"` // keys of this pass whose root keys open nothing now
	Why       string `json:"why,omitempty"`    // what the first of those said
	Next      string `json:"next,omitempty"`   // and what to do about it
	Failed    int    `json:"failed,omitempty"` // passes in a row that ended with broken keys and nothing else to do
}

// Pauses before the keys that do not open are looked at again.
const (
	firstRetry   = time.Minute
	longestRetry = time.Hour
)

// saveEvery is how long a walk that moves nothing goes on without saving its checkpoint.
const saveEvery = time.Second

// converge moves every container key of the operation's tenant to the generation it belongs
// under, then destroys the generations that nothing is under. It reads what is in force anew
// for each batch, so a change on the way is followed at once. Whatever stops it, it is tried
// again: keys must not stay behind for ever.
func (s *Service) converge(ctx context.Context, run *operation.Run) error {
	w := &walk{s: s, run: run, caller: directory.SystemCaller(run.Op.Tenant, converge, run.Op.ID)}
	if run.Op.Checkpoint != "" {
		if err := json.Unmarshal([]byte(run.Op.Checkpoint), &w.at); err != nil {
			return fault.Wrap(fault.Corrupt, err, "the checkpoint of the operation cannot be read")
		}
	}
	w.late = w.at.Container != ""
	if run.Op.Checkpoint == "" {
		if err := w.begin(ctx); err != nil {
			return operation.Again(err, 0)
		}
	}
	for {
		if err := w.pass(ctx); err != nil {
			return operation.Again(err, 0)
		}
		settled, err := w.settled(ctx)
		if err != nil {
			return operation.Again(err, retryAfter(w.at.Failed))
		}
		if settled {
			return nil
		}
	}
}

// retryAfter is the pause after that many fruitless looks at broken keys: none after none.
func retryAfter(failed int) time.Duration {
	if failed == 0 {
		return 0
	}
	return min(firstRetry<<min(failed-1, 10), longestRetry)
}

// begin counts the keys to move and saves the first checkpoint.
func (w *walk) begin(ctx context.Context) error {
	left, err := w.s.astray(ctx, w.run.Op.Tenant)
	if err != nil {
		return err
	}
	return w.run.Save(ctx, w.at.encode(), 0, left)
}

// pass goes through all keys after the checkpoint. While one batch is written, the next one is
// read and wrapped anew.
func (w *walk) pass(ctx context.Context) error {
	ahead := w.prepare(ctx)
	defer ahead.stop()
	for {
		b, err := ahead.next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := w.commit(ctx, b); err != nil {
			return err
		}
		if err := w.run.Slow(ctx, int64(len(b.moves))); err != nil {
			return err
		}
	}
}

// commit moves the keys of a batch and saves the checkpoint behind the last of them in the
// same transaction.
func (w *walk) commit(ctx context.Context, b *batch) error {
	next := w.at
	next.Container, next.Version = b.last.Container, b.last.Version
	next.Moved += int64(len(b.moves))
	if err := w.excuse(ctx, b.failures, &next); err != nil {
		return err
	}
	if len(b.moves) == 0 && time.Since(w.saved) < saveEvery {
		w.at = next
		return nil
	}
	open, err := w.s.astray(ctx, w.run.Op.Tenant)
	if err != nil {
		return err
	}
	done := w.run.Op.Done + int64(len(b.moves))
	f := w.run.Fence(next.encode(), done, max(w.run.Op.Done+open, done))
	left, err := w.s.c.Store.Move(ctx, b.moves, f)
	if err != nil {
		return err
	}
	w.run.Saved(f)
	w.saved = time.Now()
	w.at = next
	w.at.Moved -= int64(left) // not saved: after a crash it only costs one more pass
	return nil
}

// excuse decides what keys that could not be wrapped anew mean: they are broken, and counted;
// they wait for root keys of theirs, and are counted; they were overtaken by another change, and
// are looked at again in the next pass; or the work cannot go on now.
func (w *walk) excuse(ctx context.Context, failures []failure, at *checkpoint) error {
	for _, f := range failures {
		if closed(f.err) {
			if at.Closed++; at.Why == "" {
				at.Why, at.Next = clip(fault.As(f.err).Message), clip(fault.As(f.err).Hint)
			}
			continue
		}
		broken, err := w.isBroken(ctx, f)
		if err != nil {
			return err
		}
		if !broken {
			continue
		}
		at.blame(f)
	}
	return nil
}

// maxNamed is how many keys that do not open are named.
const maxNamed = 5

// blame counts a key that does not open.
func (c *checkpoint) blame(f failure) {
	c.Broken++
	switch name := fmt.Sprintf("%s/%d", clip(f.key.Container), f.key.Version); {
	case c.Broken == 1:
		c.Names, c.First = name, clip(fault.As(f.err).Message)
	case c.Broken <= maxNamed:
		c.Names += ", " + name
	}
}

// which names the keys that do not open, the first few of them.
func (c checkpoint) which() string {
	if c.Broken > maxNamed {
		return c.Names + " and others"
	}
	return c.Names
}

// closed reports whether a failure says that the root keys above a key open nothing now, because
// they deny or cannot be reached. Other keys of the tenant have other root keys.
func closed(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.Unavailable) && fault.As(err).Reason == hierarchy.ReasonNoKeyReachable
}

// isBroken tells a key that does not open from one that was overtaken. Any other failure comes
// back as the error.
func (w *walk) isBroken(ctx context.Context, f failure) (bool, error) {
	if fault.Is(f.err, fault.Corrupt) || fault.Is(f.err, fault.NotFound) { // NotFound: a row above it is gone
		return true, nil
	}
	if fault.As(f.err).Reason == hierarchy.ReasonPurged { // its row goes in a moment, if it has not gone
		return false, nil
	}
	if fault.As(f.err).Reason != hierarchy.ReasonGenerationDestroyed {
		return false, f.err
	}
	key := f.key
	again, err := w.s.c.Store.ContainerKeys(ctx, key.Tenant, Place{key.Container, key.Version - 1}, 1)
	if err != nil {
		return false, err
	}
	g, err := w.s.c.Store.Generation(ctx, key.Tenant, key.Generation)
	if err != nil {
		return false, err
	}
	same := len(again) == 1 && again[0].Container == key.Container && again[0].Version == key.Version && again[0].Generation == key.Generation
	return same && g.State == hierarchy.Destroyed, nil
}

// settled ends a pass: it reports whether all keys are where they belong and nothing is left
// to do, or prepares the next pass.
func (w *walk) settled(ctx context.Context) (bool, error) {
	left, err := w.s.astray(ctx, w.run.Op.Tenant)
	if err != nil {
		return false, err
	}
	still := w.at.Moved == 0 // this pass has changed nothing: another one alone would not either
	if still && left > 0 {   // or rows were changed by hand, and the counts are not true
		if err := w.s.c.Store.Recount(ctx, w.run.Op.Tenant); err != nil {
			return false, err
		}
	}
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
	if left == 0 {
		return true, nil
	}
	ended := w.at
	w.at = checkpoint{Pass: ended.Pass + 1}
	if still && ended.Broken > 0 && left <= ended.Broken+ended.Closed {
		w.at.Failed = ended.Failed + 1
	}
	if err := w.run.Save(ctx, w.at.encode(), w.run.Op.Done, w.run.Op.Done+left); err != nil {
		return false, err
	}
	late := w.late
	w.late = false
	switch {
	case w.at.Failed > 0:
		return false, fault.New(fault.Corrupt, "%d container keys do not open and were left where they are, %s; the first: %s", left, ended.which(), ended.First).
			WithHint("everything else has moved; restore those keys from a backup of the database, then Resume-CKOperation, or wait: they are looked at again within the hour")
	case still && ended.Closed > 0 && late:
	case still && ended.Closed > 0:
		return false, fault.New(fault.Unavailable, "%d container keys wait for root keys; the first: %s", left, ended.Why).
			WithHint("%s", strings.TrimSpace("everything else has moved; this goes on by itself once one of their root keys works. "+ended.Next))
	case still && ended.Pass > 0:
		return false, fault.New(fault.Unavailable, "%d container keys are in use by other changes", left).WithHint("this goes on by itself")
	}
	return false, nil
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
