package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// A purge in the rows, on both engines: what it lists, closes, destroys, and what it leaves alone
// (CK-253 to CK-257). Nothing is written under a key that was purged, and the counts stay exact.
func TestPurge(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		rows, items := store.NewPurge(s.db), store.NewWorkload(s.db)
		p, q := s.mustFound("t", "P", policy.Mailbox), s.mustFound("t", "Q", policy.Mailbox)
		s.mustFound("t", "S", policy.ServiceOwned)
		other := s.mustFound("u", "P", policy.Mailbox)
		for i, of := range []policy.Policy{p, p, q, other} {
			name := fmt.Sprint("c", i)
			s.mustAddKey(of, name, "exchange")
			s.must(items.AddContainer(ctx, workload.Container{Tenant: of.Tenant, Workload: "exchange", Name: "mail " + name, ID: name, Owner: "o", Created: someTime}))
			for n := range 3 {
				row := itemRow(fmt.Sprint("item", n))
				row.Tenant, row.Container, row.KeyVersion, row.Size = of.Tenant, name, 1, 10
				mustPutItem(t, items, row)
			}
		}
		for _, c := range []string{"c1", "empty"} {
			s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: c, Policy: "P"}}))
		}

		keys, err := rows.Keys(ctx, "t", "P", policy.Place{}, 1)
		if diff := cmp.Diff([]policy.PurgeKey{{Container: "c0", Version: 1, Oldest: true}}, keys); err != nil || diff != "" {
			t.Errorf("the first page of keys: %v %s", err, diff)
		}
		keys, err = rows.Keys(ctx, "t", "P", policy.Place{Container: "c0", Version: 1}, 9)
		if diff := cmp.Diff([]policy.PurgeKey{{Container: "c1", Version: 1, Oldest: true}}, keys); err != nil || diff != "" {
			t.Errorf("the next page of keys: %v %s", err, diff)
		}
		owners, err := rows.Owners(ctx, "t", "P", "", 9)
		if diff := cmp.Diff([]string{"empty"}, owners); err != nil || diff != "" {
			t.Errorf("containers without a key: %v %s", err, diff)
		}
		if n, bytes, err := rows.Contents(ctx, "t", "P"); err != nil || n != 6 || bytes != 60 {
			t.Errorf("%d items of %d bytes, %v", n, bytes, err)
		}
		list, err := rows.Containers(ctx, "t", "P", "c0", 9)
		if diff := cmp.Diff([]policy.PurgeContainer{{ID: "c1", Workload: "exchange", Name: "mail c1", Items: 3, Bytes: 30}}, list); err != nil || diff != "" {
			t.Errorf("containers: %v %s", err, diff)
		}

		o := policy.PurgeOrder{Tenant: "t", Policy: "P", Reason: "r", Contact: "c", Asked: someTime}
		stale := p
		stale.Revision += 7
		wantReason(t, "marking another revision", rows.Mark(ctx, stale, o), policy.ReasonChanged)
		s.must(rows.Mark(ctx, p, o))
		if err := s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: "c2", Policy: "P"}}); fault.As(err).Reason != policy.ReasonPurging {
			t.Errorf("CK-174 a mailbox more: %v", err)
		}
		o.Request, o.Plan, o.Digest = "R", "{}", "d"
		s.must(rows.Complete(ctx, o))
		pending := func(when, after string, want ...policy.PurgeOrder) {
			t.Helper()
			list, err := rows.Pending(ctx, "t", after, 9)
			if diff := cmp.Diff(append([]policy.PurgeOrder{}, want...), list); err != nil || diff != "" {
				t.Errorf("orders that are not finished, %s: %v %s", when, err, diff)
			}
		}
		pending("asked for", "", policy.PurgeOrder{Tenant: "t", Policy: "P"})
		pending("behind it", "P")
		f := s.mustClaim("t")
		wantReason(t, "closing for another request", rows.Close(ctx, "P", "other", f), policy.ReasonChanged)
		s.must(rows.Close(ctx, "P", "R", f))
		err = s.keys.AddContainerKey(ctx, hierarchy.ContainerKey{Tenant: "t", Container: "new", Version: 1, Policy: "P", Generation: "P.1", Wrapped: []byte("k"), Created: someTime})
		wantReason(t, "a key under a closed generation", err, hierarchy.ReasonGenerationMoved)
		s.must(rows.Unmark(ctx, "t", "P", "other", someTime))
		if now, err := s.Policy.Policy(ctx, "t", "P"); err != nil || now.State != policy.PendingDeletion {
			t.Errorf("taken back by another request: %s, %v", now.State, err)
		}
		s.must(rows.Unmark(ctx, "t", "P", "R", someTime))
		now, err := s.Policy.Policy(ctx, "t", "P")
		if g, err2 := s.Generation(ctx, "t", "P.1"); err != nil || err2 != nil || now.State != p.State || g.State != hierarchy.Active {
			t.Errorf("taken back: %s, %s, %v %v", now.State, g.State, err, err2)
		}

		o.Request, o.Plan = "", ""
		s.must(rows.Mark(ctx, now, o))
		o.Request, o.Plan = "R2", "{}"
		s.must(rows.Complete(ctx, o))
		s.must(rows.Close(ctx, "P", "R2", f))
		s.must(rows.DestroyPolicy(ctx, "P", f))
		all := []purge.Key{{Container: "c0"}, {Container: "c0", Version: 1}, {Container: "c1"}, {Container: "c1", Version: 1}, {Container: "empty"}}
		calls := 0
		for more := true; more; calls++ {
			more, err = rows.DestroyKeys(ctx, "P", all, 2, f)
			s.must(err)
		}
		if calls < 3 || calls > 5 {
			t.Errorf("6 items, two at once, took %d calls", calls)
		}
		secret := workload.Container{Tenant: "t", Workload: "exchange", Name: "mail c0", ID: "c0", Secret: []byte("s"), SecretVersion: 1}
		wantReason(t, "a secret under a purged key, by a write that began before", items.SetSecret(ctx, secret, 0), hierarchy.ReasonPurged)
		got, err := rows.Order(ctx, "t", "P")
		if err != nil || got.Keys != 2 || got.Items != 6 || got.Bytes != 60 || !got.Finished.IsZero() {
			t.Errorf("destroyed so far: %+v, %v", got, err)
		}
		s.must(rows.Done(ctx, purge.Purge{Tenant: "t", Policy: "P"}, f))
		pending("done", "")
		if got, err := rows.Order(ctx, "t", "P"); err != nil || got.Finished.IsZero() || got.Items != 6 {
			t.Errorf("done: %+v, %v", got, err)
		}
		g, err := s.Generation(ctx, "t", "P.1")
		if err != nil || g.State != hierarchy.Destroyed || len(g.Roots[0].Wrapped)+len(g.Roots[1].Wrapped)+len(g.AvailabilityWrapped)+len(g.Commitment) != 0 {
			t.Errorf("the generation: %+v, %v", g, err)
		}
		late := itemRow("late")
		late.Tenant, late.Container, late.KeyVersion = "t", "c0", 1
		mustIntend(t, items, late, someTime)
		_, _, err = items.PutItem(ctx, late, false)
		wantReason(t, "an item under a purged key", err, hierarchy.ReasonPurged)
		late.KeyVersion = 2 // another process, which has not heard of the purge, made it
		_, _, err = items.PutItem(ctx, late, false)
		wantReason(t, "an item under a newer key of a mailbox that takes nothing", err, hierarchy.ReasonPurged)
		_, err = items.Exchange(ctx, late, "elsewhere", someTime)
		wantReason(t, "an item encrypted anew under a purged key", err, hierarchy.ReasonPurged)
		for tenant, want := range map[string]int64{"t": 1, "u": 1} { // what belongs to others is whole
			usage, err := s.Usage(ctx, tenant)
			if err != nil || len(usage) != 1 || usage[0].Keys != want {
				t.Errorf("tenant %s: %+v, %v", tenant, usage, err)
			}
		}
		if left, err := items.Items(ctx, "t", "c2", "", 9); err != nil || len(left) != 3 {
			t.Errorf("the other policy's mailbox has %d items, %v", len(left), err)
		}
		s.must(rows.Done(ctx, purge.Purge{Tenant: "t", Policy: "unknown"}, f)) // by an older database
		if got, err := rows.Order(ctx, "t", "unknown"); err != nil || got.Finished.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
		for more := true; more; { // a version that the list does not name, from an older database
			more, err = rows.DestroyKeys(ctx, "Q", []purge.Key{{Container: "c2"}}, 2, f)
			s.must(err)
		}
		if left, err := items.Items(ctx, "t", "c2", "", 9); err != nil || len(left) != 0 {
			t.Errorf("of a whole mailbox %d items are left, %v", len(left), err)
		}
		op := mustOperation(t, "t", "purge again", someTime)
		op.Subject = "P"
		s.must(rows.Repeat(ctx, op))
		op2 := mustOperation(t, "t", "purge again", someTime)
		op2.Subject = "P"
		s.must(rows.Repeat(ctx, op2))
		if _, err := s.ops.Get(ctx, "t", op2.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a second repetition is stored: %v", err)
		}
	})
}

