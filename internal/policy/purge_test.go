package policy_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
)

// A purge as the articles describe it. CK-255: permissions first, then the request, then nothing
// new; CK-256, CK-260: approvals, a waiting period, a signed record; CK-257: then it is gone for
// good, and what belongs to others is not. CK-35: nothing else destroys an availability key.
func TestCK253_APurge(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		plan, obstacle, err := w.service.PlanPurge(t.Context(), c.admin, policy.Mailbox, "Leaving", false)
		if err != nil || plan.Containers != 2 || plan.ContainerKeys != 2 || plan.Closed != 3 || len(plan.Generations) != 1 || len(plan.AvailabilityKeys) != 1 {
			t.Errorf("CK-260 the dry run: %+v, %v", plan, err)
		}
		wantFault(t, "CK-173 the dry run says what stands in the way", obstacle, fault.Conflict, policy.ReasonReachable)
		r := c.mustAsk()
		if p := c.policyNow(); p.State != policy.PendingDeletion {
			t.Errorf("CK-161: asked for, the policy is %s", p.State)
		}
		wantFault(t, "CK-174 a mailbox more", w.service.AssignTo(t.Context(), c.admin, holder("erik"), "Leaving"), fault.Conflict, policy.ReasonPurging)
		c.mustApprove(r)
		w.work()
		w.wait(purgeWait - time.Hour)
		w.work()
		if got := c.outcome(r); got.State != request.Approved {
			t.Errorf("CK-258, CK-272: before its time it is %s: %s", got.State, got.Outcome)
		}
		c.letIn() // who changes his mind gives the permission back and takes the request back
		if err := c.opens(c.admin, c.mine); err != nil {
			t.Errorf("in the waiting period: %v", err)
		}
		c.shutOut()
		w.wait(2 * time.Hour)
		w.work()
		if got := c.outcome(r); got.State != request.Done {
			t.Fatalf("after its time it is %s: %s", got.State, got.Outcome)
		}
		if p := c.policyNow(); p.State != policy.Purged || p.Enabled {
			t.Errorf("purged, the policy is %+v", p)
		}
		c.letIn()
		c.wantReadable("CK-257 after the purge, with the permissions back", false)
		wantFault(t, "writing to a mailbox that was purged", c.seal("exchange", "alice"), fault.Conflict, "Purged")
		wantFault(t, "writing to one that was empty", c.seal("exchange", "empty"), fault.Conflict, "Purged")
		_, err = w.service.RequestPurge(t.Context(), c.admin, policy.Mailbox, "Leaving", leaving)
		wantFault(t, "a second purge", err, fault.Conflict, policy.ReasonPurging)
		_, err = w.service.Refresh(t.Context(), c.admin, policy.Mailbox, "Leaving")
		wantFault(t, "a refresh", err, fault.Conflict, policy.ReasonPurging)
		c.wantCertified(r)
	})
}

// wantCertified checks the signed record of the purge, without the service.
func (c *leaver) wantCertified(r request.Request) {
	c.t.Helper()
	_, note, key, err := c.service.PurgeOf(c.t.Context(), c.admin, policy.Mailbox, "Leaving")
	if err != nil {
		c.t.Fatal(err)
	}
	got, err := purge.VerifyRecord([]byte(note), key)
	if err != nil {
		c.t.Fatalf("CK-260: the record: %v\n%s", err, note)
	}
	if got.Request != r.ID || got.Policy != c.p.ID || got.AskedBy.ID != c.admin.ID || len(got.Approved) != 2 || got.Digest != r.Fact("Plan") ||
		got.Gone.ContainerKeys != 2 || len(got.Gone.Generations) != 1 || len(got.Gone.AvailabilityKeys) != 1 || !strings.HasPrefix(got.Log, "customerkey/service/"+c.id) {
		c.t.Errorf("CK-260: the record says %+v", got)
	}
	if digest, err := got.Plan.Digest(); err != nil || digest != got.Digest {
		c.t.Errorf("the plan in the record is not the one that was approved: %v", err)
	}
	if _, err := purge.VerifyRecord([]byte(strings.Replace(note, "we leave", "we stay", 1)), key); !fault.Is(err, fault.Corrupt) {
		c.t.Errorf("a changed record: %v", err)
	}
}

