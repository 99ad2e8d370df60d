package request

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Approve counts the caller as an approval of the side that still misses one: as an officer of
// the family in the request's tenant, or as an operator of the service. digest is that of what
// he has seen. With the last approval the request is approved, and its operation stored.
func (s *Service) Approve(ctx context.Context, c directory.Caller, id, digest string) (Request, error) {
	r, err := s.change(ctx, c, Approve, id, map[string]string{"digest": clip(digest)}, func(v visitor, r *Request, e *Edit) error {
		side, err := v.sideOf(*r)
		if err != nil {
			return err
		}
		if !strings.EqualFold(digest, r.Digest()) {
			return fault.New(fault.Conflict, "the approval is for something else than what was asked for").WithReason(ReasonDigest).
				WithHint("look at it with Get-CKRequest -Identity %s, and approve by the digest that it shows", r.ID)
		}
		r.Approvals = append(r.Approvals, Approval{Side: side, By: personOf(c), At: s.at(*r), Digest: r.Digest()})
		if len(r.Missing()) > 0 {
			return nil
		}
		e.Operation, err = s.ready(r)
		return err
	})
	if err == nil && r.State == Approved {
		s.c.Wake()
	}
	return r, err
}

// sideOf returns the side for which the visitor may approve r now.
func (v visitor) sideOf(r Request) (Side, error) {
	me := personOf(v.Caller)
	if slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.By.is(me) }) {
		return "", fault.New(fault.Conflict, "the caller has approved this already").WithReason(ReasonTwice).
			WithHint("one person is one approval")
	}
	if r.State != Waiting {
		return "", errEnded(r)
	}
	if r.AskedBy.is(me) {
		return "", fault.New(fault.Forbidden, "nobody approves his own request").WithReason(ReasonOwn).
			WithHint("it takes an approval by: %s", r.Needs)
	}
	missing := r.Missing()
	for _, side := range missing {
		if v.is(side, r) {
			return side, nil
		}
	}
	if v.is(Officer, r) && r.Needs.officer() || v.is(Operator, r) && r.Needs.operator() {
		return "", fault.New(fault.Conflict, "that side has approved this already").WithReason(ReasonTwice).
			WithHint("it waits for: %s", missing[0])
	}
	return "", fault.New(fault.Forbidden, "the caller cannot approve this").WithReason(ReasonNotYours).WithHint("it takes an approval by: %s", r.Needs)
}

// is reports whether the visitor may speak for a side in r.
func (v visitor) is(side Side, r Request) bool {
	if side == Operator {
		return v.operator
	}
	return side == Officer && v.Tenant == r.Tenant && slices.Contains(v.officer, r.Family)
}

// errEnded is the fault for deciding what is decided.
func errEnded(r Request) error {
	if r.State == Running {
		return fault.New(fault.Conflict, "what the request asked for has begun").WithReason(ReasonBegun).
			WithHint("see how it goes with Get-CKRequest -Identity %s", r.ID)
	}
	return fault.New(fault.Conflict, "the request is %s", r.State).WithReason(ReasonEnded).
		WithHint("see it with Get-CKRequest -Identity %s; what is still wanted has to be asked for again", r.ID)
}

// Deny ends a request that has not begun: an officer of the family in its tenant may, and, where
// an operator's approval counts, an operator. In the waiting period this is how to stop it.
func (s *Service) Deny(ctx context.Context, c directory.Caller, id, why string) (Request, error) {
	return s.end(ctx, c, Deny, id, why, Denied, func(v visitor, r Request) error {
		if v.is(Officer, r) || v.is(Operator, r) && r.Needs.operator() {
			return nil
		}
		return fault.New(fault.Forbidden, "the caller cannot deny this").WithReason(ReasonNotYours).
			WithHint("officers and operators can; who asked takes it back with Remove-CKRequest")
	})
}

