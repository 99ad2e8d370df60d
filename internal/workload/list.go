package workload

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Sizes of pages.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// List returns the items of a container whose ids come after the given one, in byte order, at
// most limit of them (100 if 0, never more than 1000). Fewer than that many mean the end.
//
// If the owner of the root keys refuses one of them, the listing as a whole fails with
// fault.Denied; a single item whose metadata does not open is shown as damaged.
func (s *Service) List(ctx context.Context, caller directory.Caller, workload, container, after string, limit int) ([]Item, error) {
	limit, err := page(limit)
	if err != nil {
		return nil, err
	}
	c, err := s.container(ctx, caller, listItems, Ref{Workload: workload, Container: container})
	if err != nil {
		return nil, err
	}
	if c.ID == "" {
		return []Item{}, emptyOrMissing(c)
	}
	for attempt := 1; ; attempt++ {
		rows, err := s.store.Items(ctx, c.Tenant, c.ID, after, limit)
		if err != nil {
			return nil, err
		}
		items, err := s.describeAll(ctx, caller, c, rows)
		if !isMissingKey(err) || attempt == openAttempts { // else encrypted anew since the rows were read
			return items, err
		}
	}
}

// describeAll opens the metadata of rows, with each version of the container's key opened once.
func (s *Service) describeAll(ctx context.Context, caller directory.Caller, c Container, rows []Row) ([]Item, error) {
	open := map[int]*hierarchy.Opened{}
	defer func() {
		for _, keys := range open {
			keys.Close()
		}
	}()
	items := make([]Item, 0, len(rows))
	for _, row := range rows {
		keys := open[row.KeyVersion]
		if keys == nil {
			var err error
			if keys, err = s.opening(ctx, caller, c, row.KeyVersion); err != nil {
				return nil, err
			}
			open[row.KeyVersion] = keys
		}
		if err := keys.Alive(ctx); err != nil {
			return nil, err
		}
		item, key, err := describe(keys, c, row)
		if err != nil && !fault.Is(err, fault.Corrupt) {
			return nil, err
		}
		key.Destroy()
		item.Damaged = err != nil
		items = append(items, item)
	}
	return items, nil
}

// Containers returns the containers of a workload whose names come after the given one, in byte
// order, as List does for items: all of the tenant's for those who may reach them, the caller's
// own for everyone else.
func (s *Service) Containers(ctx context.Context, caller directory.Caller, workload, after string, limit int) ([]Container, error) {
	limit, err := page(limit)
	if err != nil {
		return nil, err
	}
	w, err := Find(workload)
	if err != nil {
		return nil, err
	}
	if reason := decide(caller, caller.ID); reason != "" {
		return nil, s.refuse(ctx, caller, listContainers, Ref{Workload: w.Name}, reason)
	}
	owner := caller.ID
	if caller.Kind == directory.System || reachesAll(caller) {
		owner = ""
	}
	return s.store.Containers(ctx, caller.Tenant, w.Name, owner, after, limit)
}

// emptyOrMissing is the answer about a container without a row: a person's mailbox is there
// before its first message, any other container is not.
func emptyOrMissing(c Container) error {
	if w, err := Find(c.Workload); err == nil && w.Mailboxes {
		return nil
	}
	return errNoContainer(c)
}

func page(limit int) (int, error) {
	switch {
	case limit < 0:
		return 0, fault.New(fault.Invalid, "the limit of a page cannot be negative").
			WithHint("give a number from 1 to %d, or none", MaxPage)
	case limit == 0:
		return DefaultPage, nil
	}
	return min(limit, MaxPage), nil
}
