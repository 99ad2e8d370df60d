package hierarchy

import (
	"context"
	"crypto/fips140"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
)

// bubble runs a test under virtual time with a Keyring that uses it.
func bubble(t *testing.T, edit func(*Config), fn func(t *testing.T, w *world, g Generation)) {
	t.Helper()
	needRealEntropy(t)
	rsaKey() // outside, so that making it takes no virtual time
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, edit)
		fn(t, w, w.mustGeneration(policy, 1))
	})
}

// needRealEntropy skips a test under virtual time where random bytes come from the FIPS 140-3
// module: its entropy source measures how long the processor takes, and there no time passes.
func needRealEntropy(t *testing.T) {
	t.Helper()
	if fips140.Enabled() {
		t.Skip("the entropy source of the FIPS module needs real time")
	}
}

// wait lets virtual time pass, and then the background come to rest.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) closings(reason string) int {
	n := 0
	for _, e := range w.entries("lease.close") {
		if e.Detail["reason"] == reason {
			n++
		}
	}
	return n
}

func TestConcurrentMissesCauseOneUnwrap(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		before := w.calls()
		w.roots[0].take(time.Second)
		var readers sync.WaitGroup
		for range 1000 {
			readers.Go(func() {
				if _, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		if n := w.calls() - before; n != 1 {
			t.Errorf("1000 readers caused %d unwraps", n)
		}
		if n := len(w.entries("lease.grant")); n != 1 {
			t.Errorf("1000 readers got %d leases", n)
		}
	})
}

// The request that started an unwrap may go away: those who wait with it get their lease.
func TestLeaderLeaves(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.roots[0].take(time.Second)
		ctx, leave := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := w.keys.Lease(ctx, alice, tenant, g.ID); err != context.Canceled {
				t.Errorf("the leader got %v", err)
			}
		})
		synctest.Wait()
		readers.Go(func() {
			if _, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); err != nil {
				t.Errorf("the follower got %v", err)
			}
		})
		synctest.Wait()
		leave()
		readers.Wait()
	})
}

// A lease that is used is renewed in the background before it ends, and nobody waits for it.
func TestRenewalAheadOfTheEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		first := w.mustLease(alice, g)
		wait(39 * time.Second)
		if w.mustLease(alice, g) != first {
			t.Fatal("renewed before two thirds of the time")
		}
		w.roots[0].take(2 * time.Second)
		wait(time.Second)
		asked := time.Now()
		if w.mustLease(alice, g) != first || time.Since(asked) != 0 {
			t.Fatal("a reader waited for the renewal")
		}
		wait(2 * time.Second)
		second := w.mustLease(alice, g)
		if second == first || second.Expires().Sub(first.Expires()) != 40*time.Second {
			t.Fatalf("the lease was not renewed: ends %v, then %v", first.Expires(), second.Expires())
		}
		if !first.key.IsZero() || w.closings(endReplaced) != 1 {
			t.Error("the old lease lives on")
		}
	})
}

// Shortly before the end a reader waits for the renewal rather than get a lease for a moment;
// if no root answers, the old one has to do.
func TestLastMoment(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		first := w.mustLease(alice, g)
		wait(55 * time.Second)
		w.roots[0].take(time.Second)
		second := w.mustLease(alice, g)
		if second == first {
			t.Error("got a lease with 5 s left although a root answers")
		}
		wait(55 * time.Second)
		w.fail(down, down)
		w.availability.set(down)
		if w.mustLease(alice, g) != second {
			t.Error("got another lease although nobody answered")
		}
	})
}

// However short a failure is held, a reader in the last moment tries once.
func TestLastMomentTriesOnce(t *testing.T) {
	bubble(t, func(c *Config) { c.Hold = 1 }, func(t *testing.T, w *world, g Generation) {
		first := w.mustLease(alice, g)
		wait(55 * time.Second)
		w.fail(down, down)
		w.availability.set(down)
		before := w.calls()
		if w.mustLease(alice, g) != first || w.calls()-before != 2 {
			t.Errorf("%d calls to the roots", w.calls()-before)
		}
	})
}