// Withdraw takes a request back that has not begun: who asked may, and a Global Administrator of
// its tenant.
func (s *Service) Withdraw(ctx context.Context, c directory.Caller, id, why string) (Request, error) {
	return s.end(ctx, c, Withdraw, id, why, Withdrawn, func(v visitor, r Request) error {
		mine := r.AskedBy.is(personOf(v.Caller))
		if mine || v.Tenant == r.Tenant && v.reader && v.Has(directory.GlobalAdministrator) {
			return nil
		}
		return fault.New(fault.Forbidden, "the caller cannot take this back").WithReason(ReasonNotYours).
			WithHint("who asked can, and a Global Administrator; approvers deny it with Deny-CKRequest")
	})
}

func (s *Service) end(ctx context.Context, c directory.Caller, do Action, id, why string, as State, may func(visitor, Request) error) (Request, error) {
	return s.change(ctx, c, do, id, map[string]string{"why": clip(why)}, func(v visitor, r *Request, e *Edit) error {
		if err := may(v, *r); err != nil {
			return err
		}
		if err := checkText("reason", why, maxReason); err != nil {
			return err
		}
		if !r.State.undecided() {
			return errEnded(*r)
		}
		r.State, r.EndedBy, r.Outcome, r.Ended = as, personOf(c), why, s.at(*r)
		e.Cancel = r.Operation
		return nil
	})
}

// attempts bounds how often a change is decided anew because others came first.
const attempts = 20

// change passes the door, decides on the request as it stands, records, and stores. What others
// changed meanwhile is looked at again.
func (s *Service) change(ctx context.Context, c directory.Caller, do Action, id string, detail map[string]string, decide func(visitor, *Request, *Edit) error) (Request, error) {
	v, err := s.enter(ctx, c, do, clip(id))
	if err != nil {
		return Request{}, err
	}
	for try := 1; ; try++ {
		recorded := try > 1
		r, err := s.find(ctx, v, id)
		if err != nil {
			return Request{}, err
		}
		e := Edit{Request: r}
		e.Request.Approvals = slices.Clone(r.Approvals)
		err = decide(v, &e.Request, &e)
		switch {
		case err != nil && recorded:
			return Request{}, s.failed(ctx, c, do, r.ID, r.Tenant, err)
		case err != nil:
			return Request{}, s.refuse(ctx, c, do, r.ID, r.Tenant, err)
		case !recorded:
			detail["kind"] = string(r.Kind)
			if err := s.record(ctx, c, do, r.ID, r.Tenant, audit.Allow, detail); err != nil {
				return Request{}, err
			}
		}
		e.Request.Updated = s.at(r)
		err = s.c.Store.Apply(ctx, e)
		if isStale(err) && try < attempts {
			continue
		}
		if err != nil {
			return Request{}, s.failed(ctx, c, do, r.ID, r.Tenant, err)
		}
		e.Request.Revision++
		return e.Request, nil
	}
}

func isStale(err error) bool { return fault.As(err).Reason == ReasonChanged }

// find returns a request that the visitor may see, by now expired if its time is over.
func (s *Service) find(ctx context.Context, v visitor, id string) (Request, error) {
	missing := fault.New(fault.NotFound, "there is no request %.64q", id).WithHint("Get-CKRequest lists them")
	parsed, err := uuid.Parse(id)
	if err != nil {
		return Request{}, missing
	}
	r, err := s.c.Store.Request(ctx, v.Tenant, parsed.String())
	if fault.Is(err, fault.NotFound) && v.operator {
		r, err = s.c.Store.ForOperator(ctx, parsed.String())
	}
	if fault.Is(err, fault.NotFound) || err == nil && !v.sees(r) {
		return Request{}, missing
	}
	if err != nil {
		return Request{}, err
	}
	return s.lapse(ctx, r)
}

// sees reports whether the visitor may know of r.
func (v visitor) sees(r Request) bool {
	own := v.Tenant == r.Tenant && (v.reader || slices.Contains(v.officer, r.Family) || r.AskedBy.is(personOf(v.Caller)))
	return own || v.operator && r.ForOperator()
}
