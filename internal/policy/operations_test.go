package policy_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// background runs the runner until the returned function is called.
func (w *world) background() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.runner.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

// A move of keys is slowed, held, resumed and stopped by an administrator; each takes effect
// within a second and outlives a restart; the percentage never goes back; nothing is
// destroyed that anything needs (CK-313: progress is shown all the way).
func TestControlOfAMove(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c, ctx := w.tenant(), t.Context()
		c.many(40)
		id := c.mustStatus("Q").Operation.ID
		if _, err := w.service.SetMaximumRate(ctx, c.admin, id, 4); err != nil {
			t.Fatal(err)
		}
		stop := w.background()
		last := 0.0
		look := func() policy.Status {
			t.Helper()
			st := c.mustStatus("Q")
			if now := st.Operation.Percent(); now < last {
				t.Errorf("%v %% after %v %%", now, last)
			} else {
				last = now
			}
			return st
		}
		for range 5 {
			time.Sleep(time.Second)
			look()
		}
		st := look()
		if rate, left, ok := st.Operation.Pace(); !ok || rate < 3 || rate > 5 || left < 3*time.Second || left > 10*time.Second {
			t.Errorf("%v keys/s and %v left at %v of %v", rate, left, st.Operation.Done, st.Operation.Total)
		}
		if _, err := w.service.Suspend(ctx, c.admin, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		at := look()
		if at.Operation.State != operation.Paused {
			t.Fatalf("held for a second: %+v", at.Operation)
		}
		stop() // restarted
		stop = w.background()
		time.Sleep(time.Minute)
		if now := look(); now.Operation.State != operation.Paused || now.Operation.Done != at.Operation.Done {
			t.Errorf("moved on while held: %+v", now.Operation)
		}
		c.mustRefresh("Q") // a change meanwhile does not get round it
		time.Sleep(10 * time.Second)
		if now := look(); now.Operation.State != operation.Paused || now.Operation.ID != id {
			t.Errorf("a change got round the pause: %+v", now.Operation)
		}
		if _, err := w.service.SetMaximumRate(ctx, c.admin, id, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Resume(ctx, c.admin, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		done := look()
		if done.Operation.State != operation.Done || done.Percent != 100 || done.Generations[0].State != hierarchy.Destroyed {
			t.Errorf("resumed: %+v", done)
		}
		stop()
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// Stopping leaves both generations alive; resuming, or the next change, goes on.
func TestStopAndGoOn(t *testing.T) {
	for name, goOn := range map[string]func(t *testing.T, c *tenant, id string){
		"resume": func(t *testing.T, c *tenant, id string) {
			op, err := c.service.Resume(t.Context(), c.admin, id)
			if err != nil || op.State.Final() || op.ID == id || op.Done == 0 {
				t.Errorf("resumed: %+v, %v", op, err)
			}
			again, err := c.service.Resume(t.Context(), c.admin, id)
			if err != nil || again.ID != op.ID {
				t.Errorf("resumed twice: %+v, %v", again, err)
			}
		},
		"refresh": func(t *testing.T, c *tenant, id string) { c.mustRefresh("Q") },
	} {
		t.Run(name, func(t *testing.T) {
			tapped(t, func(t *testing.T, w *world, s *tap) {
				c, ctx := w.tenant(), t.Context()
				c.many(12)
				id := c.mustStatus("Q").Operation.ID
				if _, err := w.service.SetMaximumRate(ctx, c.admin, id, 4); err != nil {
					t.Fatal(err)
				}
				s.start(func(committed int, _ []policy.Move, _ operation.Fence) error {
					if committed == 1 {
						if _, err := w.service.Stop(ctx, c.admin, id); err != nil {
							t.Error(err)
						}
					}
					return nil
				})
				w.work()
				s.start(nil)
				st := c.mustStatus("Q")
				if st.Operation.State != operation.Cancelled || st.Percent == 0 || st.Percent == 100 {
					t.Errorf("stopped: %+v", st)
				}
				for _, name := range []string{"P", "Q"} {
					for _, g := range c.mustStatus(name).Generations {
						if g.State == hierarchy.Destroyed {
							t.Errorf("%s: generation %d is destroyed", name, g.Number)
						}
					}
				}
				if err := c.reopen(); err != nil {
					t.Fatal(err)
				}
				goOn(t, c, id)
				w.work()
				if st := c.mustStatus("Q"); st.Operation.State != operation.Done || st.Percent != 100 {
					t.Errorf("gone on: %+v", st)
				}
				if err := c.reopen(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A second refresh while the keys still move is followed by the same operation: its
// percentage stands still until the work has caught up, and never goes back (CK-243).
func TestPercentOverARefreshOnTheWay(t *testing.T) {
	tapped(t, func(t *testing.T, w *world, s *tap) {
		c := w.tenant()
		c.many(40)
		refreshed, last := false, 0.0
		s.start(func(committed int, _ []policy.Move, f operation.Fence) error {
			if now := c.mustStatus("Q").Operation.Percent(); now < last {
				t.Errorf("%v %% after %v %%", now, last)
			} else {
				last = now
			}
			if committed == 6 && !refreshed {
				refreshed = true
				c.mustRefresh("Q")
			}
			return nil
		})
		w.work()
		ops, err := w.runner.List(t.Context(), c.id, "", 10)
		if err != nil || len(ops) != 2 || ops[0].State != operation.Done { // that of P before, and this
			t.Errorf("%d operations: %+v, %v", len(ops), ops, err)
		}
		if st := c.mustStatus("Q"); st.Percent != 100 || st.Generations[0].State != hierarchy.Destroyed || last < 50 {
			t.Errorf("at the end: %+v", st)
		}
	})
}

// A move that failed goes on by itself, later each time while all that is left are keys that
// do not open, and at once when asked.
func TestFailedMoveStartsAgain(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "a", "b")
		c.exec(`UPDATE container_keys SET wrapped = '0123' WHERE container_id = 'exchange/a'`)
		c.mustRefresh("P")
		w.work()
		op := c.mustStatus("P").Operation
		if op.State != operation.Waiting || op.Error == "" || time.Until(op.LeaseUntil) < 50*time.Second {
			t.Fatalf("%+v", op)
		}
		stop := w.background()
		time.Sleep(30 * time.Minute)
		stop()
		op = c.mustStatus("P").Operation
		if left := time.Until(op.LeaseUntil); op.State != operation.Waiting || left < time.Minute || left > time.Hour {
			t.Errorf("after half an hour the next look is in %v: %+v", left, op)
		}
		c.exec(`DELETE FROM container_keys WHERE container_id = 'exchange/a'`)
		if _, err := w.service.Resume(t.Context(), c.admin, op.ID); err != nil {
			t.Fatal(err)
		}
		w.work()
		if st := c.mustStatus("P"); st.Operation.State != operation.Done || st.Generations[0].State != hierarchy.Destroyed {
			t.Errorf("repaired: %+v", st)
		}
	})
}

// Who may see and who may hold long work, and that it is recorded before.
func TestOperationsDoor(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c, ctx := w.tenant(), t.Context()
		c.mustCreate("P")
		c.mustAssign("P")
		op := c.mustStatus("P").Operation
		with := func(roles ...directory.Role) directory.Caller {
			caller := c.admin
			caller.Roles = roles
			return caller
		}
		for _, tt := range []struct {
			name      string
			who       directory.Caller
			see, hold fault.Code
		}{
			{"compliance administrator", with(directory.ComplianceAdministrator), "", ""},
			{"Exchange administrator", with(directory.ExchangeAdministrator), "", ""},
			{"SharePoint administrator", with(directory.SharePointAdministrator), "", ""},
			{"reader", with(directory.GlobalReader), "", fault.Forbidden},
			{"no role", with(), fault.Forbidden, fault.Forbidden},
			{"operator of the service", with(directory.ServiceOperator), fault.Forbidden, fault.Forbidden},
			{"another tenant", w.tenant().admin, fault.NotFound, fault.NotFound},
			{"nobody", directory.Caller{}, fault.Unauthenticated, fault.Unauthenticated},
		} {
			if _, err := w.service.Operation(ctx, tt.who, op.ID); fault.CodeOf(err) != tt.see {
				t.Errorf("%s sees it: %v, want %q", tt.name, err, tt.see)
			}
			if _, err := w.service.Suspend(ctx, tt.who, op.ID); fault.CodeOf(err) != tt.hold {
				t.Errorf("%s holds it: %v, want %q", tt.name, err, tt.hold)
			}
			if _, err := w.service.Resume(ctx, tt.who, op.ID); fault.CodeOf(err) != tt.hold {
				t.Errorf("%s resumes it: %v, want %q", tt.name, err, tt.hold)
			}
		}
		if all, err := w.service.Operations(ctx, c.admin, "", 10); err != nil || len(all) != 1 || all[0].ID != op.ID {
			t.Errorf("listed: %+v, %v", all, err)
		}
		if !slices.Contains(c.entries(), "allow operation.pause "+op.ID) || !slices.Contains(c.entries(), "deny operation.pause "+op.ID) {
			t.Errorf("recorded: %q", c.entries())
		}
		w.log.refuse = func(e audit.Entry) bool { return e.Action == string(policy.PauseOperation) }
		if _, err := w.service.Suspend(ctx, c.admin, op.ID); !fault.Is(err, fault.Unavailable) {
			t.Errorf("without a record: %v", err)
		}
		w.log.refuse = nil
		if got := c.mustStatus("P").Operation.State; got != operation.Waiting {
			t.Errorf("held without a record: %s", got)
		}
		foreign, err := operation.Fresh(c.id, "purge", "s", time.Now())
		if err == nil {
			err = w.config.Operations.Add(ctx, foreign)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Stop(ctx, c.admin, foreign.ID); fault.As(err).Reason != policy.ReasonUnsafe {
			t.Errorf("stopping what must run to its end: %v", err)
		}
		w.work()
		if _, err := w.service.Suspend(ctx, c.admin, op.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("holding what is done: %v", err)
		}
		if _, err := w.service.SetMaximumRate(ctx, c.admin, op.ID, -1); !fault.Is(err, fault.Invalid) {
			t.Errorf("a negative rate: %v", err)
		}
	})
}
