package health_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// outcome returns what a check said.
func outcome(r health.RootReport, check string) rootcheck.Outcome {
	for _, v := range r.Checks {
		if v.Check == check {
			return v.Outcome
		}
	}
	return ""
}

// CK-102, CK-54 to CK-60: what each way to be wrong makes of a root key, and which check says so.
func TestLook(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(k *vaultKey)
		state  health.State
		check  string
		says   rootcheck.Outcome
	}{
		{"nothing is wrong", func(*vaultKey) {}, health.Healthy, "unwrap", rootcheck.Pass},
		{"CK-57 no permission", func(k *vaultKey) { k.failed = denied("AccessDenied") }, health.Revoked, "unwrap", rootcheck.Fail},
		{"CK-58 CK-311 a firewall", func(k *vaultKey) { k.failed = denied("NetworkDenied") }, health.Revoked, "unwrap", rootcheck.Fail},
		{"CK-60 CK-64 a deleted vault", func(k *vaultKey) { k.failed = denied("VaultNotFound") }, health.Revoked, "unwrap", rootcheck.Fail},
		{"CK-54 no answer, once", func(k *vaultKey) { k.failed = silent() }, health.Healthy, "unwrap", rootcheck.Fail},
		{"CK-169 it unwraps and does not wrap", func(k *vaultKey) { k.wraps = denied("AccessDenied") }, health.Degraded, "wrap", rootcheck.Fail},
		{"CK-170 its newest version is disabled", func(k *vaultKey) { k.facts.Enabled = false }, health.Degraded, "enabled", rootcheck.Fail},
		{"CK-59 its operations", func(k *vaultKey) { k.facts.Ops = []string{"unwrapKey"} }, health.Degraded, "operations", rootcheck.Fail},
		{"CK-167 an expiry", func(k *vaultKey) { k.facts.Expires = time.Now().AddDate(1, 0, 0) }, health.Healthy, "expiry", rootcheck.Warn},
		{"CK-228 soon", func(k *vaultKey) { k.facts.Expires = time.Now().AddDate(0, 0, 20) }, health.Healthy, "expiring", rootcheck.Warn},
		{"CK-168 CK-206 its recovery level", func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable" }, health.Healthy, "recoveryLevel", rootcheck.Warn},
		{"CK-208 its rotation policy", func(k *vaultKey) { k.life = "P90D" }, health.Healthy, "rotation", rootcheck.Warn},
		{"KV-70 its many versions", func(k *vaultKey) { k.many = 460 }, health.Healthy, "versions", rootcheck.Warn},
		{"KV-70 unseen", func(k *vaultKey) { k.many = 0 }, health.Healthy, "versions", rootcheck.Unknown},
		{"CK-243 a roll without refresh", func(k *vaultKey) { k.facts.KeyID += "2" }, health.Healthy, "newest", rootcheck.Warn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.tenant()
				p := c.mustPolicy("P", policy.MultiWorkload)
				w.change(c.uris[0], tt.change)
				r := c.test(p)
				if r.Roots[0].State != tt.state || outcome(r.Roots[0], tt.check) != tt.says {
					t.Errorf("%s, %s says %q; want %s, %q", r.Roots[0].State, tt.check, outcome(r.Roots[0], tt.check), tt.state, tt.says)
				}
				if r.Roots[1].State != health.Healthy {
					t.Errorf("the other root is %s", r.Roots[1].State)
				}
				for _, v := range r.Roots[0].Checks {
					if v.Outcome != rootcheck.Pass && (v.Message == "" || v.Hint == "") && tt.state != health.Revoked && outcome(r.Roots[0], "unwrap") == rootcheck.Pass {
						t.Errorf("no words for %+v", v)
					}
				}
			})
		})
	}
}

// A root key of which many versions are needed: each has its turn, and one that was found ill
// keeps the root in its state until it is well again, whichever others are looked at meanwhile.
func TestManyVersionsHaveTheirTurn(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		var looks atomic.Int64
		w.config.Spread = func() float64 { // goes through all parts of the row
			_, part := math.Modf(float64(looks.Add(1)) * 0.618)
			return part
		}
		service, err := health.New(w.config)
		w.must(err)
		w.Service = service
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		for range 19 {
			p = c.mustRefresh(p)
		}
		defer w.running()()
		time.Sleep(time.Minute)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		before := w.looks(c.uris[1])
		time.Sleep(15 * time.Minute)
		if n := w.looks(c.uris[1]) - before; n > 8 {
			t.Errorf("one look tried %d versions", n)
		}
		for n := 1; n < 20; n += 18 { // version 20 is in use
			bad := fmt.Sprintf("%s/%d", c.uris[0], n)
			news := len(c.news())
			w.change(c.uris[0], func(k *vaultKey) { k.versions[bad] = denied("KeyDisabled") })
			time.Sleep(3 * time.Hour)
			c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
			if why := c.report(p).Roots[0].Why; why.KeyID != bad {
				t.Errorf("version %d is disabled, and the root says %+v", n, why)
			}
			if got := c.news()[news:]; len(got) != 2 { // of the root, and of the policy
				t.Errorf("version %d: told %q", n, got)
			}
			w.change(c.uris[0], func(k *vaultKey) { k.versions[bad] = nil })
			time.Sleep(2 * time.Minute)
			c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		}
	})
}

