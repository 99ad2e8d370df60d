package policy_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// manyContainers measures with as many containers as the promise speaks of: ten seconds for 10,000.
var manyContainers = flag.Bool("many-containers", false, "measure a recovery of 10,000 containers")

// lose takes both roots of the tenant's policy away for good.
func (c *tenant) lose() {
	for _, uri := range c.keys {
		c.vaults.change(uri, func(k *vaultKey) { k.failed = fault.New(fault.Denied, "gone").WithReason("KeyNotFound") })
	}
}

// recovering is a tenant whose content is under a policy with lost roots.
func (w *world) recovering() *leaver {
	w.t.Helper()
	c := &leaver{tenant: w.tenant()}
	c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
	if _, err := w.requests.AddOfficer(w.t.Context(), c.admin, string(policy.MultiWorkload), c.officer.ID); err != nil {
		w.t.Fatal(err)
	}
	c.p = c.mustCreate("Lost")
	c.mustAssign("Lost")
	c.mustSeal("exchange", "alice", "bob")
	w.work()
	c.lose()
	w.keys.AskAnew(func(hierarchy.RootRef) bool { return true }) // their vaults have told
	time.Sleep(2 * time.Second)
	wantFault(w.t, "both roots lost", c.reopen(), fault.Denied, "")
	return c
}

func (c *leaver) mustRecover() request.Request {
	c.t.Helper()
	r, err := c.service.RequestRecovery(c.t.Context(), c.admin, policy.MultiWorkload, "Lost", "the vaults burned down")
	if err != nil {
		c.t.Fatalf("asking for a recovery: %v", err)
	}
	c.mustApprove(r)
	c.work()
	if got := c.outcome(r); got.State != request.Done {
		c.t.Fatalf("the recovery is %s: %s", got.State, got.Outcome)
	}
	return r
}

// CK-74: a recovery lasts as long as was approved, whatever the setting of the server that carries
// it out.
func TestRecoveryLastsAsApproved(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		r, err := w.service.RequestRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost", "the vaults burned down")
		if err != nil {
			t.Fatal(err)
		}
		w.config.RecoverySpan = 30 * 24 * time.Hour // and the server is started anew
		w.service = must(policy.New(w.config))
		w.runner = must(operation.New(operation.Config{Store: store.NewOperation(w.db), Handlers: w.service.Handlers(), Now: w.now}))
		c.mustApprove(r)
		w.work()
		if st := c.mustStatus("Lost"); st.RecoveryFor <= 0 || st.RecoveryFor > 24*time.Hour {
			t.Errorf("approved for 24h, it lasts %v", st.RecoveryFor)
		}
	})
}

// CK-74, CK-75, CK-76, X-4, CK-271: both roots are lost; two people open the content to users; new
// roots end the need. CK-80: every use is recorded. CK-282: an operator alone cannot.
func TestCK74_Recovery(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		r, err := w.service.RequestRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost", "the vaults burned down")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.requests.Approve(t.Context(), w.operator, r.ID, r.Digest()); err != nil {
			t.Fatal(err)
		}
		w.work()
		wantFault(t, "with one approval", c.reopen(), fault.Denied, "")
		approved := time.Now()
		if _, err := w.requests.Approve(t.Context(), c.officer, r.ID, r.Digest()); err != nil {
			t.Fatal(err)
		}
		w.work()
		if err := c.reopen(); err != nil {
			t.Fatalf("CK-271 recovered: %v", err)
		}
		t.Logf("readable %v after the last approval", time.Since(approved))
		if used := count(c.entries(), "allow availability.use "+c.p.ID); used == 0 {
			t.Error("CK-80: the use of the availability key is not in the log")
		}
		if st := c.mustStatus("Lost"); st.RecoveryFor <= 23*time.Hour || st.RecoveryFor > 24*time.Hour {
			t.Errorf("it lasts another %v", st.RecoveryFor)
		}
		_, err = w.service.RequestRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost", "again")
		wantFault(t, "a second one", err, fault.Conflict, "RecoveryActive")

		// New roots; content moves under them by itself, and the recovery is not needed any more.
		if _, err := w.service.Replace(t.Context(), c.admin, policy.MultiWorkload, "Lost", c.spare[:]); err != nil {
			t.Fatal(err)
		}
		w.work()
		if err := w.service.StopRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost"); err != nil {
			t.Fatal(err)
		}
		if err := c.reopen(); err != nil {
			t.Errorf("under the new roots: %v", err)
		}
		if st := c.mustStatus("Lost"); st.Percent != 100 || st.RecoveryFor != 0 {
			t.Errorf("%+v", st)
		}
		wantFault(t, "ending it twice", w.service.StopRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost"), fault.Conflict, "")
	})
}

