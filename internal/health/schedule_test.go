package health_test

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// Each root is looked at when it is new and every 15 minutes from then on, once for all policies
// of a principal that need it; counting versions comes once a day.
func TestSchedule(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustPolicy("P", policy.MultiWorkload)
		c.mustPolicy("Q", policy.MultiWorkload)
		defer w.running()()
		time.Sleep(time.Minute)
		if n := w.looks(c.uris[0]); n != 1 {
			t.Errorf("a new root was looked at %d times", n)
		}
		time.Sleep(2 * time.Hour)
		if n := w.looks(c.uris[0]); n != 9 {
			t.Errorf("looked at %d times in two hours, want 9", n)
		}
		if n := w.deeps(c.uris[0]); n != 1 {
			t.Errorf("versions were counted %d times in two hours", n)
		}
	})
}

// Looks are spread over a fifth of the time, whatever they began with.
func TestSpread(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		var drawn atomic.Int64
		w.config.Spread = func() float64 { return math.Mod(0.09*float64(drawn.Add(1)), 1) }
		var err error
		w.Service, err = health.New(w.config)
		w.must(err)
		var due []time.Time
		for range 5 {
			c := w.tenant()
			p := c.mustPolicy("P", policy.MultiWorkload)
			for _, root := range c.test(p).Roots {
				due = append(due, root.Due)
			}
		}
		slices.SortFunc(due, time.Time.Compare)
		if first, last := time.Until(due[0]), time.Until(due[9]); first < 13*time.Minute || last > 17*time.Minute || last-first < 2*time.Minute {
			t.Errorf("due from %v to %v", first, last)
		}
	})
}

// A tenant with many dead vaults does not keep others waiting, and a flood of words about one root
// asks its vault about twice a second, not more.
func TestFairness(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		slow := w.tenant()
		var p policy.Policy
		for i := range 10 {
			for j, side := range []string{"east", "west"} {
				slow.uris[j] = w.key(slow.id[:8]+"-"+side, "root"+string(rune('a'+i)))
				slow.refs[j].URI = slow.uris[j]
				w.change(slow.uris[j], func(k *vaultKey) { k.takes, k.failed = 5*time.Second, silent() })
			}
			p = slow.mustPolicy("P"+string(rune('a'+i)), policy.MultiWorkload)
		}
		defer w.running()()
		time.Sleep(time.Second)
		c := w.tenant()
		q := c.mustPolicy("Q", policy.MultiWorkload)
		time.Sleep(6 * time.Second)
		if n := w.looks(c.uris[0]); n != 1 {
			t.Errorf("a new root of another tenant was looked at %d times", n)
		}
		time.Sleep(3 * time.Minute)
		slow.wantStates(p, health.Unavailable, health.Unavailable, health.Unavailable)
		before := w.looks(c.uris[0])
		for range 200 {
			w.Heard(c.id, func(r hierarchy.RootRef) bool { return r.URI == c.uris[0] })
			time.Sleep(10 * time.Millisecond)
		}
		w.change(c.uris[0], func(k *vaultKey) { k.failed = denied("KeyDisabled") })
		w.Heard(c.id, func(r hierarchy.RootRef) bool { return r.URI == c.uris[0] })
		time.Sleep(time.Second)
		if n := w.looks(c.uris[0]) - before; n < 3 || n > 15 {
			t.Errorf("201 words in 3 s caused %d looks", n)
		}
		c.wantStates(q, health.Degraded, health.Revoked, health.Healthy)
	})
}

// A clock that was in the future, and is put right, neither stops the looks nor leaves a state that
// begins in the future.
func TestClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ahead.Store(int64(300 * time.Hour))
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		w.change(c.uris[0], func(k *vaultKey) { k.failed = denied("KeyDisabled") })
		c.test(p)
		w.ahead.Store(0)
		defer w.running()()
		time.Sleep(time.Minute)
		r := c.report(p)
		if r.State != health.Degraded || r.Since.After(time.Now()) || r.Roots[0].Since.After(time.Now()) || w.looks(c.uris[0]) < 2 {
			t.Errorf("%s since %v, root since %v, %d looks", r.State, r.Since, r.Roots[0].Since, w.looks(c.uris[0]))
		}
		began := r.Roots[0].Since
		time.Sleep(time.Hour)
		if r := c.report(p); !r.Roots[0].Since.Equal(began) {
			t.Errorf("the state began at %v, and now at %v", began, r.Roots[0].Since)
		}
	})
}

// A root that nothing is under any more is forgotten at its next look; on both engines the states
// of policies that are gone go with the next change.
func TestForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		defer w.running()()
		time.Sleep(time.Minute)
		old := c.refs
		for i, side := range []string{"east", "west"} {
			p.Roots[i].URI = w.key(c.id[:8]+"-"+side, "other")
		}
		p = c.mustRefresh(p)
		c.must(c.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
			_, err := q.ExecContext(ctx, "UPDATE generations SET state = 'destroyed' WHERE number = 1")
			return err
		}))
		time.Sleep(20 * time.Minute)
		for _, ref := range old {
			if _, err := c.rows.Root(t.Context(), ref); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s is still watched: %v", ref.URI, err)
			}
		}
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
	})
}

// Who may know: whoever may read policies of the family, in his tenant only; the service's own
// policy is for its operators.
func TestDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, store.ServiceAreas()...))
	c, other := w.tenant(), w.tenant()
	for name, f := range map[string]policy.Family{"M": policy.MultiWorkload, "X": policy.Mailbox, "S": policy.SharePoint, "O": policy.ServiceOwned} {
		c.mustPolicy(name, f)
	}
	secret := other.mustPolicy("Secret", policy.MultiWorkload)
	for _, tt := range []struct {
		roles []directory.Role
		want  string
	}{
		{[]directory.Role{directory.ComplianceAdministrator}, "M"},
		{[]directory.Role{directory.ExchangeAdministrator}, "XM"},
		{[]directory.Role{directory.SharePointAdministrator}, "S"},
		{[]directory.Role{directory.GlobalAdministrator}, "XMS"},
		{[]directory.Role{directory.GlobalReader}, "XMS"},
		{[]directory.Role{directory.ServiceOperator}, "O"},
		{[]directory.Role{directory.MailboxImportExport}, ""},
		{nil, ""},
	} {
		caller := c.caller(tt.roles...)
		reports, err := w.Reports(t.Context(), caller, health.Query{})
		got := ""
		for _, r := range reports {
			got += r.Name
		}
		if got != tt.want || fault.Is(err, fault.Forbidden) != (tt.want == "") {
			t.Errorf("%v sees %q, %v; want %q", tt.roles, got, err, tt.want)
		}
		if _, err := w.Test(t.Context(), caller, health.Query{Identity: "Secret"}); err == nil {
			t.Errorf("%v tests the policy of another tenant", tt.roles)
		}
		if reports, err := w.Reports(t.Context(), caller, health.Query{Identity: secret.ID}); err == nil {
			t.Errorf("%v sees another tenant's %v", tt.roles, reports)
		}
	}
	if _, err := w.Reports(t.Context(), directory.Caller{}, health.Query{}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	for _, identity := range []string{"m", c.mustPolicy("Größe", policy.MultiWorkload).ID, "GRÖßE"} {
		if _, err := w.Reports(t.Context(), c.admin, health.Query{Identity: identity}); err != nil {
			t.Errorf("%q: %v", identity, err)
		}
	}
	if got := c.recorded(); !slices.Contains(got, "deny health.read") || !slices.Contains(got, "deny health.test") {
		t.Errorf("recorded %q", got)
	}
}
