package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	healthsql "github.com/customerkey/customerkey/internal/store/gen/health"
)

// Health keeps the states of root keys and policies in the area health, beside the areas
// hierarchy and policy. It implements health.Store.
type Health struct{ db *DB }

// NewHealth returns the states of db, which must have been opened with the three areas.
func NewHealth(db *DB) *Health { return &Health{db: db} }

var _ health.Store = (*Health)(nil)

func (s *Health) read(ctx context.Context, fn func(ctx context.Context, q *healthsql.Queries) error) error {
	return s.db.Read(ctx, func(ctx context.Context, q DBTX) error { return fn(ctx, healthsql.New(q)) })
}

func (s *Health) write(ctx context.Context, fn func(ctx context.Context, q *healthsql.Queries) error) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return fn(ctx, healthsql.New(q)) })
}

// watchRoots has the roots of a new generation looked at: each has wrapped and unwrapped its
// policy key a moment ago. One that is watched already, by
// whichever policy, is due again if its vault is the tenant's own: the root of all tenants' default
// encryption is not, for it would become due with every tenant that is made.
func watchRoots(ctx context.Context, q DBTX, g hierarchy.Generation) error {
	for _, root := range g.Roots {
		ref := root.Ref
		n := int64(0)
		if ref.Tenant == g.Tenant {
			var err error
			if n, err = healthsql.New(q).HastenRoot(ctx, healthsql.HastenRootParams{TenantID: ref.Tenant, App: ref.App, Uri: ref.URI}); err != nil {
				return err
			}
		}
		if n > 0 {
			continue
		}
		err := healthsql.New(q).WatchRoot(ctx, healthsql.WatchRootParams{
			TenantID: ref.Tenant, App: ref.App, Uri: ref.URI, State: string(health.Healthy), SinceAt: micros(g.Created),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Claim implements health.Store.
func (s *Health) Claim(ctx context.Context, now, never, until time.Time, limit int) (list []health.Root, err error) {
	var rows []healthsql.HealthRoot
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) (err error) {
		if rows, err = q.ListDueRoots(ctx, healthsql.ListDueRootsParams{DueAt: micros(now), Limit: page(limit)}); err != nil || len(rows) > 0 {
			return err
		}
		rows, err = q.ListStrayRoots(ctx, healthsql.ListStrayRootsParams{DueAt: micros(never), Limit: page(limit)})
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var damaged error // of one row, which must not keep the others back
	err = s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		list, damaged = nil, nil
		for _, row := range rows {
			n, err := q.ClaimRoot(ctx, healthsql.ClaimRootParams{
				Until: micros(until), TenantID: row.TenantID, App: row.App, Uri: row.Uri, Was: row.DueAt, Revision: row.Revision,
			})
			if err != nil {
				return err
			}
			row.DueAt = micros(until)
			switch r, err := rootOf(row); {
			case n == 0: // another one has it
			case err != nil:
				damaged = err
			default:
				list = append(list, r)
			}
		}
		return nil
	})
	return list, errors.Join(err, damaged)
}

// NextDue implements health.Store.
func (s *Health) NextDue(ctx context.Context) (at time.Time, any bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		due, err := q.NextDueRoot(ctx)
		at, any = time.UnixMicro(due).UTC(), due >= 0
		return err
	})
	return at, any, err
}

// Root implements health.Store.
func (s *Health) Root(ctx context.Context, ref hierarchy.RootRef) (r health.Root, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		row, err := q.GetRoot(ctx, healthsql.GetRootParams{TenantID: ref.Tenant, App: ref.App, Uri: ref.URI})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "the root key is not watched")
		}
		if err == nil {
			r, err = rootOf(row)
		}
		return err
	})
	return r, err
}

// Roots implements health.Store.
func (s *Health) Roots(ctx context.Context, tenant string) (list []health.Root, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		list, err = roots(ctx, q, tenant)
		return err
	})
	return list, err
}

