package keyvault_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const day = 24 * time.Hour

func rotateAfter(d string) keyvault.RotationPolicy {
	return keyvault.RotationPolicy{Actions: []keyvault.LifetimeAction{{Type: "Rotate", AfterCreate: d}}}
}

// mustTend does what is due and returns the types of the events that it told.
func (s *stage) mustTend() string {
	s.t.Helper()
	s.Told()
	n, err := s.Tend(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var types []string
	for _, e := range s.Told() {
		types = append(types, strings.TrimPrefix(string(e.Type), "Microsoft.KeyVault."))
	}
	if len(types) != n {
		s.t.Errorf("%d done, told %v", n, types)
	}
	return strings.Join(types, " ")
}

func (s *stage) wantTend(want string) {
	s.t.Helper()
	if got := s.mustTend(); got != want {
		s.t.Errorf("on %s told %q, want %q", s.Now().Format(time.DateOnly), got, want)
	}
}

func (s *stage) mustPolicy(name string, p keyvault.RotationPolicy) {
	s.t.Helper()
	if _, _, err := s.SetRotationPolicy(s.t.Context(), s.admin, "contoso-east", name, p); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) mustUpdate(name string, a keyvault.Attributes) {
	s.t.Helper()
	if _, err := s.UpdateKey(s.t.Context(), s.admin, "contoso-east", name, "", keyvault.KeyChange{Attributes: a}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) versions(name string) []keyvault.Key {
	s.t.Helper()
	var all []keyvault.Key
	for last := int64(0); ; last = all[len(all)-1].Ordinal {
		page, err := s.Versions(s.t.Context(), s.admin, "contoso-east", name, last, 25)
		if err != nil {
			s.t.Fatal(err)
		}
		if all = append(all, page...); len(page) < 25 {
			return all
		}
	}
}

// TestThreeYears holds KV-81 over three years, looked at once a day.
func TestThreeYears(t *testing.T) {
	for policy, want := range map[string]int{"P28D": 39, "P90D": 12, "P3M": 12, "P1Y": 3, "P4Y": 0} {
		t.Run(policy, func(t *testing.T) {
			s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
			s.mustCreate("root1")
			s.mustPolicy("root1", rotateAfter(policy))
			rotated := 0
			for range 3*365 + 1 {
				s.Pass(day)
				if got := s.mustTend(); got == "KeyNewVersionCreated" {
					rotated++
				} else if got != "" {
					t.Errorf("told %q", got)
				}
			}
			if n := len(s.versions("root1")); rotated != want || n != want+1 {
				t.Errorf("rotated %d times, %d versions; want %d", rotated, n, want)
			}
		})
	}
}

// TestTendAfterDowntime: whatever was missed happens once. A clock set back makes nothing happen.
func TestTendAfterDowntime(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		p := rotateAfter("P28D")
		p.Expiry = "P90D"
		s.mustPolicy("root1", p)
		s.wantTend("")
		s.Pass(28*day - time.Microsecond)
		s.wantTend("")
		s.Pass(5 * 365 * day)
		s.Entries()
		s.wantTend("KeyNewVersionCreated")
		newest := s.mustKey("root1", "")
		if want := s.Now().AddDate(0, 0, 90); !newest.Expires.Equal(want) || !newest.Created.Equal(s.Now()) || len(s.versions("root1")) != 2 {
			t.Errorf("rotated to %+v", newest)
		}
		e := s.Entries()[0]
		if e.Action != "key.rotate" || e.Caller.Name != "rotation" || e.Object != "contoso-east/keys/root1/"+newest.Version || e.Detail["from"] == "" {
			t.Errorf("recorded %+v", e)
		}
		s.wantTend("")
		s.Pass(-10 * 365 * day)
		s.wantTend("")
		s.Pass(10*365*day + 27*day)
		s.wantTend("")
		s.Pass(day)
		s.wantTend("KeyNewVersionCreated")
	})
}

// TestExpiryIsTold holds KV-80: once near, once there, for each expiry of the newest version.
func TestExpiryIsTold(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		exp := s.Now().Add(60 * day)
		s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Attributes: keyvault.Attributes{Expires: &exp}})
		s.wantTend("")
		s.Pass(30*day - time.Second)
		s.wantTend("")
		s.Pass(time.Second)
		s.wantTend("KeyNearExpiry")
		s.wantTend("")
		s.mustUpdate("root1", keyvault.Attributes{NotBefore: new(s.Now())}) // another change, the same expiry
		s.wantTend("")
		later := exp.Add(60 * day)
		s.mustUpdate("root1", keyvault.Attributes{Expires: &later})
		s.wantTend("")
		s.Pass(60 * day)
		s.wantTend("KeyNearExpiry")
		s.mustPolicy("root1", keyvault.RotationPolicy{Actions: []keyvault.LifetimeAction{{Type: "Notify", BeforeExpiry: "P20D"}}})
		s.wantTend("")
		s.Pass(30 * day)
		s.wantTend("KeyExpired")
		s.wantTend("")
		s.Pass(365 * day)
		s.wantTend("")
		s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Attributes: keyvault.Attributes{Expires: &later}})
		s.wantTend("KeyExpired") // of the new version; what is over is not near
	})
}

