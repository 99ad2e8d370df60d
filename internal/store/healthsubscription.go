package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/seal"
	healthsql "github.com/customerkey/customerkey/internal/store/gen/health"
)

// AddSubscription implements health.Store.
func (s *Health) AddSubscription(ctx context.Context, sub health.SubscriptionRow) error {
	types, families, err := filterText(sub.Subscription)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		n, err := q.CountSubscriptions(ctx, sub.Tenant)
		if err != nil {
			return err
		}
		if n >= health.MaxSubscriptions {
			return fault.New(fault.Conflict, "the tenant has %d alert subscriptions, which is the most", n).WithHint("remove one first")
		}
		reached, err := q.GetHead(ctx, sub.Tenant)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		n, err = q.AddSubscription(ctx, healthsql.AddSubscriptionParams{
			TenantID: sub.Tenant, Name: foldName(sub.Name), Display: sub.Name, Endpoint: sub.Base, Sealed: sub.Sealed,
			Types: types, Families: families, CreatedAt: micros(sub.Created), Reached: reached,
		})
		return oneRow(n, err, fault.New(fault.Conflict, "there is an alert subscription %q already", sub.Name).WithReason(health.ReasonNameTaken).WithHint("remove it first, or choose another name"))
	})
}

// filterText returns types and families as they are stored.
func filterText(sub health.Subscription) (types, families string, err error) {
	if len(sub.Types) > 0 {
		b, err := json.Marshal(sub.Types)
		if err != nil {
			return "", "", err
		}
		types = string(b)
	}
	b, err := json.Marshal(sub.Families)
	return types, string(b), err
}

// Subscriptions implements health.Store.
func (s *Health) Subscriptions(ctx context.Context, tenant string) (list []health.SubscriptionRow, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		rows, err := q.ListSubscriptions(ctx, tenant)
		list = nil
		for _, row := range rows {
			sub, err := alertSubscriptionOf(row)
			if err != nil {
				return err
			}
			list = append(list, sub)
		}
		return err
	})
	return list, err
}

// RemoveSubscription implements health.Store.
func (s *Health) RemoveSubscription(ctx context.Context, tenant, name string) (gone bool, err error) {
	err = s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		n, err := q.RemoveSubscription(ctx, healthsql.RemoveSubscriptionParams{TenantID: tenant, Name: foldName(name)})
		gone = n > 0
		return err
	})
	return gone, err
}

// ClaimSubscriptions implements health.Store. One that another node claims at the same time is
// left to that one; a damaged one does not keep the others back.
func (s *Health) ClaimSubscriptions(ctx context.Context, now, until time.Time, limit int) (list []health.SubscriptionRow, err error) {
	var rows []healthsql.HealthSubscription
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) (err error) {
		if rows, err = q.ListDueSubscriptions(ctx, healthsql.ListDueSubscriptionsParams{Due: instant(now), Limit: page(limit)}); err != nil || len(rows) > 0 {
			return err
		}
		rows, err = q.ListStraySubscriptions(ctx, healthsql.ListStraySubscriptionsParams{Due: instant(now.Add(longestWait)), Limit: page(limit)})
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var damaged error
	err = s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		list, damaged = nil, nil
		for _, row := range rows {
			n, err := q.ClaimSubscription(ctx, healthsql.ClaimSubscriptionParams{Until: instant(until), TenantID: row.TenantID, Name: row.Name, Was: row.Due})
			if err != nil {
				return err
			}
			row.Due = instant(until)
			switch sub, err := alertSubscriptionOf(row); {
			case n == 0:
			case err != nil:
				damaged = err
			default:
				list = append(list, sub)
			}
		}
		return nil
	})
	return list, errors.Join(err, damaged)
}

