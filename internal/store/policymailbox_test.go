package store_test

import (
	"fmt"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// Replacing both roots writes them (CK-113); the number of enabled policies is kept in the
// transaction (CK-175); nothing comes under a disabled policy (CK-174); many containers change
// their policy together (CK-254).
func TestPolicyMailboxes(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p, q := s.mustFound("t", "P", policy.Mailbox), s.mustFound("t", "Q", policy.Mailbox)
		other := s.mustFound("u", "P", policy.Mailbox)
		s.mustFound("t", "P2", policy.MultiWorkload)
		p.Roots[0], p.Roots[1] = ref("north"), ref("south")
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &p}))
		p.Revision++
		if got, err := s.Policy.Policy(ctx, "t", "P"); err != nil || got != p {
			t.Errorf("with other roots: %+v, %v", got, err)
		}

		q.Enabled = false
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &q}))
		q.Revision++
		q.Enabled = true
		err := s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &q, MostActive: 1})
		if fault.As(err).Reason != policy.ReasonTooMany {
			t.Errorf("a second enabled one of 1: %v", err)
		}
		if got, err := s.Policy.Policy(ctx, "t", "Q"); err != nil || got.Enabled {
			t.Errorf("it was enabled all the same: %v", err)
		}

		own := func(container, id string) error {
			return s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: container, Policy: id}})
		}
		if err := own("c0", "Q"); fault.As(err).Reason != policy.ReasonDisabled {
			t.Errorf("under a disabled policy: %v", err)
		}
		if err := own("c0", "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("under none: %v", err)
		}
		for i := range 5 {
			s.must(own(fmt.Sprint("c", i), "P"))
		}
		s.must(s.Apply(ctx, policy.Edit{Tenant: "u", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: "c0", Policy: other.ID}}))
		move := func(to string) error {
			return s.Apply(ctx, policy.Edit{Tenant: "t", Reassignment: &policy.Reassignment{From: "P", To: to}})
		}
		if err := move("Q"); fault.As(err).Reason != policy.ReasonDisabled {
			t.Errorf("moving to a disabled policy: %v", err)
		}
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &q, MostActive: 2}))
		s.must(move("Q"))
		for id, want := range map[string]int64{"P": 0, "Q": 5} {
			if n, err := s.CountOwn(ctx, "t", id); err != nil || n != want {
				t.Errorf("%d containers have %s, want %d, %v", n, id, want, err)
			}
		}
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Reassignment: &policy.Reassignment{From: "Q"}}))
		if n, err := s.CountOwn(ctx, "t", "Q"); err != nil || n != 0 {
			t.Errorf("%d have Q still, %v", n, err)
		}
		if n, err := s.CountOwn(ctx, "u", "P"); err != nil || n != 1 {
			t.Errorf("another tenant's: %d, %v", n, err)
		}
	})
}