// CK-173, X-17: whatever the roots say short of having taken the permission away keeps a purge
// from being asked for. CK-117: a vault that is gone needs -Force.
func TestCK173_TheServiceCanStillReachARoot(t *testing.T) {
	fails := func(code fault.Code, reason string) error { return fault.New(code, "no").WithReason(reason) }
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		for _, tt := range []struct {
			name         string
			first, other error
			use          bool // wrapping and unwrapping alone
			force        bool
			code         fault.Code // "" if it may be asked for
		}{
			{"both work", nil, nil, false, false, fault.Conflict},
			{"the first works", nil, fails(fault.Denied, "AccessDenied"), false, true, fault.Conflict},
			{"the other works", fails(fault.Denied, "AccessDenied"), nil, false, true, fault.Conflict},
			{"disabled", fails(fault.Denied, "KeyDisabled"), fails(fault.Denied, "KeyDisabled"), false, true, fault.Conflict},
			{"a firewall", fails(fault.Denied, "NetworkDenied"), fails(fault.Denied, "AccessDenied"), false, true, fault.Conflict},
			{"an outage", fails(fault.Unavailable, "Timeout"), fails(fault.Denied, "AccessDenied"), false, true, fault.Unavailable},
			{"a vault gone", fails(fault.Denied, "VaultNotFound"), fails(fault.Denied, "AccessDenied"), false, false, fault.Conflict},
			{"a name gone", fails(fault.Unavailable, "HostNotFound"), fails(fault.Denied, "AccessDenied"), false, false, fault.Conflict},
			{"a vault gone, forced", fails(fault.Denied, "VaultNotFound"), fails(fault.Denied, "AccessDenied"), false, true, ""},
			{"taken away", fails(fault.Denied, "AccessDenied"), fails(fault.Denied, "AccessDenied"), true, false, ""},
		} {
			c.vaults.change(c.keys[0], func(k *vaultKey) { k.failed, k.useOnly = tt.first, tt.first })
			c.vaults.change(c.keys[1], func(k *vaultKey) { k.failed, k.useOnly = tt.other, tt.other })
			ask := leaving
			ask.Force = tt.force
			r, err := w.service.RequestPurge(t.Context(), c.admin, policy.Mailbox, "Leaving", ask)
			if fault.CodeOf(err) != tt.code {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
			}
			if err != nil {
				if p := c.policyNow(); p.State != policy.Active {
					t.Errorf("%s: refused, the policy is %s", tt.name, p.State)
				}
				continue
			}
			if r.Fact("Force") != map[bool]string{true: "true", false: "false"}[tt.force] {
				t.Errorf("%s: approvers are not told of the force", tt.name)
			}
			if _, err := w.requests.Withdraw(t.Context(), c.admin, r.ID, "a try"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// CK-172, CK-253, CK-279: who may ask, for which families, and with what. CK-115, CK-116.
func TestCK172_WhatCannotBePurged(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		c.shutOut()
		ask := func(caller directory.Caller, f policy.Family, name string, a policy.PurgeAsk) error {
			_, err := w.service.RequestPurge(t.Context(), caller, f, name, a)
			return err
		}
		exchange := c.admin
		exchange.Roles = []directory.Role{directory.ExchangeAdministrator}
		wantFault(t, "CK-279 an Exchange administrator", ask(exchange, policy.Mailbox, "Leaving", leaving), fault.Forbidden, "")
		wantFault(t, "an operator", ask(w.operator, policy.Mailbox, "Leaving", leaving), fault.Forbidden, "")
		wantFault(t, "CK-115 without a reason", ask(c.admin, policy.Mailbox, "Leaving", policy.PurgeAsk{Contact: "x"}), fault.Invalid, "")
		wantFault(t, "CK-116 without a contact", ask(c.admin, policy.Mailbox, "Leaving", policy.PurgeAsk{Reason: "x"}), fault.Invalid, "")
		c.letIn()
		c.mustCreate("Tenant")
		c.shutOut()
		wantFault(t, "CK-172 a multi-workload policy", ask(c.admin, policy.MultiWorkload, "Tenant", leaving), fault.Invalid, "CK-172")
		wantFault(t, "CK-14 the service's own", ask(c.admin, policy.ServiceOwned, "Service-managed keys", leaving), fault.Forbidden, "")
		r := c.mustAsk()
		wantFault(t, "asked for already", ask(c.admin, policy.Mailbox, "Leaving", leaving), fault.Conflict, policy.ReasonPurging)
		_, err := w.requests.Approve(t.Context(), c.admin, r.ID, r.Digest())
		wantFault(t, "his own request", err, fault.Forbidden, request.ReasonOwn)
		c.mustApprove(r)
		_, err = w.requests.Approve(t.Context(), c.operator, r.ID, r.Digest())
		wantFault(t, "an approval replayed", err, fault.Conflict, "")
	})
}

// CK-260: in the waiting period it can be stopped, and then all is as before.
func TestCK260_APurgeIsStopped(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		for _, stop := range []func(r request.Request) error{
			func(r request.Request) error {
				_, err := w.requests.Withdraw(t.Context(), c.admin, r.ID, "we stay")
				return err
			},
			func(r request.Request) error {
				_, err := w.requests.Deny(t.Context(), c.officer, r.ID, "no")
				return err
			},
		} {
			r := c.mustAsk()
			c.mustApprove(r)
			w.wait(purgeWait / 2)
			if err := stop(r); err != nil {
				t.Fatal(err)
			}
			w.wait(purgeWait)
			w.work()
			if p := c.policyNow(); p.State != policy.Active || !p.Enabled {
				t.Errorf("stopped, the policy is %+v", p)
			}
			c.letIn()
			c.wantReadable("stopped", true)
			c.mustAssignTo("erik", "Leaving")
		}
		if _, err := w.service.Refresh(t.Context(), c.admin, policy.Mailbox, "Leaving"); err != nil {
			t.Error(err)
		}
		w.work()
		c.wantReadable("refreshed", true)
	})
}

