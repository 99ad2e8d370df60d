package hierarchy

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// concerned is what AskAnew is told of a change of one root.
func (r *testRoot) concerned(ref RootRef) bool { return ref.URI == r.uri }

func everyRoot(RootRef) bool { return true }

// What the roots say decides, at the next use and not at the end of the lease.
func TestAskAnewObeysADenial(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.fail(disabled, disabled)
		w.keys.AskAnew(w.roots[1].concerned)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "after the denial", err, fault.Denied)
		synctest.Wait() // the closing entry is written in the background
		if !l.key.IsZero() || w.closings(endDenied) != 1 {
			t.Error("the lease lives on")
		}
	})
}

// One root that still unwraps is enough, and word that was wrong costs one unwrap.
func TestAskAnewOfNothing(t *testing.T) {
	for name, fails := range map[string]error{"wrong word": nil, "one root left": disabled} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world, g Generation) {
				first := w.mustLease(alice, g)
				w.fail(nil, fails)
				before := w.calls()
				w.keys.AskAnew(w.roots[1].concerned)
				var readers sync.WaitGroup
				for range 100 {
					readers.Go(func() {
						if l, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); err != nil || l == first {
							t.Errorf("got the old lease %t, %v", l == first, err)
						}
					})
				}
				readers.Wait()
				synctest.Wait()
				if n := w.calls() - before; n != 1 || w.closings(endReplaced) != 1 {
					t.Errorf("%d unwraps, %d leases replaced", n, w.closings(endReplaced))
				}
			})
		})
	}
}

// Changes of other keys, and of roots of which nothing is held, ask nobody.
func TestAskAnewOfOthers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.keys.AskAnew(everyRoot) // nothing is held yet
		l := w.mustLease(alice, g)
		before := w.calls()
		w.keys.AskAnew(func(r RootRef) bool { return r.URI == "https://contoso-east.vault.example/keys/root" })
		wait(time.Second)
		if w.calls() != before || w.mustLease(alice, g) != l {
			t.Error("the roots were asked about somebody else's change")
		}
	})
}

// An answer that was under way when the roots changed does not count, for whoever waits for it.
func TestAskAnewOvertakesAFlight(t *testing.T) {
	for name, renewal := range map[string]bool{"first": false, "renewal": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world, g Generation) {
				if renewal {
					w.mustLease(alice, g)
					wait(55 * time.Second)
				}
				w.roots[0].take(time.Second)
				var reader sync.WaitGroup
				reader.Go(func() {
					_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
					wantCode(t, "waiting for an answer from before", err, fault.Denied)
				})
				wait(time.Second / 2)
				w.fail(disabled, disabled)
				w.keys.AskAnew(w.roots[0].concerned)
				reader.Wait()
				wait(5 * time.Second)
				if granted, closed := len(w.entries("lease.grant")), len(w.entries("lease.close")); granted != closed || len(w.keys.held)+len(w.keys.asked) != 0 {
					t.Errorf("%d leases granted, %d closed; held: %v", granted, closed, w.keys.held)
				}
			})
		})
	}
}

// A flood of word is no load on the vaults, and the last of it is not lost.
func TestAskAnewIsLimited(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.mustLease(alice, g)
		before := w.calls()
		for range 5000 {
			w.keys.AskAnew(everyRoot)
			w.mustLease(alice, g)
			wait(time.Millisecond)
		}
		if n := w.calls() - before; n < 5 || n > anewMost+5 {
			t.Errorf("5000 words in 5 s caused %d unwraps", n)
		}
		w.keys.AskAnew(everyRoot)
		w.fail(disabled, disabled)
		w.keys.AskAnew(everyRoot)
		wait(anewPause)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "a second after the flood", err, fault.Denied)
		wait(2 * anewPause)
		if len(w.keys.asked) != 0 {
			t.Error("what was asked is never forgotten")
		}
	})
}

// Work that holds a key is not disturbed while the roots are asked, and stops when they deny.
func TestAskAnewInTheMiddle(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		o, err := w.keys.ForSealing(t.Context(), alice, Container{Tenant: tenant, ID: "c", Workload: "exchange"}, Target{Policy: policy, Generation: g.ID})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		w.roots[0].take(time.Second)
		w.fail(nil, disabled)
		w.keys.AskAnew(w.roots[1].concerned)
		synctest.Wait()
		if key, _, err := o.NewItemKey([]byte("item")); err != nil {
			t.Errorf("while the roots are asked: %v", err)
		} else {
			key.Destroy()
		}
		if err := o.Alive(t.Context()); err != nil {
			t.Errorf("with one root left: %v", err)
		}
		w.fail(disabled, disabled)
		w.keys.AskAnew(w.roots[0].concerned)
		wantCode(t, "with none left", o.Alive(t.Context()), fault.Denied)
		_, _, err = o.NewItemKey([]byte("item"))
		wantCode(t, "sealing with none left", err, fault.Unavailable)
	})
}

// A lease for system work that was granted in spite of a denial is not taken away by it.
func TestAskAnewLeavesSystemWork(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.fail(disabled, disabled)
		l := w.mustLease(system, g)
		w.keys.AskAnew(everyRoot)
		synctest.Wait()
		if w.mustLease(system, g) != l {
			t.Error("the lease was replaced")
		}
	})
}
