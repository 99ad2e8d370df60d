package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// Who still names an availability key, in any tenant: policies, and generations that live.
func TestKeyUsers(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		needed := func(key string, want bool) {
			t.Helper()
			if got, err := s.KeyNeed(ctx, key); err != nil || got.Now != want {
				t.Errorf("key %q is needed: %+v, %v", key, got, err)
			}
		}
		needed("a", false)
		p := s.mustFound("t", "p", policy.Mailbox)
		s.mustFound("t", "q", policy.Mailbox)
		s.mustFound("u", "r", policy.SharePoint)
		needed("a", true)
		all, err := s.KeyTenants(ctx, "a", "", 10)
		if err != nil || !slices.Equal(all, []string{"t", "u"}) {
			t.Errorf("%v, %v", all, err)
		}
		if page, err := s.KeyTenants(ctx, "a", "t", 1); err != nil || !slices.Equal(page, []string{"u"}) {
			t.Errorf("%v, %v", page, err)
		}
		named, err := s.NamedKeys(ctx, policy.NamedKey{}, 10)
		if err != nil || !slices.Equal(named, []policy.NamedKey{{Key: "a", Tenant: "t"}, {Key: "a", Tenant: "u"}}) {
			t.Errorf("%v, %v", named, err)
		}
		if page, err := s.NamedKeys(ctx, named[0], 1); err != nil || !slices.Equal(page, named[1:]) {
			t.Errorf("%v, %v", page, err)
		}

		// The policy takes another key with its next generation; the older one still needs the first.
		k := s.mustAddKey(p, "c", "exchange")
		g := generation("t", "p", 2)
		g.AvailabilityKey = "b"
		p.AvailabilityKey, p.Generation, p.Number = "b", g.ID, 2
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &p, Generation: &g}))
		if got, err := s.Policy.Policy(ctx, "t", "p"); err != nil || got.AvailabilityKey != "b" {
			t.Errorf("%+v, %v", got, err)
		}
		needed("b", true)
		f := s.mustClaim("t")
		if destroyed, err := s.DestroyGeneration(ctx, "p.1", f); err != nil || destroyed {
			t.Errorf("a generation in use: %v, %v", destroyed, err)
		}
		moved := k
		moved.Generation = g.ID
		if _, err := s.Move(ctx, []policy.Move{{Key: moved, From: k}}, f); err != nil {
			t.Fatal(err)
		}
		if destroyed, err := s.DestroyGeneration(ctx, "p.1", f); err != nil || !destroyed {
			t.Errorf("%v, %v", destroyed, err)
		}
		needed("a", true) // of the other two
		if need, err := s.KeyNeed(ctx, "a"); err != nil || !need.Known || need.Last.IsZero() {
			t.Errorf("a generation under it was destroyed: %+v, %v", need, err)
		}
		if need, err := s.KeyNeed(ctx, "b"); err != nil || !need.Known || !need.Last.IsZero() {
			t.Errorf("none was: %+v, %v", need, err)
		}
		if need, err := s.KeyNeed(ctx, "z"); err != nil || need.Known || need.Now {
			t.Errorf("a key that nobody has heard of: %+v, %v", need, err)
		}
	})
}

// An operation begins unless one of its kind is open, or has failed a moment ago.
func TestBegin(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		begin := func(what string, quiet time.Time, want bool) {
			t.Helper()
			got, err := s.Begin(ctx, mustOperation(t, "t", "roll", someTime), quiet)
			if err != nil || got != want {
				t.Errorf("%s: %v, %v", what, got, err)
			}
		}
		settle := func(state operation.State) {
			t.Helper()
			op, ok, err := s.ops.Claim(ctx, operation.Claim{Owner: "o", Kinds: []string{"roll"}, Now: someTime, Until: someTime.Add(time.Hour)})
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			s.must(s.ops.Settle(ctx, operation.Outcome{Tenant: "t", ID: op.ID, Number: op.Fence, State: state, Due: someTime, At: someTime}))
		}
		if op, err := s.NewestOperation(ctx, "t", "roll"); err != nil || op != nil {
			t.Errorf("%+v, %v", op, err)
		}
		begin("the first", someTime.Add(-time.Hour), true)
		begin("while one waits", time.Time{}, false)
		settle(operation.Failed)
		begin("a moment after one has failed", someTime.Add(-time.Hour), false)
		begin("an hour after", someTime, true)
		settle(operation.Failed)
		begin("asked for", time.Time{}, true)
		settle(operation.Done)
		begin("after one was done", someTime.Add(-time.Hour), true)
		if op, err := s.NewestOperation(ctx, "t", "roll"); err != nil || op == nil || op.State != operation.Waiting {
			t.Errorf("%+v, %v", op, err)
		}
		if op, err := s.NewestOperation(ctx, "u", "roll"); err != nil || op != nil {
			t.Errorf("another tenant's: %+v, %v", op, err)
		}
	})
}
