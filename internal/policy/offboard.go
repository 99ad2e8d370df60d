package policy

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
)

// offboardWork is the kind of the operation that takes a policy out of force everywhere.
const offboardWork = "offboard"

// An OffboardingAsk says why a policy is to be left (CK-249).
type OffboardingAsk struct {
	TenantDomain, Contact, Reason string // all required
}

// RequestOffboarding asks for everything under a policy to go back to the keys that the service
// owns. Nothing is destroyed (CK-250). The roots are needed until all has moved: see
// [Status].Free.
func (s *Service) RequestOffboarding(ctx context.Context, caller directory.Caller, f Family, identity string, a OffboardingAsk) (request.Request, error) {
	p, err := s.enter(ctx, caller, f, Offboard, identity, map[string]string{
		"domain": clip(a.TenantDomain), "contact": clip(a.Contact), "reason": clip(a.Reason),
	})
	if err != nil {
		return request.Request{}, err
	}
	r, err := s.requestOffboarding(ctx, caller, p, a)
	if err != nil {
		return request.Request{}, s.failed(ctx, caller, Offboard, p.ID, err)
	}
	return r, nil
}

func (s *Service) requestOffboarding(ctx context.Context, caller directory.Caller, p Policy, a OffboardingAsk) (r request.Request, err error) {
	switch {
	case s.c.Requests == nil:
		return r, fault.New(fault.Invalid, "this server takes no such requests")
	case a.TenantDomain == "" || a.Contact == "" || a.Reason == "":
		return r, fault.New(fault.Invalid, "offboarding needs the organization's domain, a contact and a reason").
			WithHint("give -TenantDomain, -Contact and -Reason")
	case p.Family == SharePoint && !s.c.OffboardSharePoint:
		return r, fault.New(fault.Invalid, "SharePoint cannot go back to the keys of the service").WithReason("X-16").
			WithHint("assign other root keys; who runs the service can allow it: ck serve --offboard-sharepoint")
	}
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if err != nil {
		return r, err
	}
	st := s.summary(picture)
	return s.c.Requests.Ask(ctx, caller, request.Ask{
		Kind: OffboardingKind, Family: string(p.Family), Subject: p.ID, Reason: a.Reason, Contact: a.Contact,
		Detail: []request.Fact{
			{Name: factPolicy, Value: p.Name}, {Name: "TenantDomain", Value: a.TenantDomain},
			{Name: factContainers, Value: fmt.Sprint(st.Containers)},
			{Name: "Effect", Value: "content goes back to the keys of the service; the vaults are needed until it has"},
		},
	})
}

// offboard carries a request out: the policy covers nothing any more, then every container key
// moves. It may be cut off anywhere and begins anew.
func (s *Service) offboard(ctx context.Context, run *operation.Run, r request.Request) (string, error) {
	p, err := s.c.Store.Policy(ctx, r.Tenant, r.Subject)
	if err != nil {
		return "", err
	}
	if p.State == Purged || p.State == PendingDeletion {
		return "", fault.New(fault.Invalid, "the policy %q is being purged, or was", p.Name)
	}
	caller := directory.SystemCaller(r.Tenant, offboardWork, r.ID)
	if err := s.record(ctx, caller, Offboard, p.ID, audit.Allow, map[string]string{"request": r.ID}); err != nil {
		return "", err
	}
	if err := s.uncover(ctx, p); err != nil {
		return "", s.failed(ctx, caller, Offboard, p.ID, err)
	}
	if err := s.converge(ctx, run); err != nil {
		return "", err
	}
	if err := s.evacuate(ctx, run, caller, p); err != nil {
		return "", err
	}
	free, under, err := s.free(ctx, p)
	if err != nil {
		return "", err
	}
	if !free {
		return "", fault.New(fault.Unavailable, "%d container keys are still under the policy %q", under, p.Name).WithHint("this goes on by itself")
	}
	return "everything is under the keys of the service; the permissions on both vaults can be removed", nil
}

// uncover takes a policy out of force, wherever it is.
func (s *Service) uncover(ctx context.Context, p Policy) error {
	standing, err := s.c.Store.InForce(ctx, p.Tenant)
	if err != nil {
		return err
	}
	for _, at := range standing {
		if at.Policy != p.ID || at.Family == ServiceOwned {
			continue
		}
		err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Assignment: &Assignment{Family: at.Family, Geo: at.Geo}})
		if err != nil {
			return err
		}
	}
	return s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Reassignment: &Reassignment{From: p.ID}})
}

// evacuate moves what is under a policy by a rule that lets stored content stay where it is: who
// leaves a policy takes everything along.
func (s *Service) evacuate(ctx context.Context, run *operation.Run, caller directory.Caller, p Policy) error {
	for after := (Place{}); ; {
		keys, err := s.c.Store.ContainerKeys(ctx, p.Tenant, after, s.c.Batch)
		if err != nil || len(keys) == 0 {
			return err
		}
		moves, err := s.evacuated(ctx, caller, p, keys)
		if err != nil {
			return err
		}
		if len(moves) > 0 {
			f := run.Fence(run.Op.Checkpoint, run.Op.Done+int64(len(moves)), max(run.Op.Total, run.Op.Done+int64(len(moves))))
			if _, err := s.c.Store.Move(ctx, moves, f); err != nil {
				return err
			}
			run.Saved(f)
		}
		last := keys[len(keys)-1]
		after = Place{last.Container, last.Version}
	}
}

// evacuated wraps those of keys that are under p for the policy that new content goes under.
func (s *Service) evacuated(ctx context.Context, caller directory.Caller, p Policy, keys []hierarchy.ContainerKey) (moves []Move, err error) {
	standing, err := s.c.Store.InForce(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	rows := map[string]hierarchy.Generation{}
	for _, key := range keys {
		if key.Policy != p.ID {
			continue
		}
		to, err := s.c.Store.Policy(ctx, p.Tenant, s.c.Rule(key.Workload).choose(standing, key.Geo, ""))
		if err != nil {
			return nil, err
		}
		if _, known := rows[to.Generation]; !known {
			if rows[to.Generation], err = s.c.Store.Generation(ctx, p.Tenant, to.Generation); err != nil {
				return nil, err
			}
		}
		moved, err := s.c.Keys.Rewrap(ctx, caller, key, rows[to.Generation])
		if err != nil {
			return nil, err
		}
		moves = append(moves, Move{Key: moved, From: key})
	}
	return moves, nil
}

// free reports whether nothing needs the roots of a policy: it is in force nowhere, and no
// container key is under it; under counts those that are.
func (s *Service) free(ctx context.Context, p Policy) (free bool, under int64, err error) {
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if err != nil {
		return false, 0, err
	}
	free, under = picture.free()
	return free, under, nil
}

func (p Picture) free() (free bool, under int64) {
	for _, u := range p.Usage {
		if u.Policy == p.Policy.ID {
			under += u.Keys
		}
	}
	return under == 0 && !p.assigned(), under
}
