package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 123000, time.UTC)

// eachWorkload runs fn on the area workload of both engines.
func eachWorkload(t *testing.T, fn func(t *testing.T, s *store.Workload)) {
	t.Helper()
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) { fn(t, store.NewWorkload(db)) })
}

func itemRow(item string) workload.Row {
	return workload.Row{
		Tenant: "t", Container: "c", Item: item, Version: uuid.NewString(), Blob: uuid.NewString(), KeyVersion: 3,
		ItemKey: []byte("key of " + item), Metadata: []byte{0, 1}, Size: 1 << 40, Created: noon, Modified: noon,
	}
}

// mustPutItem announces the row's blob and writes the row.
func mustPutItem(t *testing.T, s *store.Workload, row workload.Row) workload.Row {
	t.Helper()
	mustIntend(t, s, row, noon)
	written, _, err := s.PutItem(t.Context(), row, false)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func mustIntend(t *testing.T, s *store.Workload, row workload.Row, due time.Time) {
	t.Helper()
	if err := s.Intend(t.Context(), workload.Intent{Tenant: row.Tenant, Blob: row.Blob, Due: due}); err != nil {
		t.Fatal(err)
	}
}

// wantDue checks which blobs are due.
func wantDue(t *testing.T, s *store.Workload, now time.Time, blobs ...string) {
	t.Helper()
	due, err := s.Due(t.Context(), now, workload.Intent{}, 100)
	var got []string
	for _, i := range due {
		got = append(got, i.Blob)
	}
	if diff := cmp.Diff(blobs, got); err != nil || diff != "" {
		t.Errorf("blobs due: %v (-want +got):\n%s", err, diff)
	}
}

func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	if f := fault.As(err); err == nil || f.Code != code || f.Reason != reason {
		t.Errorf("error %v, want %s %q", err, code, reason)
	}
}

func TestContainers(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		ctx := t.Context()
		c := workload.Container{Tenant: "t", Workload: "exchange", Name: "Zoë@x", ID: "id-1", Owner: "zoe", Geo: "eur", Created: noon}
		if err := s.AddContainer(ctx, c); err != nil {
			t.Fatal(err)
		}
		got, err := s.Container(ctx, "t", "exchange", "Zoë@x")
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("Container: %v (-want +got):\n%s", err, diff)
		}
		taken := c
		taken.ID = "id-2"
		wantFault(t, s.AddContainer(ctx, taken), fault.Conflict, workload.ReasonContainerTaken)
		for _, elsewhere := range [][3]string{{"u", "exchange", "Zoë@x"}, {"t", "teams", "Zoë@x"}, {"t", "exchange", "zoë@x"}} {
			_, err := s.Container(ctx, elsewhere[0], elsewhere[1], elsewhere[2])
			wantFault(t, err, fault.NotFound, "")
		}

		c.Secret, c.SecretVersion = []byte("wrapped"), 2
		if err := s.SetSecret(ctx, c, 0); err != nil {
			t.Fatal(err)
		}
		wantFault(t, s.SetSecret(ctx, c, 0), fault.Conflict, workload.ReasonSecretMoved)
		if got, err := s.Container(ctx, "t", "exchange", "Zoë@x"); err != nil || cmp.Diff(c, got) != "" {
			t.Errorf("after SetSecret: %v\n%s", err, cmp.Diff(c, got))
		}
	})
}

func TestGeos(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		put := func(geos ...workload.Geo) {
			t.Helper()
			if err := s.PutGeos(t.Context(), "t", geos, noon); err != nil {
				t.Fatal(err)
			}
		}
		want := func(geos ...workload.Geo) {
			t.Helper()
			got, err := s.Geos(t.Context(), "t")
			if diff := cmp.Diff(geos, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("Geos: %v (-want +got):\n%s", err, diff)
			}
		}
		want()
		put(workload.Geo{Name: "nam", Default: true}, workload.Geo{Name: "eur"})
		want(workload.Geo{Name: "eur"}, workload.Geo{Name: "nam", Default: true})
		put(workload.Geo{Name: "eur", Default: true})
		want(workload.Geo{Name: "eur", Default: true}, workload.Geo{Name: "nam"})
		if other, err := s.Geos(t.Context(), "u"); err != nil || len(other) > 0 {
			t.Errorf("geos of another tenant: %v, %v", other, err)
		}
	})
}

