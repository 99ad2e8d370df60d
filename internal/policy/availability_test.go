package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

func (c *tenant) mustLimit(identity string, perDay *int) {
	c.t.Helper()
	if err := c.service.SetAvailabilityLimit(c.t.Context(), c.admin, "", identity, perDay); err != nil {
		c.t.Fatal(err)
	}
}

// mustKey returns what is told of the availability key of a policy.
func (c *tenant) mustKey(identity string) policy.AvailabilityKey {
	c.t.Helper()
	keys := must(c.service.AvailabilityKeys(c.t.Context(), c.admin, "", identity))
	if len(keys) != 1 {
		c.t.Fatalf("%d keys", len(keys))
	}
	return keys[0]
}

// CK-74, CK-80, CK-320, CK-355: with both roots lost a new policy gets the content, for the service
// may use the availability key for that; each use is counted and told. A limit of none keeps even
// that from happening, until it is lifted.
func TestMoveAfterDenial(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		lost := c.mustCreate("Lost")
		c.mustAssign("Lost")
		c.mustSeal("documents", "default")
		w.vaults.deny(c.keys[0])
		w.vaults.deny(c.keys[1])
		time.Sleep(2 * time.Minute) // the lease
		if err := c.reopen(); !fault.Is(err, fault.Denied) {
			t.Fatalf("CK-49 a user reads: %v", err)
		}
		none := 0
		c.mustLimit("Lost", &none)
		c.keys = c.spare
		c.mustCreate("New")
		c.mustAssign("New")
		w.work()
		op := must(w.rows.NewestOperation(t.Context(), c.id, "converge"))
		if op.State == operation.Done || !strings.Contains(op.Error, "allows no use of the availability key") || !strings.Contains(op.Hint, "Set-CKAvailabilityKeyLimit") {
			t.Errorf("with a limit of none: %+v", op)
		}
		if k := c.mustKey("Lost"); k.Usage.Ever != 0 || k.Usage.PerDay == nil {
			t.Errorf("%+v", k.Usage)
		}

		c.mustLimit(lost.ID, nil)
		time.Sleep(10 * time.Minute) // the pause after so many failures
		w.work()
		if err := c.reopen(); err != nil {
			t.Fatalf("after the move: %v", err)
		}
		k := c.mustKey("Lost")
		if k.Usage.Ever == 0 || k.Usage.Today != k.Usage.Ever || k.Usage.DenialsToday != k.Usage.Ever || k.Usage.PerDay != nil {
			t.Errorf("%+v", k.Usage)
		}
		if st := c.mustStatus("Lost"); st.Availability.Usage != k.Usage || st.Availability.State != policy.KeyActive { // CK-163, CK-312
			t.Errorf("%+v", st.Availability)
		}
		uses := must(w.service.AvailabilityUses(t.Context(), c.admin, "", "Lost", "", 100))
		if int64(len(uses)) != k.Usage.Ever {
			t.Fatalf("%d uses told, %d counted", len(uses), k.Usage.Ever)
		}
		u := uses[0]
		if u.Initiator() != "system" || u.Cause != "both roots denied" || !u.AfterDenial || u.Generation != lost.Generation || u.Caller.Request == "" || u.Family != policy.MultiWorkload {
			t.Errorf("%+v", u)
		}
		if got := must(w.service.AvailabilityUses(t.Context(), c.admin, "", "Lost", uses[len(uses)-1].ID, 100)); len(got) != 0 {
			t.Errorf("%d behind the last", len(got))
		}
	})
}

