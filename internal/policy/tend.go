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

	// unusedFor is how long an availability key must have been unused before it is destroyed:
	// longer than a new policy takes from choosing its key to being stored.
	unusedFor = time.Hour
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
// request, goes on with those that could not end, and destroys availability keys that nothing needs
// any more. Every node calls it again and again; each step is found in the rows, so none is lost.
func (s *Service) TendAvailability(ctx context.Context) error {
	return errors.Join(s.rollOld(ctx), s.followRolls(ctx))
}

// rollOld rolls keys that were made too long ago.
func (s *Service) rollOld(ctx context.Context) error {
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
	old, err := s.c.Availability.Old(ctx, before, tendPage)
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := s.rollKey(ctx, f, before); err != nil {
			return err
		}
	}
	return nil
}

// rollKey replaces a shared key, which the policies that name it then follow; or starts the roll
// of a tenant whose policy has a key of its own. A key that no policy takes any more, or that was
// made for one which never came to be, is destroyed.
func (s *Service) rollKey(ctx context.Context, f availability.Facts, before time.Time) error {
	needed, err := s.c.Store.KeyNeeded(ctx, f.ID)
	switch {
	case err != nil:
		return err
	case needed && !f.Kind.Shared():
		_, err = s.startRoll(ctx, f.Tenant, before, s.now().Add(-rollAgain))
		return err
	case needed || f.Kind == s.c.SharePointAvailability:
		_, err = s.c.Availability.Renew(ctx, tender(f), availability.Scope{Kind: f.Kind, Tenant: f.Tenant}, before)
		return err
	case f.Created.Add(unusedFor).Before(s.now()):
		return s.c.Availability.Destroy(ctx, tender(f), f.Tenant, f.ID)
	}
	return nil
}

// followRolls sees to it that policies leave keys that have successors, and destroys such keys
// once no policy and no living generation names them.
func (s *Service) followRolls(ctx context.Context) error {
	var after availability.Facts
	for {
		page, err := s.c.Availability.Superseded(ctx, after, tendPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, f := range page {
			if err := s.follow(ctx, f); err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}

func (s *Service) follow(ctx context.Context, f availability.Facts) error {
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
	if !f.Superseded.Add(unusedFor).Before(s.now()) {
		return nil
	}
	if needed, err := s.c.Store.KeyNeeded(ctx, f.ID); needed || err != nil {
		return err
	}
	return s.c.Availability.Destroy(ctx, tender(f), f.Tenant, f.ID)
}

// tender is who does to a key what nobody has asked for by name.
func tender(f availability.Facts) directory.Caller {
	return directory.SystemCaller(f.Tenant, "availability keys", uuid.NewString())
}