// TestNoticeByPolicy: the policy says when.
func TestNoticeByPolicy(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.mustPolicy("root1", keyvault.RotationPolicy{Actions: []keyvault.LifetimeAction{{Type: "Notify", AfterCreate: "P10D"}}})
		s.Pass(10 * day)
		s.wantTend("KeyNearExpiry") // it never expires, but that is what was asked for
		s.Pass(1000 * day)
		s.wantTend("")

		s.mustCreate("root2")
		s.mustPolicy("root2", keyvault.RotationPolicy{Expiry: "P100D", Actions: []keyvault.LifetimeAction{
			{Type: "Rotate", BeforeExpiry: "P10D"}, {Type: "Notify", BeforeExpiry: "P20D"},
		}})
		s.Pass(1000 * day)
		s.wantTend("") // the first version has no expiry
		if _, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root2"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for range 100 {
			s.Pass(day)
			got = append(got, s.mustTend())
		}
		want := make([]string, 100)
		want[79], want[89] = "KeyNearExpiry", "KeyNewVersionCreated"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRotationHasLimits: an expiry that is due as soon as it is set rotates once a week at
// most, and what the owner took back stays the newest.
func TestRotationHasLimits(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.mustPolicy("root1", keyvault.RotationPolicy{Expiry: "P28D", Actions: []keyvault.LifetimeAction{{Type: "Rotate", BeforeExpiry: "P60D"}, {Type: "Notify", BeforeExpiry: "P7D"}}})
		if _, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
			t.Fatal(err)
		}
		for range 28 {
			s.Pass(day)
			s.mustTend()
		}
		if n := len(s.versions("root1")); n != 6 {
			t.Errorf("%d versions after four weeks, want 6", n)
		}
		s.mustUpdate("root1", keyvault.Attributes{Enabled: new(false)})
		s.Pass(20 * day)
		s.wantTend("")
		s.mustUpdate("root1", keyvault.Attributes{Enabled: new(true)})
		s.wantTend("KeyNewVersionCreated")

		s.mustDelete("root1")
		s.Pass(20 * day)
		s.wantTend("")
		if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
			t.Fatal(err)
		}
		s.wantTend("KeyNewVersionCreated")
		s.mustPolicy("root1", keyvault.RotationPolicy{Expiry: "P28D"})
		s.Pass(7 * day)
		s.wantTend("KeyNearExpiry") // and no rotation: the policy says nothing of it any more
	})
}

// TestTendTwiceAtOnce: two nodes that find the same key due make one version.
func TestTendTwiceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, name := range []string{"a", "b", "c"} {
			s.mustCreate(name)
			s.mustPolicy(name, rotateAfter("P28D"))
		}
		s.Pass(28 * day)
		var nodes sync.WaitGroup
		for range 4 {
			nodes.Go(func() {
				if _, err := s.Tend(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		for _, name := range []string{"a", "b", "c"} {
			if n := len(s.versions(name)); n != 2 {
				t.Errorf("%s has %d versions", name, n)
			}
		}
	})
}

// TestTendRecordsFirst: what cannot be recorded does not happen, and happens later.
func TestTendRecordsFirst(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.mustPolicy("root1", rotateAfter("P28D"))
		s.Pass(28 * day)
		s.Deafen(true)
		if n, err := s.Tend(t.Context()); n != 0 || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d done, %v", n, err)
		}
		s.Deafen(false)
		if n := len(s.versions("root1")); n != 1 {
			t.Errorf("%d versions without a record", n)
		}
		s.wantTend("KeyNewVersionCreated")
	})
}

// TestNextDue says when to look again, also for keys that were there before anyone looked.
func TestNextDue(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		want := func(at time.Time) {
			t.Helper()
			if got, err := s.NextDue(t.Context()); err != nil || !got.Equal(at) {
				t.Errorf("next is %v, %v; want %v", got, err, at)
			}
		}
		want(time.Time{})
		s.mustCreate("root1")
		want(time.Time{})
		s.mustPolicy("root1", rotateAfter("P28D"))
		want(s.Now().Add(28 * day))
		never := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		s.mustCreateAs("root2", keyvault.NewKey{Type: "EC", Attributes: keyvault.Attributes{Expires: &never}})
		want(s.Now().Add(28 * day))
		s.mustDelete("root1")
		want(never.AddDate(0, 0, -30))
		early := time.Unix(0, 0).UTC()
		s.mustCreateAs("root3", keyvault.NewKey{Type: "EC", Attributes: keyvault.Attributes{Expires: &early}})
		s.wantTend("KeyExpired")
		want(never.AddDate(0, 0, -30))
		err := s.db.Write(t.Context(), func(ctx context.Context, tx store.DBTX) error {
			_, err := tx.ExecContext(ctx, "UPDATE keyvault_keys SET due = 0 WHERE deleted IS NULL") // as the migration leaves them
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.wantTend("")
		want(never.AddDate(0, 0, -30))
	})
}

// TestTendOfOthers: a tenant whose log takes no more entries keeps no other one's keys waiting.
func TestTendOfOthers(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		other := keyvaulttest.NewSealed(t, s.db, s.Seal())
		admin := other.Person("admin@fabrikam.example")
		other.MustVault("fabrikam-east", keyvaulttest.Can(admin, rights.All))
		if _, err := other.CreateKey(t.Context(), admin, "fabrikam-east", "root1", keyvault.NewKey{Type: "EC"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := other.SetRotationPolicy(t.Context(), admin, "fabrikam-east", "root1", rotateAfter("P28D")); err != nil {
			t.Fatal(err)
		}
		s.Pass(day)
		s.mustCreate("root1")
		s.mustPolicy("root1", rotateAfter("P28D"))
		s.Pass(28 * day)
		err := s.db.Write(t.Context(), func(ctx context.Context, tx store.DBTX) error {
			_, err := tx.ExecContext(ctx, "UPDATE audit_heads SET note = 'damaged' WHERE tenant_id = $1", other.Tenant)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Tend(t.Context()); n != 1 || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d done, %v", n, err)
		}
		if n := len(s.versions("root1")); n != 2 {
			t.Errorf("%d versions", n)
		}
	})
}
