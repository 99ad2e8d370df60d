package workload

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// container checks the names in ref, finds the container and asks whether the caller may do
// this in it. A container that does not exist yet comes back without an ID: a mailbox belongs
// to its person from the start, any other container to whoever writes to it first.
func (s *Service) container(ctx context.Context, caller directory.Caller, do action, ref Ref) (Container, error) {
	w, err := Find(ref.Workload)
	if err != nil {
		return Container{}, err
	}
	if err := checkContainerName(w, ref.Container); err != nil {
		return Container{}, err
	}
	ref.Container = canonical(w, ref.Container)
	if err := s.allow(ctx, caller, do, ref, caller.ID); err != nil {
		return Container{}, err // may reach nothing, and learns nothing about what there is
	}
	c, err := s.store.Container(ctx, caller.Tenant, w.Name, ref.Container)
	if fault.Is(err, fault.NotFound) {
		c, err = s.missing(ctx, caller, w, ref.Container)
	}
	if err != nil {
		return Container{}, err
	}
	return c, s.allow(ctx, caller, do, ref, c.Owner)
}

// missing describes a container that does not exist.
func (s *Service) missing(ctx context.Context, caller directory.Caller, w Workload, name string) (Container, error) {
	c := Container{Tenant: caller.Tenant, Workload: w.Name, Name: name, Owner: caller.ID}
	if !w.Mailboxes {
		return c, nil
	}
	owner, err := s.people(ctx, caller.Tenant, name)
	if fault.Is(err, fault.NotFound) {
		return c, fault.Wrap(fault.NotFound, err, "there is no mailbox %s", name).
			WithReason("NoMailbox").
			WithHint("a mailbox belongs to a person of the tenant, or was made with New-Mailbox or New-UnifiedGroup; check the spelling of its address")
	}
	c.Owner = owner
	return c, err
}

// create makes the container if it does not exist. When two create it at once, one wins and
// the other is asked again whether it may write there.
func (s *Service) create(ctx context.Context, caller directory.Caller, c Container) (Container, error) {
	if c.ID != "" {
		return c, nil
	}
	id, err := idOf(c)
	if err != nil {
		return c, err
	}
	c.ID, c.Created = id, s.now()
	if c.Geo == "" {
		if c.Geo, err = s.geoOfNew(ctx, c); err != nil {
			return c, err
		}
	}
	detail := map[string]string{"container": c.ID, "owner": c.Owner, "geo": c.Geo}
	if err := s.record(ctx, caller, createContainer, c.ref(""), audit.Allow, detail); err != nil {
		return c, err
	}
	err = s.store.AddContainer(ctx, c)
	if err == nil {
		return c, nil
	}
	failed := s.record(ctx, caller, createContainer, c.ref(""), audit.Fail, detail)
	if !fault.Is(err, fault.Conflict) {
		return c, err // the record of the failure is a courtesy
	}
	if failed != nil {
		return c, failed
	}
	if c, err = s.store.Container(ctx, c.Tenant, c.Workload, c.Name); err != nil {
		return c, err
	}
	return c, s.allow(ctx, caller, writeItem, c.ref(""), c.Owner)
}

// idOf returns the id of a new container. That of a mailbox is its owner's: known before there is
// any content, so that a policy can wait for it (CK-234).
func idOf(c Container) (string, error) {
	if w, err := Find(c.Workload); err == nil && w.Mailboxes {
		return c.Owner, nil
	}
	return newContainerID()
}

// errNoContainer is the answer about a container that does not exist.
func errNoContainer(c Container) error {
	return fault.New(fault.NotFound, "there is no container %s", c.ref("")).
		WithReason("NoContainer").
		WithHint("a container is made by the first item written to it")
}

// errNoItem is the answer about an item that does not exist.
func errNoItem(ref Ref) error {
	return fault.New(fault.NotFound, "there is no item %s", ref).
		WithReason("NoItem").
		WithHint("list the container to see what it holds")
}
