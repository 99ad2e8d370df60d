package hierarchy

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const filesPolicy = "8a7f7c54-0000-4000-8000-0000000000ff"

// mustHedged makes and stores the first generation of a policy for files.
func (w *world) mustHedged() Generation {
	w.t.Helper()
	refs := [2]RootRef{{tenant, "app", w.roots[0].uri}, {tenant, "app", w.roots[1].uri}}
	g, err := w.keys.NewHedged(context.Background(), system, tenant, filesPolicy, 1, refs, "availability-key")
	if err != nil {
		w.t.Fatal(err)
	}
	w.store.add(g)
	w.chapter()
	return g
}

// hedgedBubble runs a test under virtual time with a hedged generation.
func hedgedBubble(t *testing.T, edit func(*Config), fn func(t *testing.T, w *world, g Generation)) {
	t.Helper()
	needRealEntropy(t)
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, edit)
		fn(t, w, w.mustHedged())
	})
}

// neverByItself fails if the availability key was used.
func (w *world) neverByItself(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Contains(w.story, "availability") {
		t.Errorf("the availability key was used; story:\n%s", strings.Join(w.story, "\n"))
	}
}

// TestWhoOpensFiles goes through every pair of answers of the two roots: a key from one of them
// counts, whatever the other says, and the availability key never helps, neither in an outage
// (CK-53, CK-71) nor for work of the service (CK-73).
func TestWhoOpensFiles(t *testing.T) {
	t.Parallel()
	const one, two = "root1", "root2"
	rows := []row{}
	for _, caller := range []directory.Caller{alice, system} {
		rows = append(rows,
			allow(well, well, caller, one), allow(well, denies, caller, one), allow(well, silent, caller, one), allow(well, lies, caller, one),
			allow(denies, well, caller, two), allow(silent, well, caller, two), allow(lies, well, caller, two),
			deny(silent, silent, caller, fault.Unavailable, "NoKeyReachable"), deny(silent, lies, caller, fault.Unavailable, "NoKeyReachable"),
			deny(lies, silent, caller, fault.Unavailable, "NoKeyReachable"), deny(lies, lies, caller, fault.Unavailable, "NoKeyReachable"),
			deny(denies, denies, caller, fault.Denied, "BothDenied"),
			deny(denies, silent, caller, fault.Denied, "OneDenied"), deny(silent, denies, caller, fault.Denied, "OneDenied"),
			deny(denies, lies, caller, fault.Denied, "OneDenied"), deny(lies, denies, caller, fault.Denied, "OneDenied"),
		)
	}
	for _, tt := range rows {
		t.Run(string(tt.first+"/"+tt.second+"/"+answer(tt.caller.Kind)), func(t *testing.T) {
			hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
				tt.first.set(w.roots[0])
				tt.second.set(w.roots[1])
				l, err := w.keys.Lease(t.Context(), tt.caller, tenant, g.ID)
				checkRow(t, w, g, tt, l, err)
				w.neverByItself(t)
				checkStory(t, w.chapter())
			})
		})
	}
}

// CK-66, CK-67: the second root is asked a little later, or as soon as the first has failed.
func TestTheSecondRootIsAskedLater(t *testing.T) {
	const offset = 100 * time.Millisecond
	for _, tt := range []struct {
		name         string
		lasts        [2]time.Duration
		fails        [2]error
		by           string
		took         time.Duration
		asked, ended [2]int // how often each root was asked, and its call cancelled
	}{
		{"CK-66 the first is quick", [2]time.Duration{50 * time.Millisecond, 0}, [2]error{}, "root1", 50 * time.Millisecond, [2]int{1, 0}, [2]int{}},
		{"CK-66 the second is quicker", [2]time.Duration{time.Second, 20 * time.Millisecond}, [2]error{}, "root2", offset + 20*time.Millisecond, [2]int{1, 1}, [2]int{1, 0}},
		{"CK-66 the first is done first", [2]time.Duration{150 * time.Millisecond, time.Second}, [2]error{}, "root1", 150 * time.Millisecond, [2]int{1, 1}, [2]int{0, 1}},
		{"CK-67 the first fails at once", [2]time.Duration{10 * time.Millisecond, 30 * time.Millisecond}, [2]error{down, nil}, "root2", 40 * time.Millisecond, [2]int{1, 1}, [2]int{}},
		{"a denial does not end the other call", [2]time.Duration{time.Second, 0}, [2]error{nil, disabled}, "root1", time.Second, [2]int{1, 1}, [2]int{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
				var before [2]int
				for i, r := range w.roots {
					r.lasts, r.fails, before[i] = tt.lasts[i], tt.fails[i], r.unwraps
				}
				start := time.Now()
				l := w.mustLease(alice, g)
				if took := time.Since(start); !strings.HasSuffix(l.By(), tt.by) || took != tt.took {
					t.Errorf("by %s after %s, want %s after %s", l.By(), took, tt.by, tt.took)
				}
				synctest.Wait()
				for i, r := range w.roots {
					if asked := r.count() - before[i]; asked != tt.asked[i] || r.cancelled != tt.ended[i] {
						t.Errorf("root %d: asked %d times, cancelled %d, want %d and %d", i+1, asked, r.cancelled, tt.asked[i], tt.ended[i])
					}
				}
			})
		})
	}
}

