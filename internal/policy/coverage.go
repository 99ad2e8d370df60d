package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A Coverage is where the content of one container is, and where it belongs.
type Coverage struct {
	Policy Policy // where new content goes, and where the stored content belongs
	Own    bool   // the container has that policy for itself

	// Generation is the one that the container's key is under: it changes once a refresh has
	// come to the container (CK-126). While some versions of the key have not moved yet it is
	// that of one of these; without any key it is where the first will be.
	Generation string
	Under      Family // of the policy of that generation
	Customer   bool   // all that is stored, if anything, lies under a policy of the customer
	Keys       int64  // versions of the container's key
	Settled    int64  // of those, how many are where they belong
}

// Coverage tells how one container stands (CK-313).
func (s *Service) Coverage(ctx context.Context, caller directory.Caller, of hierarchy.Container) (Coverage, error) {
	if err := s.authorize(ctx, caller, Mailbox, Read, clip(of.ID), nil); err != nil {
		return Coverage{}, err
	}
	of.Tenant = caller.Tenant
	target, err := s.InForce(ctx, of)
	if err != nil {
		return Coverage{}, err
	}
	own, err := s.c.Store.Own(ctx, of.Tenant, of.ID)
	if err != nil {
		return Coverage{}, err
	}
	c := Coverage{Own: own.Policy != "" && own.Policy == target.Policy, Generation: target.Generation}
	if c.Policy, err = s.c.Store.Policy(ctx, of.Tenant, target.Policy); err != nil {
		return Coverage{}, err
	}
	c.Under, c.Customer = c.Policy.Family, c.Policy.Family != ServiceOwned
	return c, s.coverKeys(ctx, of, &c)
}

// coverKeys looks at every version of a container's key.
func (s *Service) coverKeys(ctx context.Context, of hierarchy.Container, c *Coverage) error {
	const page = 100
	families := map[string]Family{c.Policy.ID: c.Policy.Family}
	for after := (Place{Container: of.ID}); ; {
		keys, err := s.c.Store.ContainerKeys(ctx, of.Tenant, after, page)
		if err != nil {
			return err
		}
		chart, err := s.chart(ctx, of.Tenant, keys)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if key.Container != of.ID {
				return nil
			}
			if err := c.add(ctx, chart, key, families); err != nil {
				return err
			}
			after.Version = key.Version
		}
		if len(keys) < page {
			return nil
		}
	}
}

// add counts one version of the key; families are those of the policies met so far, by id.
func (c *Coverage) add(ctx context.Context, at *chart, key hierarchy.ContainerKey, families map[string]Family) error {
	home, err := at.home(ctx, Usage{Workload: key.Workload, Geo: key.Geo, Own: at.owns[key.Container], Policy: key.Policy})
	if err != nil {
		return err
	}
	if _, known := families[key.Policy]; !known {
		p, err := at.s.c.Store.Policy(ctx, key.Tenant, key.Policy)
		if err != nil {
			return err
		}
		families[key.Policy] = p.Family
	}
	all := c.Keys == c.Settled // of those before
	c.Keys++
	if home == key.Generation {
		c.Settled++
	}
	if all {
		c.Generation, c.Under = key.Generation, families[key.Policy]
	}
	c.Customer = (c.Customer || c.Keys == 1) && families[key.Policy] != ServiceOwned
	return nil
}
