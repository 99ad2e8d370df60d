package policy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// CK-76 to CK-79, CK-270: both roots are lost for ever. Nothing opens until an approved request
// lets the administrator give new ones; then everything does, whatever was on its way.
func TestRecoveryOfFiles(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two")
		c.mustRegister("")
		w.work()
		change := policy.RootKey{URI: c.spare[0]} // a roll is under way when the keys are lost
		if _, err := w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&change, nil}); err != nil {
			t.Fatal(err)
		}
		c.mustSeal("sharepoint", "three")
		for _, uri := range append(c.keys[:], c.spare[0]) {
			w.vaults.deny(uri)
		}
		c.dropAll()
		if err := c.reopen(); !fault.Is(err, fault.Denied) {
			t.Fatalf("CK-71 with both roots lost: %v", err)
		}
		fresh := [2]string{w.vaults.key("rescue-east", "root"), w.vaults.key("rescue-west", "root")}
		_, err := w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh))
		wantReason(t, "CK-78 without recovery", err, fault.Conflict, policy.ReasonNoRecovery)
		err = w.service.BeginRecovery(t.Context(), c.admin, c.id, "default", time.Hour)
		wantReason(t, "CK-76 an administrator alone", err, fault.Forbidden, "")

		approved := directory.SystemCaller(c.id, "recovery", uuid.NewString())
		begin := func(d time.Duration) {
			t.Helper()
			approved = directory.SystemCaller(c.id, "recovery", uuid.NewString())
			if err := w.service.BeginRecovery(t.Context(), approved, c.id, "default", d); err != nil {
				t.Fatal(err)
			}
		}
		begin(time.Hour)
		if st := c.mustGeo(""); st.State != policy.Recovering || st.Recovery.IsZero() {
			t.Errorf("CK-78 %s until %s", st.State, st.Recovery)
		}
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&change, nil})
		wantReason(t, "CK-178 Update in recovery", err, fault.Conflict, policy.ReasonBusy)
		time.Sleep(time.Hour)
		if _, err = w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh)); !fault.Is(err, fault.Conflict) {
			t.Errorf("a recovery that is over: %v", err)
		}
		begin(time.Hour)
		if err := w.service.EndRecovery(t.Context(), approved, c.id, "default"); err != nil {
			t.Fatal(err)
		}
		if st := c.mustGeo(""); st.State == policy.Recovering {
			t.Error("an ended recovery goes on")
		}
		begin(time.Hour)
		if c.reopen() == nil {
			t.Fatal("CK-71 beginning a recovery opens content by itself")
		}
		start := time.Now()
		st, err := w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh))
		if err != nil || st.State == policy.Recovering {
			t.Fatalf("%s, %v", st.State, err)
		}
		if err := c.reopen(); err != nil || time.Since(start) > 10*time.Second {
			t.Errorf("CK-77 after the restore, %s later: %v", time.Since(start), err)
		}
		w.work()
		wantGeo(t, "CK-77 at the end", c.mustGeo(""), policy.Registered, 100)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		if n := c.watched(fresh[0]); n != 1 {
			t.Errorf("%d rows watch the new root keys", n)
		}
		uses := 0
		for _, line := range c.entries() {
			if strings.HasPrefix(line, "allow availability.use") {
				uses++
			}
		}
		if uses != 2 { // one for each generation that something was under
			t.Errorf("CK-80 %d uses of the availability key in the log", uses)
		}
	})
}

// CK-76, CK-78: the time in which new root keys may be given is counted as that of every recovery:
// no clock that is set shortens or lengthens it, and it begins once for a request.
func TestClocksDoNotChangeARecoveryOfFiles(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one")
		c.mustRegister("")
		w.work()
		approved := directory.SystemCaller(c.id, "recovery", uuid.NewString())
		begin := func() {
			t.Helper()
			if err := w.service.BeginRecovery(t.Context(), approved, c.id, "default", 4*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		begin()
		for n, jump := range []time.Duration{100 * time.Hour, -300 * time.Hour, 0} {
			w.setClock(jump)
			w.watch(time.Hour)
			begin() // the operation is carried out again
			want := time.Duration(3-n) * time.Hour
			if st := c.mustGeo(""); st.State != policy.Recovering || st.Recovery.Sub(w.now()) > want || st.Recovery.Sub(w.now()) < want-time.Minute {
				t.Errorf("after %d hours: %s until %v, want another %v", n+1, st.State, st.Recovery.Sub(w.now()), want)
			}
			if c.denyAll(); c.reopen() == nil {
				t.Error("CK-71 a recovery of files opens them by itself")
			}
			c.healAll()
		}
		w.setClock(-300 * time.Hour)
		w.watch(time.Hour)
		if st := c.mustGeo(""); st.State == policy.Recovering {
			t.Errorf("after its time it goes on until %v", st.Recovery)
		}
		begin()
		if st := c.mustGeo(""); st.State == policy.Recovering {
			t.Error("one request begins two recoveries")
		}
	})
}

// denyAll has the vaults refuse the tenant's root keys, healAll allow them again.
func (c *tenant) denyAll() {
	for _, uri := range c.keys {
		c.vaults.deny(uri)
	}
	c.dropAll()
}

func (c *tenant) healAll() {
	for _, uri := range c.keys {
		c.vaults.heal(uri)
	}
	c.dropAll()
}

// watched counts the rows by which a version of a root key is watched.
func (c *tenant) watched(uri string) (n int) {
	c.t.Helper()
	err := c.db.Read(c.t.Context(), func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM health_roots WHERE tenant_id = $1 AND uri = $2`, c.id, kid(uri, 1)).Scan(&n)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}
