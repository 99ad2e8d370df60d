package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// CK-144: a percentage that was kept of a generation only goes up.
func TestProgressOfGenerations(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		for _, step := range []struct{ raised, want int }{{0, 0}, {40, 40}, {39, 40}, {100, 100}, {99, 100}} {
			s.must(s.RaiseProgress(t.Context(), "t", "g", step.raised))
			if got, err := s.Progress(t.Context(), "t", "g"); err != nil || got != step.want {
				t.Errorf("after %d: %d, %v", step.raised, got, err)
			}
		}
		for _, other := range [][2]string{{"t", "h"}, {"u", "g"}} {
			if got, err := s.Progress(t.Context(), other[0], other[1]); err != nil || got != 0 {
				t.Errorf("of %v: %d, %v", other, got, err)
			}
		}
	})
}

// CK-76, CK-78: a restore puts other roots in place of those of every generation that lives, and
// ends the recovery, in one edit; a generation that was destroyed stays empty.
func TestRestoredGenerations(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p := s.mustRefresh(s.mustFound("t", "files", policy.SharePoint))
		recovery := hierarchy.Recovery{
			Tenant: "t", Policy: p.ID, Request: "r", RootsOnly: true, Started: someTime, Until: someTime.Add(time.Hour), Span: time.Hour, Seen: someTime,
		}
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &p, Recovery: &recovery}))
		p.Revision++
		if got, err := s.Policy.Policy(ctx, "t", p.ID); err != nil || got != p {
			t.Errorf("in recovery %+v, want %+v, %v", got, p, err)
		}
		wantRecovery := func() {
			t.Helper()
			if got, err := store.NewRecovery(s.db).Recovery(ctx, "t", p.ID); err != nil || got != recovery {
				t.Errorf("the recovery is %+v, want %+v, %v", got, recovery, err)
			}
		}
		wantRecovery()
		recovery.Ended, recovery.Why = someTime.Add(time.Minute), "restored"
		gone := p
		gone.Roots = [2]hierarchy.RootRef{ref("north"), ref("south")}
		first, second := generation("t", "files", 1), generation("t", "files", 2)
		first.State = hierarchy.Draining
		for _, g := range []*hierarchy.Generation{&first, &second} {
			for i, side := range []string{"north", "south"} {
				g.Roots[i] = hierarchy.RootCopy{Ref: ref(side), KeyID: "https://" + side + "/1", Alg: hierarchy.Alg, Wrapped: []byte("new " + side)}
			}
		}
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &gone, Recovery: &recovery, Restored: []hierarchy.Generation{first, second}}))
		wantRecovery()
		gone.Revision++
		if got, err := s.Policy.Policy(ctx, "t", p.ID); err != nil || got != gone {
			t.Errorf("restored %+v, want %+v, %v", got, gone, err)
		}
		for _, want := range []hierarchy.Generation{first, second} {
			if got, err := s.keys.Generation(ctx, "t", want.ID); err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("generation %d: %v\n%s", want.Number, err, cmp.Diff(want, got))
			}
		}
		s.must(s.db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
			_, err := store.DestroyGeneration(ctx, q, "t", first.ID, someTime)
			return err
		}))
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Restored: []hierarchy.Generation{first}}))
		if got, err := s.keys.Generation(ctx, "t", first.ID); err != nil || got.State != hierarchy.Destroyed || len(got.Roots[0].Wrapped) > 0 {
			t.Errorf("a destroyed generation came back: %+v, %v", got, err)
		}
	})
}
