package policy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// besidePurge does something once, in the midst of a purge.
type besidePurge struct {
	policy.PurgeStore
	do func()
}

func (s *besidePurge) DestroyKeys(ctx context.Context, id string, keys []purge.Key, limit int, f operation.Fence) (bool, error) {
	if do := s.do; do != nil {
		s.do = nil
		do()
	}
	return s.PurgeStore.DestroyKeys(ctx, id, keys, limit, f)
}

// CK-36, CK-259: while the files of one geo are purged those of another come under a policy. That
// one does not take the availability key that the purge is about to destroy.
func TestCK259_ANewGeoBesideAPurge(t *testing.T) {
	beside := &besidePurge{}
	change := func(c *policy.Config) {
		c.Purging.Families, c.SharePointAvailability = []policy.Family{policy.SharePoint}, availability.PerTenant
		beside.PurgeStore, c.Purging.Store = c.Purging.Store, beside
	}
	inWorld(t, change, func(t *testing.T, w *world) {
		c := &leaver{tenant: w.tenant()}
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
		if _, err := w.requests.AddOfficer(t.Context(), c.admin, string(policy.SharePoint), c.officer.ID); err != nil {
			t.Fatal(err)
		}
		c.p = c.mustRegister("").Status.Policy
		c.mustSeal("sharepoint", "site")
		w.work()
		c.shutOut()
		r, err := w.service.RequestPurge(t.Context(), c.admin, policy.SharePoint, c.p.ID, leaving)
		if err != nil {
			t.Fatal(err)
		}
		beside.do = func() {
			_, err := w.service.Register(t.Context(), c.admin, "eur", pinned(1, c.spare))
			wantFault(t, "a policy beside the purge", err, fault.Conflict, policy.ReasonPurging)
		}
		c.mustApprove(r)
		w.wait(purgeWait + time.Minute)
		w.work()
		if got := c.outcome(r); got.State != request.Done {
			t.Fatalf("the purge is %s: %s", got.State, got.Outcome)
		}
		if f := w.facts(c.id, c.p.AvailabilityKey); beside.do != nil || f.Destroyed.IsZero() {
			t.Error("the availability key of what was purged lives")
		}
		eur, err := w.service.Register(t.Context(), c.admin, "eur", pinned(1, c.spare))
		if err != nil {
			t.Fatal(err)
		}
		if f := w.facts(c.id, eur.Status.Policy.AvailabilityKey); !f.Destroyed.IsZero() {
			t.Error("the availability key of the new policy is that of the purged one")
		}
	})
}

// The same while the purge is about to be ordered, from when nothing comes under its keys any more;
// and of one that is given up nothing stays.
func TestCK259_NothingComesUnderAKeyThatGoes(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.SharePointAvailability = availability.PerTenant }, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustRegister("").Status.Policy
		state := func(of string) {
			t.Helper()
			err := w.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `UPDATE generations SET state = $1 WHERE policy_id = $2`, of, p.ID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		state("closed")
		_, err := w.service.Register(t.Context(), c.admin, "eur", pinned(1, c.spare))
		wantFault(t, "closed", err, fault.Conflict, policy.ReasonPurging)
		state("active")
		if _, err := w.service.Register(t.Context(), c.admin, "eur", pinned(1, c.spare)); err != nil {
			t.Error(err)
		}
	})
}

// A runner that stood still between its last look and the order has been overtaken meanwhile, by one
// that found a root working again and gave the policy back: it orders nothing any more.
func TestAPurgeThatWasOvertakenIsNotOrdered(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		r := c.mustAsk()
		c.mustApprove(r)
		overtaken := false
		w.log.tell(func(e audit.Entry) bool {
			if overtaken || e.Detail["from here on"] == "" {
				return false
			}
			overtaken = true
			err := w.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `UPDATE operations SET fence = fence + 1, due_at = $1 WHERE kind = 'purge' AND state = 'running'`, w.now().UnixMicro())
				return err
			})
			if err := errors.Join(err, store.NewPurge(w.db).Unmark(t.Context(), c.id, c.p.ID, r.ID, w.now())); err != nil {
				t.Error(err)
			}
			return false
		})
		w.wait(purgeWait + time.Minute)
		w.work()
		if !overtaken {
			t.Fatal("nothing was about to be ordered")
		}
		if got := c.outcome(r); got.State != request.Failed {
			t.Errorf("the request is %s: %s", got.State, got.Outcome)
		}
		if w.ledger.Policy(c.id, c.p.ID) || c.policyNow().State != policy.Active {
			t.Errorf("the policy is %s, in the ledger %v", c.policyNow().State, w.ledger.Policy(c.id, c.p.ID))
		}
		c.letIn()
		c.wantReadable("given back", true)
	})
}

// While a policy is about to be purged its keys stay where they are. Those of others, which are behind
// them in the same batch, do not wait for that.
func TestKeysOfOthersMoveBesideAPurge(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.leaver()
		for _, name := range []string{"Leaving", "Staying"} {
			if _, err := w.service.Refresh(t.Context(), c.admin, policy.Mailbox, name); err != nil {
				t.Fatal(err)
			}
		}
		settled := func(name string) bool {
			st, err := w.service.Status(t.Context(), c.admin, policy.Mailbox, name)
			return err == nil && st.Percent == 100 && st.Containers > 0
		}
		release := w.ledger.Block(c.id, c.p.ID)
		w.work()
		if settled("Leaving") || !settled("Staying") {
			t.Errorf("beside the purge: what leaves has moved %v, what stays %v", settled("Leaving"), settled("Staying"))
		}
		release()
		time.Sleep(time.Hour) // the pause before the next try
		w.work()
		if !settled("Leaving") {
			t.Error("afterwards what stays after all has not moved")
		}
		c.wantReadable("in the end", true)
	})
}
