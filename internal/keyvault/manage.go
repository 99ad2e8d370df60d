package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A desk is a request at the door of management that is let through.
type desk struct {
	caller       directory.Caller
	subscription Subscription
	entry        audit.Entry
}

// manage is the door of management: the subscription must be one of the caller's tenant, and
// the caller its owner (KV-128) or the service itself. Everything is recorded in the log of
// the caller's own tenant, so that ids of others' subscriptions tell nothing.
func manage[T any](ctx context.Context, s *Service, c directory.Caller, a Action, subscription, object string, decide func(*desk) (func() (T, error), error)) (T, error) {
	var none T
	if c.Tenant == "" {
		return none, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	d := &desk{caller: c}
	d.entry = audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(a), Object: object, Detail: map[string]string{}}
	if isGUID(subscription) {
		d.entry.Detail["subscription"] = subscription
	}
	var err error
	if d.subscription, err = s.subscription(ctx, c, subscription); err != nil {
		return settle[T](ctx, s, d.entry, nil, err)
	}
	act, err := decide(d)
	return settle(ctx, s, d.entry, act, err)
}

// RefuseManagement is Refuse for the door of management.
func (s *Service) RefuseManagement(ctx context.Context, c directory.Caller, a Action, subscription string, cause error) error {
	_, err := manage(ctx, s, c, a, subscription, "subscriptions", func(*desk) (func() (struct{}, error), error) { return nil, cause })
	return err
}

// subscription reads a subscription of the caller's tenant and checks that he owns it.
func (s *Service) subscription(ctx context.Context, c directory.Caller, id string) (Subscription, error) {
	missing := fault.New(fault.NotFound, "The subscription '%.64s' could not be found", id).WithReason(ReasonNoSubscription)
	if !isGUID(id) {
		return Subscription{}, missing
	}
	sub, err := s.store.Subscription(ctx, c.Tenant, fold(id))
	if fault.Is(err, fault.NotFound) {
		return Subscription{}, missing
	}
	if err != nil {
		return Subscription{}, err
	}
	if !owns(c, sub) {
		return Subscription{}, errNotOwner(c, "subscription "+sub.ID)
	}
	return sub, nil
}

func owns(c directory.Caller, sub Subscription) bool {
	return c.Tenant == sub.Tenant && (c.Kind == directory.System || c.ID == sub.Owner)
}

func errNotOwner(c directory.Caller, what string) error {
	return fault.New(fault.Forbidden, "The client '%s' with object id '%s' does not have authorization over %s", c.Name, c.ID, what).
		WithReason(ReasonNotOwner).WithHint("Ask the owner of the subscription.")
}
