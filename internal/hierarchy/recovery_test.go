package hierarchy

import (
	"context"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A recovery that goes on, as two people have approved it.
type ongoing struct{ r Recovery }

func (o *ongoing) Recovery(context.Context, string, string) (Recovery, error) { return o.r, nil }

// begin has a recovery begin now.
func (o *ongoing) begin() {
	now := time.Now()
	o.r = Recovery{Tenant: tenant, Policy: policy, Request: "r", Started: now, Until: now.Add(time.Hour), Span: time.Hour, Seen: now}
}

// CK-74, CK-320: while a recovery goes on the service's own work uses the availability key by the
// same approval: moving content to new roots is what it was approved for, so the tenant's limit on
// uses after a denial does not stop it.
func TestARecoveryIsNotLimited(t *testing.T) {
	t.Parallel()
	for _, caller := range []directory.Caller{system, alice} {
		var going ongoing
		w := newWorld(t, func(c *Config) { c.Recoveries = &going })
		g := w.mustGeneration(policy, 1)
		w.fail(disabled, disabled)
		going.begin()
		w.mustLease(caller, g)
		if uses := w.availability.uses; len(uses) != 1 || uses[0].AfterDenial || uses[0].Cause != availability.Recovery {
			t.Errorf("for the %s: %+v", caller.Kind, uses)
		}
		w.mustLease(alice, g)
	}
}

// CK-49, CK-74: a recovery opens what lay under the roots that were lost. Who denies the roots of a
// generation that was made since is obeyed.
func TestARecoveryIsOfTheLostRoots(t *testing.T) {
	t.Parallel()
	var going ongoing
	w := newWorld(t, func(c *Config) { c.Recoveries = &going })
	lost := w.mustGeneration(policy, 1)
	going.begin()
	time.Sleep(2 * time.Millisecond) // stored to the microsecond
	since := w.mustGeneration(policy, 2)
	w.fail(disabled, disabled)
	w.mustLease(alice, lost)
	_, err := w.keys.Lease(t.Context(), alice, tenant, since.ID)
	wantCode(t, "under roots that were denied since", err, fault.Denied)
	if _, err := w.keys.Lease(t.Context(), system, tenant, since.ID); err != nil {
		t.Errorf("CK-50: the service's own work: %v", err)
	}
	if uses := w.availability.uses; len(uses) != 2 || !uses[1].AfterDenial {
		t.Errorf("that counts against the tenant's limit: %+v", uses)
	}
	going.begin() // those are lost as well
	w.keys.Drop(tenant, since.ID)
	w.mustLease(alice, since)
}
