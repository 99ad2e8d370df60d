package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// The life of a subscription. Its owner cancels it and takes that back; the operator of the
// service may warn, stop and let go on. Nothing is destroyed by it: vaults of a subscription
// that is not usable refuse until it is, and keep the times of their own deletion.
//
//	Enabled --cancel--> Disabled --enable--> Enabled
//	                    Disabled --after 90 days, once no vault is left--> Deleted
//	any but Deleted --operator--> Enabled, Warned or Stopped

// cancelledFor is how long a cancelled subscription can be enabled again.
const cancelledFor = standardRetention * 24 * time.Hour

// CancelSubscription disables a subscription. It is refused while the subscription is
// registered for mandatory retention and that has not ended: for as many days after
// registering as keys are kept, and while it has vaults, live or deleted (KV-127).
func (s *Service) CancelSubscription(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	return s.changeSubscription(ctx, c, CancelSubscription, subscription, func(sub *Subscription) error {
		switch sub.State {
		case Disabled, Deleted:
			return nil
		case Stopped:
			return errReadOnly(*sub)
		}
		if err := s.retentionEnded(ctx, *sub); err != nil {
			return err
		}
		sub.State, sub.StateSince = Disabled, s.now()
		return nil
	})
}

// EnableSubscription takes a cancellation back.
func (s *Service) EnableSubscription(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	return s.changeSubscription(ctx, c, EnableSubscription, subscription, func(sub *Subscription) error {
		switch sub.State {
		case Stopped, Deleted:
			return errReadOnly(*sub)
		case Disabled:
			sub.State, sub.StateSince = Enabled, s.now()
		}
		return nil
	})
}

// RenameSubscription gives a subscription another display name.
func (s *Service) RenameSubscription(ctx context.Context, c directory.Caller, subscription, name string) (Subscription, error) {
	return s.changeSubscription(ctx, c, RenameSubscription, subscription, func(sub *Subscription) error {
		if !naming.IsDisplayName(name) {
			return naming.Invalid("subscriptionName")
		}
		sub.DisplayName = name
		return nil
	})
}

// SetSubscriptionState lets an operator of the service warn, stop or enable a subscription of
// any tenant. It is recorded in the log of that tenant.
func (s *Service) SetSubscriptionState(ctx context.Context, c directory.Caller, tenant, subscription string, to SubscriptionState) (Subscription, error) {
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(SetState), Object: "subscriptions"}
	switch {
	case c.Tenant == "":
		return Subscription{}, fault.New(fault.Unauthenticated, "Nobody is signed in")
	case !c.Has(directory.ServiceOperator):
		return settle[Subscription](ctx, s, e, nil, errNotOperator())
	case to != Enabled && to != Warned && to != Stopped:
		return settle[Subscription](ctx, s, e, nil, naming.Invalid("state").WithHint("It is Enabled, Warned or Stopped."))
	}
	return again(func() (Subscription, error) {
		old, err := s.store.Subscription(ctx, tenant, naming.Fold(subscription))
		if fault.Is(err, fault.NotFound) || err == nil && old.State == Deleted {
			err = fault.New(fault.NotFound, "The subscription '%.64s' could not be found", subscription).WithReason(ReasonNoSubscription)
		}
		if err != nil {
			return settle[Subscription](ctx, s, e, nil, err)
		}
		e := audit.Entry{
			Tenant: old.Tenant, Caller: c, Action: string(SetState), Object: "subscriptions/" + old.ID,
			Detail: map[string]string{"was": string(old.State), "state": string(to)},
		}
		sub := old
		if sub.State != to {
			sub.State, sub.StateSince = to, s.now()
		}
		return settle(ctx, s, e, func() (Subscription, error) { return s.setSubscription(ctx, old, sub) }, nil)
	})
}

// retentionEnded refuses while mandatory retention forbids that a subscription ends.
func (s *Service) retentionEnded(ctx context.Context, sub Subscription) error {
	if !sub.Retention.inForce() {
		return nil
	}
	refuse := fault.New(fault.Conflict, "The subscription is registered for mandatory retention and cannot be cancelled before it has ended").
		WithReason(ReasonRetention)
	if until := sub.Retention.Since.AddDate(0, 0, standardRetention); s.now().Before(until) {
		return refuse.WithHint("It lasts until %s, and as long as a vault of the subscription is there or can be recovered.", until.Format(time.RFC3339))
	}
	names, err := s.vaultsOf(ctx, sub)
	if err == nil && len(names) > 0 {
		err = refuse.WithHint("%d vaults are there or can be recovered; delete them, and wait until their retention has passed.", len(names))
	}
	return err
}

// sweepSubscription ends a subscription that was cancelled long ago, once nothing is left in it.
func (s *Service) sweepSubscription(ctx context.Context, sub Subscription, request string) (bool, error) {
	names, err := s.vaultsOf(ctx, sub)
	if err != nil || len(names) > 0 {
		return false, err
	}
	e := audit.Entry{
		Tenant: sub.Tenant, Caller: directory.SystemCaller(sub.Tenant, "retention", request),
		Action: string(SetState), Object: "subscriptions/" + sub.ID,
		Detail: map[string]string{"was": string(sub.State), "state": string(Deleted)},
	}
	ended := sub
	ended.State, ended.StateSince = Deleted, s.now()
	_, err = settle(ctx, s, e, func() (Subscription, error) { return s.setSubscription(ctx, sub, ended) }, nil)
	if hasReason(err, ReasonChanged) { // enabled meanwhile
		return false, nil
	}
	return err == nil, err
}

// errReadOnly is the resource manager's text for what is not usable.
func errReadOnly(sub Subscription) error {
	return fault.New(fault.Conflict, "The subscription '%s' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled", sub.ID).
		WithReason(ReasonReadOnly)
}

// errSuspended is what the vaults of such a subscription answer.
func errSuspended(v Vault) error {
	return fault.New(fault.Forbidden, "The subscription of the vault '%s' is disabled", v.Name).WithReason(ReasonSuspended).
		WithHint("Its owner can enable it again.")
}
