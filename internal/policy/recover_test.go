package policy_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

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
		for range 24 * 60 * 2 {
			time.Sleep(30*time.Second + 10*time.Millisecond)
			if err := w.service.TendRecoveries(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		closedSoon(t, c, "its time is over")
		if n := count(c.entries(), "allow policy.recover.end "+c.p.ID); n != 1 {
			t.Errorf("its end is recorded %d times", n)
		}
	})
}

// A clock that is set back while a recovery goes on does not lengthen it; whoever starts behind
// such a clock ends it.
func TestAClockSetBackDoesNotLengthenARecovery(t *testing.T) {
	var back time.Duration
	change := func(c *policy.Config) { c.Now = func() time.Time { return time.Now().Add(-back) } }
	inWorld(t, change, func(t *testing.T, w *world) {
		defer func() { back = 0 }()
		c := w.recovering()
		c.mustRecover()
		tend := func(d time.Duration) {
			t.Helper()
			for range int(d / (10 * time.Second)) {
				time.Sleep(10 * time.Second)
				if err := w.service.TendRecoveries(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		left := func() time.Duration {
			t.Helper()
			r, err := store.NewRecovery(w.db).Recovery(t.Context(), c.id, c.p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return r.Left(time.Now().Add(-back))
		}
		tend(time.Hour)
		back = 5 * time.Hour
		tend(time.Hour)
		if got := left(); got > 22*time.Hour+time.Minute || got < 22*time.Hour-time.Minute {
			t.Errorf("after two hours, the clock set back by five, %v are left", got)
		}
		back = 8 * time.Hour // and now a process that did not see it pass
		w.service = must(policy.New(w.config))
		tend(10 * time.Second)
		if got := left(); got != 0 {
			t.Errorf("started behind a clock that was set back, %v are left", got)
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
	for deadline := start.Add(time.Minute); ; {
		err := c.opens(c.admin, c.items[:1])
		if err == nil {
			first = time.Since(start)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not readable after a minute: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.reopen(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d mailboxes: the first is readable %v after the approval, all have been read after %v", n, first, time.Since(start))
}
