package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// What lies under keys is counted by their places, also as it would be after an edit; another
// tenant's is not seen.
func TestHeld(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		rows := func(query string, args ...any) {
			t.Helper()
			s.must(s.db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, query, args...)
				return err
			}))
		}
		for i, at := range []struct{ tenant, container, owner, workload, generation string }{
			{"t", "c1", "alice", "exchange", "g1"}, {"t", "c2", "alice", "documents", "g1"}, {"t", "c3", "bob", "exchange", "g2"}, {"u", "c1", "eve", "exchange", "g1"},
		} {
			rows(`INSERT INTO containers (tenant_id, workload, name, container_id, owner_id, created_at, secret_version) VALUES ($1, $2, $3, $4, $5, 0, 0)`, at.tenant, at.workload, at.container, at.container, at.owner)
			rows(`INSERT INTO container_keys (tenant_id, container_id, version, workload, policy_id, generation_id, wrapped, created_at) VALUES ($1, $2, 1, $3, 'P', $4, $5, 0)`, at.tenant, at.container, at.workload, at.generation, []byte{})
			for n := range i + 1 {
				rows(`INSERT INTO items (tenant_id, container_id, item_id, version, blob_id, key_version, item_key, metadata, size, created_at, modified_at) VALUES ($1, $2, $3, 'v', $4, 1, $5, $5, 10, 0, 0)`,
					at.tenant, at.container, fmt.Sprint(n), at.container+fmt.Sprint(n), []byte{})
			}
		}
		rows(`INSERT INTO container_keys (tenant_id, container_id, version, workload, policy_id, generation_id, wrapped, created_at) VALUES ('t', 'c1', 2, 'exchange', 'P', 'g2', $1, 0)`, []byte{})
		rows(`INSERT INTO container_assignments (tenant_id, container_id, policy_id) VALUES ('t', 'c3', 'O')`)

		under := func(workload, own, generation string) policy.Usage {
			return policy.Usage{Workload: workload, Own: own, Policy: "P", Generation: generation}
		}
		for name, tt := range map[string]struct {
			but     policy.Edit
			c1, own string // own policies of c1 and c3
		}{
			"as it is":              {own: "O"},
			"one mailbox assigned":  {policy.Edit{Assignment: &policy.Assignment{Container: "c1", Policy: "N"}}, "N", "O"},
			"one mailbox freed":     {policy.Edit{Assignment: &policy.Assignment{Container: "c3"}}, "", ""},
			"all mailboxes moved":   {policy.Edit{Reassignment: &policy.Reassignment{From: "O", To: "N"}}, "", "N"},
			"the tenant's assigned": {policy.Edit{Assignment: &policy.Assignment{Family: policy.MultiWorkload, Policy: "N"}}, "", "O"},
		} {
			h, err := s.Held(ctx, "t", tt.but)
			s.must(err)
			first, second, third, fourth := under("exchange", tt.c1, "g1"), under("exchange", tt.c1, "g2"), under("documents", "", "g1"), under("exchange", tt.own, "g2")
			items := map[policy.Usage][2]int64{first: {1, 10}, third: {2, 20}, fourth: {3, 30}}
			got := map[policy.Usage][2]int64{}
			for _, i := range h.Items {
				got[i.Under] = [2]int64{i.Items, i.Bytes}
			}
			if diff := cmp.Diff(items, got); diff != "" {
				t.Errorf("%s: items (-want +got):\n%s", name, diff)
			}
			if diff := cmp.Diff(map[string]int64{key(first, second): 1, key(third): 1, key(fourth): 1}, by(h.Containers)); diff != "" {
				t.Errorf("%s: containers (-want +got):\n%s", name, diff)
			}
			if diff := cmp.Diff(map[string]int64{key(first, second, third): 1, key(fourth): 1}, by(h.People)); diff != "" {
				t.Errorf("%s: people (-want +got):\n%s", name, diff)
			}
		}
	})
}

// key names places whatever their order.
func key(places ...policy.Usage) string {
	sum := map[policy.Usage]bool{}
	for _, p := range places {
		sum[p] = true
	}
	return fmt.Sprint(sum) // fmt sorts the keys of maps
}

func by(all []policy.HeldBy) map[string]int64 {
	n := map[string]int64{}
	for _, h := range all {
		n[key(h.Under...)] += h.Number
	}
	return n
}

// Foresee fails as Apply does, sees what edits would leave behind, and leaves nothing.
func TestForesee(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p := s.mustFound("t", "P", policy.MultiWorkload)
		before, err := s.Prospect(ctx, "t")
		s.must(err)
		assign := policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.MultiWorkload, Policy: "P"}}
		after, err := s.Foresee(ctx, "t", []policy.Edit{assign})
		if err != nil || len(after.InForce) != len(before.InForce)+1 {
			t.Errorf("%+v, %v", after.InForce, err)
		}
		p.Enabled = false
		if _, err := s.Foresee(ctx, "t", []policy.Edit{{Tenant: "t", Policy: &p}, assign}); fault.As(err).Reason != policy.ReasonDisabled {
			t.Errorf("assigning what was disabled before: %v", err)
		}
		again, err := s.Prospect(ctx, "t")
		s.must(err)
		if diff := cmp.Diff(before, again); diff != "" {
			t.Errorf("it left a trace:\n%s", diff)
		}
	})
}
