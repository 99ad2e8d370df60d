package keyvault

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// PutGroup makes a resource group, or replaces the tags of one that is there.
func (s *Service) PutGroup(ctx context.Context, c directory.Caller, g Group) (Group, bool, error) {
	type outcome struct {
		Group
		created bool
	}
	got, err := manage(ctx, s, c, PutGroup, g.scope(), func(d *desk) (func() (outcome, error), error) {
		switch {
		case !naming.IsGroup(g.Name):
			return nil, naming.Invalid("resourceGroupName")
		case !naming.IsLocation(g.Location):
			return nil, naming.Invalid("location")
		}
		if err := naming.CheckTags(g.Tags); err != nil {
			return nil, err
		}
		d.entry.Object = "groups/" + g.Name
		old, err := s.group(ctx, d.subscription, g.Name)
		switch {
		case err == nil && !naming.SameLocation(old.Location, g.Location):
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

// TagGroup replaces the tags of a resource group.
func (s *Service) TagGroup(ctx context.Context, c directory.Caller, subscription, name string, tags map[string]string) (Group, error) {
	return manage(ctx, s, c, PutGroup, rights.Scope{Subscription: subscription, Group: name}, func(d *desk) (func() (Group, error), error) {
		if err := naming.CheckTags(tags); err != nil {
			return nil, err
		}
		g, err := s.group(ctx, d.subscription, name)
		if err != nil {
			return nil, err
		}
		d.entry.Object = "groups/" + g.Name
		g.Tags = tags
		return func() (Group, error) {
			err := s.store.TagGroup(ctx, g)
			if fault.Is(err, fault.NotFound) { // removed meanwhile
				err = errNoGroup(g.Name)
			}
			return g, err
		}, nil
	})
}

// DeleteGroup removes a resource group and moves the vaults in it to the deleted state, each
// by DeleteVault and with its own record. It may be stopped and called again at any point.
func (s *Service) DeleteGroup(ctx context.Context, c directory.Caller, subscription, name string) error {
	_, err := manage(ctx, s, c, DeleteGroup, rights.Scope{Subscription: subscription, Group: name}, func(d *desk) (func() (struct{}, error), error) {
		g, err := s.group(ctx, d.subscription, name)
		if err != nil {
			return nil, err
		}
		d.entry.Object = "groups/" + g.Name
		return func() (struct{}, error) {
			if err := s.emptyGroup(ctx, c, subscription, name); err != nil {
				return struct{}{}, err
			}
			return struct{}{}, s.removeGroup(ctx, g)
		}, nil
	})
	return err
}

// emptyGroup deletes a group's vaults, for whoever may remove the group.
func (s *Service) emptyGroup(ctx context.Context, c directory.Caller, subscription, name string) error {
	for after := ""; ; {
		vaults, err := s.Vaults(ctx, c, subscription, after, maxPage)
		if err != nil {
			return err
		}
		for _, v := range vaults {
			if !naming.Same(v.Group, name) {
				continue
			}
			if _, err := s.DeleteVault(ctx, c, subscription, name, v.Name); err != nil && !hasReason(err, ReasonNoResource) {
				return err
			}
		}
		if len(vaults) < maxPage {
			return nil
		}
		after = vaults[len(vaults)-1].Name
	}
}

func (s *Service) removeGroup(ctx context.Context, g Group) error {
	removed, err := s.store.RemoveGroup(ctx, g)
	switch {
	case fault.Is(err, fault.NotFound): // someone was faster
		return errNoGroup(g.Name)
	case err == nil && !removed:
		return fault.New(fault.Conflict, "The resource group '%s' still has vaults", g.Name).
			WithReason(ReasonGroupInUse).WithHint("One was made meanwhile, or you may not see all of them; try again.")
	}
	return err
}

// Group returns a resource group.
func (s *Service) Group(ctx context.Context, c directory.Caller, subscription, name string) (Group, error) {
	return manage(ctx, s, c, GetGroup, rights.Scope{Subscription: subscription, Group: name}, func(d *desk) (func() (Group, error), error) {
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
	return manage(ctx, s, c, ListGroups, rights.Scope{Subscription: subscription}, func(d *desk) (func() ([]Group, error), error) {
		return func() ([]Group, error) {
			all, err := s.store.Groups(ctx, d.subscription.Tenant, d.subscription.ID)
			seen := d.reach(GetGroup)
			return slices.DeleteFunc(all, func(g Group) bool { return !seen.Covers(g.scope()) }), err
		}, nil
	})
}

func (s *Service) group(ctx context.Context, sub Subscription, name string) (Group, error) {
	missing := errNoGroup(name)
	if !naming.IsGroup(name) {
		return Group{}, missing
	}
	g, err := s.store.Group(ctx, sub.Tenant, sub.ID, name)
	if fault.Is(err, fault.NotFound) {
		return Group{}, missing
	}
	return g, err
}
