package policy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// A tap lets a test look at, hold or fail the calls of a walk.
type tap struct {
	policy.Store
	// before is called with the number of batches that were committed since start.
	before func(committed int, moves []policy.Move, f operation.Fence) error

	mu     sync.Mutex
	fences []operation.Fence // of the batches that were committed
	sizes  []int             // their moves
}

func (s *tap) Move(ctx context.Context, moves []policy.Move, f operation.Fence) (int, error) {
	if s.before != nil {
		committed, _ := s.seen()
		if err := s.before(len(committed), moves, f); err != nil {
			return 0, err
		}
	}
	left, err := s.Store.Move(ctx, moves, f)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fences, s.sizes = append(s.fences, f), append(s.sizes, len(moves))
	}
	return left, err
}

func (s *tap) seen() ([]operation.Fence, []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.fences), slices.Clone(s.sizes)
}

// start forgets what was seen, and sets what happens before each batch.
func (s *tap) start(before func(committed int, moves []policy.Move, f operation.Fence) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fences, s.sizes, s.before = nil, nil, before
}

// tapped makes a world with batches of 4 keys and a tap on them.
func tapped(t *testing.T, fn func(t *testing.T, w *world, s *tap)) {
	s := &tap{}
	inWorld(t, func(c *policy.Config) { s.Store, c.Store, c.Batch = c.Store, s, 4 }, func(t *testing.T, w *world) { fn(t, w, s) })
}

// many seals content in n mailboxes under an assigned policy, and then assigns another one.
func (c *tenant) many(n int) {
	c.t.Helper()
	c.mustCreate("P")
	c.mustCreate("Q")
	c.mustAssign("P")
	for i := range n {
		c.mustSeal("exchange", fmt.Sprintf("user%03d", i))
	}
	c.work()
	c.mustAssign("Q")
}

// Memory is bounded by the batch, progress never goes back, and ends at 100.
func TestConvergeWalksInBatches(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		c.many(10)
		s.start(nil)
		w.work()
		fences, sizes := s.seen()
		if got := fmt.Sprint(sizes); got != "[4 4 2]" {
			t.Errorf("batches of %s, want [4 4 2]", got)
		}
		var last float64
		for _, f := range fences {
			now := operation.Operation{Done: f.Done, Total: f.Total, State: operation.Running}.Percent()
			if now < last || f.Total != 10 {
				t.Errorf("%v %% of %d after %v %%", now, f.Total, last)
			}
			last = now
		}
		if st := c.mustStatus("Q"); st.Operation.Percent() != 100 || st.Percent != 100 || st.Containers != 10 {
			t.Errorf("%v %% of the operation, %v %% of %d keys", st.Operation.Percent(), st.Percent, st.Containers)
		}
		if st := c.mustStatus("P"); st.Containers != 0 || st.Percent != 100 {
			t.Errorf("P still has %d keys", st.Containers)
		}
	})
}

// A runner that dies in the middle of a batch: the next one goes on at the last checkpoint
// that was committed, and what the dead one still writes is refused.
func TestConvergeResumesAtTheCheckpoint(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		c.many(12)
		hold, late := make(chan struct{}), make(chan error, 1)
		s.start(func(committed int, moves []policy.Move, f operation.Fence) error {
			if f.Number == 1 && committed == 1 { // the second batch: frozen before its commit
				<-hold
				_, err := s.Store.Move(context.WithoutCancel(t.Context()), moves, f)
				late <- err
				return err
			}
			return nil
		})
		first := must(operation.New(operation.Config{Store: &mute{Store: store.NewOperation(w.db)}, Handlers: w.service.Handlers()}))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- first.Run(ctx) }()
		synctest.Wait()
		time.Sleep(3100 * time.Millisecond) // its lease ends
		cancel()
		w.work()

		var second []operation.Fence
		all, _ := s.seen()
		for _, f := range all {
			if f.Number == 2 {
				second = append(second, f)
			}
		}
		if len(second) < 2 || second[0].Done != 8 || !strings.Contains(second[0].Checkpoint, "user007") {
			t.Errorf("the second runner's fences %+v", second)
		}
		close(hold)
		if err := <-late; !operation.IsStale(err) {
			t.Errorf("the dead runner's batch: %v, want it refused", err)
		}
		<-gone
		if st := c.mustStatus("Q"); st.Operation.State != operation.Done || st.Percent != 100 {
			t.Errorf("%+v", st)
		}
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// mute is how the database looks to a process that is about to be killed: it claims once, no
// heartbeat arrives, and nothing tells how its work ended.
type mute struct {
	operation.Store
	claimed atomic.Bool
}

func (m *mute) Claim(ctx context.Context, c operation.Claim) (operation.Operation, bool, error) {
	if m.claimed.Swap(true) {
		return operation.Operation{}, false, nil
	}
	return m.Store.Claim(ctx, c)
}

func (*mute) Extend(context.Context, string, string, int64, time.Time) (operation.Wish, error) {
	return operation.Wish{}, fault.New(fault.Unavailable, "the database cannot be reached")
}

func (*mute) Settle(context.Context, operation.Outcome) error {
	return fault.New(fault.Unavailable, "the database cannot be reached")
}

