package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestFind: of a stretch of the log just the entries of the wanted actions come back, whatever else
// looks like one of them, and the latest time of all.
func TestFind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		now := noon
		l, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service", Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range []audit.Entry{
			{Action: "a.run"}, {Action: "a.run2"}, {Action: "x", Detail: map[string]string{"action": "a.run"}}, {Action: "x", Object: `","action":"a.run"`}, {Action: "b"}, {Action: "a.run"},
		} {
			now = noon.Add(time.Duration(i%5) * time.Second) // the clock is set back before the last
			e.Tenant, e.Decision = contoso, audit.Allow
			mustRecord(t, l, e)
		}
		for _, tt := range []struct {
			after   int64
			limit   int
			actions string
			want    string
		}{
			{-1, 100, "a.run", "[0 5] 5 6 4s"}, {-1, 3, "a.run", "[0] 2 3 2s"}, {0, 2, "a.run", "[] 2 2 2s"}, {3, 2, "b a.run", "[4 5] 5 2 4s"}, {4, 9, "a.run", "[5] 5 1 0s"},
			{-1, 100, "", "[] 5 6 4s"},
		} {
			s, err := l.Find(t.Context(), contoso, tt.after, tt.limit, strings.Fields(tt.actions)...)
			found := []int64{}
			for _, f := range s.Found {
				found = append(found, f.Index)
			}
			if got := fmt.Sprint(found, s.Last, s.Seen, s.Until.Sub(noon)); err != nil || got != tt.want {
				t.Errorf("%+v: %s, %v", tt, got, err)
			}
		}
		if s, err := l.Find(t.Context(), contoso, 5, 10, "a.run"); err != nil || s.Seen != 0 {
			t.Errorf("behind the end: %+v, %v", s, err)
		}
		if _, err := l.Find(t.Context(), "no tenant", -1, 10); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}

// Damage to an entry that is wanted is named, and one to another does not stop a search.
func TestFindDamaged(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, areas()...)
	l := mustLog(t, store.NewAudit(db))
	for _, action := range []string{"a", "b"} {
		e := say(contoso, "x")
		e.Action = action
		mustRecord(t, l, e)
	}
	err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `UPDATE audit_entries SET leaf = $1 WHERE idx = 1`, []byte(`{"v":1,"action":"b"`))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := l.Find(t.Context(), contoso, -1, 10, "a"); err != nil || len(s.Found) != 1 || s.Seen != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := l.Find(t.Context(), contoso, -1, 10, "b"); !fault.Is(err, fault.Corrupt) {
		t.Errorf("%v", err)
	}
}