func roots(ctx context.Context, q *healthsql.Queries, tenant string) (list []health.Root, err error) {
	rows, err := q.ListRoots(ctx, tenant)
	for _, row := range rows {
		r, err := rootOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, err
}

// Hasten implements health.Store.
func (s *Health) Hasten(ctx context.Context, ref hierarchy.RootRef, due time.Time) error {
	return s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		_, err := q.HastenRoot(ctx, healthsql.HastenRootParams{Due: micros(due), TenantID: ref.Tenant, App: ref.App, Uri: ref.URI})
		return err
	})
}

// Remove implements health.Store.
func (s *Health) Remove(ctx context.Context, r health.Root) error {
	return s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		n, err := q.RemoveRoot(ctx, healthsql.RemoveRootParams{TenantID: r.Ref.Tenant, App: r.Ref.App, Uri: r.Ref.URI, Revision: r.Revision})
		return oneRow(n, err, health.Changed())
	})
}

// Picture implements health.Store.
func (s *Health) Picture(ctx context.Context, tenant string) (p health.Picture, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		p = health.Picture{}
		if p.Head, err = q.GetHead(ctx, tenant); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if p.Roots, err = roots(ctx, q, tenant); err != nil {
			return err
		}
		uses, err := q.ListUses(ctx, tenant)
		if err != nil {
			return err
		}
		for _, row := range uses {
			p.Uses = append(p.Uses, useOf(row))
		}
		states, err := q.ListPolicyStates(ctx, tenant)
		for _, row := range states {
			p.Policies = append(p.Policies, health.PolicyState{
				Policy: row.PolicyID, State: health.State(row.State), Since: fromMicros(row.SinceAt), Message: row.Message,
			})
		}
		return err
	})
	return p, err
}

func useOf(row healthsql.ListUsesRow) health.Use {
	return health.Use{
		Policy: row.ID, Name: row.Name, Family: policy.Family(row.Family), Generation: row.Generation,
		Active: row.State == string(hierarchy.Active),
		Roots: [2]hierarchy.RootRef{
			{Tenant: row.Root1Tenant, App: row.Root1App, URI: row.Root1Uri}, {Tenant: row.Root2Tenant, App: row.Root2App, URI: row.Root2Uri},
		},
		KeyIDs: [2]string{row.Root1Kid, row.Root2Kid},
	}
}

// Apply implements health.Store. The head, on which two nodes collide, comes first.
func (s *Health) Apply(ctx context.Context, e health.Edit) error {
	return s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		if len(e.Changes)+len(e.Policies)+len(e.Gone) > 0 {
			head := e.Head + int64(max(len(e.Changes), 1))
			n, err := q.MoveHead(ctx, healthsql.MoveHeadParams{TenantID: e.Tenant, Seq: head, Was: e.Head})
			if err := oneRow(n, err, health.Changed()); err != nil {
				return err
			}
		}
		if e.Root.Ref.URI != "" {
			if err := putRoot(ctx, q, e.Root); err != nil {
				return err
			}
		}
		for _, p := range e.Policies {
			err := q.PutPolicyState(ctx, healthsql.PutPolicyStateParams{
				TenantID: e.Tenant, PolicyID: p.Policy, State: string(p.State), SinceAt: micros(p.Since), Message: p.Message,
			})
			if err != nil {
				return err
			}
		}
		for _, id := range e.Gone {
			if err := q.RemovePolicyState(ctx, healthsql.RemovePolicyStateParams{TenantID: e.Tenant, PolicyID: id}); err != nil {
				return err
			}
		}
		return addChanges(ctx, q, e)
	})
}

