package store

import (
	"context"
	"errors"
	"strings"

	"github.com/customerkey/customerkey/internal/policy"
	rehearsalsql "github.com/customerkey/customerkey/internal/store/gen/rehearsal"
)

// Foresee implements policy.Store. Nothing of the transaction stays, whatever happens: it ends
// with an error.
func (s *Policy) Foresee(ctx context.Context, tenant string, edits []policy.Edit) (p policy.Prospect, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		p = policy.Prospect{}
		for _, e := range edits {
			if err := applyEdit(ctx, q, e); err != nil {
				return err
			}
		}
		if err := prospect(ctx, q, tenant, &p); err != nil {
			return err
		}
		return errUndone
	})
	if errors.Is(err, errUndone) {
		err = nil
	}
	return p, err
}

// Prospect implements policy.Store.
func (s *Policy) Prospect(ctx context.Context, tenant string) (p policy.Prospect, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		p = policy.Prospect{}
		return prospect(ctx, q, tenant, &p)
	})
	return p, err
}

func prospect(ctx context.Context, q DBTX, tenant string, p *policy.Prospect) (err error) {
	if p.Live, err = liveGenerations(ctx, q, tenant); err != nil {
		return err
	}
	if p.InForce, err = inForce(ctx, q, tenant); err != nil {
		return err
	}
	if p.Usage, err = usage(ctx, q, tenant); err != nil {
		return err
	}
	p.Current, err = currentGenerations(ctx, q, tenant)
	return err
}

// Held implements policy.Store.
func (s *Policy) Held(ctx context.Context, tenant string, but policy.Edit) (h policy.Held, err error) {
	to := rehearsalsql.HeldItemsParams{TenantID: tenant}
	if a := but.Assignment; a != nil {
		to.Container, to.Own = a.Container, a.Policy
	}
	if r := but.Reassignment; r != nil {
		to.FromPolicy, to.ToPolicy = r.From, r.To
	}
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		h = policy.Held{}
		gen := rehearsalsql.New(q)
		items, err := gen.HeldItems(ctx, to)
		if err != nil {
			return err
		}
		for _, row := range items {
			h.Items = append(h.Items, policy.HeldItems{Under: placesOf(row.Place)[0], Items: row.Items, Bytes: row.Bytes})
		}
		containers, err := gen.HeldContainers(ctx, rehearsalsql.HeldContainersParams(to))
		if err != nil {
			return err
		}
		for _, row := range containers {
			h.Containers = append(h.Containers, policy.HeldBy{Under: placesOf(row.Places), Number: row.Containers})
		}
		people, err := gen.HeldPeople(ctx, rehearsalsql.HeldPeopleParams(to))
		for _, row := range people {
			h.People = append(h.People, policy.HeldBy{Under: placesOf(row.Places), Number: row.People})
		}
		return err
	})
	return h, err
}

// placesOf reads places as the queries write them. Names of workloads and geos and GUIDs have
// neither slash nor comma.
func placesOf(text string) (all []policy.Usage) {
	for place := range strings.SplitSeq(text, ",") {
		var part [5]string
		copy(part[:], strings.Split(place, "/"))
		all = append(all, policy.Usage{Workload: part[0], Geo: part[1], Own: part[2], Policy: part[3], Generation: part[4]})
	}
	return all
}
