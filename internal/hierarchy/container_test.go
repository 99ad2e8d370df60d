package hierarchy

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

const otherPolicy = "8a7f7c54-0000-4000-8000-0000000000bb"

var mailbox = Container{Tenant: tenant, ID: "mailbox-of-alice", Workload: "exchange"}

func to(g Generation) Target { return Target{Policy: g.Policy, Generation: g.ID} }

func (w *world) mustSeal(target Target) *Opened {
	w.t.Helper()
	o, err := w.keys.ForSealing(context.Background(), alice, mailbox, target)
	if err != nil {
		w.t.Fatalf("for sealing: %v", err)
	}
	w.t.Cleanup(o.Close)
	return o
}

func (w *world) mustOpen(version int) *Opened {
	w.t.Helper()
	o, err := w.keys.ForOpening(context.Background(), alice, mailbox, version)
	if err != nil {
		w.t.Fatalf("opening version %d: %v", version, err)
	}
	w.t.Cleanup(o.Close)
	return o
}

// mustSameKey fails unless an item key made by one opens by the other.
func mustSameKey(t *testing.T, a, b *Opened) {
	t.Helper()
	aad := envelope.Bind("item key 1", tenant, mailbox.ID, "item")
	key, wrapped, err := a.NewItemKey(aad)
	if err != nil {
		t.Fatalf("new item key: %v", err)
	}
	back, err := b.ItemKey(wrapped, aad)
	if err != nil || !back.Equal(key) {
		t.Errorf("the item key does not open: %v", err)
	}
	if _, err := b.ItemKey(wrapped, envelope.Bind("item key 1", tenant, mailbox.ID, "another")); !fault.Is(err, fault.Corrupt) {
		t.Errorf("the item key opens for another item: %v", err)
	}
}

func (w *world) row(version int) ContainerKey {
	w.t.Helper()
	row, err := w.store.ContainerKey(context.Background(), tenant, mailbox.ID, version)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// A container has a key of its own (CK-28).
func TestFirstUseMakesTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	if _, err := w.keys.ForOpening(t.Context(), alice, mailbox, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("opening what is not there: %v", err)
	}
	var all sync.WaitGroup
	opened := make([]*Opened, 50)
	for i := range opened {
		all.Go(func() {
			o, err := w.keys.ForSealing(t.Context(), alice, mailbox, to(g))
			if err != nil {
				t.Error(err)
			}
			opened[i] = o
		})
	}
	all.Wait()
	if len(w.store.keys) != 1 || w.row(0).Version != 1 || w.row(0).Workload != "exchange" {
		t.Fatalf("50 writers made %+v", w.store.keys)
	}
	for _, o := range opened {
		mustSameKey(t, o, w.mustOpen(1))
		o.Close()
	}
}

// After a refresh the next use moves the key to the new generation; old content stays readable.
func TestRefreshMovesOnUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	old := w.mustSeal(to(g1))
	g2 := w.mustGeneration(policy, 2)
	mustSameKey(t, old, w.mustOpen(1)) // from the draining generation
	o := w.mustSeal(to(g2))
	if row := w.row(0); o.Version() != 1 || row.Generation != g2.ID || row.Version != 1 {
		t.Errorf("version %d; row %+v", o.Version(), row)
	}
	mustSameKey(t, old, o)
	mustSameKey(t, o, w.mustOpen(1))
}

// Assigning another policy moves the key, or starts a new one, by the workload's rule.
func TestAnotherPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	old := w.mustSeal(to(g1))
	g2 := w.mustGeneration(otherPolicy, 1)

	target := to(g2)
	target.NewDataOnly = true
	o := w.mustSeal(target)
	if row := w.row(0); o.Version() != 2 || row.Version != 2 || row.Policy != otherPolicy {
		t.Fatalf("new data only: version %d, row %+v", o.Version(), row)
	}
	if row := w.row(1); row.Policy != policy || row.Generation != g1.ID {
		t.Errorf("new data only: the old version moved: %+v", row)
	}
	mustSameKey(t, old, w.mustOpen(1))

	back := w.mustSeal(to(g1)) // the newest version goes back, as one key
	if row := w.row(0); back.Version() != 2 || row.Policy != policy || row.Generation != g1.ID {
		t.Errorf("moved: version %d, row %+v", back.Version(), row)
	}
	mustSameKey(t, o, back)
}

// A target that a refresh has overtaken is refused, so that the caller asks for it again.
func TestOvertakenTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	g2 := w.mustGeneration(policy, 2)
	for _, step := range []string{"first key", "moving back"} {
		_, err := w.keys.ForSealing(t.Context(), alice, mailbox, to(g1))
		if !isReason(err, ReasonGenerationMoved) || !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", step, err)
		}
		w.mustSeal(to(g2))
	}
	w.store.destroy(g1.ID) // long overtaken
	w.keys.Drop(tenant, g1.ID)
	if _, err := w.keys.ForSealing(t.Context(), alice, mailbox, to(g1)); !isReason(err, ReasonGenerationMoved) {
		t.Errorf("a destroyed target: %v", err)
	}
}

