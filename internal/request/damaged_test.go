package request_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// sql changes one row of a request behind the service's back.
func (w *world) sql(text string, r request.Request) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(ctx context.Context, q store.DBTX) error {
		res, err := q.ExecContext(ctx, text, r.ID)
		if err != nil {
			return err
		}
		return oneRow(res)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A row that cannot be read keeps back neither a list nor a sweep, of its tenant or of others. The
// log of the server names it.
func TestDamagedRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, a, b := t.Context(), w.tenant(), w.tenant()
		var said bytes.Buffer
		w.config.Log = slog.New(slog.NewTextHandler(&said, nil))
		w.service = w.open()
		bad, good := w.mustAsk(a.admin, "both", "p1"), w.mustAsk(a.admin, "both", "p2")
		other := w.mustAsk(b.admin, "both", "p1")
		overdueBad, overdue := w.mustAsk(a.admin, "operator", "p3"), w.mustAsk(b.admin, "operator", "p3")
		lostBad, lost := w.mustAsk(a.admin, "rule", "p4"), w.mustAsk(b.admin, "rule", "p4")
		for _, r := range []request.Request{lostBad, lost} {
			if _, err := store.NewOperation(w.db).Cancel(ctx, r.Tenant, r.Operation, w.now()); err != nil {
				t.Fatal(err)
			}
		}
		w.sql(`UPDATE requests SET detail = 'x' WHERE id = $1`, bad)
		w.sql(`UPDATE requests SET approvals = '[{"at":1}]' WHERE id = $1`, overdueBad)
		w.sql(`UPDATE requests SET detail = '' WHERE id = $1`, lostBad)

		if got := strings.Join(w.visible(w.operator, false), " "); got != strings.Join([]string{"damaged", good.ID, other.ID, "damaged", overdue.ID}, " ") {
			t.Errorf("the operator sees %s", got)
		}
		if got := strings.Join(w.visible(a.admin, true), " "); got != strings.Join([]string{"damaged", good.ID, "damaged", "damaged"}, " ") {
			t.Errorf("the administrator sees %s", got)
		}
		_, err := w.service.Get(ctx, a.admin, bad.ID)
		wants(t, "looking at it", err, fault.Corrupt, "")
		_, err = w.service.Approve(ctx, w.operator, bad.ID, bad.Digest())
		wants(t, "approving it", err, fault.Corrupt, "")

		w.pass(2 * time.Hour)
		if err := w.service.Sweep(ctx); err != nil {
			t.Errorf("the sweep: %v", err)
		}
		if got := w.mustGet(b.admin, overdue); got.State != request.Expired {
			t.Errorf("behind the damaged one, what is overdue is %s", got.State)
		}
		if got := w.mustGet(b.admin, lost); got.State != request.Failed {
			t.Errorf("behind the damaged one, what was cancelled is %s", got.State)
		}
		for _, r := range []request.Request{bad, overdueBad, lostBad} {
			if !strings.Contains(said.String(), r.ID) {
				t.Errorf("the log does not name the damaged request %s", r.ID)
			}
		}
	})
}

// A sweep goes through all that there is, however many there are, and however many of the first
// ones it can do nothing about.
func TestSweepGoesThroughAll(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		w.config.Log = slog.New(slog.DiscardHandler)
		w.service = w.open()
		var last request.Request // of the tenant that comes last in the order of tenants
		for range 3 {
			c := w.tenant()
			for range request.MaxOpen {
				if r := w.mustAsk(c.admin, "operator", uuid.NewString()); r.Tenant >= last.Tenant {
					last = r
				}
			}
		}
		err := w.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
			_, err := q.ExecContext(ctx, `UPDATE requests SET detail = 'x' WHERE tenant_id <> $1`, last.Tenant)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Hour)
		if err := w.service.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := w.rows.Request(t.Context(), last.Tenant, last.ID)
		if err != nil || got.State != request.Expired {
			t.Errorf("after the sweep it is %s, %v", got.State, err)
		}
	})
}
