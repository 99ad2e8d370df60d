package request

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
)

// Get returns one request that the caller may see; fault.NotFound.
func (s *Service) Get(ctx context.Context, c directory.Caller, id string) (Request, error) {
	v, err := s.enter(ctx, c, Read, clip(id))
	if err != nil {
		return Request{}, err
	}
	r, err := s.find(ctx, v, id)
	if err == nil {
		r, err = s.explain(ctx, r)
	}
	if err == nil && r.Tenant != c.Tenant { // who runs the service looks at a customer's
		err = s.record(ctx, c, Read, r.ID, r.Tenant, audit.Allow, nil)
	}
	return r, err
}

// Look returns a request for the package that asked for it: nobody's rights are looked at.
func (s *Service) Look(ctx context.Context, tenant, id string) (Request, error) {
	r, err := s.c.Store.Request(ctx, tenant, id)
	if err != nil {
		return r, err
	}
	return s.lapse(ctx, r)
}

// onePage is how many requests are in memory at a time.
const onePage = 100

// Each calls see for every request that the caller may see, in the order of asking, behind the
// one with the id after. Those that have come to their end are left out unless ended. One whose
// row is damaged comes too, with the fault in Unreadable: the others are behind it.
func (s *Service) Each(ctx context.Context, c directory.Caller, after string, ended bool, see func(Request) error) error {
	v, err := s.enter(ctx, c, Read, "requests")
	if err != nil {
		return err
	}
	list := s.c.Store.Requests
	if v.operator {
		list = s.c.Store.OperatorRequests
		if err := s.record(ctx, c, Read, "requests", "", audit.Allow, nil); err != nil {
			return err
		}
	}
	told := map[string]bool{c.Tenant: true}
	tell := func(r Request) error { // as for Get: that tenant can account for it too
		if !told[r.Tenant] {
			if err := s.record(ctx, c, Read, "requests", r.Tenant, audit.Allow, nil); err != nil {
				return err
			}
			told[r.Tenant] = true
		}
		return see(r)
	}
	for {
		page, err := list(ctx, c.Tenant, after, ended, onePage)
		if err != nil {
			return err
		}
		for _, r := range page {
			after = r.ID
			if r.Unreadable != nil {
				s.damaged(ctx, r)
			}
			if err := s.show(ctx, v, r, ended, tell); err != nil {
				return err
			}
		}
		if len(page) < onePage {
			return nil
		}
	}
}

// damaged says in the log of the server that a request cannot be read. It stays as it is: nobody
// can approve it, and its operation does not begin.
func (s *Service) damaged(ctx context.Context, r Request) {
	s.c.Log.ErrorContext(ctx, "a request cannot be read", "tenant", r.Tenant, "request", r.ID, "state", r.State, "err", r.Unreadable)
}

func (s *Service) show(ctx context.Context, v visitor, r Request, ended bool, see func(Request) error) error {
	if !v.sees(r) {
		return nil
	}
	if r.Unreadable != nil { // nothing more can be found out about it
		return see(r)
	}
	r, err := s.lapse(ctx, r)
	if err != nil || !ended && !r.State.Open() {
		return err
	}
	if r, err = s.explain(ctx, r); err != nil {
		return err
	}
	return see(r)
}