// SettleSubscription implements health.Store. It takes the row before it looks for changes, as
// those do before they are committed: none is overlooked.
func (s *Health) SettleSubscription(ctx context.Context, sub health.SubscriptionRow, was time.Time) error {
	return s.write(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		n, err := q.SettleSubscription(ctx, healthsql.SettleSubscriptionParams{
			Reached: sub.Reached, Attempts: int64(sub.Attempts), Delivered: sub.Delivered, Dropped: sub.Dropped,
			Due:      sql.NullInt64{Int64: micros(sub.Due), Valid: true},
			TenantID: sub.Tenant, Name: foldName(sub.Name), CreatedAt: micros(sub.Created), Was: instant(was),
		})
		if err := oneRow(n, err, health.Changed()); err != nil || !sub.Due.IsZero() {
			return err
		}
		head, err := q.GetHead(ctx, sub.Tenant)
		if errors.Is(err, sql.ErrNoRows) {
			head, err = 0, nil
		}
		if err != nil || head > sub.Reached {
			more, err := q.ListChanges(ctx, healthsql.ListChangesParams{TenantID: sub.Tenant, Seq: sub.Reached, Limit: 1})
			if err != nil || len(more) > 0 {
				return err
			}
		}
		return q.RestSubscription(ctx, healthsql.RestSubscriptionParams{TenantID: sub.Tenant, Name: foldName(sub.Name)})
	})
}

// Changes implements health.Store.
func (s *Health) Changes(ctx context.Context, tenant string, after int64, limit int) (list []health.Change, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		rows, err := q.ListChanges(ctx, healthsql.ListChangesParams{TenantID: tenant, Seq: after, Limit: page(limit)})
		if err != nil {
			return err
		}
		list, err = changesOf(rows)
		return err
	})
	return list, err
}

// OlderChanges implements health.Store.
func (s *Health) OlderChanges(ctx context.Context, tenant string, after int64, old time.Time) (count, last int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q *healthsql.Queries) error {
		row, err := q.CountOlderChanges(ctx, healthsql.CountOlderChangesParams{TenantID: tenant, Seq: after, ChangedAt: micros(old)})
		count, last = row.Changes, row.Last
		return err
	})
	return count, last, err
}

func alertSubscriptionOf(row healthsql.HealthSubscription) (health.SubscriptionRow, error) {
	sub := health.SubscriptionRow{Base: row.Endpoint, Sealed: row.Sealed, Subscription: health.Subscription{
		Tenant: row.TenantID, Name: row.Display, Created: fromMicros(row.CreatedAt), Delivered: row.Delivered, Dropped: row.Dropped,
		Progress: courier.Progress{Reached: row.Reached, Attempts: int(row.Attempts), Due: fromInstant(row.Due)},
	}}
	err := json.Unmarshal([]byte(row.Families), &sub.Families)
	if err == nil && row.Types != "" {
		err = json.Unmarshal([]byte(row.Types), &sub.Types)
	}
	if err != nil {
		err = fault.Wrap(fault.Corrupt, err, "the filter of a stored alert subscription cannot be read")
	}
	return sub, err
}

// SealedSubscriptions are the webhooks of tenants' alerts; parts are tenant and folded name.
func SealedSubscriptions(db *DB) seal.Rows {
	return sealedTable{
		db: db, parts: 2,
		count: func(ctx context.Context, q DBTX) (int64, error) {
			return healthsql.New(q).CountSealedSubscriptions(ctx)
		},
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			found, err := healthsql.New(q).ListSealedSubscriptions(ctx, healthsql.ListSealedSubscriptionsParams{AfterTenant: after[0], AfterName: after[1], Most: limit})
			for _, r := range found {
				rows = append(rows, seal.Row{Place: placeOf(r.TenantID, r.Name), Parts: []string{r.TenantID, r.Name}, Sealed: r.Sealed})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			return healthsql.New(q).SwapSubscription(ctx, healthsql.SwapSubscriptionParams{TenantID: place[0], Name: place[1], Was: was, Fresh: fresh})
		},
	}
}