// CK-50: system work goes on under the availability key when both roots are denied; when it
// cannot go on, the operation shows why, keeps its progress and tries again by itself.
func TestConvergeAndFailingRoots(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		c.many(12)
		s.start(func(committed int, _ []policy.Move, _ operation.Fence) error {
			if committed == 1 {
				return fault.New(fault.Unavailable, "the database cannot be reached").WithHint("try again")
			}
			return nil
		})
		w.work()
		op := c.mustStatus("Q").Operation
		if op.State != operation.Waiting || op.Error != "the database cannot be reached" || op.Done != 4 || op.Attempts < 1 {
			t.Errorf("after a failure: %+v", op)
		}
		s.start(nil)
		for i := range 2 { // both customers' policies lie under these two
			w.vaults.deny(c.keys[i])
		}
		for _, g := range c.mustStatus("P").Generations {
			w.keys.Drop(c.id, g.ID)
		}
		for _, g := range c.mustStatus("Q").Generations {
			w.keys.Drop(c.id, g.ID)
		}
		time.Sleep(2 * time.Second)
		w.work()
		if st := c.mustStatus("Q"); st.Operation.State != operation.Done || st.Percent != 100 {
			t.Errorf("with both roots denied: %+v", st.Operation)
		}
		if err := c.reopen(); !fault.Is(err, fault.Denied) {
			t.Errorf("a user reads with both roots denied: %v", err)
		}
		for i := range 2 {
			w.vaults.heal(c.keys[i])
		}
		time.Sleep(2 * time.Second)
		if err := c.reopen(); err != nil {
			t.Errorf("after the roots are back: %v", err)
		}
	})
}

// One damaged key is named and left; all others move, and its generation stays.
func TestConvergeLeavesADamagedKey(t *testing.T) {
	for name, damage := range map[string]string{
		"changed": `UPDATE container_keys SET wrapped = '0123' WHERE container_id = 'exchange/c'`,
		"moved":   `UPDATE container_keys SET wrapped = (SELECT wrapped FROM container_keys WHERE container_id = 'exchange/a') WHERE container_id = 'exchange/c'`,
		"orphan":  `UPDATE container_keys SET generation_id = 'gone' WHERE container_id = 'exchange/c'`,
	} {
		t.Run(name, func(t *testing.T) { convergeLeaves(t, damage, name != "orphan") })
	}
}

func convergeLeaves(t *testing.T, damage string, counted bool) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		p := c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "a", "b", "c", "d", "e", "f")
		c.exec(damage)
		c.mustRefresh("P")
		w.work()
		st := c.mustStatus("P")
		if st.Operation.State != operation.Waiting || !strings.HasPrefix(st.Operation.Error, "1 container keys do not open") || st.Operation.Hint == "" {
			t.Errorf("operation %+v", st.Operation)
		}
		stays := st.Generations[0].State == hierarchy.Draining && st.Generations[0].Containers == 1
		if stays != counted || st.Generations[1].Containers != 5 {
			t.Errorf("generations %+v", st.Generations)
		}
		if retired(st) != nil {
			t.Errorf("safe to retire: %q", retired(st))
		}
		c.exec(`DELETE FROM container_keys WHERE container_id = 'exchange/c'`)
		c.mustAssign("P") // goes on
		w.work()
		if st := c.mustStatus("P"); st.Operation.State != operation.Done || st.Generations[0].State != hierarchy.Destroyed || st.Generations[0].ID != p.Generation {
			t.Errorf("after the repair: %+v %+v", st.Operation, st.Generations)
		}
	})
}

func (c *tenant) exec(query string, args ...any) {
	c.t.Helper()
	err := c.db.Write(c.t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Another change on the way is followed at once: keys that users touch meanwhile are moved by
// them, a refresh in the middle is the new aim, and a late key under the former policy is
// found by the last look.
func TestConvergeFollowsOtherChanges(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		c.many(12)
		p, q := c.mustStatus("P").Policy, c.mustStatus("Q").Policy
		var q2 policy.Policy
		s.start(func(committed int, _ []policy.Move, _ operation.Fence) error {
			switch committed {
			case 0: // between reading and writing the first batch
				c.mustSeal("exchange", "user001", "user002")
			case 1:
				if q2.ID == "" {
					q2 = c.mustRefresh("Q")
				}
			}
			return nil
		})
		settling := time.AfterFunc(time.Second, func() { // decided before the switch, written after it
			late := hierarchy.Target{Policy: p.ID, Generation: p.Generation}
			o, err := w.keys.ForSealing(context.Background(), c.admin, container(c.id, "exchange", "late"), late)
			if err != nil {
				t.Errorf("a slow request: %v", err)
				return
			}
			o.Close()
		})
		defer settling.Stop()
		w.work()
		st := c.mustStatus("Q")
		if st.Percent != 100 || st.Containers != 13 || st.Operation.State != operation.Done {
			t.Errorf("%v %% of %d, %+v", st.Percent, st.Containers, st.Operation)
		}
		if st.Generations[0].ID != q.Generation || st.Generations[0].State != hierarchy.Destroyed || st.Generations[1].Containers != 13 {
			t.Errorf("generations %+v", st.Generations)
		}
		if st := c.mustStatus("P"); st.Containers != 0 {
			t.Errorf("P still has %d keys", st.Containers)
		}
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// A workload that this program does not know is left where it is, and blocks nothing else.
func TestConvergeLeavesUnknownWorkloads(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "alice")
		c.exec(`UPDATE container_keys SET workload = 'cloudpc'`)
		c.mustAssign("")
		w.work()
		if st := c.mustStatus("P"); st.Operation.State != operation.Done || st.Containers != 1 || st.Percent != 100 {
			t.Errorf("%+v", st)
		}
		if _, err := w.service.InForce(t.Context(), hierarchy.Container{Tenant: c.id, Workload: "cloudpc"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("in force for an unknown workload: %v", err)
		}
	})
}