// A lease that nobody uses ends by itself, and the key is overwritten.
func TestExpiry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		wait(time.Minute - time.Millisecond)
		if l.key.IsZero() {
			t.Fatal("ended early")
		}
		wait(time.Millisecond)
		if !l.key.IsZero() || w.closings(endExpired) != 1 {
			t.Error("the lease lives on")
		}
		if len(w.keys.held) != 0 {
			t.Errorf("%d generations are still held", len(w.keys.held))
		}
	})
}

// Both roots denied: whoever reads is refused at the next renewal, well within the lease, and
// system work goes on by the availability key. Given back, all is as before, without a restart.
func TestTakenBackAndGivenBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.fail(disabled, disabled)
		wait(40 * time.Second)
		w.mustLease(alice, g) // starts the renewal
		synctest.Wait()
		if !l.key.IsZero() || w.closings(endDenied) != 1 {
			t.Error("the lease lives on")
		}
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "alice", err, fault.Denied)

		forSystem := w.mustLease(system, g)
		if !forSystem.SystemOnly() || len(w.entries("availability.use")) != 1 {
			t.Errorf("system work: by %q, %d uses recorded", forSystem.By(), len(w.entries("availability.use")))
		}
		_, err = w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "alice beside system work", err, fault.Denied)

		w.fail(nil, nil)
		wait(time.Second) // the hold
		if w.mustLease(alice, g).SystemOnly() {
			t.Error("alice got the lease of system work")
		}
		if !forSystem.key.IsZero() {
			t.Error("the lease of system work lives on beside a better one")
		}
	})
}

// Whoever finds out that both roots deny ends the lease of the users, also one that was granted
// while the roots were being asked.
func TestSystemWorkFindsTheDenial(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.fail(disabled, disabled)
		w.roots[0].take(time.Second)
		var work sync.WaitGroup
		work.Go(func() { w.mustLease(system, g) })
		synctest.Wait() // it has heard no from the first root
		w.roots[0].set(nil)
		w.roots[0].take(0)
		l := w.mustLease(alice, g)
		work.Wait()
		synctest.Wait()
		if !l.key.IsZero() || w.closings(endDenied) != 1 {
			t.Error("the lease of the users lives on")
		}
	})
}

// System work ends too once the availability key is gone (CK-50), but not while it is out of order.
func TestAvailabilityKeyIsDestroyed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.fail(disabled, disabled)
		l := w.mustLease(system, g)
		w.availability.set(down)
		wait(40 * time.Second)
		w.mustLease(system, g)
		synctest.Wait()
		if l.key.IsZero() {
			t.Fatal("an outage of the availability key ended the lease early")
		}
		w.availability.set(fault.New(fault.Conflict, "destroyed").WithReason("KeyDestroyed"))
		wait(5 * time.Second)
		w.mustLease(system, g)
		synctest.Wait()
		if !l.key.IsZero() {
			t.Error("the lease outlives the availability key")
		}
		_, err := w.keys.Lease(t.Context(), system, tenant, g.ID)
		wantCode(t, "system work", err, fault.Denied)
	})
}

// One denied and one out of order: no lease for users, but one granted before lasts its time.
func TestMixedFailureLetsALeaseEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.fail(disabled, down)
		wait(45 * time.Second)
		if w.mustLease(alice, g) != l {
			t.Fatal("another lease")
		}
		synctest.Wait()
		if w.mustLease(alice, g) != l {
			t.Fatal("ended early")
		}
		wait(15 * time.Second)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "after the lease", err, fault.Denied)
	})
}

// An outage is bridged for everyone, renewal by renewal, each use recorded.
func TestOutageIsBridged(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.fail(down, down)
		for n := 1; n <= 3; n++ {
			if l := w.mustLease(alice, g); l.By() != byAvailability || l.SystemOnly() {
				t.Fatalf("by %q", l.By())
			}
			if uses := len(w.entries("availability.use")); uses != n {
				t.Errorf("%d uses recorded, want %d", uses, n)
			}
			wait(61 * time.Second)
		}
		w.fail(nil, nil)
		if l := w.mustLease(alice, g); l.By() == byAvailability {
			t.Error("the availability key was asked although a root answers")
		}
	})
}

