package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// policies is a database with the helpers that its tests need.
type policies struct {
	*store.Policy
	t    *testing.T
	db   *store.DB
	keys *store.Hierarchy
	ops  *store.Operation
}

func eachPolicies(t *testing.T, fn func(t *testing.T, s policies)) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		fn(t, policies{store.NewPolicy(db), t, db, store.NewHierarchy(db), store.NewOperation(db)})
	})
}

var someTime = time.UnixMicro(1_700_000_000_000_000).UTC()

func ref(side string) hierarchy.RootRef {
	return hierarchy.RootRef{Tenant: "t", App: "app", URI: "https://" + side}
}

// generation returns the n-th generation of a policy, "<policy>.<n>".
func generation(tenant, id string, n int) hierarchy.Generation {
	root := func(side string) hierarchy.RootCopy {
		return hierarchy.RootCopy{Ref: ref(side), KeyID: fmt.Sprintf("https://%s/%d", side, n), Alg: hierarchy.Alg, Wrapped: []byte(side)}
	}
	return hierarchy.Generation{
		Tenant: tenant, ID: fmt.Sprintf("%s.%d", id, n), Policy: id, Number: n, State: hierarchy.Active,
		Roots: [2]hierarchy.RootCopy{root("east"), root("west")}, AvailabilityKey: "a", AvailabilityWrapped: []byte("w"), Commitment: []byte("c"),
		Created: someTime,
	}
}

// mustFound stores a policy whose id is its name, with its first generation.
func (s policies) mustFound(tenant, name string, f policy.Family) policy.Policy {
	s.t.Helper()
	p := policy.Policy{
		Tenant: tenant, ID: name, Family: f, Name: name, Description: "d", Enabled: true, State: policy.PendingActivation,
		Roots: [2]hierarchy.RootRef{ref("east"), ref("west")}, AvailabilityKey: "a", Generation: name + ".1", Number: 1,
		Created: someTime, Updated: someTime,
	}
	g := generation(tenant, name, 1)
	s.must(s.Apply(s.t.Context(), policy.Edit{Tenant: tenant, Policy: &p, Generation: &g}))
	p.Revision = 1
	return p
}

// mustRefresh gives a policy its next generation.
func (s policies) mustRefresh(p policy.Policy) policy.Policy {
	s.t.Helper()
	g := generation(p.Tenant, p.ID, p.Number+1)
	p.Generation, p.Number = g.ID, g.Number
	s.must(s.Apply(s.t.Context(), policy.Edit{Tenant: p.Tenant, Policy: &p, Generation: &g}))
	p.Revision++
	return p
}

func (s policies) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s policies) mustAssign(tenant string, f policy.Family, id string) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), policy.Edit{Tenant: tenant, Assignment: &policy.Assignment{Family: f, Policy: id}}))
}

func (s policies) mustAddKey(p policy.Policy, container, workload string) hierarchy.ContainerKey {
	s.t.Helper()
	k := hierarchy.ContainerKey{
		Tenant: p.Tenant, Container: container, Version: 1, Workload: workload, Policy: p.ID, Generation: p.Generation,
		Wrapped: []byte("k"), Created: someTime,
	}
	s.must(s.keys.AddContainerKey(s.t.Context(), k))
	return k
}

// mustClaim starts an operation of the tenant and claims it.
func (s policies) mustClaim(tenant string) operation.Fence {
	s.t.Helper()
	op := mustOperation(s.t, tenant, "converge", someTime)
	s.must(s.ops.Add(s.t.Context(), op))
	op, ok, err := s.ops.Claim(s.t.Context(), operation.Claim{Owner: "o", Kinds: []string{"converge"}, Now: someTime, Until: someTime.Add(time.Hour)})
	if err != nil || !ok {
		s.t.Fatal(ok, err)
	}
	return operation.Fence{Tenant: op.Tenant, ID: op.ID, Number: op.Fence, Checkpoint: "c", Done: 1, Total: 2, At: someTime}
}