// One silence is no state, three are: 10 s apart. One answer ends it (CK-54, CK-62).
func TestSilenceMustLast(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		defer w.running()()
		time.Sleep(time.Second)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		w.change(c.uris[1], func(k *vaultKey) { k.failed = silent() })
		w.Heard(c.id, func(hierarchy.RootRef) bool { return true })
		time.Sleep(time.Second)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		if r := c.report(p).Roots[1]; r.Misses != 1 || !r.Due.After(time.Now()) || time.Until(r.Due) > 10*time.Second {
			t.Errorf("after one silence: %d misses, due in %v", r.Misses, time.Until(r.Due))
		}
		time.Sleep(25 * time.Second)
		c.wantStates(p, health.Degraded, health.Healthy, health.Unavailable)
		w.change(c.uris[1], func(k *vaultKey) { k.failed = nil })
		time.Sleep(61 * time.Second)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		want := []string{
			"RootKeyHealthChanged west/root Healthy>Unavailable", "PolicyHealthChanged P Healthy>Degraded",
			"RootKeyHealthChanged west/root Unavailable>Healthy", "PolicyHealthChanged P Degraded>Healthy",
		}
		if got := c.news(); !slices.Equal(got, want) {
			t.Errorf("news %q", got)
		}
		if got := c.recorded(); !slices.Equal(got, []string{"allow health.root", "allow health.policy", "allow health.root", "allow health.policy"}) {
			t.Errorf("recorded %q", got)
		}
	})
}

// CK-51, CK-63: both keys taken back, and given again, seen within a second of the vaults' word.
func TestTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		p, q := c.mustPolicy("P", policy.Mailbox), other.mustPolicy("P", policy.Mailbox)
		defer w.running()()
		time.Sleep(time.Minute)
		set := func(i int, err error) {
			w.change(c.uris[i], func(k *vaultKey) { k.failed = err })
			w.Heard(c.id, func(r hierarchy.RootRef) bool { return r.URI == c.uris[i] })
			time.Sleep(time.Second)
		}
		c.admin = c.caller("Exchange Administrator")
		set(0, denied("KeyDisabled"))
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
		set(1, denied("AccessDenied"))
		c.wantStates(p, health.Revoked, health.Revoked, health.Revoked)
		r := c.report(p)
		if !strings.Contains(r.Message, "KeyDisabled") || !strings.Contains(r.Message, "AccessDenied") || time.Since(r.Since) > 2*time.Second {
			t.Errorf("%q since %v", r.Message, r.Since)
		}
		set(1, nil)
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
		set(0, nil)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		if n, of := w.openedOf(c.id), w.openedOf(other.id); n != 2 || of != 0 {
			t.Errorf("its work was told %d times to go on, that of another tenant %d times", n, of)
		}
		if got := len(c.news()); got != 8 {
			t.Errorf("%d news: %q", got, c.news())
		}
		other.admin = other.caller("Exchange Administrator")
		other.wantStates(q, health.Healthy, health.Healthy, health.Healthy)
		if got := other.news(); got != nil {
			t.Errorf("another tenant was told %q", got)
		}
	})
}

// A warning is told once, however often it is seen, and again when it comes back.
func TestWarningsAreToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		expire := func(at time.Time) { w.change(c.uris[0], func(k *vaultKey) { k.facts.Expires = at }) }
		expire(time.Now().AddDate(0, 0, 20))
		w.change(c.uris[1], func(k *vaultKey) { k.many = 499 })
		for range 3 {
			c.test(p)
		}
		want := []string{"RootKeyExpiring east/root Healthy>Healthy", "RootKeyNearBackupLimit west/root Healthy>Healthy"}
		got := c.news()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("news %q", got)
		}
		w.change(c.uris[0], func(k *vaultKey) { k.failed = silent() })
		c.test(p) // what was not seen has not changed
		w.change(c.uris[0], func(k *vaultKey) { k.failed = nil })
		c.test(p)
		if got := len(c.news()); got != 2 {
			t.Errorf("after a silence: %d news", got)
		}
		expire(time.Time{})
		c.test(p)
		expire(time.Now().AddDate(0, 0, 10))
		c.test(p)
		if got := len(c.news()); got != 3 {
			t.Errorf("after a second expiry: %d news", got)
		}
	})
}

// Nothing that is not recorded holds: without the log a state stays, and the next look tries again.
func TestRecordFirst(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		defer w.running()()
		time.Sleep(time.Minute)
		w.log.setDeaf(true)
		w.change(c.uris[0], func(k *vaultKey) { k.failed = denied("KeyDisabled") })
		w.Heard(c.id, func(hierarchy.RootRef) bool { return true })
		time.Sleep(10 * time.Second)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		if _, err := c.Test(t.Context(), c.admin, health.Query{Identity: "P"}); err == nil {
			t.Error("a test ran without a record")
		}
		w.log.setDeaf(false)
		time.Sleep(2 * time.Minute)
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
	})
}