func count(lines []string, want string) (n int) {
	for _, line := range lines {
		if line == want {
			n++
		}
	}
	return n
}

// A recovery ends by itself, ends when it is told to, and does not last longer because a clock
// was set back, or a process began anew.
func TestARecoveryEnds(t *testing.T) {
	closedSoon := func(t *testing.T, c *leaver, when string) {
		t.Helper()
		time.Sleep(time.Second)
		wantFault(t, when, c.reopen(), fault.Denied, "")
		if err := c.opens(directory.SystemCaller(c.id, "indexing", "r"), c.items); err != nil {
			t.Errorf("%s: CK-50 the service's own work: %v", when, err)
		}
	}
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		c.mustRecover()
		if err := c.reopen(); err != nil {
			t.Fatal(err)
		}
		if err := w.service.StopRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost"); err != nil {
			t.Fatal(err)
		}
		closedSoon(t, c, "stopped by this node")

		c.mustRecover()
		if err := c.reopen(); err != nil {
			t.Fatal(err)
		}
		rows := store.NewRecovery(w.db) // another node ends it
		r, err := rows.Recovery(t.Context(), c.id, c.p.ID)
		if err != nil {
			t.Fatal(err)
		}
		r.Ended, r.Why = time.Now(), "asked"
		if _, err := rows.End(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		closedSoon(t, c, "stopped by another node")

		c.mustRecover()
		w.setClock(-5 * time.Hour) // shut until somebody counts, and then open again
		if err := w.service.StopRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost"); err != nil {
			t.Errorf("stopping it while the clock is wrong: %v", err)
		}
		w.setClock(5 * time.Hour)
		closedSoon(t, c, "stopped while the clock was wrong")

		c.mustRecover()
		w.watch(24 * time.Hour)
		closedSoon(t, c, "its time is over")
		if n := count(c.entries(), "allow policy.recover.end "+c.p.ID); n != 1 {
			t.Errorf("its end is recorded %d times", n)
		}
	})
}

// left is how much longer a recovery lasts, as its row says.
func (c *leaver) left() time.Duration {
	c.t.Helper()
	r, err := store.NewRecovery(c.db).Recovery(c.t.Context(), c.id, c.p.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Left(c.now())
}

// watch has a node tend recoveries for a while, from now on.
func (w *world) watch(d time.Duration) {
	w.t.Helper()
	step := max(10*time.Second, d/40)
	for passed := time.Duration(0); ; passed += step {
		if err := w.service.TendRecoveries(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if passed >= d {
			return
		}
		time.Sleep(step)
	}
}

// setClock sets the clock of the service, on or back.
func (w *world) setClock(d time.Duration) { w.wrong.Add(int64(d)) }

// A recovery lasts for as long as was approved, in time in which a server runs, whatever its
// clock is set to: over a restart, or without one. What passes while none runs counts by the
// clock where that has gone on.
func TestClocksDoNotChangeARecovery(t *testing.T) {
	anew := func(w *world) { w.service = must(policy.New(w.config)) }
	for _, tt := range []struct {
		name string
		do   func(w *world) // after an hour, and before another
		want time.Duration  // left of 24 hours then
	}{
		{"nothing happens", func(*world) {}, 22 * time.Hour},
		{"the clock is set back", func(w *world) { w.setClock(-5 * time.Hour) }, 22 * time.Hour},
		{"the clock is set on beyond its end", func(w *world) { w.setClock(100 * time.Hour) }, 22 * time.Hour},
		{"set on and back", func(w *world) { w.setClock(100 * time.Hour); w.watch(time.Minute); w.setClock(-100 * time.Hour) }, 22*time.Hour - time.Minute},
		{"a restart", anew, 22 * time.Hour},
		{"a restart behind a clock that is a little slow", func(w *world) { w.setClock(-3 * time.Millisecond); anew(w) }, 22 * time.Hour},
		{"a restart behind a clock that was set back", func(w *world) { w.setClock(-5 * time.Hour); anew(w) }, 22 * time.Hour},
		{"nobody runs for three hours", func(w *world) { time.Sleep(3 * time.Hour); anew(w) }, 19 * time.Hour},
		{"nobody runs for longer than it lasts", func(w *world) { time.Sleep(30 * time.Hour); anew(w) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.recovering()
				c.mustRecover()
				w.watch(time.Hour)
				tt.do(w)
				w.watch(time.Hour)
				if got := c.left(); got < tt.want-10*time.Second || got > tt.want+10*time.Second {
					t.Errorf("%v are left, want %v", got, tt.want)
				}
				time.Sleep(time.Second)
				if err := c.reopen(); (err == nil) != (tt.want > 0) {
					t.Errorf("reading: %v", err)
				}
				if tt.want > 0 {
					w.watch(tt.want - time.Minute)
					if left := c.left(); left == 0 {
						t.Error("it ended before its time")
					}
					w.watch(2 * time.Minute)
				}
				time.Sleep(time.Second)
				wantFault(t, "after its time", c.reopen(), fault.Denied, "")
				if n := count(c.entries(), "allow policy.recover.end "+c.p.ID); n != 1 {
					t.Errorf("its end is recorded %d times", n)
				}
			})
		})
	}
}