func TestPolicyRoundTrip(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p := s.mustFound("t", "Größe", policy.MultiWorkload)
		for how, get := range map[string]func() (policy.Policy, error){
			"by id":   func() (policy.Policy, error) { return s.Policy.Policy(ctx, "t", p.ID) },
			"by name": func() (policy.Policy, error) { return s.PolicyNamed(ctx, "t", p.Family, policy.FoldName("grÖßE")) },
		} {
			if got, err := get(); err != nil || got != p {
				t.Errorf("%s: %v\n%s", how, err, cmp.Diff(p, got))
			}
		}
		p.Name, p.Description, p.Enabled, p.State, p.Updated = "N", "", false, policy.Active, someTime.Add(time.Second)
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Policy: &p}))
		p.Revision++
		if got, err := s.Policy.Policy(ctx, "t", p.ID); err != nil || got != p {
			t.Errorf("changed: %v\n%s", err, cmp.Diff(p, got))
		}
		if _, err := s.Policy.Policy(ctx, "other", p.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if _, err := s.PolicyNamed(ctx, "t", policy.ServiceOwned, policy.FoldName("N")); !fault.Is(err, fault.NotFound) {
			t.Errorf("in another family: %v", err)
		}
	})
}

func TestPolicyConflicts(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p, q := s.mustFound("t", "P", policy.MultiWorkload), s.mustFound("t", "Q", policy.MultiWorkload)
		s.mustFound("t", "p", policy.ServiceOwned) // names are unique in a family
		s.mustFound("u", "P", policy.MultiWorkload)
		refused := func(what, reason string, e policy.Edit) {
			t.Helper()
			err := s.Apply(ctx, e)
			if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != reason {
				t.Errorf("%s: %v (%s), want a conflict %s", what, err, fault.As(err).Reason, reason)
			}
		}
		twin := p
		twin.ID, twin.Revision = "R", 0
		refused("the name of another one", policy.ReasonNameTaken, policy.Edit{Tenant: "t", Policy: &twin})
		renamed := q
		renamed.Name = "p"
		refused("renaming to another one's", policy.ReasonNameTaken, policy.Edit{Tenant: "t", Policy: &renamed})
		old := p
		old.Revision = 7
		g := generation("t", "P", 2)
		op := mustOperation(t, "t", "converge", someTime)
		refused("another revision", policy.ReasonChanged, policy.Edit{Tenant: "t", Policy: &old, Generation: &g,
			Assignment: &policy.Assignment{Family: p.Family, Policy: p.ID}, Operation: &op})
		again := generation("t", "P", 1)
		again.ID = "another"
		refused("the number of another generation", "", policy.Edit{Tenant: "t", Policy: &p, Generation: &again})

		pic, err := s.Picture(ctx, "t", "P", "converge")
		want := policy.Picture{Policy: p, Generations: []hierarchy.Generation{generation("t", "P", 1)},
			Live:    []hierarchy.Generation{generation("t", "P", 1), generation("t", "Q", 1), generation("t", "p", 1)},
			Current: map[string]string{"P": "P.1", "Q": "Q.1", "p": "p.1"}, InForce: []policy.Standing{}, Usage: []policy.Usage{}}
		if diff := cmp.Diff(want, pic); err != nil || diff != "" {
			t.Errorf("after the refusals: %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestPolicyAssignmentsAndInForce(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		own, p := s.mustFound("t", "own", policy.ServiceOwned), s.mustFound("t", "P", policy.MultiWorkload)
		s.mustFound("u", "own", policy.ServiceOwned)
		s.mustAssign("t", own.Family, own.ID)
		s.mustAssign("t", p.Family, p.ID)
		s.mustAssign("t", p.Family, p.ID)
		p = s.mustRefresh(p)
		want := []policy.Standing{
			{Family: policy.MultiWorkload, Policy: "P", Generation: "P.2"}, {Family: policy.ServiceOwned, Policy: "own", Generation: "own.1"},
		}
		if got, err := s.InForce(ctx, "t"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("in force %+v, %v", got, err)
		}
		s.mustAssign("t", p.Family, "")
		if got, err := s.InForce(ctx, "t"); err != nil || !cmp.Equal(got, want[1:]) {
			t.Errorf("after unassigning %+v, %v", got, err)
		}
		if got, err := s.InForce(ctx, "u"); err != nil || len(got) != 0 {
			t.Errorf("of another tenant %+v, %v", got, err)
		}
		all, err := s.Policies(ctx, "t", policy.MultiWorkload, 10)
		if err != nil || len(all) != 1 || all[0] != p {
			t.Errorf("listed %+v, %v", all, err)
		}
	})
}

