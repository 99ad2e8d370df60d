package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Sweep destroys every key whose retention has passed, in every vault and at every recovery
// level (KV-63), and returns how many. It is to be called from time to time, a few minutes
// apart; after a stop it catches up. Each key is its own transaction, recorded first in its
// tenant's log. A key that cannot be destroyed does not keep others back: the errors come
// together at the end. It also records how many requests were throttled.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	request := uuid.NewString()
	now := s.now()
	var swept int
	failed := s.tellMissed(ctx, request, now)
	for after := (Due{}); ; {
		due, err := s.store.Due(ctx, now, after, maxPage)
		if err != nil {
			return swept, errors.Join(append(failed, err)...)
		}
		for _, d := range due {
			if err := ctx.Err(); err != nil {
				return swept, errors.Join(append(failed, err)...)
			}
			done, err := s.sweep(ctx, d, request)
			if done {
				swept++
			}
			if err != nil && len(failed) < maxPage {
				failed = append(failed, err)
			}
		}
		if len(due) < maxPage {
			return swept, errors.Join(failed...)
		}
		after = due[len(due)-1]
	}
}

// sweep destroys one key. One that was recovered or purged meanwhile is left alone.
func (s *Service) sweep(ctx context.Context, d Due, request string) (bool, error) {
	e := audit.Entry{
		Tenant: d.Tenant,
		Caller: directory.SystemCaller(d.Tenant, "retention", request),
		Action: string(PurgeKey),
		Object: d.Vault + "/keys/" + d.Name,
		Detail: map[string]string{"deleted": d.Deleted.Format(time.RFC3339), "purge_at": d.PurgeAt.Format(time.RFC3339)},
	}
	done, err := settle(ctx, s, e, func() (bool, error) { return true, s.destroy(ctx, d) }, nil)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return done, err
}
