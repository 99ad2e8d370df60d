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
func (s *Availability) AddKey(ctx context.Context, k availability.Key) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return availabilitysql.New(q).AddKey(ctx, availabilitysql.AddKeyParams{
			TenantID: k.Tenant, ID: k.ID, PolicyID: k.Policy, Sealed: k.Sealed, CreatedAt: micros(k.Created),
		})
	})
}

// Key implements availability.Store.
func (s *Availability) Key(ctx context.Context, tenant, id string) (k availability.Key, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := availabilitysql.New(q).GetKey(ctx, availabilitysql.GetKeyParams{TenantID: tenant, ID: id})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such availability key")
		}
		k = availability.Key{
			Tenant: row.TenantID, ID: row.ID, Policy: row.PolicyID, Sealed: row.Sealed,
			Created: fromMicros(row.CreatedAt), Destroyed: fromMicros(row.DestroyedAt),
		}
		return err
	})
	return k, err
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
