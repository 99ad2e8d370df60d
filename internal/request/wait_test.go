package request_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
)

// slow is a request that was approved just now and waits for an hour.
func (w *world) slow(c tenant) request.Request {
	w.t.Helper()
	return w.mustApprove(c.officer, w.mustApprove(w.operator, w.mustAsk(c.admin, "slow", uuid.NewString())))
}

// begun runs what is due and reports whether the deed of a request was done.
func (w *world) begun(r request.Request) bool {
	w.t.Helper()
	w.runAll(r.Tenant)
	return w.ran(r) > 0
}

// Row CK-260: no clock, set on or back at whatever time, shortens a waiting period or draws it
// out, over a restart or without one.
func TestClocksDoNotHurryAWait(t *testing.T) {
	jumps := map[string][]time.Duration{ // one each quarter of an hour
		"set on":              {72 * time.Hour, 0, 0},
		"set back":            {-72 * time.Hour, 0, 0},
		"set on, and right":   {72 * time.Hour, 0, -72 * time.Hour},
		"set back, and right": {-72 * time.Hour, 72 * time.Hour, 0},
		"set back at the end": {0, 0, -365 * 24 * time.Hour},
	}
	embedded(t, func(t *testing.T, w *world) {
		for what, jump := range jumps {
			for _, restart := range []bool{false, true} {
				r := w.slow(w.tenant())
				for _, d := range jump {
					w.set(d)
					if restart {
						w.service = w.open()
						w.tend()
					}
					if w.begun(r) {
						t.Fatalf("%s, restart %v: it began too early", what, restart)
					}
					w.pass(15 * time.Minute)
				}
				w.pass(14 * time.Minute)
				if w.begun(r) {
					t.Errorf("%s, restart %v: after 59 minutes it has begun", what, restart)
				}
				w.pass(time.Minute)
				if !w.begun(r) {
					t.Errorf("%s, restart %v: after an hour it has not begun", what, restart)
				}
			}
		}
	})
}

// A clock set back when the hour is over does not hold up what may begin.
func TestClockSetBackAfterAWait(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.tenant()
		waited, free := w.slow(c), w.mustAsk(c.admin, "rule", "p1")
		w.pass(time.Hour)
		w.set(-365 * 24 * time.Hour)
		w.tend()
		if !w.begun(waited) || !w.begun(free) {
			t.Error("it waits for the clock to come back")
		}
	})
}

// Time in which nobody could have stopped it is no waiting: while no server runs, or its
// database is out.
func TestWaitIsTimeToStopIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.slow(w.tenant())
		w.pass(30 * time.Minute)
		w.rest(24 * time.Hour) // nobody ran
		w.service = w.open()
		w.tend()
		w.pass(25 * time.Minute)
		if w.begun(r) {
			t.Error("the time in which no server ran was counted")
		}
		w.rest(24 * time.Hour) // the server stood still: that counts for 5 minutes at most
		w.tend()
		if got := w.mustGet(w.operator, r); got.Waited > time.Hour || got.NotBefore.After(w.now().Add(time.Hour)) {
			t.Errorf("it has waited for %v, and takes effect at %v", got.Waited, got.NotBefore)
		}
		if !w.begun(r) {
			t.Error("after an hour of running time it has not begun")
		}
		second := w.slow(w.tenant())
		w.rest(24 * time.Hour)
		w.tend()
		if got := w.mustGet(w.operator, second); got.Waited > 5*time.Minute || w.begun(second) {
			t.Errorf("a server that stood still counted %v", got.Waited)
		}
	})
}

// attempts is after how many tries the runners of the next test give up what is not asked to go on.
const attempts = 4

// What stands in the way of what was approved is tried again for as long as it takes, and
// everybody who has a part in it sees what it is.
func TestWhatWasApprovedIsNotGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.tenant()
		w.attempts = attempts
		for _, fail := range []error{
			fault.New(fault.Unavailable, "the vault east does not answer").WithHint("check the network"),
			fault.New(fault.Internal, "a mistake"), context.DeadlineExceeded,
		} {
			w.fail = fail
			r := w.mustApprove(c.officer, w.mustApprove(w.operator, w.mustAsk(c.admin, "both", uuid.NewString())))
			for range 3 * attempts {
				w.runAll(c.id)
				w.set(6 * time.Minute) // beyond any pause
			}
			if err := w.service.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, who := range []directory.Caller{c.admin, c.officer, w.operator} {
				got := w.mustGet(who, r)
				if got.State != request.Running || w.ran(r) < 2*attempts || !strings.Contains(got.Trouble, fault.As(fail).Message) {
					t.Errorf("%s sees after %d tries: %s, %q", who.Name, w.ran(r), got.State, got.Trouble)
				}
			}
			if ids := w.visible(w.operator, false); len(ids) != 1 || ids[0] != r.ID {
				t.Errorf("the operator's list has %v", ids)
			}
			_, err := w.service.Deny(t.Context(), w.operator, r.ID, "")
			wants(t, "stopping what has begun", err, fault.Conflict, request.ReasonBegun)
			w.fail = nil
			w.runAll(c.id)
			if got := w.mustGet(c.admin, r); got.State != request.Done || got.Trouble != "" {
				t.Errorf("in the end it is %s, %q", got.State, got.Trouble)
			}
		}
	})
}
