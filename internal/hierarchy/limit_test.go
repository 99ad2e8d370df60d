package hierarchy

import (
	"context"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
)

// Beyond the tenant's limit work of the service fails as a user's does, with a reason of its own;
// the refusal is recorded, and what was held is let go (CK-50, CK-320).
func TestBeyondTheLimit(t *testing.T) {
	t.Parallel()
	for _, perDay := range []int{0, 3} {
		w := newWorld(t, nil)
		g := w.mustGeneration(policy, 1)
		w.fail(disabled, disabled)
		w.availability.set(availability.LimitReached(perDay))
		_, err := w.keys.Lease(context.Background(), system, tenant, g.ID)
		e := fault.As(err)
		if e.Code != fault.Denied || e.Reason != availability.ReasonLimit {
			t.Errorf("limit %d: %v, reason %q", perDay, err, e.Reason)
		}
		for _, want := range []string{"both root keys of the policy, contoso-east/root1 and contoso-west/root2, are disabled", "availability key"} {
			if !strings.Contains(e.Message, want) {
				t.Errorf("limit %d: %q does not say %q", perDay, e.Message, want)
			}
		}
		if !strings.Contains(e.Hint, "enable contoso-east/root1") || !strings.Contains(e.Hint, "Set-CKAvailabilityKeyLimit") {
			t.Errorf("limit %d: hint %q", perDay, e.Hint)
		}
		uses := w.entries("availability.use")
		if len(uses) != 2 || uses[1].Decision == audit.Allow || uses[1].Detail["reason"] != availability.ReasonLimit {
			t.Errorf("limit %d: recorded %+v", perDay, uses)
		}
	}
}

// CK-359, CK-360, CK-377: the record of a use has all that the tenant needs to tell whose work it
// was, and shares its request id with the attempts before it.
func TestRecordOfUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.fail(down, down)
	w.log = nil // that of making it
	w.mustLease(alice, g)
	e := w.entries("availability.use")[0]
	if e.Tenant != tenant || e.Object != policy || e.Decision != audit.Allow || e.Caller.ID != alice.ID || e.Caller.Kind != alice.Kind {
		t.Errorf("%+v", e)
	}
	for key, want := range map[string]string{ // CK-355, CK-357
		"RecordType": "69", "Operation": "Fallback to Availability Key", "PolicyId": policy, "ScopeKeyVersionId": g.ID, "RequestId": alice.Request,
	} {
		if e.Detail[key] != want {
			t.Errorf("%s is %q, want %q", key, e.Detail[key], want)
		}
	}
	for _, attempt := range w.entries("policykey.unwrap") {
		if attempt.Caller.Request != alice.Request {
			t.Errorf("an attempt has the request id %q", attempt.Caller.Request)
		}
	}
}

// CK-358: a policy key that the availability key has opened gives nobody more rights than one that a
// root has opened: strangers learn nothing.
func TestNoRightsByTheAvailabilityKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.fail(down, down)
	if l := w.mustLease(alice, g); l.By() != byAvailability {
		t.Fatalf("opened by %s", l.By())
	}
	mallory := alice
	mallory.Tenant = "8a7f7c54-0000-4000-8000-000000000002"
	_, err := w.keys.Lease(context.Background(), mallory, tenant, g.ID)
	wantCode(t, "another tenant's", err, fault.NotFound)
}

// CK-80, CK-356: the one use for files, a recovery that the customer ordered, is recorded and counted
// as every other is; it is not after a denial, so no limit stops it.
func TestRestoreIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	if _, err := w.keys.Restore(context.Background(), alice, g, g.refs()); err != nil {
		t.Fatal(err)
	}
	uses := w.entries("availability.use")
	if len(uses) != 1 || uses[0].Detail["Operation"] != "Recovery by Availability Key" || uses[0].Detail["RequestId"] != alice.Request {
		t.Errorf("recorded %+v", uses)
	}
	want := availability.Use{Tenant: tenant, Policy: policy, Generation: g.ID, Key: "availability-key", Cause: availability.Recovery}
	if len(w.availability.uses) != 1 || w.availability.uses[0] != want {
		t.Errorf("counted %+v", w.availability.uses)
	}
}