// Files go by geo, mailboxes each for itself.
func TestPolicyAssignmentsByGeoAndContainer(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		nam, eur, box := s.mustFound("t", "NAM", policy.SharePoint), s.mustFound("t", "EUR", policy.SharePoint), s.mustFound("t", "box", policy.Mailbox)
		put := func(a policy.Assignment) { s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &a})) }
		for _, p := range []policy.Policy{nam, eur, nam} {
			put(policy.Assignment{Family: p.Family, Geo: p.Name, Policy: p.ID})
		}
		want := []policy.Standing{
			{Family: policy.SharePoint, Geo: "EUR", Policy: "EUR", Generation: "EUR.1"}, {Family: policy.SharePoint, Geo: "NAM", Policy: "NAM", Generation: "NAM.1"},
		}
		if got, err := s.InForce(ctx, "t"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("in force %+v, %v", got, err)
		}
		put(policy.Assignment{Family: policy.SharePoint, Geo: "EUR"})
		if got, err := s.InForce(ctx, "t"); err != nil || !cmp.Equal(got, want[1:]) {
			t.Errorf("after one geo was taken off %+v, %v", got, err)
		}

		for _, container := range []string{"a", "b", "d"} {
			put(policy.Assignment{Container: container, Policy: box.ID})
		}
		s.mustAddKey(nam, "b", "exchange")
		own := policy.Standing{Family: policy.Mailbox, Policy: "box", Generation: "box.1"}
		if got, err := s.Own(ctx, "t", "b"); err != nil || got != own {
			t.Errorf("own %+v, %v", got, err)
		}
		if got, err := s.Owns(ctx, "t", "b", "c"); err != nil || !cmp.Equal(got, map[string]string{"b": "box"}) {
			t.Errorf("in a range %v, %v", got, err)
		}
		usage := []policy.Usage{{Workload: "exchange", Own: "box", Policy: "NAM", Generation: "NAM.1", Keys: 1}}
		if got, err := s.Usage(ctx, "t"); err != nil || !cmp.Equal(got, usage) {
			t.Errorf("usage %+v, %v", got, err)
		}
		if pic, err := s.Picture(ctx, "t", "box", "converge"); err != nil || pic.Owned != 3 {
			t.Errorf("owned %d, %v", pic.Owned, err)
		}
		put(policy.Assignment{Container: "b"})
		if got, err := s.Own(ctx, "t", "b"); err != nil || got != (policy.Standing{}) {
			t.Errorf("taken off: %+v, %v", got, err)
		}
		if got, err := s.Own(ctx, "u", "a"); err != nil || got != (policy.Standing{}) {
			t.Errorf("of another tenant: %+v, %v", got, err)
		}
	})
}

// A batch and its checkpoint are one transaction: keys that others took are left, and an
// outdated fence undoes all of it.
func TestPolicyMove(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p, q := s.mustFound("t", "P", policy.MultiWorkload), s.mustFound("t", "Q", policy.MultiWorkload)
		a, b, d := s.mustAddKey(p, "a", "exchange"), s.mustAddKey(p, "b", "exchange"), s.mustAddKey(p, "d", "teams")
		f := s.mustClaim("t")
		move := func(k hierarchy.ContainerKey, to policy.Policy) policy.Move {
			from := k
			k.Policy, k.Generation, k.Wrapped = to.ID, to.Generation, []byte("moved")
			return policy.Move{Key: k, From: from}
		}
		stale := f
		stale.Number, stale.Checkpoint = 0, "bad"
		if _, err := s.Move(ctx, []policy.Move{move(a, q)}, stale); !operation.IsStale(err) {
			t.Errorf("an outdated fence: %v", err)
		}
		taken := move(b, q).Key
		s.must(s.keys.MoveContainerKey(ctx, taken, b.Generation)) // by somebody else, meanwhile
		gone := q
		gone.Generation = "Q.0"
		left, err := s.Move(ctx, []policy.Move{move(a, q), move(b, q), move(d, gone)}, f)
		if err != nil || left != 2 {
			t.Errorf("%d left, %v", left, err)
		}
		keys, err := s.ContainerKeys(ctx, "t", policy.Place{}, 10)
		if want := []hierarchy.ContainerKey{move(a, q).Key, taken, d}; err != nil || !cmp.Equal(want, keys) {
			t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, keys))
		}
		if op, err := s.ops.Get(ctx, "t", f.ID); err != nil || op.Checkpoint != "c" || op.Done != 1 || op.Total != 2 {
			t.Errorf("the operation: %+v, %v", op, err)
		}
		want := []policy.Usage{
			{Workload: "exchange", Policy: "Q", Generation: "Q.1", Keys: 2}, {Workload: "teams", Policy: "P", Generation: "P.1", Keys: 1},
		}
		if got, err := s.Usage(ctx, "t"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("usage %+v, %v", got, err)
		}
	})
}

