package request

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// How a waiting period is counted.
const (
	// longestStep bounds what one look can add: where nobody looked for longer, nobody could
	// have stopped anything either (a database that was out, a machine that slept).
	longestStep = 5 * time.Minute
	// shortestStep is what is worth a write.
	shortestStep = time.Minute
	// tooFar is how far off an operation is due only by a clock that was wrong: longer than any
	// pause between two tries.
	tooFar = 10 * time.Minute
)

// Tend counts how much has passed of the waiting periods of all tenants, and has begin what a
// clock that was set back holds up. Every node calls it every few seconds; one that does so more
// rarely than every five minutes makes the periods longer.
func (s *Service) Tend(ctx context.Context) error {
	s.watch.Turn()
	now := s.now()
	waiting := func(after Place) ([]Request, error) { return s.c.Store.WaitingOut(ctx, after, onePage) }
	held := func(after Place) ([]Request, error) { return s.c.Store.Held(ctx, now.Add(tooFar), after, onePage) }
	return errors.Join(
		s.all(ctx, waiting, func(r Request) error {
			_, err := s.count(ctx, r)
			return err
		}),
		s.all(ctx, held, func(r Request) error { return s.c.Store.Hasten(ctx, r, now) }),
	)
}

// count adds to the row of an approved request what this process saw pass of its waiting period,
// and returns the request as it then stands.
func (s *Service) count(ctx context.Context, r Request) (Request, error) {
	passed, _ := s.watch.Since(r.ID, r.Waited)
	passed = min(passed.Truncate(time.Microsecond), longestStep, r.Wait-r.Waited)
	if passed <= 0 || passed < shortestStep && r.Waited+passed < r.Wait {
		return r, nil
	}
	next := r
	next.Waited += passed
	next.NotBefore = s.now().Add(next.Wait - next.Waited)
	counted, err := s.c.Store.Wait(ctx, next, r.Waited)
	if err != nil || !counted { // somebody else counts, or it was stopped
		return r, err
	}
	s.watch.Counted(r.ID, next.Waited)
	if next.Waited == next.Wait { // whatever time its operation is due by the clock
		err = s.c.Store.Hasten(ctx, next, s.now())
	}
	return next, err
}

// wait returns a request whose waiting period is over; fault.Unavailable if it is not.
func (s *Service) wait(ctx context.Context, r Request) (Request, error) {
	r, err := s.count(ctx, r)
	if err == nil && r.Waited < r.Wait {
		err = fault.New(fault.Unavailable, "%s of the waiting period are left", (r.Wait - r.Waited).Round(time.Second)).
			WithHint("until then it can be stopped with Deny-CKRequest or Remove-CKRequest")
	}
	return r, err
}

// explain adds what keeps a request from going on.
func (s *Service) explain(ctx context.Context, r Request) (Request, error) {
	if r.State != Approved && r.State != Running {
		return r, nil
	}
	message, hint, err := s.c.Store.Trouble(ctx, r.Tenant, r.ID)
	r.Trouble = message
	if message != "" && hint != "" {
		r.Trouble += "; " + hint
	}
	return r, err
}
