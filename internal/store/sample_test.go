package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// What lies under a policy is counted by workload, and picked from, by the version of the container's
// key that each item is under.
func TestSampleOfAPolicy(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		s, h, ctx := store.NewWorkload(db), store.NewHierarchy(db), t.Context()
		ours, theirs := aGeneration("t", "p", 1), aGeneration("t", "other", 1)
		mustAddGeneration(t, db, ours)
		mustAddGeneration(t, db, theirs)
		mustDo(t, s.AddContainer(ctx, workload.Container{Tenant: "t", Workload: "documents", Name: "n", ID: "c", Owner: "o", Created: noon}))
		mustDo(t, h.AddContainerKey(ctx, aKey(theirs, "c", 2)))
		mustDo(t, h.AddContainerKey(ctx, aKey(ours, "c", 3)))
		mustDo(t, h.AddContainerKey(ctx, aKey(ours, "empty", 1)))
		old := itemRow("old")
		old.KeyVersion = 2
		mustPutItem(t, s, old)
		for _, item := range []string{"a", "b", "d"} {
			mustPutItem(t, s, itemRow(item)) // under version 3
		}
		of := aKey(ours, "c", 3).Workload
		for policy, want := range map[string][]workload.Extent{
			"p": {{Workload: of, Containers: 2, Items: 3}}, "other": {{Workload: of, Containers: 1, Items: 1}}, "none": {},
		} {
			got, err := s.UnderPolicy(ctx, "t", policy)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", policy, err, diff)
			}
		}
		picked := map[workload.Place]bool{}
		for range 100 { // one in 10^17 that an item is never among them
			list, err := s.SampleItems(ctx, "t", "p", of, 1)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			picked[list[0]] = true
		}
		want := map[workload.Place]bool{{Container: "c", Item: "a"}: true, {Container: "c", Item: "b"}: true, {Container: "c", Item: "d"}: true}
		if diff := cmp.Diff(want, picked); diff != "" {
			t.Errorf("picked:\n%s", diff)
		}
		for tenant, of := range map[string]string{"t": "teams", "other": of} {
			if list, err := s.SampleItems(ctx, tenant, "p", of, 10); err != nil || len(list) != 0 {
				t.Errorf("%s of %s: %v, %v", of, tenant, list, err)
			}
		}
		if list, err := s.SampleItems(ctx, "t", "p", of, 10); err != nil || len(list) != 3 {
			t.Errorf("all: %v, %v", list, err)
		}
	})
}
