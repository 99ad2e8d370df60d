package policy

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// BeginRecovery puts the files of a geo into recovery until a time: both roots are lost, and
// the customer has asked for the availability key (CK-76). It is the end of a request that was
// approved, so only the service itself may call it. Nothing is opened by it: that is for
// [Service.RestoreGeo]. What opens by the old roots goes on.
func (s *Service) BeginRecovery(ctx context.Context, caller directory.Caller, tenant, geo string, until time.Time) error {
	if !until.After(s.c.Now()) {
		return fault.New(fault.Invalid, "a recovery cannot end before it begins").WithHint("give a time to come")
	}
	return s.setRecovery(ctx, caller, tenant, geo, until.UTC().Truncate(time.Microsecond))
}

// EndRecovery takes the files of a geo out of recovery, with nothing restored.
func (s *Service) EndRecovery(ctx context.Context, caller directory.Caller, tenant, geo string) error {
	return s.setRecovery(ctx, caller, tenant, geo, time.Time{})
}

func (s *Service) setRecovery(ctx context.Context, caller directory.Caller, tenant, geo string, until time.Time) error {
	if caller.Kind != directory.System || caller.Tenant != tenant {
		if err := s.record(ctx, caller, Recover, clip(geo), audit.Deny, nil); err != nil {
			return err
		}
		return fault.New(fault.Forbidden, "only an approved request begins or ends a recovery").WithHint("ask for one, and have it approved")
	}
	st, err := s.geoStatus(ctx, tenant, geo)
	if err != nil {
		return err
	}
	if st.State == Unregistered {
		return errUnregistered(st)
	}
	p := st.Status.Policy
	detail := map[string]string{"geo": geo, "until": "none"}
	if !until.IsZero() {
		detail["until"] = until.Format(time.RFC3339)
	}
	if err := s.permit(ctx, caller, Recover, p.ID, detail); err != nil {
		return err
	}
	p.RecoverUntil, p.Updated = until, s.now()
	if err := s.c.Store.Apply(ctx, Edit{Tenant: tenant, Policy: &p}); err != nil {
		return s.failed(ctx, caller, Recover, p.ID, err)
	}
	return nil
}

// RestoreGeo gives the files of a geo in recovery two new root keys in place of the lost ones
// (CK-78). The availability key opens the policy key, and the new roots wrap the same one
// (CK-76): everything under it is readable at once, however many sites there are. It ends the
// recovery. Outside of one it is fault.Conflict with ReasonNoRecovery.
func (s *Service) RestoreGeo(ctx context.Context, caller directory.Caller, geo string, keys [2]RootKey) (GeoStatus, error) {
	if err := s.authorize(ctx, caller, SharePoint, Recover, clip(geo), rootDetail(geo, &keys[0], &keys[1])); err != nil {
		return GeoStatus{}, err
	}
	st, err := s.restoreGeo(ctx, caller, geo, keys)
	if err != nil {
		return st, s.failed(ctx, caller, Recover, clip(geo), err)
	}
	s.c.Wake()
	return st, nil
}

func (s *Service) restoreGeo(ctx context.Context, caller directory.Caller, geo string, keys [2]RootKey) (GeoStatus, error) {
	geo, err := s.geo(ctx, caller.Tenant, geo)
	if err != nil {
		return GeoStatus{}, err
	}
	st, err := s.geoStatus(ctx, caller.Tenant, geo)
	if err != nil {
		return st, err
	}
	if st.State != Recovering {
		return st, fault.New(fault.Conflict, "files of the geo %s are not in recovery", geo).WithReason(ReasonNoRecovery).
			WithHint("enable, restore or recover your root keys if you still can; else ask for a recovery, and have it approved")
	}
	p := st.Status.Policy
	if p.Roots, err = s.pin(ctx, p.Tenant, keys); err != nil {
		return st, err
	}
	restored, err := s.restored(ctx, caller, p)
	if err != nil {
		return st, err
	}
	p.RecoverUntil, p.Updated = time.Time{}, s.now()
	op, err := operation.Fresh(p.Tenant, converge, p.ID, p.Updated)
	if err != nil {
		return st, err
	}
	if err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, Restored: restored, Operation: &op}); err != nil {
		return st, err
	}
	for _, g := range restored {
		s.c.Keys.Drop(g.Tenant, g.ID) // whatever was held of it, and that its roots were refused
	}
	return s.geoStatus(ctx, p.Tenant, geo)
}

// restored returns the policy's generations that still live, under the new roots.
func (s *Service) restored(ctx context.Context, caller directory.Caller, p Policy) (all []hierarchy.Generation, err error) {
	live, err := s.c.Store.LiveGenerations(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	for _, g := range live {
		if g.Policy != p.ID {
			continue
		}
		if g, err = s.c.Keys.Restore(ctx, caller, g, p.Roots); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}