// CK-377: what the keyring sees in daily work holds when it has been told, on both engines; good
// news is looked into.
func TestSaw(t *testing.T) {
	t.Parallel()
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		c := w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		c.test(p)
		ctx := context.Background()
		saw := func(i, version int, unwrap bool, err error) {
			w.Saw(ctx, hierarchy.Sight{Ref: c.refs[i], KeyID: fmt.Sprint(c.uris[i], "/", version), Unwrap: unwrap, Err: err})
		}
		saw(0, 1, true, denied("KeyDisabled"))
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
		w.must(w.rows.Hasten(ctx, c.refs[0], w.config.Now().Add(time.Minute))) // as another node claims it for a look
		saw(0, 1, true, denied("KeyDisabled"))
		if r := c.report(p).Roots[0]; r.Due.After(w.config.Now()) {
			t.Errorf("after a denial during another node's look it is looked at in %v", r.Due.Sub(w.config.Now()))
		}
		saw(1, 7, true, denied("KeyDisabled")) // a version that nothing is under
		saw(1, 1, false, denied("AccessDenied"))
		saw(1, 1, true, silent())
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
		for range 5 { // at once: who waits for the same answer
			saw(1, 1, true, silent())
		}
		c.wantStates(p, health.Degraded, health.Revoked, health.Healthy)
		for range 2 {
			w.ahead.Add(int64(11 * time.Second))
			saw(1, 1, true, silent())
		}
		c.wantStates(p, health.Revoked, health.Revoked, health.Unavailable)
		saw(0, 1, true, nil)
		c.wantStates(p, health.Revoked, health.Revoked, health.Unavailable)
		if r := c.report(p).Roots[0]; r.Due.After(w.config.Now()) {
			t.Errorf("good news is looked into %v", r.Due)
		}
		again, err := health.New(w.config) // another process
		w.must(err)
		w.Service = again
		c.wantStates(p, health.Revoked, health.Revoked, health.Unavailable)
		r := c.test(p)
		c.wantStates(p, health.Healthy, health.Healthy, health.Healthy)
		if r.Since.IsZero() || len(c.news()) != 8 {
			t.Errorf("since %v, news %q", r.Since, c.news())
		}
		w.Saw(ctx, hierarchy.Sight{Ref: hierarchy.RootRef{Tenant: c.id, App: "app", URI: "https://x.vault.localhost/keys/new"}, Unwrap: true, Err: silent()})
		if _, err := w.rows.Root(ctx, hierarchy.RootRef{Tenant: c.id, App: "app", URI: "https://x.vault.localhost/keys/new"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a key that nothing is under is watched: %v", err)
		}
	})
}

// CK-69 to CK-71: who holds a policy key for hours is told long before it ends, of its policy
// alone; and only the tenant whose key it is.
func TestKeyThatEnds(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		p := c.mustPolicy("Files", policy.SharePoint)
		c.mustPolicy("Mail", policy.Mailbox)
		other.mustPolicy("Files", policy.SharePoint)
		a := hierarchy.Alert{Tenant: c.id, Policy: p.ID, Generation: p.Generation, Since: time.Now(), Expires: time.Now().Add(100 * time.Minute), Err: silent()}
		w.Ending(t.Context(), a)
		a.Generation = "of another policy"
		w.Ending(t.Context(), a)
		if got := c.news(); !slices.Equal(got, []string{"PolicyKeyEnding Files Healthy>Healthy"}) {
			t.Errorf("news %q", got)
		}
		if got := c.recorded(); !slices.Equal(got, []string{"allow health.key_ending"}) {
			t.Errorf("recorded %q", got)
		}
		all, err := c.rows.Newest(t.Context(), c.id, 1)
		c.must(err)
		if text := all[0].Text(); !all[0].Worse() || !strings.Contains(text, "could not be renewed") || !strings.Contains(text, "policy Files") {
			t.Errorf("%q", text)
		}
		if other.news() != nil {
			t.Errorf("another tenant was told %q", other.news())
		}
	})
}

// A vault that answers each call in its time, and takes minutes for all of them, is silent; no look
// goes on for ever, and others go on meanwhile.
func TestSlowVault(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		p := c.mustPolicy("P", policy.MultiWorkload)
		for range 9 {
			p = c.mustRefresh(p)
		}
		w.change(c.uris[0], func(k *vaultKey) { k.takes = 9 * time.Second })
		defer w.running()()
		time.Sleep(time.Second)
		q := other.mustPolicy("Q", policy.MultiWorkload)
		time.Sleep(5 * time.Second)
		if w.looks(other.uris[0]) == 0 {
			t.Error("another tenant waits")
		}
		other.wantStates(q, health.Healthy, health.Healthy, health.Healthy)
		time.Sleep(3 * time.Minute)
		c.wantStates(p, health.Degraded, health.Unavailable, health.Healthy)
		if r := c.report(p); !strings.Contains(r.Message, "too slow") {
			t.Errorf("%q", r.Message)
		}
	})
}
