package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
	availabilitysql "github.com/customerkey/customerkey/internal/store/gen/availability"
)

// Availability keeps sealed availability keys in the area availability. It implements
// availability.Store.
type Availability struct{ db *DB }

// NewAvailability returns the availability keys of db, which must have been opened with that
// area: a database of its own.
func NewAvailability(db *DB) *Availability { return &Availability{db: db} }

var _ availability.Store = (*Availability)(nil)

// AddKey implements availability.Store.
func (s *Availability) AddKey(ctx context.Context, k availability.Key, since time.Time) (kept availability.Key, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		kept, err = addAvailabilityKey(ctx, availabilitysql.New(q), k, since)
		return err
	})
	return kept, err
}

func addAvailabilityKey(ctx context.Context, q *availabilitysql.Queries, k availability.Key, since time.Time) (availability.Key, error) {
	newest, err := newestKey(ctx, q, k.Facts)
	switch {
	case err == nil && newest.Serves(since):
		return newest, nil
	case err != nil && !fault.Is(err, fault.NotFound):
		return k, err
	}
	k.Number = newest.Number + 1
	err = q.SupersedeKeys(ctx, availabilitysql.SupersedeKeysParams{
		SupersededAt: micros(k.Created), TenantID: k.Tenant, Kind: string(k.Kind), PolicyID: k.Policy,
	})
	if err != nil {
		return k, err
	}
	return k, q.AddKey(ctx, availabilitysql.AddKeyParams{
		TenantID: k.Tenant, ID: k.ID, PolicyID: k.Policy, Kind: string(k.Kind), Number: int64(k.Number),
		Sealed: k.Sealed, CreatedAt: micros(k.Created),
	})
}

// newestKey returns the newest key of the scope that like is of.
func newestKey(ctx context.Context, q *availabilitysql.Queries, like availability.Facts) (availability.Key, error) {
	row, err := q.NewestKey(ctx, availabilitysql.NewestKeyParams{TenantID: like.Tenant, Kind: string(like.Kind), PolicyID: like.Policy})
	return availabilityKeyOf(row, err)
}

// Newest implements availability.Store.
func (s *Availability) Newest(ctx context.Context, of availability.Scope) (f availability.Facts, err error) {
	like := availability.Facts{Kind: of.Kind}
	like.Tenant, like.Policy = of.Home()
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		k, err := newestKey(ctx, availabilitysql.New(q), like)
		f = k.Facts
		return err
	})
	return f, err
}

// Key implements availability.Store.
func (s *Availability) Key(ctx context.Context, tenant, id string) (k availability.Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := availabilitysql.New(q).GetKey(ctx, availabilitysql.GetKeyParams{TenantID: tenant, ID: id})
		k, err = availabilityKeyOf(row, err)
		return err
	})
	return k, err
}

func availabilityKeyOf(row availabilitysql.AvailabilityKey, err error) (availability.Key, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return availability.Key{}, fault.New(fault.NotFound, "there is no such availability key")
	}
	return availability.Key{
		Facts: availability.Facts{
			ID: row.ID, Kind: availability.Kind(row.Kind), Tenant: row.TenantID, Policy: row.PolicyID, Number: int(row.Number),
			Created: fromMicros(row.CreatedAt), Superseded: fromMicros(row.SupersededAt), Destroyed: fromMicros(row.DestroyedAt),
		},
		Sealed: row.Sealed,
	}, err
}

// KeysOf implements availability.Store.
func (s *Availability) KeysOf(ctx context.Context, tenant, policy string) (keys []availability.Facts, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := availabilitysql.New(q).ListKeysOfPolicy(ctx, availabilitysql.ListKeysOfPolicyParams{TenantID: tenant, PolicyID: policy})
		keys = make([]availability.Facts, len(rows))
		for i, row := range rows {
			k, _ := availabilityKeyOf(row, nil)
			keys[i] = k.Facts
		}
		return err
	})
	return keys, err
}

// DestroyKey implements availability.Store. The row forgets the sealed key; a backup made
// before still has it, under the seal.
func (s *Availability) DestroyKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		_, err := availabilitysql.New(q).DestroyKey(ctx, availabilitysql.DestroyKeyParams{
			Nothing: []byte{}, DestroyedAt: micros(at), TenantID: tenant, ID: id,
		})
		return err
	})
}

// Old implements availability.Store.
func (s *Availability) Old(ctx context.Context, before time.Time, after availability.Facts, limit int) ([]availability.Facts, error) {
	return s.facts(ctx, func(ctx context.Context, q *availabilitysql.Queries) ([]availabilitysql.AvailabilityKey, error) {
		return q.ListOldKeys(ctx, availabilitysql.ListOldKeysParams{
			Before: micros(before), AfterCreated: micros(after.Created), AfterTenant: after.Tenant, AfterID: after.ID, Most: page(limit),
		})
	})
}

// Superseded implements availability.Store.
func (s *Availability) Superseded(ctx context.Context, tenant, id string, limit int) ([]availability.Facts, error) {
	return s.facts(ctx, func(ctx context.Context, q *availabilitysql.Queries) ([]availabilitysql.AvailabilityKey, error) {
		return q.ListSupersededKeys(ctx, availabilitysql.ListSupersededKeysParams{AfterTenant: tenant, AfterID: id, Most: page(limit)})
	})
}

func (s *Availability) facts(ctx context.Context, list func(context.Context, *availabilitysql.Queries) ([]availabilitysql.AvailabilityKey, error)) (all []availability.Facts, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := list(ctx, availabilitysql.New(q))
		all = make([]availability.Facts, len(rows))
		for i, row := range rows {
			k, _ := availabilityKeyOf(row, nil)
			all[i] = k.Facts
		}
		return err
	})
	return all, err
}

// AskRenewal implements availability.Store.
func (s *Availability) AskRenewal(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return availabilitysql.New(q).AskRenewal(ctx, micros(before))
	})
}

// RenewalAsked implements availability.Store.
func (s *Availability) RenewalAsked(ctx context.Context) (before time.Time, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		us, err := availabilitysql.New(q).GetRenewal(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			us, err = 0, nil
		}
		before = fromMicros(us)
		return err
	})
	return before, err
}
