package request_test

import (
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// nodes are services of several processes on one database.
type nodes []*world

// node is another process on the rows of db, whose clock is wrong.
func (w *world) node(db *store.DB, wrong time.Duration) *world {
	n := &world{t: w.t, db: db, rows: store.NewRequest(db), log: w.log, operator: w.operator, people: w.people, clock: w.clock.Add(wrong), deeds: map[string]int{}}
	n.config = w.config
	n.config.Store, n.config.Now, n.config.Uptime = n.rows, n.now, n.uptime
	n.service = n.open()
	return n
}

// together has all nodes do something at once.
func (all nodes) together(do func(n *world)) {
	var work sync.WaitGroup
	for _, n := range all {
		work.Go(func() { do(n) })
	}
	work.Wait()
}

// minute lets one pass, after which all nodes tend and sweep at once.
func (all nodes) minute(t *testing.T) {
	for _, n := range all {
		n.rest(time.Minute)
	}
	all.together(func(n *world) {
		if err := n.service.Tend(t.Context()); err != nil {
			t.Error(err)
		}
		if err := n.service.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// ran returns how often the deed of a request was done, on whichever node.
func (all nodes) ran(r request.Request) (n int) {
	for _, node := range all {
		n += node.ran(r)
	}
	return n
}

// approve sends both approvals to all nodes at once, and returns how many counted.
func (all nodes) approve(t *testing.T, r request.Request, who ...directory.Caller) (counted int) {
	approved := make(chan directory.Caller, len(who)*len(all))
	all.together(func(n *world) {
		for _, c := range who {
			_, err := n.service.Approve(t.Context(), c, r.ID, r.Digest())
			if err == nil {
				approved <- c
			} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) { // operators see what has not ended
				t.Errorf("approving: %v", err)
			}
		}
	})
	return len(approved)
}

// Rows CK-254 to CK-260: several nodes on one database approve, tend, sweep and run at once. The same
// approvals sent to all of them count once, an hour is counted as an hour, also where their clocks
// are a day apart, and the deed is done once.
func TestNodesAtOnce(t *testing.T) {
	t.Parallel()
	work := func(t *testing.T, wrong time.Duration, open func() *store.DB) {
		w := newWorld(t, open())
		all := nodes{w, w.node(open(), wrong), w.node(open(), -wrong)}
		c := w.tenant()
		r := w.mustAsk(c.admin, "slow", "p1")
		if n := all.approve(t, r, c.officer, w.operator); n != 2 {
			t.Fatalf("of two approvals sent to all nodes %d counted", n)
		}
		all.together(func(n *world) { n.tend() })
		run := func(round int) {
			if wrong == 0 {
				all.together(func(n *world) { n.runAll(c.id) })
				return
			}
			all[round%len(all)].runAll(c.id) // leases need clocks that agree
		}
		for round := range 59 {
			all.minute(t)
			if round%10 == 0 || round == 58 {
				run(round)
			}
		}
		if got := w.mustGet(c.admin, r); got.State != request.Approved || got.Waited != 59*time.Minute || all.ran(r) != 0 {
			t.Errorf("after 59 minutes it is %s and has waited for %v, and the deed ran %d times", got.State, got.Waited, all.ran(r))
		}
		for round := range len(all) {
			all.minute(t)
			run(round)
		}
		if got := w.mustGet(c.admin, r); got.State != request.Done || all.ran(r) != 1 {
			t.Errorf("after an hour it is %s, has waited for %v, and the deed ran %d times", got.State, got.Waited, all.ran(r))
		}
		if n := all.approve(t, r, c.officer, w.operator); n != 0 {
			t.Errorf("replayed after the end, %d approvals count", n)
		}
		run(0)
		if ops, err := store.NewOperation(w.db).List(t.Context(), c.id, "", 10); err != nil || len(ops) != 1 || all.ran(r) != 1 {
			t.Errorf("there are %d operations, %v, and the deed ran %d times", len(ops), err, all.ran(r))
		}
	}
	for name, wrong := range map[string]time.Duration{"one clock": 0, "clocks a day apart": 24 * time.Hour} {
		t.Run("sqlite "+name, func(t *testing.T) {
			t.Parallel()
			db := storetest.SQLite(t, store.ServiceAreas()...)
			work(t, wrong, func() *store.DB { return db })
		})
		t.Run("postgres "+name, func(t *testing.T) {
			t.Parallel()
			dsn := storetest.PostgresDSN(t)
			work(t, wrong, func() *store.DB {
				db, err := store.OpenPostgres(t.Context(), dsn, store.ServiceAreas()...)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
				return db
			})
		})
	}
}
