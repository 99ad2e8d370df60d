package hierarchy

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// use does something under a lease: what nobody uses is not renewed.
func (w *world) use(t *testing.T, l *Lease) {
	t.Helper()
	if ran, err := l.do(w.keys.c.Now(), keysUnwrapped, func(envelope.Key) error { return nil }); !ran || err != nil {
		t.Fatalf("ran under the lease: %t, %v", ran, err)
	}
}

// CK-68, CK-69, CK-274: a policy key in use is unwrapped again two hours before its end, and held
// longer then; one that nobody uses just ends.
func TestEarlyRenewal(t *testing.T) {
	hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
		first := w.mustLease(alice, g)
		w.use(t, first)
		before := w.calls()
		wait(2*time.Hour - time.Second)
		if w.mustLease(alice, g) != first || w.calls() != before {
			t.Fatal("renewed earlier than two hours before the end")
		}
		wait(2 * time.Second)
		if w.calls()-before != 1 {
			t.Fatalf("CK-69: %d calls of roots two hours before the end", w.calls()-before)
		}
		second := w.mustLease(alice, g)
		if gain := second.Expires().Sub(first.Expires()); gain < 2*time.Hour || !first.key.IsZero() {
			t.Errorf("the renewal extends by %s", gain)
		}
		before = w.calls()
		wait(4 * time.Hour) // nobody has used the second
		if !second.key.IsZero() || w.calls() != before || w.closings(endExpired) != 1 {
			t.Errorf("an idle policy key: %d calls, %d leases expired", w.calls()-before, w.closings(endExpired))
		}
	})
}

// CK-70, CK-71: while the vaults cannot be reached, what is held goes on; somebody is told long
// before the end; after it the content is unavailable, and the availability key does not help.
// When a vault is back, so is the content.
func TestOutageOfFilesLastsUntilTheEnd(t *testing.T) {
	var mu sync.Mutex
	var told []Alert
	edit := func(c *Config) {
		c.Hedge.Alert = func(a Alert) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, a)
		}
	}
	alerts := func() []Alert {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
	hedgedBubble(t, edit, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.use(t, l)
		w.fail(down, down)
		before := w.calls()
		wait(2*time.Hour + 14*time.Minute)
		if len(alerts()) != 0 {
			t.Fatal("told before renewing had failed for long")
		}
		wait(2 * time.Minute)
		if all := alerts(); len(all) != 1 || all[0].Policy != g.Policy || !all[0].Expires.Equal(l.Expires()) || time.Until(all[0].Expires) < time.Hour {
			t.Fatalf("CK-70: alerts %+v", all)
		}
		if len(w.entries("lease.alert")) != 1 {
			t.Error("the alert is not in the log")
		}
		wait(90 * time.Minute)
		if w.mustLease(alice, g) != l || w.mustLease(system, g) != l {
			t.Error("the policy key is not held any more before its end")
		}
		if asked := w.calls() - before; asked < 150 || asked > 250 { // two in a minute, for an hour and three quarters
			t.Errorf("the vaults were asked %d times", asked)
		}
		wait(15 * time.Minute)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "CK-71 after the end", err, fault.Unavailable)
		_, err = w.keys.Lease(t.Context(), system, tenant, g.ID)
		wantCode(t, "CK-73 work of the service", err, fault.Unavailable)
		if len(alerts()) != 1 || !l.key.IsZero() {
			t.Errorf("%d alerts; the key is overwritten: %t", len(alerts()), l.key.IsZero())
		}
		w.fail(nil, down)
		wait(time.Second)
		w.mustLease(alice, g)
		w.neverByItself(t)
	})
}

// Both roots that deny end what is held at once: at the renewal, and on word from the vaults.
func TestDenialOfFilesEndsTheLease(t *testing.T) {
	for name, discover := range map[string]func(w *world){
		"at the renewal":                func(*world) { wait(2*time.Hour + time.Second) },
		"CK-72 on word from the vaults": func(w *world) { w.keys.AskAnew(everyRoot); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
				l := w.mustLease(alice, g)
				w.use(t, l)
				w.fail(disabled, disabled)
				discover(w)
				if !l.key.IsZero() || w.closings(endDenied) != 1 {
					t.Error("the lease lives on")
				}
				_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
				wantCode(t, "after the denial", err, fault.Denied)
				w.neverByItself(t)
				w.fail(disabled, nil)
				wait(time.Second)
				w.mustLease(alice, g)
			})
		})
	}
}

// Word from a vault that nobody can confirm takes nothing away; word that one root denies, while
// the other cannot be reached, does, until a root answers (CK-62).
func TestWordAboutFiles(t *testing.T) {
	hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.use(t, l)
		w.fail(down, down)
		w.keys.AskAnew(everyRoot)
		if w.mustLease(alice, g) != l {
			t.Error("an outage at the wrong moment took the policy key away")
		}
		w.fail(disabled, down)
		w.keys.AskAnew(everyRoot)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "one denied, one unreachable", err, fault.Denied)
		w.fail(disabled, nil)
		wait(time.Second)
		if w.mustLease(alice, g) == l {
			t.Error("the lease from before the word serves again")
		}
	})
}
