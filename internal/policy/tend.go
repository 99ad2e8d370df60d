package policy

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	rollAgain = time.Hour // after a roll that has failed
	tendPage  = 500       // keys or tenants looked at in one read

	// settledIn is longer than a new policy takes from choosing its availability key to being
	// stored: until then nobody is surprised that no policy names the key.
	settledIn = time.Hour
)

// RollAvailability has the availability keys of a tenant's policies, or with tenant "" of all
// tenants, replaced by new ones (CK-33, CK-282). That of a forest is replaced for all or not at
// all. Only an operator may ask; no key is shown to anybody. It returns once the work is stored:
// fault.Conflict if that tenant's keys are being rolled already, fault.NotFound if there is no such
// tenant.
func (s *Service) RollAvailability(ctx context.Context, caller directory.Caller, tenant string) error {
	object := tenant
	if tenant == "" {
		object = "*"
	}
	if err := s.authorize(ctx, caller, ServiceOwned, RollAvailability, object, nil); err != nil {
		return err
	}
	if err := s.askRoll(ctx, caller, tenant); err != nil {
		return s.failed(ctx, caller, RollAvailability, object, err)
	}
	s.c.Wake()
	return nil
}

func (s *Service) askRoll(ctx context.Context, caller directory.Caller, tenant string) error {
	if tenant == "" {
		return s.c.Availability.AskRenewal(ctx)
	}
	if _, err := s.serviceOwned(ctx, tenant); err != nil {
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "there is no organization %q", clip(tenant)).WithHint("give its id, as ck tenant list shows it")
		}
		return err
	}
	if tenant != caller.Tenant { // the tenant's own log says who asked
		err := s.c.Audit.Record(ctx, audit.Entry{Tenant: tenant, Caller: caller, Action: string(RollAvailability), Object: tenant, Decision: audit.Allow})
		if err != nil {
			return err
		}
	}
	started, err := s.startRoll(ctx, tenant, s.now(), time.Time{})
	if err == nil && !started {
		return fault.New(fault.Conflict, "the availability keys of the organization are being rolled already")
	}
	return err
}

// startRoll stores the operation that rolls a tenant's keys, unless one is open or has failed after
// quiet, if that is not zero.
func (s *Service) startRoll(ctx context.Context, tenant string, since, quiet time.Time) (started bool, err error) {
	op, err := rollOperation(tenant, since, s.now())
	if err != nil {
		return false, err
	}
	if started, err = s.c.Store.Begin(ctx, op, quiet); started {
		s.c.Wake()
	}
	return started, err
}

// TendAvailability starts the rolls that are due by Config.AvailabilityRoll or by an operator's
// request, goes on with those that could not end, replaces keys that are lost, and destroys availability keys that have not been
// needed for Config.AvailabilityKeep. Every node calls it again and again; each step is found in the
// rows, so none is lost.
//
// A key that nothing in the database of the service has ever named is kept: that database may come
// from a backup, and a newer one may be put back. strange is how many there are.
func (s *Service) TendAvailability(ctx context.Context) (strange int, err error) {
	t := &tending{s: s}
	err = errors.Join(t.rollOld(ctx), t.followRolls(ctx), t.replaceLost(ctx))
	return t.strange, err
}

// A tending is one call of TendAvailability.
type tending struct {
	s       *Service
	strange int
}

// rollOld rolls keys that were made too long ago.
func (t *tending) rollOld(ctx context.Context) error {
	s := t.s
	before, err := s.c.Availability.RenewalAsked(ctx)
	if err != nil {
		return err
	}
	if due := s.now().Add(-s.c.AvailabilityRoll); s.c.AvailabilityRoll > 0 && due.After(before) {
		before = due
	}
	if before.IsZero() {
		return nil
	}
	return eachPage(func(after availability.Facts) ([]availability.Facts, error) {
		return s.c.Availability.Old(ctx, before, after, tendPage)
	}, func(f availability.Facts) error { return t.rollKey(ctx, f, before) })
}

// eachPage calls do with every key that list returns, page after page.
func eachPage(list func(after availability.Facts) ([]availability.Facts, error), do func(availability.Facts) error) error {
	for after := (availability.Facts{}); ; {
		page, err := list(after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, f := range page {
			if err := do(f); err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}

// rollKey replaces a shared key, which the policies that name it then follow; or starts the roll
// of a tenant whose policy has a key of its own. One that no policy takes any more is retired.
func (t *tending) rollKey(ctx context.Context, f availability.Facts, before time.Time) error {
	s := t.s
	need, err := s.c.Store.KeyNeed(ctx, f.ID)
	switch {
	case err != nil:
		return err
	case need.Now && !f.Kind.Shared():
		_, err = s.startRoll(ctx, f.Tenant, before, s.now().Add(-rollAgain))
		return err
	case need.Now || f.Kind == s.c.SharePointAvailability:
		_, err = s.c.Availability.Renew(ctx, tender(f), availability.Scope{Kind: f.Kind, Tenant: f.Tenant}, before)
		return err
	}
	return t.retire(ctx, f, need)
}

// followRolls sees to it that policies leave keys that have successors, and retires such keys.
func (t *tending) followRolls(ctx context.Context) error {
	return eachPage(func(after availability.Facts) ([]availability.Facts, error) {
		return t.s.c.Availability.Superseded(ctx, after, tendPage)
	}, func(f availability.Facts) error { return t.follow(ctx, f) })
}

func (t *tending) follow(ctx context.Context, f availability.Facts) error {
	s := t.s
	for after := ""; ; {
		tenants, err := s.c.Store.KeyTenants(ctx, f.ID, after, tendPage)
		if err != nil {
			return err
		}
		if len(tenants) == 0 {
			break
		}
		for _, tenant := range tenants {
			if _, err := s.startRoll(ctx, tenant, f.Superseded, s.now().Add(-rollAgain)); err != nil {
				return err
			}
		}
		after = tenants[len(tenants)-1]
	}
	need, err := s.c.Store.KeyNeed(ctx, f.ID)
	if err != nil {
		return err
	}
	return t.retire(ctx, f, need)
}

// retire destroys a key once nothing has needed it for so long that no backup of the service's
// database which may still be put back needs it either. On a doubt it does not.
func (t *tending) retire(ctx context.Context, f availability.Facts, need KeyNeed) error {
	s, last := t.s, f.Created
	for _, at := range []time.Time{f.Superseded, need.Last} {
		if at.After(last) {
			last = at
		}
	}
	switch {
	case need.Now:
	case !need.Known:
		if last.Add(settledIn).Before(s.now()) {
			t.strange++
		}
	case last.Add(s.c.AvailabilityKeep).Before(s.now()):
		return s.c.Availability.Destroy(ctx, tender(f), f.Tenant, f.ID)
	}
	return nil
}

// tender is who does to a key what nobody has asked for by name.
func tender(f availability.Facts) directory.Caller {
	return directory.SystemCaller(f.Tenant, "availability keys", uuid.NewString())
}