// What was approved is not what is there any more: nothing is destroyed, and the policy is as it
// was before.
func TestWhatWasApprovedHasChanged(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for name, change := range map[string]func(c *leaver){
			"a mailbox has left": func(c *leaver) {
				if err := w.service.AssignTo(t.Context(), c.admin, holder("bob"), ""); err != nil {
					t.Fatal(err)
				}
				w.work()
			},
			"a root works again": func(c *leaver) { c.vaults.heal(c.keys[1]) },
		} {
			c := w.leaver()
			r := c.mustAsk()
			c.mustApprove(r)
			change(c)
			w.wait(purgeWait)
			w.work()
			if got := c.outcome(r); got.State != request.Failed || got.Outcome == "" {
				t.Errorf("%s: the request is %s: %s", name, got.State, got.Outcome)
			}
			if p := c.policyNow(); p.State != policy.Active || !p.Enabled {
				t.Errorf("%s: the policy is %+v", name, p)
			}
			c.letIn()
			c.wantReadable(name, true)
			if err := c.seal("exchange", "alice"); err != nil {
				t.Errorf("%s: writing: %v", name, err)
			}
		}
	})
}

// A mailbox that was given to another policy in the waiting period, while its old key cannot be
// moved, has new mail under that policy: the purge that was approved must not take it along.
func TestAMailboxThatLeavesWhileItCannotMove(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		if err := w.service.SetAvailabilityLimit(t.Context(), c.admin, policy.Mailbox, "Leaving", new(int)); err != nil {
			t.Fatal(err)
		}
		r := c.mustAsk()
		c.mustApprove(r)
		time.Sleep(2 * time.Minute) // no lease is left to move by
		c.mustAssignTo("bob", "Staying")
		w.work()
		box := container(c.id, "exchange", "bob")
		target := must(w.service.InForce(t.Context(), box))
		fresh, err := w.keys.Renew(t.Context(), c.admin, box, target)
		if err != nil {
			t.Fatal(err)
		}
		version := fresh.Version()
		fresh.Close()
		w.wait(purgeWait)
		w.work()
		if got := c.outcome(r); got.State != request.Failed {
			t.Errorf("the request is %s: %s", got.State, got.Outcome)
		}
		again, err := w.keys.ForOpening(t.Context(), c.admin, box, version)
		if err != nil {
			t.Fatalf("new mail of bob, under another policy: %v", err)
		}
		again.Close()
		c.letIn()
		c.wantReadable("given up", true)
	})
}

// A roll of the availability keys leaves a policy alone whose purge was asked for: another key
// would not be what people approve.
func TestARollInTheWaitingPeriod(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		r := c.mustAsk()
		c.mustApprove(r)
		c.mustRollAs(operator)
		w.work()
		w.wait(purgeWait)
		w.work()
		if got := c.outcome(r); got.State != request.Done {
			t.Fatalf("the request is %s: %s", got.State, got.Outcome)
		}
		c.mustRollAs(operator)
		w.work()
		if op := must(w.rows.NewestOperation(t.Context(), c.id, "rollavailability")); op.State != operation.Done {
			t.Errorf("after the purge a roll is %s: %s", op.State, op.Error)
		}
		c.letIn()
		c.wantReadable("purged", false)
	})
}

// A lateMove is a store in which another process takes a key away after what is to be purged was
// listed, and before that comes into the ledger.
type lateMove struct {
	policy.PurgeStore
	reads atomic.Int64 // of the list
	late  int64        // which of them lacks a key
}

func (s *lateMove) Keys(ctx context.Context, tenant, id string, after policy.Place, limit int) ([]policy.PurgeKey, error) {
	keys, err := s.PurgeStore.Keys(ctx, tenant, id, after, limit)
	if after == (policy.Place{}) && s.reads.Add(1) == s.late {
		keys = keys[1:]
	}
	return keys, err
}

// What comes into the ledger is what was listed and approved, or nothing comes into it.
func TestWhatIsOrderedIsWhatWasListed(t *testing.T) {
	moves := &lateMove{late: 3} // 1: when it is asked for, 2: once more before the order, 3: for the ledger
	change := func(c *policy.Config) { moves.PurgeStore, c.Purging.Store = c.Purging.Store, moves }
	inWorld(t, change, func(t *testing.T, w *world) {
		c := w.leaver()
		c.shutOut()
		r, err := w.service.RequestPurge(t.Context(), c.admin, policy.Mailbox, "Leaving", leaving)
		if err != nil {
			t.Fatal(err)
		}
		c.mustApprove(r)
		w.wait(purgeWait + time.Minute)
		w.workFor(time.Minute)
		if got := c.outcome(r); got.State != request.Done || moves.reads.Load() < 5 {
			t.Errorf("tried again it is %s: %s, after %d looks", got.State, got.Outcome, moves.reads.Load())
		}
		for _, it := range c.mine {
			if !w.ledger.Key(c.id, container(c.id, it.workload, it.container).ID, it.version) {
				t.Errorf("the ledger lacks %s, which was approved", it.container)
			}
		}
		c.letIn()
		c.wantReadable("after", false)
	})
}
