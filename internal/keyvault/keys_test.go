package keyvault_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// ignoreOrdinal: what a create returns does not know its place yet.
var ignoreOrdinal = cmpopts.IgnoreFields(keyvault.Key{}, "Ordinal")

func TestKeyVersions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		enabled, from, until := false, s.Now().Add(-time.Hour), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		first := s.mustCreateAs("Root1", keyvault.NewKey{
			Type: "EC", Curve: "P-384", Ops: []string{}, Tags: map[string]string{"ü": "'"},
			Attributes: keyvault.Attributes{Enabled: &enabled, NotBefore: &from, Expires: &until},
		})
		if first.Enabled || !first.Expires.Equal(until) || !first.NotBefore.Equal(from) || len(first.Ops) != 0 || first.Curve != "P-384" {
			t.Errorf("created = %+v", first)
		}
		s.Pass(-time.Hour) // a clock that was set back does not make an old version the newest
		second := s.mustCreate("ROOT1")
		if second.Name != "Root1" {
			t.Errorf("the second version renamed the key to %q", second.Name)
		}
		if diff := cmp.Diff(second, s.mustKey("root1", ""), ignoreOrdinal); diff != "" {
			t.Errorf("newest: %s", diff)
		}
		if diff := cmp.Diff(first, s.mustKey("root1", first.Version), ignoreOrdinal, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("first: %s", diff)
		}
		all, err := s.Versions(t.Context(), s.admin, "contoso-east", "root1", 0, 10)
		if err != nil || len(all) != 2 || all[0].Version != first.Version || all[1].Version != second.Version {
			t.Errorf("versions = %+v, %v", all, err)
		}
		rest, err := s.Versions(t.Context(), s.admin, "contoso-east", "root1", all[0].Ordinal, 10)
		if err != nil || len(rest) != 1 || rest[0].Version != second.Version {
			t.Errorf("versions after the first = %+v, %v", rest, err)
		}
	})
}

// TestUpdateKey: attributes belong to a version (KV-56); what is not named stays.
func TestUpdateKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		no, epoch, later := false, time.Unix(0, 0).UTC(), s.Now().Add(time.Hour)
		k := s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Tags: map[string]string{"a": "b"}})
		steps := []struct {
			change keyvault.KeyChange
			want   func(k *keyvault.Key)
		}{
			{keyvault.KeyChange{}, func(*keyvault.Key) {}},
			{keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}}, func(k *keyvault.Key) { k.Enabled = false }},
			{keyvault.KeyChange{Attributes: keyvault.Attributes{NotBefore: &epoch}}, func(k *keyvault.Key) { k.NotBefore = epoch }},
			{keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &later}}, func(k *keyvault.Key) { k.Expires = later }},
			{keyvault.KeyChange{Ops: []string{"verify"}}, func(k *keyvault.Key) { k.Ops = []string{"verify"} }},
			{keyvault.KeyChange{Tags: map[string]string{}}, func(k *keyvault.Key) { k.Tags = nil }},
		}
		for i, step := range steps {
			got, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "ROOT1", k.Version, step.change)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Updated.After(k.Updated) { // although the clock stands still
				t.Errorf("step %d: updated %s, then %s", i, k.Updated, got.Updated)
			}
			step.want(&k)
			k.Updated = got.Updated
			if diff := cmp.Diff(k, s.mustKey("root1", ""), ignoreOrdinal, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("step %d: %s", i, diff)
			}
		}
	})
}

// TestUpdatesTogether: two changes at once both hold.
func TestUpdatesTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		no, until := false, s.Now().Add(time.Hour)
		changes := []keyvault.KeyChange{
			{Attributes: keyvault.Attributes{Enabled: &no}}, {Attributes: keyvault.Attributes{Expires: &until}}, {Tags: map[string]string{"a": "b"}},
		}
		var done sync.WaitGroup
		for _, c := range changes {
			done.Go(func() {
				if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", c); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if k := s.mustKey("root1", ""); k.Enabled || !k.Expires.Equal(until) || k.Tags["a"] != "b" {
			t.Errorf("one change was lost: %+v", k)
		}
	})
}

