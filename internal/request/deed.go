package request

import (
	"context"
	"errors"
	"slices"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// A Deed does what a request asks for, as the handler of its operation: it is resumable, and
// outcome says in words what it did. An error with code fault.Invalid or fault.Corrupt ends the
// request as failed; any other is tried again for as long as it takes: a vault that is out for a
// week does not end what was approved.
type Deed func(ctx context.Context, run *operation.Run, r Request) (outcome string, err error)

// Handler returns the handler of a rule's operation. It begins the request, calls do with it
// each time the operation is claimed, and writes how it ended.
func (s *Service) Handler(do Deed) operation.Handler {
	return func(ctx context.Context, run *operation.Run) error {
		err := s.handle(ctx, run, do)
		if err == nil || hopeless(err) || operation.IsStale(err) {
			return err
		}
		return operation.Again(err, 0)
	}
}

func (s *Service) handle(ctx context.Context, run *operation.Run, do Deed) error {
	r, err := s.begin(ctx, run)
	if err != nil || r.State == Done { // done, and then the node died
		return err
	}
	outcome, err := do(ctx, run, r)
	if err == nil {
		return s.finish(ctx, run, r, Done, outcome)
	}
	if hopeless(err) {
		return errors.Join(err, s.finish(ctx, run, r, Failed, fault.As(err).Message))
	}
	return err
}

// hopeless reports whether trying again cannot help.
func hopeless(err error) bool {
	code := fault.As(err).Code
	return code == fault.Invalid || code == fault.Corrupt
}

// Handlers returns the work of the package's own kind, for the operation.Runner.
func (s *Service) Handlers() map[string]operation.Handler {
	return map[string]operation.Handler{officerRule.Operation: s.Handler(s.changeOfficer)}
}

// begin makes the request of an operation a running one, unless it is.
func (s *Service) begin(ctx context.Context, run *operation.Run) (Request, error) {
	for {
		r, err := s.c.Store.Request(ctx, run.Op.Tenant, run.Op.Subject)
		if fault.Is(err, fault.NotFound) {
			return r, fault.Wrap(fault.Invalid, err, "the operation belongs to no request")
		}
		if err != nil {
			return r, err
		}
		switch {
		case r.Operation != run.Op.ID:
			return r, fault.New(fault.Invalid, "the operation is not the one that the request was approved for")
		case r.State == Running || r.State == Done:
			return r, nil
		case r.State != Approved:
			return r, fault.New(fault.Invalid, "the request is %s", r.State)
		}
		if r, err = s.wait(ctx, r); err != nil {
			return r, err
		}
		if err := checkApproved(r); err != nil {
			return r, err
		}
		next := r
		next.State, next.Updated = Running, s.at(r)
		err = s.settle(ctx, run, next, map[string]string{"state": string(Running), "digest": r.Digest()})
		if isStale(err) { // withdrawn just now
			continue
		}
		next.Revision++
		return next, err
	}
}

// checkApproved makes sure of everything once more before a request takes effect: the row may
// have been changed by other hands.
func checkApproved(r Request) error {
	again := r
	again.State = Waiting
	bad := len(again.Missing()) > 0 || len(r.Approvals) == 0
	digest := r.Digest()
	for i, a := range r.Approvals {
		twice := slices.ContainsFunc(r.Approvals[:i], func(b Approval) bool { return a.By.is(b.By) })
		bad = bad || twice || a.By.is(r.AskedBy) || a.Digest != digest || (a.Side == ByRule) != (r.Needs == NeedsRule)
	}
	if bad {
		return fault.New(fault.Corrupt, "the request is not what was approved").WithHint("see the audit log for who changed it; ask again")
	}
	return nil
}

// finish writes how a request ended.
func (s *Service) finish(ctx context.Context, run *operation.Run, r Request, as State, outcome string) error {
	r.State, r.Outcome, r.Updated = as, clip(outcome), s.at(r)
	r.Ended = r.Updated
	return s.settle(ctx, run, r, map[string]string{"state": string(as), "outcome": r.Outcome})
}

// settle records and stores a change that the service makes itself, under the fence of the
// operation that makes it.
func (s *Service) settle(ctx context.Context, run *operation.Run, r Request, detail map[string]string) error {
	detail["kind"] = string(r.Kind)
	c := directory.SystemCaller(r.Tenant, "request", r.ID)
	if err := s.record(ctx, c, Finish, r.ID, "", audit.Allow, detail); err != nil {
		return err
	}
	f := run.Fence(run.Op.Checkpoint, run.Op.Done, run.Op.Total)
	if err := s.c.Store.Apply(ctx, Edit{Request: r, Fence: &f}); err != nil {
		return s.failed(ctx, c, Finish, r.ID, "", err)
	}
	run.Saved(f)
	return nil
}
