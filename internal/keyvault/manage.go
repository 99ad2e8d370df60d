package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A desk is a request at the door of management that is let through.
type desk struct {
	caller       directory.Caller
	subscription Subscription
	rights       rights.Held
	entry        audit.Entry
}

// may reports whether the caller may do an action at a scope, for actions that need more than
// their own right.
func (d *desk) may(a Action, at rights.Scope) bool {
	at.Subscription = d.subscription.ID
	return d.rights.Manage(managementRules[a].name, at)
}

// reach is where the caller may do an action, for lists, which show what he may read.
func (d *desk) reach(a Action) rights.Reach { return d.rights.Reach(managementRules[a].name) }

// manage is the door of management: the subscription must be one of the caller's tenant, and
// he must have the right at the scope (KV-128). Everything is recorded in the log of the
// caller's own tenant, so that ids of others' subscriptions tell nothing.
func manage[T any](ctx context.Context, s *Service, c directory.Caller, a Action, at rights.Scope, decide func(*desk) (func() (T, error), error)) (T, error) {
	var none T
	if c.Tenant == "" {
		return none, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	r, ok := managementRules[a]
	if !ok {
		return none, fault.New(fault.Internal, "no rule for %s", a)
	}
	d := &desk{caller: c}
	d.entry = audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(a), Object: r.object, Detail: map[string]string{"permission": r.name}}
	if naming.IsGUID(at.Subscription) {
		d.entry.Detail["subscription"] = at.Subscription
	}
	if err := s.approach(ctx, d, a, at); err != nil {
		return settle[T](ctx, s, d.entry, nil, err)
	}
	act, err := decide(d)
	return settle(ctx, s, d.entry, act, err)
}

// approach finds the subscription and what the caller may do in it, and checks that it is
// enough for the action.
func (s *Service) approach(ctx context.Context, d *desk, a Action, at rights.Scope) (err error) {
	if d.subscription, err = s.subscription(ctx, d.caller, at.Subscription); err != nil {
		return err
	}
	if d.rights, err = s.rights(ctx, d.caller, d.subscription); err != nil {
		return err
	}
	if !d.may(a, at) && !(managementRules[a].anyRole && len(d.rights) > 0) {
		return errNotAuthorized(d.caller, a, at)
	}
	if !d.subscription.Usable() && managementRules[a].writes() {
		return errReadOnly(d.subscription)
	}
	return nil
}

// rights reads what the caller may do in a subscription of his tenant. Its owner, and the
// service itself, may do everything but use keys (KV-128).
func (s *Service) rights(ctx context.Context, c directory.Caller, sub Subscription) (rights.Held, error) {
	if owns(c, sub) {
		return rights.Of(sub.ownership()), nil
	}
	list, err := s.store.AssignmentsOf(ctx, sub.Tenant, sub.ID, rights.Principals(c))
	return rights.Of(list...), err
}

func owns(c directory.Caller, sub Subscription) bool {
	return c.Tenant == sub.Tenant && (c.Kind == directory.System || naming.Same(c.ID, sub.Owner))
}

// RefuseManagement is Refuse for the door of management.
func (s *Service) RefuseManagement(ctx context.Context, c directory.Caller, a Action, at rights.Scope, cause error) error {
	_, err := manage(ctx, s, c, a, at, func(*desk) (func() (struct{}, error), error) { return nil, cause })
	return err
}

// subscription reads a subscription of the caller's tenant.
func (s *Service) subscription(ctx context.Context, c directory.Caller, id string) (Subscription, error) {
	missing := fault.New(fault.NotFound, "The subscription '%.64s' could not be found", id).WithReason(ReasonNoSubscription)
	if !naming.IsGUID(id) {
		return Subscription{}, missing
	}
	sub, err := s.store.Subscription(ctx, c.Tenant, naming.Fold(id))
	if fault.Is(err, fault.NotFound) {
		return Subscription{}, missing
	}
	return sub, err
}

func errNotOwner(c directory.Caller, what string) error {
	return fault.New(fault.Forbidden, "The client '%s' with object id '%s' does not have authorization over %s", c.Name, c.ID, what).
		WithReason(ReasonNotOwner).WithHint("Ask an operator of the service.")
}

// errNotAuthorized is the resource manager's own text; it names the right that is missing.
func errNotAuthorized(c directory.Caller, a Action, at rights.Scope) error {
	return fault.New(fault.Forbidden,
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%.400s' or the scope is invalid. If access was recently granted, please refresh your credentials",
		c.Name, c.ID, managementRules[a].name, at).WithReason(ReasonNotOwner)
}