func TestContainerPages(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		for i, name := range []string{"a", "B", "b", "é", "c"} {
			c := workload.Container{Tenant: "t", Workload: "documents", Name: name, ID: name, Owner: []string{"x", "y"}[i%2], Created: noon}
			if err := s.AddContainer(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		list := func(owner, after string, limit int) (names []string) {
			cs, err := s.Containers(t.Context(), "t", "documents", owner, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cs {
				names = append(names, c.Name)
			}
			return names
		}
		for _, tt := range []struct {
			owner, after string
			limit        int
			want         []string
		}{
			{"", "", 10, []string{"B", "a", "b", "c", "é"}}, // bytes, on both engines
			{"", "a", 2, []string{"b", "c"}},
			{"", "é", 2, nil},
			{"y", "", 10, []string{"B", "é"}},
			{"y", "B", 10, []string{"é"}},
			{"nobody", "", 10, nil},
		} {
			if diff := cmp.Diff(tt.want, list(tt.owner, tt.after, tt.limit)); diff != "" {
				t.Errorf("containers of %q after %q (-want +got):\n%s", tt.owner, tt.after, diff)
			}
		}
	})
}

func TestPutItem(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		ctx := t.Context()
		first := itemRow("a")
		_, _, err := s.PutItem(ctx, first, false)
		wantFault(t, err, fault.Conflict, workload.ReasonUploadExpired) // never announced

		mustIntend(t, s, first, noon)
		written, created, err := s.PutItem(ctx, first, true)
		if diff := cmp.Diff(first, written); err != nil || !created || diff != "" {
			t.Fatalf("PutItem: created %v, %v (-want +got):\n%s", created, err, diff)
		}
		wantDue(t, s, noon)
		got, err := s.Item(ctx, "t", "c", "a")
		if diff := cmp.Diff(first, got); err != nil || diff != "" {
			t.Errorf("Item: %v (-want +got):\n%s", err, diff)
		}

		second := itemRow("a")
		second.Created, second.Modified = noon.Add(time.Hour), noon.Add(time.Hour)
		mustIntend(t, s, second, noon.Add(2*time.Hour))
		_, _, err = s.PutItem(ctx, second, true)
		wantFault(t, err, fault.Conflict, workload.ReasonItemExists)
		wantDue(t, s, noon.Add(3*time.Hour), second.Blob) // the refusal has left the intent
		written, created, err = s.PutItem(ctx, second, false)
		if err != nil || created || !written.Created.Equal(first.Created) || !written.Modified.Equal(second.Modified) {
			t.Errorf("replacing: created %v, %v, %+v", created, err, written)
		}
		wantDue(t, s, noon.Add(3*time.Hour), first.Blob)

		if err := s.DeleteItem(ctx, "t", "c", "a", noon); err != nil {
			t.Fatal(err)
		}
		wantDue(t, s, noon, second.Blob)
		wantFault(t, s.DeleteItem(ctx, "t", "c", "a", noon), fault.NotFound, "")
		_, err = s.Item(ctx, "t", "c", "a")
		wantFault(t, err, fault.NotFound, "")
	})
}

func TestItemPages(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		for _, item := range []string{"b/1", "B", "b", "b/0", "ü"} {
			mustPutItem(t, s, itemRow(item))
		}
		elsewhere := itemRow("b")
		elsewhere.Container = "d"
		mustPutItem(t, s, elsewhere)
		var got []string
		for after := ""; ; {
			page, err := s.Items(t.Context(), "t", "c", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, row := range page {
				got = append(got, row.Item)
			}
			after = page[len(page)-1].Item
		}
		if diff := cmp.Diff([]string{"B", "b", "b/0", "b/1", "ü"}, got); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
	})
}

func TestIntents(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		ctx := t.Context()
		row := itemRow("a")
		i := workload.Intent{Tenant: "t", Blob: row.Blob, Due: noon}
		wantFault(t, s.Extend(ctx, i), fault.Conflict, workload.ReasonUploadExpired)
		mustIntend(t, s, row, noon)
		wantDue(t, s, noon.Add(-time.Microsecond))
		wantDue(t, s, noon, row.Blob)
		i.Due = noon.Add(time.Hour)
		if err := s.Extend(ctx, i); err != nil {
			t.Fatal(err)
		}
		wantDue(t, s, noon)

		for range 2 { // a sweep that was killed comes again
			if doomed, err := s.Condemn(ctx, i); err != nil || !doomed {
				t.Fatalf("Condemn = %v, %v", doomed, err)
			}
		}
		_, _, err := s.PutItem(ctx, row, false)
		wantFault(t, err, fault.Conflict, workload.ReasonUploadExpired)
		wantFault(t, s.Extend(ctx, i), fault.Conflict, workload.ReasonUploadExpired)
		wantDue(t, s, noon.Add(time.Hour), row.Blob)
		for range 2 {
			if err := s.Settle(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		if doomed, err := s.Condemn(ctx, i); err != nil || doomed {
			t.Errorf("Condemn without an intent = %v, %v", doomed, err)
		}

		mustPutItem(t, s, itemRow("b"))
		needed := mustPutItem(t, s, itemRow("c"))
		mustIntend(t, s, needed, noon) // no write does this
		if doomed, err := s.Condemn(ctx, workload.Intent{Tenant: "t", Blob: needed.Blob}); err != nil || doomed {
			t.Errorf("Condemn of a blob that an item needs = %v, %v", doomed, err)
		}
		wantDue(t, s, noon)
	})
}

func TestDuePages(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		var want []string
		for i := range 7 {
			row := itemRow("x")
			row.Tenant, row.Blob = fmt.Sprint("t", i%2), fmt.Sprintf("blob-%d", i)
			mustIntend(t, s, row, noon.Add(time.Duration(i/3)*time.Second)) // some at the same time
		}
		want = []string{"blob-0", "blob-2", "blob-1", "blob-4", "blob-3", "blob-5", "blob-6"} // by time, tenant, blob
		var got []string
		for after := (workload.Intent{}); ; {
			page, err := s.Due(t.Context(), noon.Add(time.Hour), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, i := range page {
				got = append(got, i.Blob)
				after = i
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("intents (-want +got):\n%s", diff)
		}
	})
}

// Of making an item of a blob and condemning the blob exactly one succeeds.
func TestPutItemAgainstCondemn(t *testing.T) {
	eachWorkload(t, func(t *testing.T, s *store.Workload) {
		for range 20 {
			row := itemRow(uuid.NewString())
			mustIntend(t, s, row, noon)
			var put error
			var doomed bool
			var condemn error
			var wg sync.WaitGroup
			wg.Go(func() { _, _, put = s.PutItem(t.Context(), row, false) })
			wg.Go(func() { doomed, condemn = s.Condemn(t.Context(), workload.Intent{Tenant: "t", Blob: row.Blob}) })
			wg.Wait()
			if condemn != nil || (put == nil) == doomed {
				t.Fatalf("PutItem: %v, doomed: %v, %v", put, doomed, condemn)
			}
		}
	})
}