func TestPolicyDestroyGeneration(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p := s.mustFound("t", "P", policy.MultiWorkload)
		s.mustAddKey(p, "a", "exchange")
		f := s.mustClaim("t")
		destroy := func(id string, f operation.Fence) bool {
			t.Helper()
			destroyed, err := s.DestroyGeneration(ctx, id, f)
			s.must(err)
			return destroyed
		}
		if destroy("P.1", f) {
			t.Error("an active generation was destroyed")
		}
		p = s.mustRefresh(p)
		if destroy("P.1", f) {
			t.Error("a generation with a key under it was destroyed")
		}
		p = s.mustRefresh(p)
		stale := f
		stale.Number = 0
		if _, err := s.DestroyGeneration(ctx, "P.2", stale); !operation.IsStale(err) {
			t.Errorf("an outdated fence: %v", err)
		}
		if live, err := s.LiveGenerations(ctx, "t"); err != nil || len(live) != 3 {
			t.Errorf("%d live generations, %v", len(live), err)
		}
		if !destroy("P.2", f) || destroy("P.2", f) {
			t.Error("a drained generation must be destroyed, once")
		}
		live, err := s.LiveGenerations(ctx, "t")
		if err != nil || len(live) != 2 || live[0].ID != "P.1" || live[1].ID != p.Generation {
			t.Errorf("live %+v, %v", live, err)
		}
	})
}

// Of many who change the same revision at once, one wins.
func TestPolicyOneChangeWins(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		p := s.mustFound("t", "P", policy.MultiWorkload)
		var all sync.WaitGroup
		outcomes := make([]error, 8)
		for i := range outcomes {
			all.Go(func() {
				mine, g := p, generation("t", "P", 2)
				g.ID = fmt.Sprint("g", i)
				mine.Generation, mine.Number = g.ID, 2
				op, err := operation.Fresh("t", "converge", "P", someTime)
				if err == nil {
					err = s.Apply(context.WithoutCancel(t.Context()), policy.Edit{Tenant: "t", Policy: &mine, Generation: &g, Operation: &op})
				}
				outcomes[i] = err
			})
		}
		all.Wait()
		won := 0
		for _, err := range outcomes {
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("%v, want a conflict", err)
			}
		}
		pic, err := s.Picture(t.Context(), "t", "P", "converge")
		if err != nil || won != 1 || len(pic.Generations) != 2 || pic.Policy.Generation != pic.Generations[1].ID || pic.Operation == nil {
			t.Errorf("%d won: %+v, %v", won, pic, err)
		}
	})
}

// Changes that come while an operation is open call it once more; it is not done before its
// runner has heard of them.
func TestPolicyCallsOpenOperation(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		apply := func(tenant, kind string) {
			op := mustOperation(t, tenant, kind, someTime)
			s.must(s.Apply(ctx, policy.Edit{Tenant: tenant, Operation: &op}))
		}
		claim := func() operation.Operation {
			op, ok, err := s.ops.Claim(ctx, operation.Claim{Owner: "o", Kinds: []string{"converge"}, Now: someTime, Until: someTime.Add(time.Hour)})
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			return op
		}
		settle := func(op operation.Operation) operation.State {
			s.must(s.ops.Settle(ctx, operation.Outcome{Tenant: op.Tenant, ID: op.ID, Number: op.Fence, Calls: op.Calls, State: operation.Done, Due: someTime, At: someTime}))
			after, err := s.ops.Get(ctx, op.Tenant, op.ID)
			s.must(err)
			return after.State
		}
		apply("t", "converge")
		apply("t", "converge")
		apply("t", "another")
		op := claim()
		apply("t", "converge")
		if got := settle(op); got != operation.Waiting {
			t.Errorf("called again while it ran: %s, want waiting", got)
		}
		op = claim()
		if got := settle(op); got != operation.Done {
			t.Errorf("not called again: %s, want done", got)
		}
		apply("t", "converge")
		apply("u", "converge")
		for tenant, want := range map[string]int{"t": 3, "u": 1} {
			if ops, err := s.ops.List(ctx, tenant, "", 10); err != nil || len(ops) != want {
				t.Errorf("%s has %d operations, want %d, %v", tenant, len(ops), want, err)
			}
		}
	})
}
