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

// eventLife is how long events stay that nobody waits for.
const eventLife = 24 * time.Hour

// Sweep destroys every vault and every key whose retention has passed, at every recovery level
// (KV-63, KV-126), and returns how many. It is to be called from time to time, a few minutes
// apart; after a stop it catches up. Each is recorded first in its tenant's log. One that
// cannot be destroyed does not keep others back: the errors come together at the end. It also
// ends subscriptions that were cancelled and are empty, destroys key pairs that no version owns,
// and records how many requests were throttled.
//
// A clock that leaps ahead, by more than an hour, makes nothing due for a day (decision 31): Sweep
// says so once, by fault.Unavailable, and destroys what was due without that.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	request := uuid.NewString()
	failed := s.tellMissed(ctx, request, s.now())
	now, leap := s.steady.Now()
	if leap > 0 {
		failed = append(failed, fault.New(fault.Unavailable, "the clock is %s ahead of the time that has passed", leap.Round(time.Minute)).
			WithHint("Set it right; if it is, nothing needs to be done, and what it makes due is destroyed a day from now."))
	}
	vaults, vaultsErr := sweepAll(ctx,
		func(after DueVault) ([]DueVault, error) { return s.store.DueVaults(ctx, now, after, maxPage) },
		func(d DueVault) (bool, error) { return s.sweepVault(ctx, d, request) })
	keys, keysErr := sweepAll(ctx,
		func(after Due) ([]Due, error) { return s.store.Due(ctx, now, after, maxPage) },
		func(d Due) (bool, error) { return s.sweepKey(ctx, d, request) })
	_, subsErr := sweepAll(ctx,
		func(after Subscription) ([]Subscription, error) {
			return s.store.Cancelled(ctx, now.Add(-cancelledFor), after, maxPage)
		},
		func(sub Subscription) (bool, error) { return s.sweepSubscription(ctx, sub, request) })
	return vaults + keys, errors.Join(append(failed, vaultsErr, keysErr, subsErr, s.sweepLoose(ctx), s.store.PruneEvents(ctx, now.Add(-eventLife)))...)
}

// sweepAll destroys all that is listed, page by page.
func sweepAll[D any](ctx context.Context, list func(after D) ([]D, error), destroy func(D) (bool, error)) (swept int, err error) {
	var failed []error
	var after D
	for {
		due, err := list(after)
		if err != nil {
			return swept, errors.Join(append(failed, err)...)
		}
		for _, d := range due {
			if err := ctx.Err(); err != nil {
				return swept, errors.Join(append(failed, err)...)
			}
			done, err := destroy(d)
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

// sweepKey destroys one key. One that was recovered or purged meanwhile is left alone.
func (s *Service) sweepKey(ctx context.Context, d Due, request string) (bool, error) {
	e := retentionEntry(d.Tenant, PurgeKey, d.Vault+"/keys/"+d.Name, d.Deletion, request)
	done, err := settle(ctx, s, e, func() (bool, error) { return true, s.destroy(ctx, d, nil) }, nil)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return done, err
}

// sweepVault destroys one vault with its keys. What was begun and recorded before is ended.
func (s *Service) sweepVault(ctx context.Context, d DueVault, request string) (bool, error) {
	if !d.Condemned {
		e := retentionEntry(d.Tenant, PurgeVault, "vaults/"+d.Name, d.Deletion, request)
		gone := vaultEvent(VaultPurged, Vault{Tenant: d.Tenant, Name: d.Name}, s.now())
		_, err := settle(ctx, s, e, func() (struct{}, error) {
			return struct{}{}, s.tell(s.store.CondemnVault(ctx, d.Tenant, d.Name, d.Deleted, nil, gone), gone)
		}, nil)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	err := s.clearVault(ctx, d.Tenant, d.Name)
	if fault.Is(err, fault.NotFound) { // another node was faster
		return false, nil
	}
	return err == nil, err
}

func retentionEntry(tenant string, a Action, object string, d Deletion, request string) audit.Entry {
	return audit.Entry{
		Tenant: tenant,
		Caller: directory.SystemCaller(tenant, "retention", request),
		Action: string(a),
		Object: object,
		Detail: map[string]string{"deleted": d.Deleted.Format(time.RFC3339), "purge_at": d.PurgeAt.Format(time.RFC3339)},
	}
}