// A failure is held for a moment, so that readers do not hammer the vaults.
func TestFailureIsHeld(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.fail(disabled, disabled)
		before := w.calls()
		for range 100 {
			_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
			wantCode(t, "alice", err, fault.Denied)
			fault.As(err).Message = "a face may change its copy"
		}
		if n := w.calls() - before; n != 2 {
			t.Errorf("100 readers made %d calls, want one to each root", n)
		}
		wait(999 * time.Millisecond)
		if len(w.keys.held) != 1 {
			t.Error("the failure was forgotten early")
		}
		w.fail(nil, nil)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		if e := fault.As(err); e.Code != fault.Denied || e.Message == "a face may change its copy" {
			t.Errorf("held: %v", err)
		}
		wait(time.Millisecond)
		if len(w.keys.held) != 0 {
			t.Error("failures are kept for ever")
		}
		w.mustLease(alice, g)
	})
}

// A vault that hangs is given up after one attempt's time.
func TestHangingVault(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.roots[0].take(time.Hour)
		start := time.Now()
		if l := w.mustLease(alice, g); l.By() != w.roots[1].uri || time.Since(start) != 6*time.Second {
			t.Errorf("opened by %q after %v", l.By(), time.Since(start))
		}
		if h, ok := w.keys.Health(tenant, w.roots[0].uri); !ok || h.State != Unreachable || h.Reason != "Timeout" {
			t.Errorf("health of the hanging root: %+v", h)
		}
	})
}

// The handed clock decides too: set back or far ahead, it ends a lease, and never makes it longer.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Nanosecond, -time.Hour, time.Minute, 1000 * time.Hour} {
		w := newWorld(t, nil)
		w.clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		g := w.mustGeneration(policy, 1)
		l := w.mustLease(alice, g)
		w.mu.Lock()
		w.clock = w.clock.Add(jump)
		w.mu.Unlock()
		w.fail(down, down)
		w.availability.set(down)
		if _, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); fault.As(err).Reason != "NoKeyReachable" || !l.key.IsZero() {
			t.Errorf("clock moved by %v: the lease lives on: %v", jump, err)
		}
	}
}

// A clock that stands still does not keep a lease alive.
func TestClockStandsStill(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.mu.Lock()
		w.clock = time.Now()
		w.mu.Unlock()
		l := w.mustLease(alice, g)
		wait(time.Minute)
		if !l.key.IsZero() {
			t.Error("the lease lives on")
		}
	})
}

func TestDrop(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		l := w.mustLease(alice, g)
		w.roots[0].take(time.Second)
		wait(45 * time.Second)
		w.mustLease(alice, g) // a renewal is under way
		synctest.Wait()
		w.keys.Drop(tenant, g.ID)
		if !l.key.IsZero() {
			t.Error("the lease lives on")
		}
		wait(time.Second)
		if len(w.keys.held) != 0 || w.closings(endDropped) != 2 {
			t.Errorf("%d held, %d closed: what was in flight landed all the same", len(w.keys.held), w.closings(endDropped))
		}
		w.store.destroy(g.ID)
		_, err := w.keys.Lease(t.Context(), alice, tenant, g.ID)
		if !isReason(err, ReasonGenerationDestroyed) {
			t.Errorf("a destroyed generation: %v", err)
		}
	})
}

// Close ends what is held, waits for what is under way, and writes the counts, also those that
// could not be written before.
func TestClose(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		o, err := w.keys.ForSealing(t.Context(), alice, Container{Tenant: tenant, ID: "c", Workload: "exchange"}, Target{Policy: policy, Generation: g.ID})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		for range 3 {
			key, wrapped, err := o.NewItemKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			key.Destroy()
			if _, err := o.ItemKey(wrapped, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.silence("lease.close")
		wait(time.Minute)
		if n := len(w.entries("lease.close")); n != 0 {
			t.Fatal("written in spite of a full disk")
		}
		if err := w.keys.Close(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("closing with a full disk: %v", err)
		}
		w.silence()
		if err := w.keys.Close(t.Context()); err != nil {
			t.Error(err)
		}
		got := w.entries("lease.close")
		if len(got) != 1 || got[0].Detail["itemsSealed"] != "3" || got[0].Detail["itemsOpened"] != "3" || got[0].Detail["keysWrapped"] != "1" {
			t.Errorf("closing entries: %v", got)
		}
		_, err = w.keys.Lease(t.Context(), alice, tenant, g.ID)
		wantCode(t, "after Close", err, fault.Unavailable)
	})
}

