package policy

import (
	"context"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Get returns the policy that identity names (CK-81, CK-126); fault.NotFound.
func (s *Service) Get(ctx context.Context, caller directory.Caller, f Family, identity string) (Policy, error) {
	return s.enter(ctx, caller, f, Read, identity, nil)
}

// List returns the family's policies of the caller's tenant by name, at most 1000.
func (s *Service) List(ctx context.Context, caller directory.Caller, f Family) ([]Policy, error) {
	if err := s.authorize(ctx, caller, f, Read, "policies", nil); err != nil {
		return nil, err
	}
	return s.c.Store.Policies(ctx, caller.Tenant, f, maxPolicies)
}

// A Change says what shall be different; nil leaves it as it is.
type Change struct {
	Name, Description *string
	Enabled           *bool
}

// Update changes name, description or whether the policy can be assigned. One that is
// assigned cannot be disabled (CK-171). Of two updates that read the same policy one is
// refused with fault.Conflict.
func (s *Service) Update(ctx context.Context, caller directory.Caller, f Family, identity string, c Change) (Policy, error) {
	p, err := s.enter(ctx, caller, f, Update, identity, c.detail())
	if err != nil {
		return Policy{}, err
	}
	changed, err := s.update(ctx, p, c)
	if err != nil {
		return Policy{}, s.failed(ctx, caller, Update, p.ID, err)
	}
	return changed, nil
}

// detail says what the change is, for the record.
func (c Change) detail() map[string]string {
	d := map[string]string{}
	if c.Name != nil {
		d["name"] = clip(*c.Name)
	}
	if c.Description != nil {
		d["description"] = clip(*c.Description)
	}
	if c.Enabled != nil {
		d["enabled"] = strconv.FormatBool(*c.Enabled)
	}
	return d
}

func (s *Service) update(ctx context.Context, p Policy, c Change) (Policy, error) {
	if c == (Change{}) {
		return p, fault.New(fault.Invalid, "nothing to change was given").
			WithHint("give at least one of -Name, -Description, -Enabled, -Refresh")
	}
	e := Edit{Tenant: p.Tenant, Policy: &p}
	if c.Name != nil {
		if err := checkName(*c.Name); err != nil {
			return p, err
		}
		p.Name = *c.Name
	}
	if c.Description != nil {
		if err := checkText("description", *c.Description, maxDescription); err != nil {
			return p, err
		}
		p.Description = *c.Description
	}
	if c.Enabled != nil {
		if err := s.mayDisable(ctx, p, *c.Enabled); err != nil {
			return p, err
		}
		p.Enabled = *c.Enabled
		e.MostActive = p.mostActive()
	}
	p.Updated = s.now()
	if err := s.c.Store.Apply(ctx, e); err != nil {
		return p, err
	}
	p.Revision++
	return p, nil
}

// mayDisable refuses to disable a policy that is assigned to the tenant (CK-171), or that new
// mailboxes come under by default. One that single mailboxes have can be disabled: it takes no
// more of them and keeps those it has (CK-247). An assignment that comes between this look and
// the change raises the revision, so the change is refused.
func (s *Service) mayDisable(ctx context.Context, p Policy, enabled bool) error {
	if enabled {
		return nil
	}
	assigned, err := s.assigned(ctx, p.Tenant, p.Family)
	if err != nil || assigned != p.ID {
		return err
	}
	e := fault.New(fault.Conflict, "the policy %q is assigned and cannot be disabled", p.Name).WithReason(ReasonAssigned)
	if p.Family == Mailbox {
		return e.WithHint("make another one the default first: Set-CKDefaultMailboxPolicy -DataEncryptionPolicy NAME, or $null for none")
	}
	return e.WithHint("take the assignment back first: Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy $null")
}

// Stale returns the fault for a change of a policy that somebody else changed meanwhile.
func Stale() error {
	return fault.New(fault.Conflict, "the policy was changed by somebody else at the same time").WithReason(ReasonChanged).
		WithHint("look at it again, then repeat the change if it still makes sense")
}