// CK-8, CK-9, CK-24, CK-25, CK-31, CK-230, CK-245, CK-312: which key a new policy gets with its
// policy key, and what is told of it.
func TestNewPolicyHasItsKey(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		p, m := c.mustCreate("P"), c.mustMake(policy.Mailbox, "M")
		first := c.mustRegister("").Status.Policy
		other := c.mustRegister("eur").Status.Policy
		if p.AvailabilityKey == m.AvailabilityKey || first.AvailabilityKey != other.AvailabilityKey {
			t.Error("policies share a key, or do not, against their families")
		}
		if first.Generation == other.Generation { // CK-31
			t.Error("two policies for files have one intermediate key")
		}
		for _, p := range []policy.Policy{p, m, first, other} {
			g := must(w.rows.Generation(t.Context(), c.id, p.Generation))
			if g.AvailabilityKey != p.AvailabilityKey || len(g.AvailabilityWrapped) == 0 || len(g.Roots[0].Wrapped) == 0 || len(g.Roots[1].Wrapped) == 0 {
				t.Errorf("CK-8 the policy key of %s has not three wrapped copies", p.Name)
			}
		}
		keys := must(w.service.AvailabilityKeys(t.Context(), c.admin, "", ""))
		if len(keys) != 4 {
			t.Fatalf("%d keys are told of", len(keys))
		}
		for _, k := range keys {
			kind, algorithm := availability.PerPolicy, "AES-256"
			if k.Policy.Family == policy.SharePoint {
				kind, algorithm = availability.PerForest, "RSA-2048"
			}
			if k.State != policy.KeyActive || k.Facts.Kind != kind || k.Facts.Kind.Algorithm() != algorithm || k.Facts.Number != 1 || k.Roll != nil {
				t.Errorf("%s: %+v", k.Policy.Name, k)
			}
		}
		if k := c.mustGeo("").Status.Availability; k.State != policy.KeyActive || k.Facts.ID != first.AvailabilityKey { // CK-312
			t.Errorf("what is told of a geo: %+v", k)
		}
		if err := w.service.SetAvailabilityLimit(t.Context(), c.admin, policy.SharePoint, first.ID, nil); !fault.Is(err, fault.Invalid) { // CK-53, CK-71
			t.Errorf("a limit on what never happens: %v", err)
		}
	})
}

// Names are unique in a family only; whoever may see one family sees that one.
func TestPoliciesOfAnyFamily(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		p := c.mustCreate("Same")
		c.mustMake(policy.Mailbox, "Same")
		_, err := w.service.AvailabilityKeys(t.Context(), c.admin, "", "Same")
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Hint, p.ID) {
			t.Errorf("a name of two policies: %v, hint %q", err, fault.As(err).Hint)
		}
		if k := must(w.service.AvailabilityKeys(t.Context(), c.admin, policy.Mailbox, "Same")); k[0].Policy.Family != policy.Mailbox {
			t.Errorf("%+v", k)
		}
		compliance := c.admin
		compliance.Roles = []directory.Role{directory.ComplianceAdministrator}
		if k := must(w.service.AvailabilityKeys(t.Context(), compliance, "", "Same")); k[0].Policy.ID != p.ID {
			t.Errorf("%+v", k)
		}
		if k := must(w.service.AvailabilityKeys(t.Context(), compliance, "", "")); len(k) != 1 {
			t.Errorf("%d keys for who may see one family", len(k))
		}
		reader := c.admin
		reader.Roles = []directory.Role{directory.GlobalReader}
		if err := w.service.SetAvailabilityLimit(t.Context(), reader, "", p.ID, nil); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a reader sets a limit: %v", err)
		}
		for what, err := range map[string]error{
			"unknown":    second(w.service.AvailabilityKeys(t.Context(), c.admin, "", "None")),
			"a stranger": second(w.service.AvailabilityUses(t.Context(), w.tenant().admin, "", p.ID, "", 1)),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.log.refuse = func(e audit.Entry) bool { return e.Action == "availabilitykey.limit" }
		if err := w.service.SetAvailabilityLimit(t.Context(), c.admin, "", p.ID, new(int)); err == nil {
			t.Error("a limit was set without a record")
		}
		w.log.refuse = nil
		if k := must(w.service.AvailabilityKeys(t.Context(), c.admin, "", p.ID)); k[0].Usage.PerDay != nil {
			t.Error("the limit that was not recorded holds")
		}
	})
}