// Close does not wait for a vault that hangs, nor take being cut off for an outage.
func TestCloseDuringUnwrap(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.roots[0].take(time.Hour)
		var readers sync.WaitGroup
		readers.Go(func() {
			_, err := w.keys.Lease(t.Context(), system, tenant, g.ID)
			wantCode(t, "cut off", err, fault.Unavailable)
		})
		synctest.Wait()
		start := time.Now()
		if err := w.keys.Close(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("closing took %v: %v", time.Since(start), err)
		}
		readers.Wait()
		if n := len(w.entries("availability.use")); n != 0 {
			t.Error("the availability key was used because the service stopped")
		}
	})
}

// A closed Keyring leaves no goroutine behind, whatever it was in the middle of.
func TestCloseLeavesNothing(t *testing.T) {
	others := goleak.IgnoreCurrent()
	w := newWorld(t, func(c *Config) { c.Lease, c.Hold = 30*time.Millisecond, time.Millisecond })
	g := w.mustGeneration(policy, 1)
	for n := range 100 {
		if n == 50 {
			w.fail(disabled, disabled)
		}
		_, _ = w.keys.Lease(t.Context(), alice, tenant, g.ID) // either way
		_, _ = w.keys.Lease(t.Context(), system, tenant, g.ID)
		time.Sleep(time.Millisecond)
	}
	w.roots[0].take(time.Hour)
	w.keys.Drop(tenant, g.ID)
	left, leave := context.WithTimeout(t.Context(), time.Millisecond)
	defer leave()
	if _, err := w.keys.Lease(left, alice, tenant, g.ID); err != context.DeadlineExceeded {
		t.Errorf("with a hanging vault: %v", err)
	}
	w.close()
	goleak.VerifyNone(t, others)
	if granted, closed := len(w.entries("lease.grant")), len(w.entries("lease.close")); granted != closed || granted < 4 {
		t.Errorf("%d leases granted, %d closed in the log", granted, closed)
	}
}

// Every attempt stands in the log with what CK-377 asks for.
func TestAttemptsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	before := len(w.entries("policykey.unwrap"))
	w.fail(disabled, nil)
	w.mustLease(alice, g)
	if e := w.entries("policykey.unwrap")[before+1]; e.Decision != audit.Deny || e.Detail["class"] != "denied" || e.Detail["reason"] != "KeyDisabled" {
		t.Errorf("a denial: %+v", e)
	}
	w.keys.Drop(tenant, g.ID)
	before = len(w.entries("policykey.unwrap"))
	w.fail(down, nil)
	w.mustLease(alice, g)
	got := w.entries("policykey.unwrap")[before:]
	want := []struct {
		object   string
		decision audit.Decision
		class    string
	}{{w.roots[0].uri, audit.Allow, ""}, {w.roots[0].uri, audit.Fail, "unreachable"}, {w.roots[1].uri, audit.Allow, ""}}
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i, e := range got {
		attempt := strconv.Itoa(1 + i/2)
		if e.Object != want[i].object || e.Decision != want[i].decision || e.Detail["class"] != want[i].class ||
			e.Detail["attempt"] != attempt || e.Detail["initiator"] != "user" || e.Tenant != tenant || e.Detail["generation"] != g.ID {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
}

// A caller of another tenant learns nothing.
func TestOtherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	mallory := alice
	mallory.Tenant = "8a7f7c54-0000-4000-8000-000000000666"
	_, err := w.keys.Lease(t.Context(), mallory, tenant, g.ID)
	wantCode(t, "lease", err, fault.NotFound)
	_, err = w.keys.ForOpening(t.Context(), mallory, Container{Tenant: tenant, ID: "c"}, 1)
	wantCode(t, "opening", err, fault.NotFound)
	_, err = w.keys.ForSealing(t.Context(), mallory, Container{Tenant: tenant, ID: "c"}, Target{Policy: policy, Generation: g.ID})
	wantCode(t, "sealing", err, fault.NotFound)
	_, err = w.keys.Lease(t.Context(), mallory, mallory.Tenant, g.ID)
	wantCode(t, "a stolen id", err, fault.NotFound)
}
