package policy

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// recoveryEnded is what the audit log calls the end of a recovery by itself.
const recoveryEnded Action = "policy.recover.end"

// recoveriesAtOnce bounds those that are in memory at a time.
const recoveriesAtOnce = 200

// TendRecoveries counts how much of the recoveries has passed, and ends those that are over. It
// is to be called every few seconds: the time of a recovery is counted as it passes (see package
// elapsed), so that a clock which is set, on or back, neither ends nor lengthens it. One that
// cannot be tended holds up no other; the first error comes back.
func (s *Service) TendRecoveries(ctx context.Context) (first error) {
	if s.c.Recoveries == nil {
		return nil
	}
	s.watch.Turn()
	for after := (hierarchy.Recovery{}); ; {
		page, err := s.c.Recoveries.Going(ctx, after, recoveriesAtOnce)
		if err != nil {
			return errors.Join(first, err)
		}
		for _, r := range page {
			after = r
			if err := s.tendRecovery(ctx, r); err != nil && first == nil {
				first = err
			}
		}
		if len(page) < recoveriesAtOnce || ctx.Err() != nil {
			return first
		}
	}
}

func (s *Service) tendRecovery(ctx context.Context, r hierarchy.Recovery) error {
	next := s.passed(r, s.now())
	if next.Spent >= next.Span {
		return s.endRecovery(ctx, next, "its time is over")
	}
	if next.Spent == r.Spent { // another node counts
		return nil
	}
	seen, err := s.c.Recoveries.See(ctx, next, r.Spent)
	if seen && err == nil {
		s.watch.Counted(r.Request, next.Spent)
	}
	return err
}

// passed returns a recovery as it stands now. What passed before this process first saw it counts
// by the clock, as far as that has gone on: content shall not be open next week because no
// server ran in between. While none ran nobody read, so a clock that was set back lengthens
// nothing.
func (s *Service) passed(r hierarchy.Recovery, now time.Time) hierarchy.Recovery {
	spent, known := s.watch.Since(r.Request, r.Spent)
	if !known {
		spent = max(0, now.Sub(r.Seen))
	}
	r.Spent += spent.Truncate(time.Microsecond)
	r.Seen, r.Until = now, now.Add(r.Span-r.Spent)
	return r
}

// endRecovery ends a recovery that is over.
func (s *Service) endRecovery(ctx context.Context, r hierarchy.Recovery, why string) error {
	caller := directory.SystemCaller(r.Tenant, recoverWork, r.Request)
	if err := s.record(ctx, caller, recoveryEnded, r.Policy, audit.Allow, map[string]string{"request": r.Request, "why": why}); err != nil {
		return err
	}
	r.Ended, r.Why = s.now(), why
	if _, err := s.c.Recoveries.End(ctx, r); err != nil {
		return err
	}
	return s.dropAll(ctx, Policy{Tenant: r.Tenant, ID: r.Policy})
}
