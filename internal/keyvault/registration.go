package keyvault

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// The life of the feature mandatoryRetentionPeriodEnabled with a subscription (KV-112, KV-127).
// Its owner asks, the operator of the service decides; asking again changes nothing:
//
//	NotRegistered --register--> Pending --approve--> Registered
//	                            Pending --deny, or unregister--> NotRegistered
//	Registered --unregister--> Unregistering --approve--> Unregistered --register--> Pending
//	                           Unregistering --deny, or register--> Registered

// RegisterRetention asks for the feature, and returns the subscription. Where the service
// approves by rule the feature is registered when it returns.
func (s *Service) RegisterRetention(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	sub, err := s.changeSubscription(ctx, c, RegisterFeature, subscription, func(sub *Subscription) error {
		switch r := &sub.Retention; r.State {
		case Unregistering: // not wanted any more
			r.move(Registered, s.now())
		case NotRegistered, Unregistered:
			r.ask(Pending, c, s.now())
		}
		return nil
	})
	if err != nil || !s.approveByRule || sub.Retention.State != Pending {
		return sub, err
	}
	decided, err := s.decide(ctx, directory.SystemCaller(c.Tenant, "approval by rule", uuid.NewString()), sub.Tenant, sub.ID, true)
	if hasReason(err, ReasonNoRequest) { // it was decided meanwhile, for somebody else who asked
		return s.store.Subscription(ctx, sub.Tenant, sub.ID)
	}
	return decided, err
}

// UnregisterRetention asks for the feature to be taken back, or takes a request back, and
// returns the subscription. What is registered stays in force until the operator has approved;
// it is refused while anything uses a key of the subscription.
func (s *Service) UnregisterRetention(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	return s.changeSubscription(ctx, c, UnregisterFeature, subscription, func(sub *Subscription) error {
		switch r := &sub.Retention; r.State {
		case Pending:
			r.move(NotRegistered, s.now())
		case Registered:
			if err := s.unused(ctx, *sub); err != nil {
				return err
			}
			r.ask(Unregistering, c, s.now())
		}
		return nil
	})
}

// RegisterProvider registers Microsoft.KeyVault with a subscription. To do so again is what
// makes a feature count that was registered meanwhile.
func (s *Service) RegisterProvider(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	return s.changeSubscription(ctx, c, RegisterProvider, subscription, func(sub *Subscription) error {
		sub.Provider.Order = sub.nextOrder()
		sub.Provider.move(Registered, s.now())
		return nil
	})
}

// UnregisterProvider takes the registration of Microsoft.KeyVault back. It is refused while
// the subscription has vaults, live or deleted: they would lose their protection.
func (s *Service) UnregisterProvider(ctx context.Context, c directory.Caller, subscription string) (Subscription, error) {
	return s.changeSubscription(ctx, c, UnregisterProvider, subscription, func(sub *Subscription) error {
		names, err := s.vaultsOf(ctx, *sub)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return fault.New(fault.Conflict, "The resource provider cannot be unregistered while the subscription has vaults, live or deleted").
				WithReason(ReasonProviderInUse).WithHint("%d are left.", len(names))
		}
		if sub.Provider.State == Registered {
			sub.Provider.move(Unregistered, s.now())
		}
		return nil
	})
}

// move takes a registration into another state; its Order and who asked stay.
func (r *Registration) move(to RegistrationState, now time.Time) { r.State, r.Since = to, now }

// ask takes a registration into a state that waits for the operator.
func (r *Registration) ask(to RegistrationState, c directory.Caller, now time.Time) {
	r.move(to, now)
	r.AskedBy, r.AskedName, r.Asked = naming.Fold(c.ID), c.Name, now
}

// nextOrder is the place of a registration that is made now.
func (s Subscription) nextOrder() int64 { return max(s.Retention.Order, s.Provider.Order) + 1 }

// unused refuses while anything outside uses a key of the subscription's vaults. What it is
// stays unknown here.
func (s *Service) unused(ctx context.Context, sub Subscription) error {
	if s.inUse == nil {
		return nil
	}
	names, err := s.vaultsOf(ctx, sub)
	if err != nil || len(names) == 0 {
		return err
	}
	used, err := s.inUse(ctx, sub.Tenant, names)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "It cannot be told now whether keys of the subscription are in use").WithHint("Try again.")
	}
	if used {
		return fault.New(fault.Conflict, "A key in a vault of the subscription is in use").WithReason(ReasonInUse).
			WithHint("Let what uses it move to other keys first.")
	}
	return nil
}

// vaultsOf returns the names of all vaults of a subscription, live and deleted.
func (s *Service) vaultsOf(ctx context.Context, sub Subscription) (names []string, err error) {
	for _, list := range []vaultList{s.store.Vaults, s.store.DeletedVaults} {
		if err := s.eachVault(ctx, sub, list, func(v Vault) { names = append(names, naming.Fold(v.Name)) }); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// A vaultList reads some of a subscription's vaults by name.
type vaultList func(ctx context.Context, tenant, subscription, after string, limit int) ([]Vault, error)

func (s *Service) eachVault(ctx context.Context, sub Subscription, list vaultList, see func(Vault)) error {
	for after := ""; ; {
		page, err := list(ctx, sub.Tenant, sub.ID, after, maxPage)
		if err != nil {
			return err
		}
		for _, v := range page {
			see(v)
			after = naming.Fold(v.Name)
		}
		if len(page) < maxPage {
			return nil
		}
	}
}

// changeSubscription lets an owner change the state of his subscription. A change that leaves
// everything as it was is recorded and not stored.
func (s *Service) changeSubscription(ctx context.Context, c directory.Caller, a Action, subscription string, change func(*Subscription) error) (Subscription, error) {
	return again(func() (Subscription, error) {
		return manage(ctx, s, c, a, rights.Scope{Subscription: subscription}, func(d *desk) (func() (Subscription, error), error) {
			d.entry.Object = "subscriptions/" + d.subscription.ID
			sub := d.subscription
			if err := change(&sub); err != nil {
				return nil, err
			}
			d.entry.Detail["feature"], d.entry.Detail["provider"] = string(sub.Retention.State), string(sub.Provider.State)
			return func() (Subscription, error) { return s.setSubscription(ctx, d.subscription, sub) }, nil
		})
	})
}

// setSubscription stores a changed subscription. Where its vaults begin to refuse, or to serve
// again, each of them tells.
func (s *Service) setSubscription(ctx context.Context, old, sub Subscription) (Subscription, error) {
	if sub == old {
		return sub, nil
	}
	var events []Event
	if old.Usable() != sub.Usable() {
		var err error
		if events, err = s.accessOf(ctx, sub); err != nil {
			return Subscription{}, err
		}
	}
	if err := s.tell(s.store.SetSubscription(ctx, sub, events...), events...); err != nil {
		return Subscription{}, err
	}
	sub.Revision++
	return sub, nil
}

// accessOf returns the events that the access to the live vaults of a subscription has changed, of
// the first maxTold by name.
func (s *Service) accessOf(ctx context.Context, sub Subscription) (events []Event, err error) {
	for ref, err := range s.refs(ctx, sub, "") {
		if err != nil || len(events) == maxTold {
			return events, err
		}
		events = append(events, vaultEvent(VaultAccessPolicyChanged, Vault{Tenant: sub.Tenant, Name: ref.Vault}, s.now()))
	}
	return events, nil
}
