package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// eachHealth runs fn with the policy "P" of tenant "t" and its two roots, east and west.
func eachHealth(t *testing.T, fn func(t *testing.T, s policies, h *store.Health)) {
	eachPolicies(t, func(t *testing.T, s policies) {
		s.mustFound("t", "P", policy.MultiWorkload)
		fn(t, s, store.NewHealth(s.db))
	})
}

func mustPicture(t *testing.T, h *store.Health, tenant string) health.Picture {
	t.Helper()
	p, err := h.Picture(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func change(seq int64) health.Change {
	return health.Change{
		Tenant: "t", Seq: seq, ID: fmt.Sprint(seq), Type: health.RootChanged, Root: ref("east"), Was: health.Healthy, State: health.Revoked,
		Policies: []health.PolicyName{{ID: "P", Name: "P", Family: policy.MultiWorkload}}, Time: someTime,
		Why: health.Why{Reason: "KeyDisabled", Message: "no", Hint: "yes"},
	}
}

// A generation brings its roots; an edit is read back as it was made, and made once: whoever
// has seen less than is there by now is refused, wholly.
func TestHealthEdits(t *testing.T) {
	eachHealth(t, func(t *testing.T, s policies, h *store.Health) {
		p := mustPicture(t, h, "t")
		if len(p.Roots) != 2 || p.Roots[0].State != health.Healthy || !p.Roots[0].Since.Equal(someTime) || len(p.Uses) != 1 || p.Uses[0].KeyIDs[1] != "https://west/1" {
			t.Fatalf("at first %+v", p)
		}
		r := p.Roots[0]
		r.State, r.Since, r.Misses, r.Checked, r.Looked, r.Due = health.Revoked, someTime.Add(time.Second), 2, someTime, someTime, someTime.Add(time.Hour)
		r.Why = health.Why{Reason: "KeyDisabled", Message: "no", Hint: "yes", KeyID: "https://east/1"}
		r.Checks = []rootcheck.Verdict{{Check: "enabled", Row: "CK-170", Outcome: rootcheck.Fail, Message: "m", Hint: "h"}}
		e := health.Edit{
			Tenant: "t", Root: r, Changes: []health.Change{change(1), change(2)},
			Policies: []health.PolicyState{{Policy: "P", State: health.Degraded, Since: someTime, Message: "no"}, {Policy: "old", State: health.Healthy, Since: someTime}},
		}
		s.must(h.Apply(t.Context(), e))
		again := mustPicture(t, h, "t")
		want := r
		want.Revision++
		if diff := cmp.Diff([]health.Root{want, p.Roots[1]}, again.Roots); diff != "" || again.Head != 2 || !cmp.Equal(again.Policies, e.Policies) {
			t.Errorf("head %d, policies %+v, roots (-want +got):\n%s", again.Head, again.Policies, diff)
		}
		newest, err := h.Newest(t.Context(), "t", 10)
		if diff := cmp.Diff([]health.Change{change(2), change(1)}, newest); err != nil || diff != "" {
			t.Errorf("changes %v\n%s", err, diff)
		}
		stale := e
		stale.Head = 2 // the root is another by now
		stale.Changes = []health.Change{change(3)}
		head := e
		head.Root = want // the head is another by now
		for what, edit := range map[string]health.Edit{"a root of before": stale, "a head of before": head} {
			if err := h.Apply(t.Context(), edit); fault.As(err).Reason != health.ReasonChanged {
				t.Errorf("%s: %v", what, err)
			}
		}
		s.must(h.Apply(t.Context(), health.Edit{Tenant: "t", Head: 2, Root: want, Gone: []string{"old"}}))
		if p := mustPicture(t, h, "t"); p.Head != 3 || len(p.Policies) != 1 || len(p.Roots) != 2 {
			t.Errorf("in the end %+v", p)
		}
		if other := mustPicture(t, h, "u"); len(other.Roots)+len(other.Uses)+len(other.Policies) != 0 || other.Head != 0 {
			t.Errorf("another tenant has %+v", other)
		}
	})
}

// Of many who claim at once each root has one; what is claimed, or due later, is left alone, and
// a due that no clock can have meant is as good as none.
func TestHealthClaims(t *testing.T) {
	eachHealth(t, func(t *testing.T, s policies, h *store.Health) {
		ctx := context.WithoutCancel(t.Context())
		now := someTime
		claim := func() []health.Root {
			list, err := h.Claim(ctx, now, now.Add(time.Hour), now.Add(time.Minute), 10)
			if err != nil {
				t.Error(err)
			}
			return list
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		got := map[hierarchy.RootRef]int{}
		for range 8 {
			all.Go(func() {
				for _, r := range claim() {
					mu.Lock()
					got[r.Ref]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(got) != 2 || got[ref("east")] != 1 || got[ref("west")] != 1 {
			t.Errorf("claimed %v", got)
		}
		if due, any, err := h.NextDue(ctx); err != nil || !any || !due.Equal(now.Add(time.Minute)) {
			t.Errorf("next due %v %t %v", due, any, err)
		}
		now = now.Add(time.Minute)
		r := claim()
		if len(r) != 2 {
			t.Fatalf("%d came again after their claims", len(r))
		}
		s.must(h.Hasten(ctx, r[0].Ref, now.Add(1000*time.Hour)))
		if list := claim(); len(list) != 1 || list[0].Ref != r[0].Ref || list[0].Revision != r[0].Revision+1 {
			t.Errorf("due in 1000 hours: %+v", list)
		}
		s.must(s.db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
			_, err := q.ExecContext(ctx, "UPDATE health_roots SET due_at = 0, checks = 'damaged' WHERE uri = 'https://east'")
			return err
		}))
		s.must(h.Hasten(ctx, ref("west"), now))
		if list, err := h.Claim(ctx, now, now.Add(time.Hour), now.Add(time.Minute), 10); !fault.Is(err, fault.Corrupt) || len(list) != 1 || list[0].Ref != ref("west") {
			t.Errorf("beside a damaged row: %+v, %v", list, err)
		}
		west, err := h.Root(ctx, ref("west"))
		s.must(err)
		r[1] = west
		if err := h.Remove(ctx, r[0]); fault.As(err).Reason != health.ReasonChanged {
			t.Errorf("removing one of before: %v", err)
		}
		s.must(h.Remove(ctx, r[1]))
		if _, err := h.Root(ctx, r[1].Ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed: %v", err)
		}
	})
}

// The last 1,000 changes stay; a subscription that is made among them begins at the last.
func TestHealthChangesAreBounded(t *testing.T) {
	eachHealth(t, func(t *testing.T, s policies, h *store.Health) {
		ctx := t.Context()
		sub := health.SubscriptionRow{Base: "https://x.example", Sealed: []byte("s"), Subscription: health.Subscription{
			Tenant: "t", Name: "Early", Created: someTime, Families: []policy.Family{policy.Mailbox}, Types: []health.ChangeType{health.RootChanged},
		}}
		s.must(h.AddSubscription(ctx, sub))
		e := health.Edit{Tenant: "t"}
		for seq := range int64(health.MaxChanges + 5) {
			e.Changes = append(e.Changes, change(seq+1))
		}
		s.must(h.Apply(ctx, e))
		list, err := h.Changes(ctx, "t", 0, 5000)
		if err != nil || len(list) != health.MaxChanges || list[0].Seq != 6 {
			t.Errorf("%d changes are left, %v", len(list), err)
		}
		sub.Name = "Late"
		s.must(h.AddSubscription(ctx, sub))
		due, err := h.ClaimSubscriptions(ctx, someTime, someTime.Add(time.Minute), 10)
		if err != nil || len(due) != 1 || due[0].Name != "Early" || due[0].Reached != 0 || !cmp.Equal(due[0].Types, sub.Types) || !cmp.Equal(due[0].Families, sub.Families) {
			t.Fatalf("due %+v, %v", due, err)
		}
		was := due[0].Due
		due[0].Progress = courier.Progress{Reached: health.MaxChanges + 5}
		s.must(h.SettleSubscription(ctx, due[0], was))
		if err := h.SettleSubscription(ctx, due[0], was); fault.As(err).Reason != health.ReasonChanged {
			t.Errorf("settling what is not claimed: %v", err)
		}
		if due, err := h.ClaimSubscriptions(ctx, someTime.Add(time.Hour), someTime.Add(2*time.Hour), 10); err != nil || len(due) != 0 {
			t.Errorf("nothing waits, and due is %+v, %v", due, err)
		}
		all, err := h.Subscriptions(ctx, "t")
		if err != nil || len(all) != 2 || all[1].Reached != health.MaxChanges+5 {
			t.Errorf("subscriptions %+v, %v", all, err)
		}
	})
}

// Looking for what is due costs the same whatever else there is: SQLite begins at an index.
func TestHealthIsFoundByDue(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, store.ServiceAreas()...)
	for name, want := range map[string][3]string{
		"ListDueRoots":           {"queries.sql", "INDEX health_roots_by_due (due_at<?)"},
		"ListStrayRoots":         {"queries.sql", "INDEX health_roots_by_due (due_at>?)"},
		"ListDueSubscriptions":   {"subscriptions.sql", "INDEX health_subscriptions_by_due (due<?)"},
		"ListStraySubscriptions": {"subscriptions.sql", "INDEX health_subscriptions_by_due (due>?)"},
	} {
		texts, err := os.ReadFile("sql/health/" + want[0])
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`-- name: ` + name + ` :many\n([^;]*);`).FindStringSubmatch(string(texts))
		if text == nil {
			t.Fatalf("there is no text %s", name)
		}
		var plan string
		err = db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
			var id, parent, unused int64
			return q.QueryRowContext(ctx, "EXPLAIN QUERY PLAN "+text[1], 1, 25).Scan(&id, &parent, &unused, &plan)
		})
		if err != nil || !strings.Contains(plan, want[1]) {
			t.Errorf("%s goes by %q, %v", name, plan, err)
		}
	}
}

// A database from before keys were watched is brought up to date: the roots of every generation
// that is not destroyed are to be looked at at once.
func TestHealthOfOlderDatabases(t *testing.T) {
	t.Parallel()
	for engine, open := range map[string]func() *store.DB{
		"sqlite":   reopening(t, func(t *testing.T) string { return filepath.Join(t.TempDir(), "service.db") }, store.OpenSQLite),
		"postgres": reopening(t, func(t *testing.T) string { return storetest.PostgresDSN(t) }, store.OpenPostgres),
	} {
		t.Run(engine, func(t *testing.T) {
			db := open()
			s := policies{store.NewPolicy(db), t, db, store.NewHierarchy(db), store.NewOperation(db)}
			p := s.mustFound("t", "P", policy.MultiWorkload)
			for _, name := range []string{"health_roots", "health_policies", "health_heads", "health_changes", "health_subscriptions", "goose_health"} {
				s.must(db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
					_, err := q.ExecContext(ctx, "DROP TABLE "+name)
					return err
				}))
			}
			s.must(db.Close())
			h := store.NewHealth(open())
			list, err := h.Claim(t.Context(), someTime, someTime.Add(time.Hour), someTime.Add(time.Minute), 10)
			if err != nil || len(list) != 2 || list[0].Ref != p.Roots[0] || list[0].State != health.Unknown || !list[0].Since.IsZero() {
				t.Errorf("to be looked at: %+v, %v", list, err)
			}
		})
	}
}

// reopening returns what opens one database as often as it is called.
func reopening(t *testing.T, where func(t *testing.T) string, open func(context.Context, string, ...store.Area) (*store.DB, error)) func() *store.DB {
	at := ""
	return func() *store.DB {
		if at == "" {
			at = where(t)
		}
		db, err := open(t.Context(), at, store.ServiceAreas()...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
}
