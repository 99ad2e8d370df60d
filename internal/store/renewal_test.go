package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// Encrypting a container anew, as the rows see it: nothing comes under versions below the
// floor, an item is exchanged only for itself, and a version goes only when nothing needs it.
func TestRenewal(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		s, h, ctx := store.NewWorkload(db), store.NewHierarchy(db), t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		g := aGeneration("t", "p", 1)
		mustAddGeneration(t, db, g)
		c := workload.Container{Tenant: "t", Workload: "documents", Name: "n", ID: "c", Owner: "o", Created: noon}
		must(s.AddContainer(ctx, c))
		for v := 1; v <= 4; v++ {
			must(h.AddContainerKey(ctx, aKey(g, "c", v)))
		}
		must(h.AddContainerKey(ctx, aKey(g, "d", 1)))
		old := mustPutItem(t, s, itemRow("a")) // under version 3
		other := mustPutItem(t, s, itemRow("b"))
		must(s.RaiseFloor(ctx, "t", "c", 4))
		must(s.RaiseFloor(ctx, "t", "c", 2)) // it never falls
		late := itemRow("late")
		mustIntend(t, s, late, noon)
		_, _, err := s.PutItem(ctx, late, false)
		wantFault(t, err, fault.Conflict, workload.ReasonKeyRetired)
		late.KeyVersion = 4
		if _, _, err = s.PutItem(ctx, late, false); err != nil { // its intent was left
			t.Fatal(err)
		}
		c.Secret, c.SecretVersion = []byte("s"), 3
		wantFault(t, s.SetSecret(ctx, c, 0), fault.Conflict, workload.ReasonSecretMoved)

		if rows, err := s.ItemsBelow(ctx, "t", "c", 4, "", 10); err != nil || !cmp.Equal(rows, []workload.Row{old, other}) {
			t.Errorf("below the floor: %+v, %v", rows, err)
		}
		if tally, err := s.Tally(ctx, "t", "c", 4096); err != nil || tally.Items != 3 || tally.Bytes != 3<<40 || tally.Weight != 3<<40 {
			t.Errorf("%+v, %v", tally, err)
		}
		if tally, err := s.Tally(ctx, "t", "none", 4096); err != nil || tally != (workload.Tally{}) {
			t.Errorf("of nothing: %+v, %v", tally, err)
		}
		if n, err := s.DestroyVersions(ctx, "t", "c", 4); n != 0 || err != nil {
			t.Errorf("%d versions destroyed that items need, %v", n, err)
		}

		renewed := old
		renewed.Blob, renewed.KeyVersion, renewed.ItemKey, renewed.Metadata = "blob", 4, []byte("new"), []byte("meta")
		mustIntend(t, s, renewed, noon.Add(time.Hour))
		stale := renewed
		stale.Version = "another"
		if ok, err := s.Exchange(ctx, stale, old.Blob, noon); ok || err != nil {
			t.Errorf("exchanged for another version: %v, %v", ok, err)
		}
		if ok, err := s.Exchange(ctx, renewed, "elsewhere", noon); ok || err != nil {
			t.Errorf("exchanged from another blob: %v, %v", ok, err)
		}
		if c, err := s.ContainerOf(ctx, "t", "c"); err != nil || c.Floor != 4 {
			t.Errorf("the floor is %d, %v", c.Floor, err)
		}
		if ok, err := s.Exchange(ctx, renewed, old.Blob, noon); !ok || err != nil {
			t.Errorf("not exchanged: %v, %v", ok, err)
		}
		if got, err := s.Item(ctx, "t", "c", "a"); err != nil || !cmp.Equal(got, renewed) {
			t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(renewed, got))
		}
		wantDue(t, s, noon, old.Blob)
		must(s.DeleteItem(ctx, "t", "c", "b", noon))

		usage := func() (n int64) {
			all, err := store.NewPolicy(db).Usage(ctx, "t")
			must(err)
			for _, u := range all {
				n += u.Keys
			}
			return n
		}
		if n := usage(); n != 5 {
			t.Errorf("%d keys are counted, want 5", n)
		}
		if n, err := s.DestroyVersions(ctx, "t", "c", 4); n != 3 || err != nil {
			t.Errorf("%d versions destroyed, want 3, %v", n, err)
		}
		if n := usage(); n != 2 {
			t.Errorf("%d keys are counted, want 2", n)
		}
		must(store.NewPolicy(db).Recount(ctx, "t"))
		if n := usage(); n != 2 {
			t.Errorf("%d keys counted anew, want 2", n)
		}
		keys, err := s.Versions(ctx, "t", "c")
		if err != nil || len(keys) != 1 || keys[0].Version != 4 {
			t.Errorf("left: %+v, %v", keys, err)
		}
		if page, err := s.ContainersAfter(ctx, "t", "b", 5); err != nil || len(page) != 1 || page[0].ID != "c" {
			t.Errorf("containers: %+v, %v", page, err)
		}
		if _, err := s.ContainerOf(ctx, "u", "c"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v", err)
		}
	})
}

// The counts follow each change of where keys belong, also of many containers at once.
func TestCountsFollowOwnPolicies(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		p := s.mustFound("t", "P", policy.MultiWorkload)
		box, bay := s.mustFound("t", "box", policy.Mailbox), s.mustFound("t", "bay", policy.Mailbox)
		for _, id := range []string{"a", "b", "c"} {
			s.mustAddKey(p, id, "exchange")
		}
		exact := func(what string, want map[string]int64) {
			t.Helper()
			for range 2 {
				all, err := s.Usage(ctx, "t")
				s.must(err)
				got := map[string]int64{}
				for _, u := range all {
					got[u.Own] += u.Keys
				}
				if !cmp.Equal(want, got) {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
				s.must(s.Recount(ctx, "t")) // and counted anew it is the same
			}
		}
		own := func(container, id string) {
			t.Helper()
			s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: container, Policy: id}}))
		}
		exact("none", map[string]int64{"": 3})
		own("a", box.ID)
		own("b", box.ID)
		own("z", box.ID) // a mailbox without a key yet
		exact("two", map[string]int64{"": 1, box.ID: 2})
		own("b", bay.ID)
		own("b", bay.ID)
		exact("one each", map[string]int64{"": 1, box.ID: 1, bay.ID: 1})
		s.mustAddKey(p, "z", "exchange")
		exact("the key comes later", map[string]int64{"": 1, box.ID: 2, bay.ID: 1})
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Reassignment: &policy.Reassignment{From: box.ID, To: bay.ID}}))
		exact("all to another", map[string]int64{"": 1, bay.ID: 3})
		s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Reassignment: &policy.Reassignment{From: bay.ID}}))
		exact("all taken off", map[string]int64{"": 4})
	})
}
