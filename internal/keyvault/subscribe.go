package keyvault

import (
	"context"
	"crypto/sha256"
	"regexp"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// maxSubscriptions bounds what one tenant can make.
const maxSubscriptions = 1000

// aliasName is Azure's rule for the alias of a subscription.
var aliasName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// Subscribe makes a subscription in the caller's own tenant and him its Owner (KV-128). It takes
// the directory role Global Administrator: there is no bill here to ask another role for. The
// alias names it within the tenant: the same one again returns what is there, so that a call whose
// answer was lost can be repeated.
func (s *Service) Subscribe(ctx context.Context, c directory.Caller, alias, displayName string) (sub Subscription, created bool, err error) {
	e, err := aliasEntry(c, Subscribe, alias)
	if err != nil {
		return sub, false, err
	}
	refuse := func(why error) (Subscription, bool, error) {
		_, err := settle[struct{}](ctx, s, e, nil, why)
		return sub, false, err
	}
	if !c.Has(directory.GlobalAdministrator) || !naming.IsGUID(c.ID) {
		return refuse(errSubscribe(c))
	}
	if !aliasName.MatchString(alias) {
		return refuse(naming.Invalid("alias").WithHint("It has 1 to 63 letters, digits, dashes and underscores."))
	}
	if displayName == "" {
		displayName = alias
	}
	if !naming.IsDisplayName(displayName) {
		return refuse(naming.Invalid("displayName"))
	}
	all, err := s.store.Subscriptions(ctx, c.Tenant)
	if err != nil {
		return sub, false, err
	}
	id := aliased(c.Tenant, alias)
	for _, old := range all {
		if old.ID == id {
			return s.subscribed(ctx, c, e, old)
		}
	}
	if len(all) >= maxSubscriptions {
		return refuse(fault.New(fault.Conflict, "A tenant has at most %d subscriptions", maxSubscriptions))
	}
	e.Detail["owner"], e.Detail["name"] = naming.Fold(c.ID), displayName
	sub, err = settle(ctx, s, e, func() (Subscription, error) {
		sub := Subscription{ID: id, Tenant: c.Tenant, DisplayName: displayName, Owner: naming.Fold(c.ID), Created: s.now()}
		if created, err = s.store.AddSubscription(ctx, sub); err != nil {
			return sub, err
		}
		if sub, err = s.store.Subscription(ctx, c.Tenant, id); err == nil && sub.Owner != naming.Fold(c.ID) {
			err = errAlias() // someone was faster
		}
		return sub, err
	}, nil)
	return sub, created, err
}

// subscribed answers for a subscription that is there. Whose it is decides: the alias is no way
// to another's.
func (s *Service) subscribed(ctx context.Context, c directory.Caller, e audit.Entry, old Subscription) (Subscription, bool, error) {
	var why error
	if old.Owner != naming.Fold(c.ID) {
		why = errAlias()
	}
	sub, err := settle(ctx, s, e, func() (Subscription, error) { return old, nil }, why)
	return sub, false, err
}

func errAlias() error {
	return fault.New(fault.Conflict, "The subscription of this alias belongs to someone else").WithHint("Choose another alias.")
}

// SubscriptionOf returns the caller's subscription of an alias.
func (s *Service) SubscriptionOf(ctx context.Context, c directory.Caller, alias string) (Subscription, error) {
	if !aliasName.MatchString(alias) {
		return Subscription{}, fault.New(fault.NotFound, "There is no subscription of this alias").WithReason(ReasonNoSubscription)
	}
	return s.Subscription(ctx, c, aliased(c.Tenant, alias))
}

// aliased is the id of the subscription that a tenant made under an alias (RFC 9562, version 8).
func aliased(tenant, alias string) string {
	sum := sha256.Sum256([]byte("subscription alias\x00" + tenant + "\x00" + naming.Fold(alias)))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

func aliasEntry(c directory.Caller, a Action, alias string) (audit.Entry, error) {
	if c.Tenant == "" {
		return audit.Entry{}, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	object := "subscriptions"
	if aliasName.MatchString(alias) {
		object += "/" + aliased(c.Tenant, alias)
	}
	return audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(a), Object: object, Detail: map[string]string{}}, nil
}

func errSubscribe(c directory.Caller) error {
	return fault.New(fault.Forbidden, "The client '%s' with object id '%s' does not have authorization to create subscriptions", c.Name, c.ID).
		WithReason(ReasonNotOwner).WithHint("It takes the role %s.", directory.GlobalAdministrator)
}