// Of many recoveries each is tended, also where the end of the first cannot be recorded.
func TestAllRecoveriesAreTended(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		rows := store.NewRecovery(w.db)
		const many = 450
		for n := range many {
			start := w.now().Truncate(time.Microsecond)
			r := hierarchy.Recovery{Tenant: fmt.Sprintf("t%04d", n), Policy: "p", Request: fmt.Sprint("r", n), Started: start, Until: start.Add(time.Hour), Span: time.Hour}
			if err := rows.Start(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		going := func() (all []hierarchy.Recovery) {
			all, err := rows.Going(t.Context(), hierarchy.Recovery{}, many+1)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		w.watch(30 * time.Second)
		for _, r := range going() {
			if r.Spent != 30*time.Second {
				t.Fatalf("of %s %v have passed", r.Tenant, r.Spent)
			}
		}
		w.log.tell(func(e audit.Entry) bool { return e.Tenant == "t0000" })
		time.Sleep(time.Hour)
		if err := w.service.TendRecoveries(t.Context()); err == nil {
			t.Error("nobody hears of an end that cannot be recorded")
		}
		if left := going(); len(left) != 1 || left[0].Tenant != "t0000" {
			t.Errorf("%d go on", len(left))
		}
		w.log.tell(nil)
		w.watch(0)
		if left := going(); len(left) != 0 {
			t.Errorf("in the end %d go on", len(left))
		}
	})
}

// CK-79, CK-261, CK-263: what to do before a recovery is asked for. A deletion that is undone, or a
// permission that is given back, opens the content by itself, and a request that still waits does
// no harm.
func TestCK261_UndoneDeletionsComeFirst(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		r, err := w.service.RequestRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost", "lost")
		if err != nil {
			t.Fatal(err)
		}
		c.vaults.heal(c.keys[1]) // one of the two is enough
		w.keys.AskAnew(func(hierarchy.RootRef) bool { return true })
		time.Sleep(2 * time.Second)
		if err := c.reopen(); err != nil {
			t.Errorf("CK-261 a root recovered: %v", err)
		}
		if _, err := w.requests.Withdraw(t.Context(), c.admin, r.ID, "not needed"); err != nil {
			t.Error(err)
		}
		if n := count(c.entries(), "allow availability.use "+c.p.ID); n != 0 {
			t.Errorf("the availability key was used %d times", n)
		}
	})
}

