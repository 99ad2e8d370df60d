package policy

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// Operations keeps long work and what is asked of it: the part of operation.Store that
// administrators reach.
type Operations interface {
	Add(ctx context.Context, op operation.Operation) error
	Get(ctx context.Context, tenant, id string) (operation.Operation, error)
	List(ctx context.Context, tenant, before string, limit int) ([]operation.Operation, error)
	Cancel(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error)
	Pause(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error)
	Resume(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error)
	Limit(ctx context.Context, tenant, id string, perSecond int64, now time.Time) (operation.Operation, error)
}

// What administrators do to long work, as the audit log calls it.
const (
	PauseOperation  Action = "operation.pause"
	ResumeOperation Action = "operation.resume"
	LimitOperation  Action = "operation.limit"
	StopOperation   Action = "operation.stop"
)

// ReasonUnsafe is the reason of fault.Conflict for work that must run to its end.
const ReasonUnsafe = "OperationUnsafe"

// Operations returns up to limit operations of the caller's tenant, newest first, those older
// than before (its id; "" for the newest). Administrators and readers of any family see them.
func (s *Service) Operations(ctx context.Context, caller directory.Caller, before string, limit int) ([]operation.Operation, error) {
	if err := s.checkAny(ctx, caller, Read, "operations"); err != nil {
		return nil, err
	}
	return s.c.Operations.List(ctx, caller.Tenant, before, limit)
}

// Operation returns one operation of the caller's tenant; fault.NotFound.
func (s *Service) Operation(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
	if err := s.checkAny(ctx, caller, Read, clip(id)); err != nil {
		return operation.Operation{}, err
	}
	return s.operation(ctx, caller, id)
}

func (s *Service) operation(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
	op, err := s.c.Operations.Get(ctx, caller.Tenant, id)
	if fault.Is(err, fault.NotFound) {
		return op, fault.New(fault.NotFound, "there is no operation %q", clip(id)).WithHint("Get-CKOperation lists them")
	}
	return op, err
}

// Suspend holds an operation until it is resumed, also over restarts. What has moved stays
// where it is, and everything can be read and written meanwhile.
func (s *Service) Suspend(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
	return s.control(ctx, caller, PauseOperation, id, nil, func(op operation.Operation) (operation.Operation, error) {
		return s.c.Operations.Pause(ctx, op.Tenant, op.ID, s.now())
	})
}

// Resume lets an operation go on: one that is paused, or that waits for its next attempt. One
// that was stopped or given up is begun anew where that is possible.
func (s *Service) Resume(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
	return s.control(ctx, caller, ResumeOperation, id, nil, func(op operation.Operation) (operation.Operation, error) {
		if op.State == operation.Cancelled || op.State == operation.Failed {
			return s.again(ctx, op)
		}
		return s.c.Operations.Resume(ctx, op.Tenant, op.ID, s.now())
	})
}

// SetMaximumRate sets the most units of work per second, 0 for as many as it can.
func (s *Service) SetMaximumRate(ctx context.Context, caller directory.Caller, id string, perSecond int64) (operation.Operation, error) {
	if perSecond < 0 {
		return operation.Operation{}, fault.New(fault.Invalid, "the highest rate cannot be negative").
			WithHint("give a number of units per second, or 0 for no limit")
	}
	return s.control(ctx, caller, LimitOperation, id, map[string]string{"perSecond": strconv.FormatInt(perSecond, 10)}, func(op operation.Operation) (operation.Operation, error) {
		return s.c.Operations.Limit(ctx, op.Tenant, op.ID, perSecond, s.now())
	})
}

// Stop ends an operation where that is safe: what has moved stays, the rest stays where it
// was, nothing is destroyed that anything needs, and the next change or Resume goes on.
func (s *Service) Stop(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
	return s.control(ctx, caller, StopOperation, id, nil, func(op operation.Operation) (operation.Operation, error) {
		return s.c.Operations.Cancel(ctx, op.Tenant, op.ID, s.now())
	})
}

// control does what is asked of an operation, recorded first, and lets its runner know.
func (s *Service) control(ctx context.Context, caller directory.Caller, do Action, id string, detail map[string]string, change func(operation.Operation) (operation.Operation, error)) (operation.Operation, error) {
	if err := s.checkAny(ctx, caller, do, clip(id)); err != nil {
		return operation.Operation{}, err
	}
	op, err := s.operation(ctx, caller, id)
	if err != nil {
		return op, err
	}
	if op.Kind != converge && !slices.Contains(s.c.Safe, op.Kind) {
		return op, fault.New(fault.Conflict, "an operation of the kind %s runs to its end once it has begun", op.Kind).WithReason(ReasonUnsafe).
			WithHint("Get-CKOperation shows how far it is")
	}
	if op.State == operation.Done {
		return op, fault.New(fault.Conflict, "the operation is done").WithHint("there is nothing left to hold or to go on with")
	}
	if err := s.permit(ctx, caller, do, op.ID, detail); err != nil {
		return op, err
	}
	after, err := change(op)
	if err != nil {
		return op, s.failed(ctx, caller, do, op.ID, err)
	}
	s.c.Wake()
	return after, nil
}

// again begins an operation anew that was stopped or given up, where the old one was. Where
// keys are being moved already, that work goes on instead.
func (s *Service) again(ctx context.Context, old operation.Operation) (operation.Operation, error) {
	op, err := operation.Fresh(old.Tenant, old.Kind, old.Subject, s.now())
	if err != nil {
		return old, err
	}
	op.Checkpoint, op.Done, op.Total, op.Reached, op.MaxRate = old.Checkpoint, old.Done, old.Total, old.Reached, old.MaxRate
	if old.Kind != converge {
		return op, s.c.Operations.Add(ctx, op)
	}
	if err := s.c.Store.Apply(ctx, Edit{Tenant: op.Tenant, Operation: &op}); err != nil {
		return old, err
	}
	latest, err := s.c.Operations.List(ctx, op.Tenant, "", 100)
	open := slices.IndexFunc(latest, func(o operation.Operation) bool { return o.Kind == converge && !o.State.Final() })
	if err != nil || open < 0 { // it is done already
		return op, err
	}
	return latest[open], nil
}

// checkAny refuses, and records that, unless a role of the caller allows it for some family.
func (s *Service) checkAny(ctx context.Context, caller directory.Caller, do Action, object string) error {
	for _, f := range []Family{Mailbox, SharePoint} {
		if caller.Tenant != "" && caller.Kind != directory.System && s.c.Roles.Allow(caller.Roles, f, do) {
			return nil
		}
	}
	return s.check(ctx, caller, MultiWorkload, do, object)
}
