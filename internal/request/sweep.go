package request

import (
	"context"
	"errors"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
)

// lapse ends a request that has waited for its approvals too long, and returns it as it then
// stands. It is stored, so that a clock set back does not bring it back.
func (s *Service) lapse(ctx context.Context, r Request) (Request, error) {
	if r.State != Waiting || !s.at(r).After(r.Expires) {
		return r, nil
	}
	return s.giveUp(ctx, r, Expired, "nobody approved it in time")
}

// Sweep ends the requests that have waited too long, and those whose operation was given up or
// cancelled. It is called from time to time; nothing depends on when.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	overdue := func(after Place) ([]Request, error) { return s.c.Store.Overdue(ctx, now, after, onePage) }
	lost := func(after Place) ([]Request, error) { return s.c.Store.Lost(ctx, after, onePage) }
	return errors.Join(
		s.all(ctx, overdue, func(r Request) error {
			_, err := s.lapse(ctx, r)
			return err
		}),
		s.all(ctx, lost, func(r Request) error {
			_, err := s.giveUp(ctx, r, Failed, "its operation was given up; see the operation for why")
			return err
		}),
	)
}

// all calls do for every request of a list, page by page. One that fails, or cannot be read,
// holds up no other; the first error comes back.
func (s *Service) all(ctx context.Context, list func(after Place) ([]Request, error), do func(Request) error) (first error) {
	for after := (Place{}); ; {
		page, err := list(after)
		if err != nil {
			return errors.Join(first, err)
		}
		for _, r := range page {
			after = Place{r.Tenant, r.ID}
			if r.Unreadable != nil {
				s.damaged(ctx, r)
				continue
			}
			if err := do(r); err != nil && first == nil {
				first = err
			}
		}
		if len(page) < onePage || ctx.Err() != nil {
			return first
		}
	}
}

// giveUp ends a request in the service's own name. Where somebody else has changed it meanwhile,
// what he made of it is returned.
func (s *Service) giveUp(ctx context.Context, r Request, as State, why string) (Request, error) {
	c := directory.SystemCaller(r.Tenant, "request", r.ID)
	if err := s.record(ctx, c, Finish, r.ID, "", audit.Allow, map[string]string{"state": string(as), "kind": string(r.Kind)}); err != nil {
		return r, err
	}
	next := r
	next.State, next.Outcome, next.Updated = as, why, s.at(r)
	next.Ended = next.Updated
	err := s.c.Store.Apply(ctx, Edit{Request: next})
	if isStale(err) {
		_ = s.failed(ctx, c, Finish, r.ID, "", err)
		return s.c.Store.Request(ctx, r.Tenant, r.ID)
	}
	if err != nil {
		return r, s.failed(ctx, c, Finish, r.ID, "", err)
	}
	next.Revision++
	return next, nil
}
