package policy_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// fusedPurges, fusedPlace and fusedShredder end a process between any two writes of a purge, in
// whichever of the databases and files.
type fusedPurges struct {
	policy.PurgeStore
	f *fuse
}

func (s fusedPurges) Mark(ctx context.Context, p policy.Policy, o policy.PurgeOrder) error {
	return s.f.pass(func() error { return s.PurgeStore.Mark(ctx, p, o) })
}

func (s fusedPurges) Complete(ctx context.Context, o policy.PurgeOrder) error {
	return s.f.pass(func() error { return s.PurgeStore.Complete(ctx, o) })
}

func (s fusedPurges) Unmark(ctx context.Context, tenant, id, request string, now time.Time) error {
	return s.f.pass(func() error { return s.PurgeStore.Unmark(ctx, tenant, id, request, now) })
}

func (s fusedPurges) Close(ctx context.Context, id, request string, f operation.Fence) error {
	return s.f.pass(func() error { return s.PurgeStore.Close(ctx, id, request, f) })
}

func (s fusedPurges) DestroyPolicy(ctx context.Context, id string, f operation.Fence) error {
	return s.f.pass(func() error { return s.PurgeStore.DestroyPolicy(ctx, id, f) })
}

func (s fusedPurges) DestroyKeys(ctx context.Context, id string, keys []purge.Key, limit int, f operation.Fence) (more bool, err error) {
	err = s.f.pass(func() error { more, err = s.PurgeStore.DestroyKeys(ctx, id, keys, limit, f); return err })
	return more, err
}

func (s fusedPurges) Done(ctx context.Context, p purge.Purge, f operation.Fence) error {
	return s.f.pass(func() error { return s.PurgeStore.Done(ctx, p, f) })
}

type fusedPlace struct {
	purge.Place
	f *fuse
}

func (p fusedPlace) Append(ctx context.Context, lines [][]byte) error {
	return p.f.pass(func() error { return p.Place.Append(ctx, lines) })
}

type fusedShredder struct {
	*availability.Service
	f *fuse
}

func (s fusedShredder) Shred(ctx context.Context, c directory.Caller, tenant, id string, named []string) (ids []string, err error) {
	err = s.f.pass(func() error { ids, err = s.Service.Shred(ctx, c, tenant, id, named); return err })
	return ids, err
}

// fusedRequests is the store of requests behind a fuse.
type fusedRequests struct {
	request.Store
	f *fuse
}

func (s fusedRequests) Apply(ctx context.Context, e request.Edit) error {
	return s.f.pass(func() error { return s.Store.Apply(ctx, e) })
}

// purgeProcess starts everything that has a part in a purge anew on the same rows and files,
// behind a fuse, as a node does: the ledger is read first.
func (w *world) purgeProcess(f *fuse) {
	w.t.Helper()
	places := make([]purge.Place, len(w.places))
	for i, p := range w.places {
		places[i] = fusedPlace{p, f}
	}
	var err error
	if w.ledger, err = purge.Open(w.t.Context(), purge.Config{Key: w.ledgerKey, Places: places}); err != nil {
		w.t.Fatalf("opening the ledger: %v", err)
	}
	spare := must(availability.New(w.spare))
	w.requests = must(request.New(request.Config{
		Store: fusedRequests{store.NewRequest(w.db), f}, Audit: fusedLog{w.log, f}, Kinds: policy.RequestRules(purgeWait, false),
		Families: []string{string(policy.MultiWorkload), string(policy.Mailbox)}, Wake: func() { w.runner.Wake() }, Uptime: w.uptime(),
		Person: func(_ context.Context, _, who string) (id, name string, err error) { return who, who, nil },
	}))
	w.tend()
	w.keys = must(hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(w.db), Root: w.vaults.root, Availability: spare, Audit: w.log, Purged: w.ledger, Recoveries: store.NewRecovery(w.db),
	}))
	keys := w.keys
	w.t.Cleanup(func() { _ = keys.Close(context.Background()) })
	c := w.config
	c.Store, c.Audit, c.Keys, c.Requests = fusedStore{w.rows, f}, fusedLog{w.log, f}, w.keys, w.requests
	c.Purging = w.purging(spare)
	c.Purging.Store, c.Purging.Shredder = fusedPurges{c.Purging.Store, f}, fusedShredder{spare, f}
	w.service = must(policy.New(c))
	w.runner = must(operation.New(operation.Config{Store: fusedOperations{store.NewOperation(w.db), f}, Handlers: w.service.Handlers()}))
}

// everyWrite has the crash test stop at every write, not at every fourth.
var everyWrite = flag.Bool("every-write", false, "kill a purge after every single write")

