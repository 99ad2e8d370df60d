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

// BeginRecovery puts the files of a geo into recovery for a while: both roots are lost, and
// the customer has asked for the availability key (CK-76). It is the end of a request that was
// approved, so only the service itself may call it, and the request of the caller begins it once.
// Nothing is opened by it: that is for [Service.RestoreGeo]. What opens by the old roots goes on.
func (s *Service) BeginRecovery(ctx context.Context, caller directory.Caller, tenant, geo string, span time.Duration) error {
	if span < time.Microsecond || caller.Request == "" || s.c.Recoveries == nil {
		return fault.New(fault.Invalid, "a recovery needs a request and some time")
	}
	p, err := s.mayRecoverGeo(ctx, caller, tenant, geo, span.String())
	if err != nil {
		return err
	}
	r := s.newRecovery(p, caller.Request, span.Truncate(time.Microsecond))
	if err := s.setRecovery(ctx, caller, p, r); err != nil {
		return err
	}
	s.watch.Since(r.Request, 0) // begins to count
	return nil
}

// EndRecovery takes the files of a geo out of recovery, with nothing restored.
func (s *Service) EndRecovery(ctx context.Context, caller directory.Caller, tenant, geo string) error {
	p, err := s.mayRecoverGeo(ctx, caller, tenant, geo, "none")
	if err != nil {
		return err
	}
	r, err := s.endOfRecovery(ctx, p, "asked")
	if err != nil || r == nil {
		return err
	}
	return s.setRecovery(ctx, caller, p, *r)
}

// endOfRecovery returns the end of the recovery of a policy, nil if none goes on.
func (s *Service) endOfRecovery(ctx context.Context, p Policy, why string) (*hierarchy.Recovery, error) {
	if s.c.Recoveries == nil {
		return nil, nil
	}
	r, err := s.c.Recoveries.Recovery(ctx, p.Tenant, p.ID)
	if err != nil || r.Started.IsZero() || !r.Ended.IsZero() {
		return nil, err
	}
	r.Ended, r.Why = s.now(), why
	return &r, nil
}

// mayRecoverGeo is the door for beginning and ending a recovery: it returns the policy of the geo.
func (s *Service) mayRecoverGeo(ctx context.Context, caller directory.Caller, tenant, geo, lasts string) (p Policy, err error) {
	if caller.Kind != directory.System || caller.Tenant != tenant {
		if err := s.record(ctx, caller, Recover, clip(geo), audit.Deny, nil); err != nil {
			return p, err
		}
		return p, fault.New(fault.Forbidden, "only an approved request begins or ends a recovery").WithHint("ask for one, and have it approved")
	}
	st, err := s.geoStatus(ctx, tenant, geo)
	if err != nil {
		return p, err
	}
	if st.State == Unregistered {
		return p, errUnregistered(st)
	}
	p = st.Status.Policy
	return p, s.permit(ctx, caller, Recover, p.ID, map[string]string{"geo": geo, "lasts": lasts})
}

func (s *Service) setRecovery(ctx context.Context, caller directory.Caller, p Policy, r hierarchy.Recovery) error {
	p.Updated = s.now()
	if err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, Recovery: &r}); err != nil {
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
	over, err := s.endOfRecovery(ctx, p, "restored")
	if err != nil {
		return st, err
	}
	p.Updated = s.now()
	op, err := operation.Fresh(p.Tenant, converge, p.ID, p.Updated)
	if err != nil {
		return st, err
	}
	if err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, Restored: restored, Recovery: over, Operation: &op}); err != nil {
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
