package keyvault

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
)

// settle is where both doors lead. It records the decision and then does what was decided:
// refused is why not, or nil. Nothing is done, and nothing is told, that could not be recorded.
func settle[T any](ctx context.Context, s *Service, e audit.Entry, act func() (T, error), refused error) (T, error) {
	var none T
	if refused != nil {
		if undecided(refused) {
			return none, refused
		}
		e.Decision = audit.Deny
		e.Detail = with(e.Detail, "reason", reasonOf(refused))
		if err := s.record(ctx, e); err != nil {
			return none, err
		}
		return none, refused
	}
	e.Decision = audit.Allow
	if err := s.record(ctx, e); err != nil {
		return none, err
	}
	got, err := act()
	if err != nil {
		return none, errors.Join(err, s.recordFailure(ctx, e, err))
	}
	return got, nil
}

// answer is settle for what was allowed and has no effect but its answer: a key operation. It
// is worked out while the decision is on its way into the log, and given only when that is
// durable (decision 7).
func answer[T any](ctx context.Context, s *Service, e audit.Entry, act func() (T, error)) (T, error) {
	var none T
	e.Decision = audit.Allow
	durable := s.submit(ctx, e)
	runtime.Gosched() // short work before long: who only has to hand in an entry is in this commit, too
	got, err := act()
	if err := durable(); err != nil {
		return none, err
	}
	if err != nil {
		return none, errors.Join(err, s.recordFailure(ctx, e, err))
	}
	return got, nil
}

// undecided reports whether err says that no decision could be made, so that there is none
// to record: a store that does not answer, a client that has left.
func undecided(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	code := fault.CodeOf(err)
	return code == fault.Unavailable || code == fault.Internal || code == fault.Corrupt
}

// record writes an entry, or refuses the request.
func (s *Service) record(ctx context.Context, e audit.Entry) error { return s.submit(ctx, e)() }

// submit hands an entry in, with the id that the client gave the request: by it people join
// this log with the client's own (CK-371, CK-377). What it returns waits like record.
func (s *Service) submit(ctx context.Context, e audit.Entry) (durable func() error) {
	if id := e.Caller.ClientRequest; id != "" {
		e.Detail = with(e.Detail, "client_request", id)
	}
	wait := s.audit.Submit(ctx, e)
	return func() error {
		if err := wait(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "The request cannot be recorded, so it was refused").
				WithHint("Try again; if it stays, the audit log needs its operator.")
		}
		return nil
	}
}

// recordFailure adds that what was allowed did not take effect. The client may have left,
// which must not keep it out of the log.
func (s *Service) recordFailure(ctx context.Context, e audit.Entry, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	e.Decision = audit.Fail
	e.Detail = with(e.Detail, "reason", reasonOf(cause))
	return s.record(ctx, e)
}

// reasonOf says in a word why: the finer reason where there is one.
func reasonOf(err error) string {
	e := fault.As(err)
	if e.Reason != "" {
		return e.Reason
	}
	return string(e.Code)
}

// with returns a copy of detail with one more.
func with(detail map[string]string, name, value string) map[string]string {
	more := map[string]string{name: value}
	for n, v := range detail {
		if n != name {
			more[n] = v
		}
	}
	return more
}
