package keyvault

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// PutSubscription makes a subscription of any tenant, or changes its name and owner. Only
// operators of the service and the service itself may.
func (s *Service) PutSubscription(ctx context.Context, c directory.Caller, sub Subscription) error {
	if c.Tenant == "" {
		return fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(PutSubscription), Object: "subscriptions", Detail: map[string]string{}}
	if err := checkSubscription(c, sub); err != nil {
		_, err = settle[struct{}](ctx, s, e, nil, err)
		return err
	}
	sub.ID, sub.Owner, sub.Created = naming.Fold(sub.ID), naming.Fold(sub.Owner), s.now()
	e.Tenant = sub.Tenant
	e.Object = "subscriptions/" + sub.ID
	e.Detail = map[string]string{"owner": sub.Owner, "name": sub.DisplayName}
	_, err := settle(ctx, s, e, func() (struct{}, error) { return struct{}{}, s.store.PutSubscription(ctx, sub) }, nil)
	return err
}

func checkSubscription(c directory.Caller, sub Subscription) error {
	switch {
	case c.Kind != directory.System && !c.Has(directory.ServiceOperator):
		return errNotOwner(c, "subscriptions")
	case c.Kind == directory.System && c.Tenant != sub.Tenant:
		return errNotOwner(c, "subscriptions")
	case !naming.IsGUID(sub.ID) || !naming.IsGUID(sub.Owner) || sub.Tenant == "":
		return naming.Invalid("subscription")
	case !naming.IsDisplayName(sub.DisplayName):
		return naming.Invalid("displayName")
	}
	return nil
}

// Subscription returns one of the caller's subscriptions.
func (s *Service) Subscription(ctx context.Context, c directory.Caller, id string) (Subscription, error) {
	return manage(ctx, s, c, GetSubscription, rights.Scope{Subscription: id}, func(d *desk) (func() (Subscription, error), error) {
		return func() (Subscription, error) { return d.subscription, nil }, nil
	})
}

// Subscriptions lists by id the subscriptions that the caller owns, or in which he has a role.
func (s *Service) Subscriptions(ctx context.Context, c directory.Caller) ([]Subscription, error) {
	if c.Tenant == "" {
		return nil, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(ListSubscriptions), Object: "subscriptions"}
	return settle(ctx, s, e, func() ([]Subscription, error) {
		all, err := s.store.Subscriptions(ctx, c.Tenant)
		if err != nil {
			return nil, err
		}
		in, err := s.store.AssignedIn(ctx, c.Tenant, rights.Principals(c))
		return slices.DeleteFunc(all, func(sub Subscription) bool { return !owns(c, sub) && !slices.Contains(in, sub.ID) }), err
	}, nil)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