// Containers that are encrypted anew in part: an older version of the key, below the floor, is under
// another policy. What is finished, never began, or lies under one policy is none of them.
func TestHalfway(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx, rows, items := t.Context(), store.NewPurge(s.db), store.NewWorkload(s.db)
		p, q := s.mustFound("t", "P", policy.MultiWorkload), s.mustFound("t", "Q", policy.MultiWorkload)
		for name, c := range map[string]struct {
			below policy.Policy
			floor int
		}{"halfway": {q, 2}, "not begun": {q, 0}, "one policy": {p, 2}, "of before": {q, 1}} {
			s.mustAddKey(c.below, name, "teams")
			s.must(s.keys.AddContainerKey(ctx, hierarchy.ContainerKey{
				Tenant: "t", Container: name, Version: 2, Workload: "teams", Policy: "P", Generation: "P.1", Wrapped: []byte("k"), Created: someTime,
			}))
			s.must(items.AddContainer(ctx, workload.Container{Tenant: "t", Workload: "teams", Name: name, ID: name, Created: someTime}))
			s.must(items.RaiseFloor(ctx, "t", name, c.floor))
		}
		wants := func(policy string, want int64) {
			t.Helper()
			if n, err := rows.Halfway(ctx, "t", policy); n != want || err != nil {
				t.Errorf("%d containers of %s are half way, want %d; %v", n, policy, want, err)
			}
		}
		wants("P", 1)
		wants("Q", 0)
		if n, err := items.DestroyVersions(ctx, "t", "halfway", 2); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		wants("P", 0)
	})
}

