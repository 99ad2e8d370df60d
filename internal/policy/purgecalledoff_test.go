package policy_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

// in looks at the organization in another world.
func (c *leaver) in(w *world) *leaver {
	inside := *c.tenant
	inside.world, inside.items = w, nil
	return &leaver{tenant: &inside, officer: c.officer, p: c.p, q: c.q, mine: c.mine, others: c.others}
}

// mustSettle looks after purges that came to nothing, as a node does every few seconds.
func (w *world) mustSettle() {
	w.t.Helper()
	if err := w.service.SettlePurges(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// CK-260: a purge that was stopped stays stopped, also where the database of the service is put back
// from a backup in which it was approved and waits: nobody has to ask for that twice, and the roots
// need not be permitted for it.
func TestCK260_AStoppedPurgeIsNotBroughtBack(t *testing.T) {
	stop := map[string]func(t *testing.T, c *leaver, r request.Request){
		"denied": func(t *testing.T, c *leaver, r request.Request) {
			if _, err := c.requests.Deny(t.Context(), c.officer, r.ID, "a court says so"); err != nil {
				t.Fatal(err)
			}
		},
		"withdrawn": func(t *testing.T, c *leaver, r request.Request) {
			if _, err := c.requests.Withdraw(t.Context(), c.admin, r.ID, "we stay"); err != nil {
				t.Fatal(err)
			}
		},
		"failed": func(t *testing.T, c *leaver, _ request.Request) { // a root works again in the moment in which it begins
			c.letIn()
			c.wait(purgeWait)
			c.work()
			c.shutOut()
		},
	}
	for how, stop := range stop {
		t.Run(how, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.leaver()
				r := c.mustAsk()
				c.mustApprove(r)
				w.wait(purgeWait / 2)
				backup := w.backUp()
				stop(t, c, r)
				w.mustSettle()
				for when, from := range w.olderOf(backup) {
					c.shutOut()
					again := c.in(w.restored(from))
					again.wait(purgeWait)
					again.work()
					if got := again.outcome(r); got.State.Open() || got.State == request.Done {
						t.Errorf("%s: the request is %s: %s", when, got.State, got.Outcome)
					}
					if p := again.policyNow(); p.State != policy.Active {
						t.Errorf("%s: the policy is %s", when, p.State)
					}
					c.letIn()
					again.wantReadable(when, true)
					if err := again.seal("exchange", "alice"); err != nil {
						t.Errorf("%s: alice cannot write: %v", when, err)
					}
				}
			})
		})
	}
}

// What was stopped is whole again by itself, without anybody looking at it: mailboxes come under the
// policy again.
func TestAStoppedPurgeSettlesByItself(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		r := c.mustAsk()
		w.mustSettle() // while it is open nothing changes
		if p, err := w.rows.Policy(t.Context(), c.id, c.p.ID); err != nil || p.State != policy.PendingDeletion {
			t.Fatalf("while it waits the policy is %s, %v", p.State, err)
		}
		if _, err := w.requests.Withdraw(t.Context(), c.admin, r.ID, "we stay"); err != nil {
			t.Fatal(err)
		}
		w.mustSettle()
		if p, err := w.rows.Policy(t.Context(), c.id, c.p.ID); err != nil || p.State != policy.Active {
			t.Errorf("the policy is %s, %v", p.State, err)
		}
		if !w.ledger.CalledOff(c.id, r.ID) {
			t.Error("the ledger does not know that the purge was called off")
		}
		c.letIn()
		again := c.mustAsk() // and it may be asked for anew
		c.mustApprove(again)
		w.wait(purgeWait)
		w.work()
		if got := c.outcome(again); got.State != request.Done {
			t.Errorf("asked for anew it is %s: %s", got.State, got.Outcome)
		}
		c.letIn()
		c.wantReadable("purged after all", false)
	})
}