// Killed between any two writes of a purge, from the moment it was asked for until it is done:
// what is there then opens as a whole or not at all, what belongs to others always opens, and a
// purge that was ordered is carried out to its end by whoever comes next.
func TestCrashInEveryStateOfAPurge(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		stride := int64(4 * slow)
		if *everyWrite {
			stride = 1
		}
		for n, finished := int64(0), false; !finished; n += stride {
			w.purgeProcess(newFuse(1 << 40))
			c, f := w.leaver(), newFuse(n)
			c.shutOut()
			w.purgeProcess(f)
			r, err := w.service.RequestPurge(t.Context(), c.admin, policy.Mailbox, "Leaving", leaving)
			approved := err == nil
			for _, who := range []directory.Caller{c.officer, c.operator} {
				if approved {
					_, err = w.requests.Approve(t.Context(), who, r.ID, r.Digest())
					approved = err == nil
				}
			}
			if approved {
				w.wait(purgeWait + time.Minute)
				w.work()
			}
			finished = !f.dead.Load()

			w.purgeProcess(newFuse(1 << 40)) // the next process, on what is there
			if err := w.service.RepeatPurges(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, ordered := w.ledger.Find(c.id, c.p.ID)
			if !ordered && finished {
				t.Fatal("nothing has been killed, and nothing was purged")
			}
			when := fmt.Sprintf("killed after %d writes", n)
			if ordered {
				c.letIn()
				c.wantReadable(when+", at once", false)
				c.shutOut()
			}
			w.wait(purgeWait + time.Minute) // the dead process' lease, and the waiting period
			w.work()
			_, ordered = w.ledger.Find(c.id, c.p.ID)
			c.letIn()
			c.wantReadable(when+", in the end", !ordered)
			if p := c.policyNow(); ordered != (p.State == policy.Purged) {
				t.Errorf("%s: ordered %v, and the policy is %s", when, ordered, p.State)
			}
			if approved && !ordered {
				t.Errorf("%s: approved, and never carried out", when)
			}
			if ordered {
				c.wantCertified(c.outcome(requestOf(t, c)))
			}
			if t.Failed() || n > 300 {
				t.Fatalf("%s", when)
			}
		}
	})
}

// requestOf finds the request of the purge.
func requestOf(t *testing.T, c *leaver) request.Request {
	t.Helper()
	o, _, _, err := c.service.PurgeOf(t.Context(), c.admin, policy.Mailbox, "Leaving")
	if err != nil {
		t.Fatal(err)
	}
	return request.Request{Tenant: c.id, ID: o.Request}
}

// A purge begins while others assign, refresh, move keys and write: it is carried out wholly on
// what was approved, or not at all; what belongs to others stays whole.
func TestAPurgeInTheMidstOfOtherWork(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		purged := 0
		for round := range 4 {
			c := w.leaver()
			r := c.mustAsk()
			c.mustApprove(r)
			w.wait(purgeWait - 50*time.Millisecond)
			var all sync.WaitGroup
			for i := range 5 {
				all.Go(func() {
					for n := range 20 {
						time.Sleep(time.Duration(5+i) * time.Millisecond)
						switch i {
						case 0:
							_ = w.service.AssignTo(t.Context(), c.admin, holder("carol"), []string{"Staying", ""}[n%2])
						case 1:
							_, _ = w.service.Refresh(t.Context(), c.admin, policy.Mailbox, []string{"Staying", "Leaving"}[n%2])
						case 2:
							_ = w.service.AssignTo(t.Context(), c.admin, holder("erik"), "Leaving")
						case 3:
							o, err := w.keys.ForOpening(t.Context(), directory.SystemCaller(c.id, "x", "y"), container(c.id, "exchange", "alice"), 1)
							if err == nil {
								_ = o.Alive(t.Context())
								o.Close()
							}
						case 4:
							if round%2 == 1 {
								_ = w.service.AssignTo(t.Context(), c.admin, holder("bob"), "")
							}
						}
					}
				})
			}
			w.work()
			all.Wait()
			if err := w.service.AssignTo(t.Context(), c.admin, holder("carol"), "Staying"); err != nil {
				t.Fatal(err)
			}
			w.work()
			got := c.outcome(r)
			if got.State != request.Done && got.State != request.Failed {
				t.Fatalf("round %d: %s: %s", round, got.State, got.Outcome)
			}
			if got.State == request.Done {
				purged++
			}
			c.letIn()
			time.Sleep(2 * time.Second)
			c.wantReadable(fmt.Sprintf("round %d, %s", round, got.State), got.State == request.Failed)
		}
		if purged < 2 {
			t.Errorf("only %d of 4 were purged: the other work keeps every purge from happening", purged)
		}
	})
}

// What is open when a purge begins stops at its next segment, and a write that began before is
// not stored.
func TestOpenContentStopsWithAPurge(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		system := directory.SystemCaller(c.id, "indexing", "r")
		r := c.mustAsk()
		c.mustApprove(r)
		w.wait(purgeWait - time.Second)
		open, err := w.keys.ForOpening(t.Context(), system, container(c.id, "exchange", "alice"), 1)
		if err != nil {
			t.Fatalf("CK-50: before: %v", err)
		}
		defer open.Close()
		if err := open.Alive(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.work()
		wantFault(t, "the next segment", open.Alive(t.Context()), fault.Conflict, hierarchy.ReasonPurged)
		if _, _, err := open.NewItemKey([]byte("aad")); err == nil {
			t.Error("an item is sealed under a key that was purged")
		}
	})
}