// Recoveries as rows: the same request begins one once; who has seen it first counts.
func TestRecoveries(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ctx, rows := t.Context(), store.NewRecovery(db)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		r := hierarchy.Recovery{Tenant: "t", Policy: "p", Request: "r", Started: someTime, Until: someTime.Add(time.Hour), Span: time.Hour, Seen: someTime}
		must(rows.Start(ctx, r))
		later := r
		later.Started, later.Until = someTime.Add(time.Minute), someTime.Add(9*time.Hour)
		must(rows.Start(ctx, later)) // carried out again after a crash
		if got, err := rows.Recovery(ctx, "t", "p"); err != nil || got != r {
			t.Errorf("%+v, %v", got, err)
		}
		seen := r
		seen.Seen, seen.Spent = someTime.Add(time.Minute), time.Minute
		if ok, err := rows.See(ctx, seen, 0); err != nil || !ok {
			t.Errorf("seen: %v, %v", ok, err)
		}
		if ok, err := rows.See(ctx, seen, 0); err != nil || ok {
			t.Errorf("seen by another node at the same time: %v, %v", ok, err)
		}
		for _, of := range [][2]string{{"t", "q"}, {"s", "z"}, {"u", "a"}} {
			must(rows.Start(ctx, hierarchy.Recovery{Tenant: of[0], Policy: of[1], Request: "x", RootsOnly: true, Started: someTime, Until: later.Until, Span: time.Hour}))
		}
		var going []hierarchy.Recovery // by pages of one
		for after := (hierarchy.Recovery{}); ; {
			page, err := rows.Going(ctx, after, 1)
			must(err)
			if len(page) == 0 {
				break
			}
			after = page[0]
			going = append(going, page...)
		}
		if len(going) != 4 || going[0].Tenant != "s" || going[1] != seen || going[2].Policy != "q" || !going[2].RootsOnly || going[3].Tenant != "u" {
			t.Errorf("%+v", going)
		}
		seen.Ended, seen.Why = someTime.Add(time.Minute), "asked"
		for n, want := range []bool{true, false} {
			if ok, err := rows.End(ctx, seen); err != nil || ok != want {
				t.Errorf("ended, call %d: %v, %v", n, ok, err)
			}
		}
		if left := seen.Left(someTime.Add(2 * time.Minute)); left != 0 {
			t.Errorf("ended, %v are left", left)
		}
		r.Request = "r2"
		must(rows.Start(ctx, r))
		if got, err := rows.Recovery(ctx, "t", "p"); err != nil || got != r {
			t.Errorf("begun anew: %+v, %v", got, err)
		}
		if got, err := rows.Recovery(ctx, "u", "p"); err != nil || got != (hierarchy.Recovery{}) {
			t.Errorf("another tenant's: %+v, %v", got, err)
		}
	})
}

// The copy of the ledger in the availability database keeps lines as they are, in their order.
func TestPurgeLedger(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		place := store.NewPurgeLedger(db)
		var want []string
		for i := range 250 {
			line := fmt.Sprintf("line %d — <&>", i)
			if err := place.Append(t.Context(), [][]byte{[]byte(line + "\n"), []byte(line + "b\n")}); err != nil {
				t.Fatal(err)
			}
			want = append(want, line, line+"b")
		}
		var got []string
		if err := place.Lines(t.Context(), func(line []byte) error { got = append(got, string(line)); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
