package audit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func objects(t *testing.T, l *audit.Log) (list []string) {
	t.Helper()
	page, err := l.Entries(t.Context(), contoso, -1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range page {
		list = append(list, s.Entry.Object)
	}
	return list
}

// TestSubmit: an entry that was handed in is in the log when it was waited for, in the order of
// handing in, also when another one's wait wrote it.
func TestSubmit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		l := mustLog(t, store.NewAudit(db))
		first, second := l.Submit(t.Context(), say(contoso, "first")), l.Submit(t.Context(), say(contoso, "second"))
		if got := objects(t, l); got != nil {
			t.Errorf("before anyone waited: %q", got)
		}
		if err := second(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"first", "second"}, objects(t, l)); diff != "" {
			t.Error(diff)
		}
		mustRecord(t, l, say(contoso, "third"))
		if err := first(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"first", "second", "third"}, objects(t, l)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSubmitRefused: what the log does not take is told when it is waited for.
func TestSubmitRefused(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, areas()...)
	l := mustLog(t, store.NewAudit(db))
	ctx, cancel := context.WithCancel(t.Context())
	left := l.Submit(ctx, say(contoso, "left"))
	cancel()
	if err := left(); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller has left: %v", err)
	}
	if err := l.Submit(t.Context(), audit.Entry{Tenant: contoso})(); err == nil {
		t.Error("an entry without an action was taken")
	}
	late := l.Submit(t.Context(), say(contoso, "late"))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := late(); err == nil {
		t.Error("recorded in a closed database")
	}
}

// TestKnownHeadIsStillCompared: a log that signed the head itself finds that the row was put
// back to an older state, rightly signed, or changed.
func TestKnownHeadIsStillCompared(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"put back": `UPDATE audit_heads SET size = $1, edge = $2, note = $3`,
		"changed":  `UPDATE audit_heads SET size = $1 + 1, edge = $2, note = $3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.SQLite(t, areas()...)
			l := mustLog(t, store.NewAudit(db))
			mustRecord(t, l, say(contoso, "a"))
			latest, err := store.NewAudit(db).Latest(t.Context(), contoso)
			if err != nil {
				t.Fatal(err)
			}
			mustRecord(t, l, say(contoso, "b"))
			err = db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, statement, latest.Size, latest.Edge, latest.Note)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Record(t.Context(), say(contoso, "c")); err == nil {
				t.Error("the log was continued")
			}
		})
	}
}
