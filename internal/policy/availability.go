package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// availabilityScope names the availability key that a policy takes (CK-24, CK-25).
func (s *Service) availabilityScope(p Policy) availability.Scope {
	kind := availability.PerPolicy
	if p.Family == SharePoint {
		kind = s.c.SharePointAvailability
	}
	return availability.Scope{Kind: kind, Tenant: p.Tenant, Policy: p.ID}
}

// An AvailabilityState says how the availability key of a policy stands.
type AvailabilityState string

const (
	KeyActive    AvailabilityState = "Active"
	KeyRolling   AvailabilityState = "Rolling"   // there is a newer key, and the policy has not taken it yet
	KeyDestroyed AvailabilityState = "Destroyed" // the policy depends on its two roots alone
	KeyMissing   AvailabilityState = "Missing"   // the database of availability keys has none of its id
)

// An AvailabilityKey is what may be told of the availability key of a policy (CK-163, CK-312).
type AvailabilityKey struct {
	Policy Policy
	State  AvailabilityState
	Facts  availability.Facts
	Usage  availability.Usage
	Roll   *operation.Operation // the tenant's newest roll of availability keys; nil if there was none
}

// families are those whose policies belong to the customer.
var families = []Family{MultiWorkload, Mailbox, SharePoint}

// An AvailabilityUse is a use of the availability key of a policy.
type AvailabilityUse struct {
	availability.Record
	Family Family // of the policy
}

// AvailabilityKeys tells of the availability key of the policy that identity names, or with "" of
// those of all policies that the caller may read; of any family, or of f alone if it is given.
func (s *Service) AvailabilityKeys(ctx context.Context, caller directory.Caller, f Family, identity string) (keys []AvailabilityKey, err error) {
	policies, err := s.readable(ctx, caller, f, identity)
	if err != nil {
		return nil, err
	}
	for _, p := range policies {
		k, err := s.availabilityKey(ctx, caller, p)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// readable returns the policy that identity names, or all that the caller may read.
func (s *Service) readable(ctx context.Context, caller directory.Caller, f Family, identity string) (all []Policy, err error) {
	if identity != "" {
		p, err := s.enterAny(ctx, caller, f, Read, identity, nil)
		return []Policy{p}, err
	}
	allowed, err := s.allowed(ctx, caller, f, Read, "policies")
	if err != nil {
		return nil, err
	}
	for _, f := range allowed {
		of, err := s.c.Store.Policies(ctx, caller.Tenant, f, maxPolicies)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

func (s *Service) availabilityKey(ctx context.Context, caller directory.Caller, p Policy) (k AvailabilityKey, err error) {
	k = AvailabilityKey{Policy: p, State: KeyActive}
	k.Facts, err = s.c.Availability.Facts(ctx, caller, p.Tenant, p.AvailabilityKey)
	switch {
	case fault.Is(err, fault.NotFound):
		k.State = KeyMissing
	case err != nil:
		return k, err
	case !k.Facts.Destroyed.IsZero():
		k.State = KeyDestroyed
	case !k.Facts.Superseded.IsZero():
		k.State = KeyRolling
	}
	if k.Usage, err = s.c.Availability.Usage(ctx, p.Tenant, p.ID); err != nil {
		return k, err
	}
	k.Roll, err = s.c.Store.NewestOperation(ctx, p.Tenant, rollAvailability)
	return k, err
}

// AvailabilityUses returns up to limit uses of the policy's availability key (CK-80, CK-320),
// newest first, older than the record with id before; "" for the newest.
func (s *Service) AvailabilityUses(ctx context.Context, caller directory.Caller, f Family, identity, before string, limit int) ([]AvailabilityUse, error) {
	p, err := s.enterAny(ctx, caller, f, Read, identity, nil)
	if err != nil {
		return nil, err
	}
	records, err := s.c.Availability.Uses(ctx, p.Tenant, p.ID, before, limit)
	uses := make([]AvailabilityUse, len(records))
	for i, r := range records {
		uses[i] = AvailabilityUse{r, p.Family}
	}
	return uses, err
}

// SetAvailabilityLimit sets how often a day the service's own work may use the policy's
// availability key although both roots deny: never for 0, without limit for nil. An outage of both
// vaults is not limited. A SharePoint policy is refused: its key is never used by itself (CK-71).
func (s *Service) SetAvailabilityLimit(ctx context.Context, caller directory.Caller, f Family, identity string, perDay *int) error {
	p, err := s.enterAny(ctx, caller, f, LimitAvailability, identity, limitDetail(perDay))
	if err != nil {
		return err
	}
	if p.Family == SharePoint {
		err = fault.New(fault.Invalid, "the availability key of %q is never used by itself, so there is nothing to limit", p.Name)
	} else {
		err = s.c.Availability.SetLimit(ctx, p.Tenant, p.ID, perDay)
	}
	if err != nil {
		return s.failed(ctx, caller, LimitAvailability, p.ID, err)
	}
	return nil
}
