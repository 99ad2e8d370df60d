package keyvault

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// PutSubscription makes or changes a subscription of any tenant. Only operators of the
// service and the service itself may: whether keys can be destroyed early hangs on it.
func (s *Service) PutSubscription(ctx context.Context, c directory.Caller, sub Subscription) error {
	if c.Tenant == "" {
		return fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(PutSubscription), Object: "subscriptions", Detail: map[string]string{}}
	if err := checkSubscription(c, sub); err != nil {
		_, err = settle[struct{}](ctx, s, e, nil, err)
		return err
	}
	sub.ID, sub.Owner, sub.Created = fold(sub.ID), fold(sub.Owner), s.now()
	e.Tenant = sub.Tenant
	e.Object = "subscriptions/" + sub.ID
	e.Detail = map[string]string{"owner": sub.Owner, "protected": yesNo(sub.Protected)}
	_, err := settle(ctx, s, e, func() (struct{}, error) { return struct{}{}, s.store.PutSubscription(ctx, sub) }, nil)
	return err
}

func checkSubscription(c directory.Caller, sub Subscription) error {
	switch {
	case c.Kind != directory.System && !c.Has(directory.ServiceOperator):
		return errNotOwner(c, "subscriptions")
	case c.Kind == directory.System && c.Tenant != sub.Tenant:
		return errNotOwner(c, "subscriptions")
	case !isGUID(sub.ID) || !isGUID(sub.Owner) || sub.Tenant == "":
		return invalid("subscription")
	case sub.DisplayName == "" || tooLong(sub.DisplayName):
		return invalid("displayName")
	}
	return nil
}

// Subscription returns one of the caller's subscriptions.
func (s *Service) Subscription(ctx context.Context, c directory.Caller, id string) (Subscription, error) {
	return manage(ctx, s, c, GetSubscription, Scope{Subscription: id}, func(d *desk) (func() (Subscription, error), error) {
		return func() (Subscription, error) { return d.subscription, nil }, nil
	})
}

// Subscriptions lists the subscriptions that the caller owns, by id.
func (s *Service) Subscriptions(ctx context.Context, c directory.Caller) ([]Subscription, error) {
	if c.Tenant == "" {
		return nil, fault.New(fault.Unauthenticated, "Nobody is signed in")
	}
	e := audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(ListSubscriptions), Object: "subscriptions"}
	return settle(ctx, s, e, func() ([]Subscription, error) {
		all, err := s.store.Subscriptions(ctx, c.Tenant)
		var own []Subscription
		for _, sub := range all {
			if owns(c, sub) {
				own = append(own, sub)
			}
		}
		return own, err
	}, nil)
}

// PutGroup makes a resource group, or replaces the tags of one that is there.
func (s *Service) PutGroup(ctx context.Context, c directory.Caller, g Group) (Group, bool, error) {
	type outcome struct {
		Group
		created bool
	}
	got, err := manage(ctx, s, c, PutGroup, g.scope(), func(d *desk) (func() (outcome, error), error) {
		switch {
		case !groupName.MatchString(g.Name):
			return nil, invalid("resourceGroupName")
		case !location.MatchString(g.Location):
			return nil, invalid("location")
		}
		if err := checkTags(g.Tags); err != nil {
			return nil, err
		}
		d.entry.Object = "groups/" + g.Name
		old, err := s.group(ctx, d.subscription, g.Name)
		switch {
		case err == nil && !sameLocation(old.Location, g.Location):
			return nil, fault.New(fault.Conflict, "The resource group '%s' already exists in location '%s'", old.Name, old.Location).
				WithReason(ReasonLocationMismatch)
		case err != nil && !hasReason(err, ReasonNoGroup):
			return nil, err
		}
		g.Tenant, g.Subscription, g.Created = d.subscription.Tenant, d.subscription.ID, s.now()
		return func() (outcome, error) {
			created, err := s.store.PutGroup(ctx, g)
			if err != nil {
				return outcome{}, err
			}
			stored, err := s.store.Group(ctx, g.Tenant, g.Subscription, g.Name)
			return outcome{stored, created}, err
		}, nil
	})
	return got.Group, got.created, err
}

// Group returns a resource group.
func (s *Service) Group(ctx context.Context, c directory.Caller, subscription, name string) (Group, error) {
	return manage(ctx, s, c, GetGroup, Scope{Subscription: subscription, Group: name}, func(d *desk) (func() (Group, error), error) {
		g, err := s.group(ctx, d.subscription, name)
		if err != nil {
			return nil, err
		}
		d.entry.Object = "groups/" + g.Name
		return func() (Group, error) { return g, nil }, nil
	})
}

// Groups lists by name the resource groups of a subscription that the caller may read.
func (s *Service) Groups(ctx context.Context, c directory.Caller, subscription string) ([]Group, error) {
	return manage(ctx, s, c, ListGroups, Scope{Subscription: subscription}, func(d *desk) (func() ([]Group, error), error) {
		return func() ([]Group, error) {
			all, err := s.store.Groups(ctx, d.subscription.Tenant, d.subscription.ID)
			return slices.DeleteFunc(all, func(g Group) bool { return !d.may(GetGroup, g.scope()) }), err
		}, nil
	})
}

func (s *Service) group(ctx context.Context, sub Subscription, name string) (Group, error) {
	missing := fault.New(fault.NotFound, "Resource group '%.90s' could not be found", name).WithReason(ReasonNoGroup)
	if !groupName.MatchString(name) {
		return Group{}, missing
	}
	g, err := s.store.Group(ctx, sub.Tenant, sub.ID, name)
	if fault.Is(err, fault.NotFound) {
		return Group{}, missing
	}
	return g, err
}

func isGUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