// Two that move the same key at once: the loser finds it where the winner put it.
func TestLostRaceReadsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	first := w.mustSeal(to(g1))
	g2 := w.mustGeneration(policy, 2)
	w.store.before = func() { w.mustSeal(to(g2)) }
	mustSameKey(t, first, w.mustSeal(to(g2)))
}

// staleOnce shows a row once as it was before.
type staleOnce struct {
	Store
	stale *ContainerKey
}

func (s *staleOnce) ContainerKey(ctx context.Context, tenant, container string, version int) (ContainerKey, error) {
	if k := s.stale; k != nil {
		s.stale = nil
		return *k, nil
	}
	return s.Store.ContainerKey(ctx, tenant, container, version)
}

// The background job may move a key and destroy its old generation while someone opens it.
func TestOpeningWhileMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	first := w.mustSeal(to(g1))
	stale := w.row(1)
	g2 := w.mustGeneration(policy, 2)
	w.mustSeal(to(g2))
	w.store.destroy(g1.ID)
	w.keys.Drop(tenant, g1.ID)
	w.keys.c.Store = &staleOnce{Store: w.store, stale: &stale}
	mustSameKey(t, w.mustOpen(1), w.mustOpen(1))

	if err := first.Alive(t.Context()); err != nil { // a long stream goes on where the key is now
		t.Errorf("a stream under the destroyed generation: %v", err)
	}
	mustSameKey(t, first, w.mustOpen(1))
}

func TestDestroyedGenerationOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.mustSeal(to(g))
	w.store.destroy(g.ID)
	w.keys.Drop(tenant, g.ID)
	if _, err := w.keys.ForOpening(t.Context(), system, mailbox, 1); !isReason(err, ReasonGenerationDestroyed) {
		t.Errorf("opening: %v", err)
	}
}

// A wrapped key that was put into another row does not open there. What a wrap is bound to (CK-20).
func TestMovedRowsDoNotOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.mustSeal(to(g))
	target := to(w.mustGeneration(otherPolicy, 1))
	target.NewDataOnly = true
	w.mustSeal(target)
	own := w.row(1)
	for name, spoil := range map[string]func(*ContainerKey){
		"another container":  func(k *ContainerKey) { k.Container = "mailbox-of-bob" },
		"another version":    func(k *ContainerKey) { k.Version = 7 },
		"another generation": func(k *ContainerKey) { k.Generation = target.Generation },
		"a changed byte":     func(k *ContainerKey) { k.Wrapped = bytes.Clone(k.Wrapped); k.Wrapped[100] ^= 1 },
		"no bytes":           func(k *ContainerKey) { k.Wrapped = nil },
	} {
		row := own
		spoil(&row)
		w.keys.c.Store = &staleOnce{Store: w.store, stale: &row}
		_, err := w.keys.ForOpening(t.Context(), alice, mailbox, 1)
		wantCode(t, name, err, fault.Corrupt)
	}
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	o := w.mustSeal(to(g1))
	g2 := w.mustGeneration(policy, 2)
	w.fail(disabled, disabled) // the owner has lost the roots: system work goes on (CK-74)
	w.keys.Drop(tenant, g1.ID)
	moved, err := w.keys.Rewrap(t.Context(), system, w.row(1), g2)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Generation != g2.ID || moved.Version != 1 || w.row(1).Generation != g1.ID {
		t.Errorf("rewrapped %+v, stored %+v", moved, w.row(1))
	}
	if err := w.store.MoveContainerKey(t.Context(), moved, g1.ID); err != nil {
		t.Fatal(err)
	}
	w.fail(nil, nil)
	w.keys.Drop(tenant, g2.ID)
	w.keys.Drop(tenant, g1.ID)
	if err := o.Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustSameKey(t, o, w.mustOpen(1))
}

// A row that was moved and holds another key by now is not followed.
func TestStreamDoesNotFollowAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g1 := w.mustGeneration(policy, 1)
	o := w.mustSeal(to(g1))
	g2 := w.mustGeneration(policy, 2)
	row := w.row(1)
	row.Generation = g2.ID
	if _, err := w.keys.wrapContainer(t.Context(), system, &row, envelope.NewKey()); err != nil {
		t.Fatal(err)
	}
	w.store.keys[0] = row
	w.store.destroy(g1.ID)
	w.keys.Drop(tenant, g1.ID)
	if err := o.Alive(t.Context()); !isReason(err, ReasonGenerationDestroyed) {
		t.Errorf("alive: %v", err)
	}
}

// A long stream asks before each segment. It ends once the keys are taken back, no later than
// the lease, and says why.
func TestStreamEndsWithTheLease(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world, g Generation) {
		o := w.mustSeal(to(g))
		for range 10 { // ten minutes of reading
			wait(time.Minute)
			if err := o.Alive(t.Context()); err != nil {
				t.Fatalf("reading on: %v", err)
			}
		}
		w.fail(disabled, disabled)
		start := time.Now()
		var err error
		for err == nil {
			wait(time.Second)
			err = o.Alive(t.Context())
		}
		if d := time.Since(start); d > time.Minute || fault.As(err).Hint != "enable contoso-east/root1 or contoso-west/root2" {
			t.Errorf("after %v: %v", d, err)
		}
		if _, _, err := o.NewItemKey(nil); !isReason(err, "LeaseEnded") {
			t.Errorf("a new item key without a lease: %v", err)
		}
		if _, err := o.ItemKey(nil, nil); !isReason(err, "LeaseEnded") {
			t.Errorf("an item key without a lease: %v", err)
		}
		w.fail(nil, nil)
		wait(time.Second)
		if err := o.Alive(t.Context()); err != nil {
			t.Errorf("given back: %v", err)
		}
		mustSameKey(t, o, w.mustOpen(1))
	})
}

func TestClosedKeyIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.mustSeal(to(w.mustGeneration(policy, 1)))
	o.Close()
	if _, _, err := o.NewItemKey(nil); err == nil {
		t.Error("a closed key still wraps")
	}
}

// Nothing new comes under versions below the container's floor, also when those above it were
// purged: what is written there would be refused for ever.
func TestVersionsBelowTheFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	c := mailbox
	for _, step := range []struct{ floor, want int }{{3, 3}, {2, 3}, {5, 5}} { // none yet; one is there; that one is below
		c.Floor = step.floor
		o, err := w.keys.ForSealing(t.Context(), alice, c, to(g))
		if err != nil || o.Version() != step.want {
			t.Fatalf("floor %d: version %d, want %d, %v", step.floor, o.Version(), step.want, err)
		}
		o.Close()
	}
}

// What was purged is not given new root keys either, should a backup bring it back.
func TestRestoreOfWhatWasPurged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Purged = allPurged{} })
	g := Generation{Tenant: tenant, ID: "generation", Policy: policy, State: Active}
	if _, err := w.keys.Restore(t.Context(), alice, g, [2]RootRef{}); !isReason(err, ReasonPurged) {
		t.Errorf("restoring a purged generation: %v", err)
	}
}

type allPurged struct{}

func (allPurged) Policy(string, string) bool   { return true }
func (allPurged) Ordered(string, string) bool  { return true }
func (allPurged) Key(string, string, int) bool { return true }

// A purging is what a ledger says while the purge of a policy comes about.
type purging struct{ about, ordered atomic.Bool }

func (p *purging) Policy(_, id string) bool   { return p.about.Load() && id == policy }
func (p *purging) Ordered(_, id string) bool  { return p.ordered.Load() && id == policy }
func (*purging) Key(string, string, int) bool { return false }

// A container whose key is under a policy that was purged, as an older database has it, is written
// to under a new version. As long as the purge is only about to be ordered the container may be on
// its list: nothing is written.
func TestWritingBesideAPurge(t *testing.T) {
	t.Parallel()
	var p purging
	w := newWorld(t, func(c *Config) { c.Purged = &p })
	old := w.mustGeneration(policy, 1)
	w.mustSeal(to(old)).Close()
	g := w.mustGeneration(otherPolicy, 1)
	p.about.Store(true)
	w.keys.Drop(tenant, old.ID)
	if _, err := w.keys.ForSealing(t.Context(), alice, mailbox, to(g)); !isReason(err, ReasonPurged) {
		t.Errorf("while it is about to be ordered: %v", err)
	}
	p.ordered.Store(true)
	o := w.mustSeal(to(g))
	defer o.Close()
	if row := w.row(0); o.Version() != 2 || row.Policy != otherPolicy {
		t.Errorf("ordered: version %d, %+v", o.Version(), row)
	}
	if _, err := w.keys.ForOpening(t.Context(), alice, mailbox, 1); !isReason(err, ReasonPurged) {
		t.Errorf("what was there before: %v", err)
	}
}

// A container that was purged as a whole takes nothing any more, and asking for it ends: no version
// of its key is left, whether the purge came before or while a new version was being made.
func TestNothingBeginsInAPurgedContainer(t *testing.T) {
	t.Parallel()
	for _, looks := range []int64{0, 1} {
		w := newWorld(t, func(c *Config) { c.Purged = &purgedAfter{looks: looks} })
		g := w.mustGeneration(policy, 1)
		for name, begin := range map[string]func() (*Opened, error){
			"sealing":        func() (*Opened, error) { return w.keys.ForSealing(t.Context(), alice, mailbox, to(g)) },
			"a new version":  func() (*Opened, error) { return w.keys.Renew(t.Context(), alice, mailbox, to(g)) },
			"a second round": func() (*Opened, error) { return w.keys.Renew(t.Context(), system, mailbox, to(g)) },
		} {
			w.keys.c.Purged.(*purgedAfter).asked.Store(0)
			if _, err := begin(); !isReason(err, ReasonPurged) {
				t.Errorf("purged after %d looks, %s: %v", looks, name, err)
			}
		}
	}
}

// A purgedAfter says that a container was purged as a whole, once it was asked that often.
type purgedAfter struct {
	looks int64
	asked atomic.Int64
}

func (*purgedAfter) Policy(string, string) bool  { return false }
func (*purgedAfter) Ordered(string, string) bool { return false }
func (p *purgedAfter) Key(_, container string, _ int) bool {
	return container == mailbox.ID && p.asked.Add(1) > p.looks
}