func TestDeleteAndRecover(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		first, second := s.mustCreate("root1"), s.mustCreate("root1")
		deleted := s.mustDelete("root1")
		if !deleted.Deleted.Equal(s.Now()) || !deleted.PurgeAt.Equal(s.Now().AddDate(0, 0, 90)) || deleted.Version != second.Version {
			t.Errorf("deleted = %+v", deleted)
		}
		_, err := s.Key(t.Context(), s.admin, "contoso-east", "root1", first.Version)
		wantFault(t, err, fault.NotFound, keyvault.ReasonKeyNotFound)
		_, err = s.CreateKey(t.Context(), s.admin, "contoso-east", "Root1", keyvault.NewKey{Type: "EC"})
		wantFault(t, err, fault.Conflict, keyvault.ReasonDeletedKey)
		if live, err := s.Keys(t.Context(), s.admin, "contoso-east", "", 10); err != nil || len(live) != 0 {
			t.Errorf("live keys = %v, %v", live, err)
		}
		if gone, err := s.DeletedKeys(t.Context(), s.admin, "contoso-east", "", 10); err != nil || len(gone) != 1 || !gone[0].IsDeleted() {
			t.Errorf("deleted keys = %v, %v", gone, err)
		}
		if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "ROOT1"); err != nil {
			t.Fatal(err)
		}
		for _, k := range []keyvault.Key{first, second} {
			if diff := cmp.Diff(k, s.mustKey("root1", k.Version), ignoreOrdinal); diff != "" {
				t.Errorf("recovered: %s", diff)
			}
		}
	})
}

// TestOneWins: of many who delete, recover or purge at once, one does, and the log says who.
func TestOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		race := func(what string, do func() error) {
			t.Helper()
			s.Entries()
			var won atomic.Int32
			var done sync.WaitGroup
			for range 8 {
				done.Go(func() {
					if err := do(); err == nil {
						won.Add(1)
					} else if fault.As(err).Reason != keyvault.ReasonKeyNotFound {
						t.Errorf("%s: %v", what, err)
					}
				})
			}
			done.Wait()
			if won.Load() != 1 {
				t.Errorf("%s: %d won", what, won.Load())
			}
			allowed := 0
			for _, e := range s.Entries() {
				switch e.Decision {
				case "allow":
					allowed++
				case "fail":
					allowed--
				}
			}
			if allowed != 1 {
				t.Errorf("%s: the log says that %d took effect", what, allowed)
			}
		}
		race("delete", func() error { _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "root1"); return err })
		race("recover", func() error { _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "root1"); return err })
		s.mustDelete("root1")
		race("purge", func() error { return s.PurgeKey(t.Context(), s.admin, "contoso-east", "root1") })
	})
}

// TestCreateTogether: a name taken by many at once is one key with as many versions.
func TestCreateTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() {
				if _, err := s.CreateKey(t.Context(), s.admin, "contoso-east", "root1", keyvault.NewKey{Type: "EC"}); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		all, err := s.Versions(t.Context(), s.admin, "contoso-east", "root1", 0, 20)
		if err != nil || len(all) != 8 {
			t.Fatalf("%d versions, %v", len(all), err)
		}
		for i, k := range all {
			if k.Ordinal != int64(i+1) {
				t.Errorf("version %d has ordinal %d", i, k.Ordinal)
			}
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		for _, name := range []string{"b", "A", "a-1", "C", "a_2"} {
			s.mustCreate(name)
		}
		var names []string
		for after := ""; ; {
			page, err := s.Keys(t.Context(), s.admin, "contoso-east", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range page {
				names = append(names, k.Name)
			}
			if len(page) < 2 {
				break
			}
			after = page[1].Name
		}
		if diff := cmp.Diff([]string{"A", "a-1", "a_2", "b", "C"}, names); diff != "" {
			t.Errorf("names: %s", diff)
		}
		_, err := s.Keys(t.Context(), s.admin, "contoso-east", "", 101)
		wantFault(t, err, fault.Invalid, "")
	})
}
