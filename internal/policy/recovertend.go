package policy

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// recoveryEnded is what the audit log calls the end of a recovery by itself.
const recoveryEnded Action = "policy.recover.end"

// mostRecoveries bounds those that are looked at in one go.
const mostRecoveries = 1000

// A sighting is when this process last saw a recovery, by its own monotonic clock.
type sighting struct {
	seen time.Time // as the row then said
	at   time.Time
}

// TendRecoveries counts how much of the recoveries has passed, and ends those that are over. It
// is to be called every few seconds: the time of a recovery is counted by a clock that cannot be
// set back, as far as this process saw it pass, so that a clock which is set back does not
// lengthen it. After a start behind a clock that was set back nobody knows, and it ends.
func (s *Service) TendRecoveries(ctx context.Context) error {
	if s.c.Recoveries == nil {
		return nil
	}
	s.tending.Lock()
	defer s.tending.Unlock()
	going, err := s.c.Recoveries.Going(ctx, mostRecoveries)
	if err != nil {
		return err
	}
	known := s.sightings
	s.sightings = map[string]sighting{}
	for _, r := range going {
		next, over := passed(r, known[r.Request], s.now())
		if over != "" {
			if err := s.endRecovery(ctx, r, over); err != nil {
				return err
			}
			continue
		}
		if _, err := s.c.Recoveries.See(ctx, next, r.Seen); err != nil {
			return err
		}
		s.sightings[r.Request] = sighting{seen: next.Seen, at: time.Now()}
	}
	return nil
}

// passed returns a recovery as it stands at a time by the clock, or why it is over.
func passed(r hierarchy.Recovery, last sighting, now time.Time) (next hierarchy.Recovery, over string) {
	elapsed := now.Sub(r.Seen)
	watched := last.seen.Equal(r.Seen) && !last.at.IsZero()
	if watched {
		elapsed = max(elapsed, time.Since(last.at))
	}
	if elapsed < 0 && !watched {
		return r, "the clock went back"
	}
	next = r
	next.Spent += elapsed
	next.Seen = now
	if left := next.Span - next.Spent; next.Until.After(now.Add(left)) {
		next.Until = now.Add(left)
	}
	if next.Spent >= next.Span || !now.Before(next.Until) {
		return next, "its time is over"
	}
	return next, ""
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
