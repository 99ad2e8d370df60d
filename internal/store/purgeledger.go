package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/purge"
	availabilitysql "github.com/customerkey/customerkey/internal/store/gen/availability"
)

// PurgeLedger keeps a copy of the ledger of purges in the area availability, beside the keys
// that were destroyed. It implements purge.Place.
type PurgeLedger struct{ db *DB }

// NewPurgeLedger returns the ledger of db, which must have been opened with that area.
func NewPurgeLedger(db *DB) *PurgeLedger { return &PurgeLedger{db: db} }

var _ purge.Place = (*PurgeLedger)(nil)

// ledgerPage is how many lines are read in one transaction.
const ledgerPage = 100

// Name implements purge.Place.
func (s *PurgeLedger) Name() string { return "in the availability database" }

// Lines implements purge.Place.
func (s *PurgeLedger) Lines(ctx context.Context, fn func(line []byte) error) error {
	for after := int64(0); ; {
		var rows []availabilitysql.PurgeLedger
		err := s.db.Read(ctx, func(ctx context.Context, q DBTX) (err error) {
			rows, err = availabilitysql.New(q).ListLedger(ctx, availabilitysql.ListLedgerParams{After: after, Most: ledgerPage})
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := fn([]byte(row.Line)); err != nil {
				return err
			}
			after = row.Seq
		}
	}
}

// Append implements purge.Place.
func (s *PurgeLedger) Append(ctx context.Context, lines [][]byte) error {
	return s.db.Write(ctx, func(ctx context.Context, db DBTX) error {
		q := availabilitysql.New(db)
		last, err := q.LastOfLedger(ctx)
		if err != nil {
			return err
		}
		for i, line := range lines {
			err := q.AddToLedger(ctx, availabilitysql.AddToLedgerParams{Seq: last + int64(i) + 1, Line: string(line[:len(line)-1])})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
