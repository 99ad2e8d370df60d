package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A chart says where the container keys of a tenant belong, by what was in force when it was
// made. It is used for one batch.
type chart struct {
	s        *Service
	tenant   string
	standing []Standing
	owns     map[string]string               // container -> its own policy, of those in the batch
	current  map[string]string               // policy -> its active generation, as far as looked up
	rows     map[string]hierarchy.Generation // by id, as far as looked up
}

// chart makes a chart for the keys of a batch, which are in the order of their containers.
func (s *Service) chart(ctx context.Context, tenant string, batch []hierarchy.ContainerKey) (*chart, error) {
	standing, err := s.c.Store.InForce(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var owns map[string]string
	if n := len(batch); n > 0 {
		if owns, err = s.c.Store.Owns(ctx, tenant, batch[0].Container, batch[n-1].Container); err != nil {
			return nil, err
		}
	}
	c := &chart{s: s, tenant: tenant, standing: standing, owns: owns, current: map[string]string{}, rows: map[string]hierarchy.Generation{}}
	for _, at := range standing {
		c.current[at.Policy] = at.Generation
	}
	return c, nil
}

// home returns the generation that content belongs under, given the policy it is under now;
// "" if that is not known, or nothing opens under that policy any more.
func (c *chart) home(ctx context.Context, u Usage) (string, error) {
	if c.s.gone(c.tenant, u.Policy) {
		return "", nil
	}
	return c.active(ctx, c.s.c.Rule(u.Workload).belongs(u.Policy, c.standing, u.Geo, u.Own))
}

// active returns the active generation of a policy, "" if that is not known.
func (c *chart) active(ctx context.Context, policy string) (string, error) {
	if id, ok := c.current[policy]; ok {
		return id, nil
	}
	p, err := c.s.c.Store.Policy(ctx, c.tenant, policy)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	c.current[policy] = p.Generation
	return p.Generation, nil
}

// generation returns the generation that a container key belongs under; the zero one if that
// is not known.
func (c *chart) generation(ctx context.Context, key hierarchy.ContainerKey) (hierarchy.Generation, error) {
	id, err := c.home(ctx, Usage{Workload: key.Workload, Geo: key.Geo, Own: c.owns[key.Container], Policy: key.Policy})
	if err != nil {
		return hierarchy.Generation{}, err
	}
	return c.row(ctx, id)
}

// row returns a generation; the zero one for the id "".
func (c *chart) row(ctx context.Context, id string) (hierarchy.Generation, error) {
	if id == "" {
		return hierarchy.Generation{}, nil
	}
	if g, ok := c.rows[id]; ok {
		return g, nil
	}
	g, err := c.s.c.Store.Generation(ctx, c.tenant, id)
	if err == nil {
		c.rows[id] = g
	}
	return g, err
}

// astray counts the container keys of a tenant that are not where they belong.
func (s *Service) astray(ctx context.Context, tenant string) (left int64, err error) {
	c, err := s.chart(ctx, tenant, nil)
	if err != nil {
		return 0, err
	}
	usage, err := s.c.Store.Usage(ctx, tenant)
	if err != nil {
		return 0, err
	}
	for _, u := range usage {
		home, err := c.home(ctx, u)
		if err != nil {
			return 0, err
		}
		if home != "" && home != u.Generation {
			left += u.Keys
		}
	}
	return left, nil
}