// A vault that goes on when it is cancelled holds nobody up, and its key is overwritten.
func TestTheLoserIsNotAwaited(t *testing.T) {
	hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
		w.roots[0].take(3 * time.Second)
		w.roots[0].deaf = true
		start := time.Now()
		if l := w.mustLease(alice, g); time.Since(start) != 100*time.Millisecond {
			t.Errorf("a lease by %s took %s", l.By(), time.Since(start))
		}
		wait(3 * time.Second)
		w.roots[0].mu.Lock()
		defer w.roots[0].mu.Unlock()
		if !w.roots[0].gave.IsZero() {
			t.Error("the key that came too late is still there")
		}
	})
}

// 3,000 cold readers of one policy cause two calls at most: one flight, two roots.
func TestColdReadersOfFiles(t *testing.T) {
	hedgedBubble(t, nil, func(t *testing.T, w *world, g Generation) {
		before := w.calls()
		w.roots[0].take(time.Second)
		w.roots[1].take(2 * time.Second)
		var readers sync.WaitGroup
		for range 3000 {
			readers.Go(func() {
				if _, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		if n := w.calls() - before; n != 2 || len(w.entries("lease.grant")) != 1 {
			t.Errorf("3000 readers caused %d calls and %d leases", n, len(w.entries("lease.grant")))
		}
	})
}

// A rule that somebody wrote into the row does not make the availability key help, nor the roots.
func TestTheRuleIsBoundToTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustHedged()
	w.store.generations[0].Unwrapping = InTurn
	w.fail(down, down)
	if _, err := w.keys.Lease(t.Context(), system, tenant, g.ID); err == nil {
		t.Error("the availability key opened the policy key under another rule")
	}
}

// The cache must be longer than the lead of its renewal (CK-72).
func TestHedgeSettings(t *testing.T) {
	t.Parallel()
	w := &world{t: t, store: &memory{}}
	c := Config{Store: w.store, Root: w.root, Availability: &testAvailability{}, Audit: w, Hedge: Hedge{Cache: 2 * time.Hour}}
	if _, err := New(c); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a cache no longer than its lead: %v", err)
	}
	keys, err := New(Config{Store: w.store, Root: w.root, Availability: &testAvailability{}, Audit: w})
	if err != nil || keys.Life(Hedged) <= 2*time.Hour || keys.Life(InTurn) != time.Minute {
		t.Errorf("CK-72: held for %s and %s, %v", keys.Life(Hedged), keys.Life(InTurn), err)
	}
}

// CK-76: the availability key's copy and new roots bring back what lay under the lost ones.
func TestRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Hedge.Offset = time.Hour }) // one root is asked: none that is still on its way when they change
	g := w.mustHedged()
	o, err := w.keys.ForSealing(t.Context(), alice, Container{Tenant: tenant, ID: "site", Workload: "sharepoint"}, Target{Policy: g.Policy, Generation: g.ID})
	if err != nil {
		t.Fatal(err)
	}
	key, wrapped, err := o.NewItemKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	w.fail(disabled, disabled)
	w.keys.Drop(tenant, g.ID)

	lost := w.roots
	for i := range w.roots {
		w.roots[i] = &testRoot{w: w, uri: strings.Replace(lost[i].uri, "contoso", "rescue", 1)}
	}
	refs := [2]RootRef{{tenant, "app", w.roots[0].uri}, {tenant, "app", w.roots[1].uri}}
	w.chapter()
	restored, err := w.keys.Restore(t.Context(), system, g, refs)
	if err != nil {
		t.Fatal(err)
	}
	if story := w.chapter(); len(story) < 2 || story[0] != "record availability.use allow" || story[1] != "availability" {
		t.Errorf("CK-80: the use of the availability key was not recorded first: %q", story)
	}
	w.store.generations[0] = restored
	o, err = w.keys.ForOpening(t.Context(), alice, Container{Tenant: tenant, ID: "site"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if back, err := o.ItemKey(wrapped, nil); err != nil || !back.Equal(key) {
		t.Errorf("what was sealed before the loss: %v", err)
	}
	w.silence("availability.use")
	defer w.silence()
	_, err = w.keys.Restore(t.Context(), system, g, refs)
	wantCode(t, "a restore that cannot be recorded", err, fault.Unavailable)
	if slices.Contains(w.chapter(), "availability") {
		t.Error("the availability key was used without a record")
	}
}

// A copy of the availability key that is another key restores nothing.
func TestRestoreOfAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustHedged()
	other, err := envelope.WrapKey(w.availability.key, envelope.NewKey(), availabilityBinding(g))
	if err != nil {
		t.Fatal(err)
	}
	g.AvailabilityWrapped = other
	_, err = w.keys.Restore(t.Context(), system, g, g.refs())
	wantCode(t, "another key", err, fault.Corrupt)
	g.State = Destroyed
	_, err = w.keys.Restore(t.Context(), system, g, g.refs())
	wantCode(t, "a destroyed generation", err, fault.Conflict)
}