// CK-79, CK-76: what cannot be recovered, and who may ask.
func TestCK79_WhatNeedsNoRecovery(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		ask := func(caller directory.Caller, reason string) error {
			_, err := w.service.RequestRecovery(t.Context(), caller, policy.MultiWorkload, "Lost", reason)
			return err
		}
		reader := c.admin
		reader.Roles = []directory.Role{directory.GlobalReader}
		wantFault(t, "a reader", ask(reader, "x"), fault.Forbidden, "")
		wantFault(t, "an operator", ask(w.operator, "x"), fault.Forbidden, "")
		wantFault(t, "without a reason", ask(c.admin, ""), fault.Invalid, "")
		c.vaults.heal(c.keys[1])
		wantFault(t, "CK-79 a root works", ask(c.admin, "x"), fault.Conflict, "RootWorks")
		c.lose()
		if err := ask(c.admin, "x"); err != nil {
			t.Error(err)
		}
	})
}

// CK-271: measured from the approval to the moment when every mailbox has been read.
func TestCK271_TimeToRecover(t *testing.T) {
	t.Parallel()
	n := 300
	if *manyContainers {
		n = 10_000
	}
	w := newWorld(t, nil)
	c := &leaver{tenant: w.tenant()}
	c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
	if _, err := w.requests.AddOfficer(t.Context(), c.admin, string(policy.MultiWorkload), c.officer.ID); err != nil {
		t.Fatal(err)
	}
	c.p = c.mustCreate("Lost")
	c.mustAssign("Lost")
	for i := range n {
		c.mustSeal("exchange", fmt.Sprint("box", i))
	}
	go w.runner.Run(t.Context()) //nolint:errcheck // ends with the test
	c.lose()
	w.keys.Drop(c.id, c.p.Generation)
	wantFault(t, "both roots lost", c.reopen(), fault.Denied, "")
	r, err := w.service.RequestRecovery(t.Context(), c.admin, policy.MultiWorkload, "Lost", "lost")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c.mustApprove(r)
	first := time.Duration(0)
	for deadline := start.Add(5 * time.Minute); ; {
		err := c.opens(c.admin, c.items[:1])
		if err == nil {
			first = time.Since(start)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not readable after five minutes: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.reopen(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d mailboxes: the first is readable %v after the approval, all have been read after %v", n, first, time.Since(start))
}

// CK-74, CK-320: what moves content to new roots during a recovery is the service itself. A tenant
// that allows its work no use of the availability key after a denial has approved this one.
func TestARecoveryMovesDespiteTheLimit(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.recovering()
		none := 0
		if err := w.service.SetAvailabilityLimit(t.Context(), c.admin, policy.MultiWorkload, "Lost", &none); err != nil {
			t.Fatal(err)
		}
		c.mustRecover()
		if _, err := w.service.Replace(t.Context(), c.admin, policy.MultiWorkload, "Lost", c.spare[:]); err != nil {
			t.Fatal(err)
		}
		w.work()
		if st := c.mustStatus("Lost"); st.Percent != 100 || st.Operation.State != operation.Done {
			t.Errorf("%v %% are under the new roots, the work is %s: %s", st.Percent, st.Operation.State, st.Operation.Error)
		}
		// The recovery goes on; the new roots count all the same.
		for _, uri := range c.spare {
			w.vaults.deny(uri)
		}
		c.dropAll()
		time.Sleep(2 * time.Second)
		wantFault(t, "the new roots are denied", c.reopen(), fault.Denied, "")
	})
}

// CK-76: a root that gives back another key than it wrapped is lost as well, whatever else it does:
// it does not stand in the way of a recovery. A purge takes it for one that the service may use.
func TestCK76_ARootThatGivesBackAnotherKey(t *testing.T) {
	inWorld(t, purgeTenants, func(t *testing.T, w *world) {
		c := w.recovering()
		c.vaults.heal(c.keys[0])
		c.vaults.change(c.keys[0], func(k *vaultKey) { k.other = true })
		wantFault(t, "its content", c.reopen(), fault.Denied, "")
		if _, err := c.service.RequestPurge(t.Context(), c.admin, policy.MultiWorkload, "Lost", leaving); !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonReachable {
			t.Errorf("a purge: %v", err)
		}
		c.mustRecover()
		if err := c.reopen(); err != nil {
			t.Errorf("recovered: %v", err)
		}
	})
}