func putRoot(ctx context.Context, q *healthsql.Queries, r health.Root) error {
	checks, err := json.Marshal(r.Checks)
	if err != nil {
		return err
	}
	n, err := q.PutRoot(ctx, healthsql.PutRootParams{
		State: string(r.State), SinceAt: micros(r.Since), Reason: r.Why.Reason, Message: r.Why.Message, Hint: r.Why.Hint, KeyID: r.Why.KeyID,
		Checks: string(checks), Misses: int64(r.Misses), CheckedAt: micros(r.Checked), LookedAt: micros(r.Looked), DueAt: micros(r.Due),
		TenantID: r.Ref.Tenant, App: r.Ref.App, Uri: r.Ref.URI, Revision: r.Revision,
	})
	return oneRow(n, err, health.Changed())
}

// addChanges keeps the last changes and wakes those who are sent them.
func addChanges(ctx context.Context, q *healthsql.Queries, e health.Edit) error {
	for _, c := range e.Changes {
		policies, err := json.Marshal(c.Policies)
		if err != nil {
			return err
		}
		err = q.AddChange(ctx, healthsql.AddChangeParams{
			TenantID: c.Tenant, Seq: c.Seq, ID: c.ID, Type: string(c.Type), Policies: string(policies), App: c.Root.App, Uri: c.Root.URI,
			Was: string(c.Was), State: string(c.State), Reason: c.Why.Reason, Message: c.Why.Message, Hint: c.Why.Hint, ChangedAt: micros(c.Time),
		})
		if err != nil {
			return err
		}
	}
	if len(e.Changes) == 0 {
		return nil
	}
	last := e.Changes[len(e.Changes)-1]
	if err := q.PruneChanges(ctx, healthsql.PruneChangesParams{TenantID: e.Tenant, Seq: last.Seq - health.MaxChanges}); err != nil {
		return err
	}
	return q.WakeSubscriptions(ctx, healthsql.WakeSubscriptionsParams{Now: micros(last.Time), TenantID: e.Tenant})
}

// Newest implements health.Store.
func (s *Health) Newest(ctx context.Context, tenant string, limit int) (list []health.Change, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		rows, err := q.ListNewestChanges(ctx, healthsql.ListNewestChangesParams{TenantID: tenant, Limit: page(limit)})
		if err != nil {
			return err
		}
		list, err = changesOf(rows)
		return err
	})
	return list, err
}

func changesOf(rows []healthsql.HealthChange) ([]health.Change, error) {
	list := make([]health.Change, len(rows))
	for i, row := range rows {
		list[i] = health.Change{
			Tenant: row.TenantID, Seq: row.Seq, ID: row.ID, Type: health.ChangeType(row.Type),
			Was: health.State(row.Was), State: health.State(row.State), Time: fromMicros(row.ChangedAt),
			Why: health.Why{Reason: row.Reason, Message: row.Message, Hint: row.Hint},
		}
		if row.Uri != "" {
			list[i].Root = hierarchy.RootRef{Tenant: row.TenantID, App: row.App, URI: row.Uri}
		}
		if err := json.Unmarshal([]byte(row.Policies), &list[i].Policies); err != nil {
			return nil, fault.Wrap(fault.Corrupt, err, "a stored change of a root key's health cannot be read")
		}
	}
	return list, nil
}

func rootOf(row healthsql.HealthRoot) (health.Root, error) {
	r := health.Root{
		Ref: hierarchy.RootRef{Tenant: row.TenantID, App: row.App, URI: row.Uri}, State: health.State(row.State), Since: fromMicros(row.SinceAt),
		Why:    health.Why{Reason: row.Reason, Message: row.Message, Hint: row.Hint, KeyID: row.KeyID},
		Misses: int(row.Misses), Checked: fromMicros(row.CheckedAt), Looked: fromMicros(row.LookedAt),
		Due: time.UnixMicro(row.DueAt).UTC(), Revision: row.Revision,
	}
	if err := json.Unmarshal([]byte(row.Checks), &r.Checks); err != nil {
		return r, fault.Wrap(fault.Corrupt, err, "the checks of a root key cannot be read")
	}
	return r, nil
}
