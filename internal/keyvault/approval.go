package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// The operator of the service decides about requests to register for mandatory retention, and
// to end that (KV-127). He sees subscriptions of all tenants; nobody else does. What he decides
// is recorded in the log of the tenant that asked.

// RetentionRequests lists the subscriptions whose feature waits for the operator, by tenant and
// id, at most limit of those after the given one.
func (s *Service) RetentionRequests(ctx context.Context, c directory.Caller, after Subscription, limit int) ([]Subscription, error) {
	if c.Tenant == "" {
		return nil, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(ListRequests), Object: "subscriptions"}
	if !c.Has(directory.ServiceOperator) {
		return settle[[]Subscription](ctx, s, e, nil, errNotOperator())
	}
	return settle(ctx, s, e, func() ([]Subscription, error) { return s.store.Waiting(ctx, after, min(max(limit, 1), maxPage)) }, nil)
}

// DecideRetention approves or denies what a subscription's feature waits for, and returns the
// subscription. Nobody decides about what he asked for himself. The end of a registration is
// refused while anything uses a key of the subscription.
func (s *Service) DecideRetention(ctx context.Context, c directory.Caller, tenant, subscription string, approve bool) (Subscription, error) {
	if c.Tenant == "" {
		return Subscription{}, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	if !c.Has(directory.ServiceOperator) && (c.Kind != directory.System || c.Tenant != tenant) {
		e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(decision(approve)), Object: "subscriptions"}
		return settle[Subscription](ctx, s, e, nil, errNotOperator())
	}
	return s.decide(ctx, c, tenant, subscription, approve)
}

func decision(approve bool) Action {
	if approve {
		return ApproveRequest
	}
	return DenyRequest
}

// decide is DecideRetention for whoever may.
func (s *Service) decide(ctx context.Context, c directory.Caller, tenant, subscription string, approve bool) (Subscription, error) {
	return again(func() (Subscription, error) {
		old, err := s.request(ctx, tenant, subscription)
		e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(decision(approve)), Object: "subscriptions", Detail: map[string]string{}}
		if err != nil {
			return settle[Subscription](ctx, s, e, nil, err)
		}
		e.Tenant, e.Object = old.Tenant, "subscriptions/"+old.ID
		e.Detail["was"], e.Detail["asked_by"] = string(old.Retention.State), old.Retention.AskedBy
		sub, err := s.decided(ctx, c, old, approve)
		e.Detail["feature"] = string(sub.Retention.State)
		return settle(ctx, s, e, func() (Subscription, error) { return s.setSubscription(ctx, old, sub) }, err)
	})
}

// request reads a subscription whose feature waits for the operator.
func (s *Service) request(ctx context.Context, tenant, subscription string) (Subscription, error) {
	none := fault.New(fault.NotFound, "There is no request for the subscription '%.64s'", subscription).WithReason(ReasonNoRequest)
	if !naming.IsGUID(subscription) {
		return Subscription{}, none
	}
	sub, err := s.store.Subscription(ctx, tenant, naming.Fold(subscription))
	if fault.Is(err, fault.NotFound) || err == nil && sub.Retention.State != Pending && sub.Retention.State != Unregistering {
		return Subscription{}, none
	}
	return sub, err
}

// decided returns the subscription as the decision leaves it.
func (s *Service) decided(ctx context.Context, c directory.Caller, sub Subscription, approve bool) (Subscription, error) {
	r := &sub.Retention
	if naming.Same(r.AskedBy, c.ID) {
		return sub, fault.New(fault.Forbidden, "Nobody decides about a request of his own").WithReason(ReasonSamePerson).
			WithHint("Another operator has to.")
	}
	switch {
	case r.State == Pending && approve:
		r.Order = sub.nextOrder()
		r.move(Registered, s.now())
	case r.State == Pending:
		r.move(NotRegistered, s.now())
	case approve:
		if err := s.unused(ctx, sub); err != nil {
			return sub, err
		}
		r.move(Unregistered, s.now())
	default:
		r.move(Registered, s.now())
	}
	return sub, nil
}

func errNotOperator() error {
	return fault.New(fault.Forbidden, "Only operators of the service may do this").WithReason(ReasonNotOwner)
}
