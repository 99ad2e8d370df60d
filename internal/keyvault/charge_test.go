package keyvault_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
)

// tight lets a vault do two things in ten seconds, and make one key.
func tight() throttle.Limits {
	l := throttle.Azure()
	l.RSA2048 = throttle.Sizes{Create: 1, CreateHSM: 1, Other: 2, OtherHSM: 1}
	return l
}

func (s *stage) get(c directory.Caller, name string) error {
	_, err := s.Key(s.t.Context(), c, "contoso-east", name, "")
	return err
}

// TestThrottle holds KV-107 at the door: what is allowed and found counts, and so does what is
// not there; a stranger spends nothing and learns nothing.
func TestThrottle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.Throttle(tight())
		s.Entries()
		nobody := s.Person("nobody@contoso.example")
		for range 5 {
			wantFault(t, s.get(nobody, "root1"), fault.Forbidden, keyvault.ReasonAccessDenied)
		}
		if err := s.get(s.admin, "root1"); err != nil {
			t.Fatal(err)
		}
		wantFault(t, s.get(s.admin, "none"), fault.NotFound, keyvault.ReasonKeyNotFound)
		s.Pass(2500 * time.Millisecond)
		err := s.get(s.admin, "root1")
		wantFault(t, err, fault.Throttled, keyvault.ReasonVaultLimit)
		if wait := fault.As(err).Retry; wait != 7500*time.Millisecond {
			t.Errorf("retry after %v", wait)
		}
		wantFault(t, s.get(nobody, "root1"), fault.Forbidden, keyvault.ReasonAccessDenied)
		s.Pass(7500 * time.Millisecond)
		if err := s.get(s.admin, "root1"); err != nil {
			t.Errorf("after the time that was told: %v", err)
		}
	})
}

// TestThrottleCreate: making a key takes the whole budget here, at each of the ways to make one.
func TestThrottleCreate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.Throttle(tight())
		for name, do := range map[string]func() error{
			"create":    func() error { return s.create("root2", "EC") },
			"malformed": func() error { return s.create("root2", "oct") },
			"rotate": func() error {
				_, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root1")
				return err
			},
		} {
			if err := do(); fault.Is(err, fault.Throttled) {
				t.Errorf("%s: %v", name, err)
			}
			if err := s.get(s.admin, "root1"); !fault.Is(err, fault.Throttled) {
				t.Errorf("%s left something: %v", name, err)
			}
			s.Pass(10 * time.Second)
			if err := s.get(s.admin, "root1"); err != nil {
				t.Error(err)
			}
			if err := do(); !fault.Is(err, fault.Throttled) {
				t.Errorf("%s beside a read: %v", name, err)
			}
			s.Pass(10 * time.Second)
		}
	})
}

func (s *stage) create(name, kty string) error {
	_, err := s.CreateKey(s.t.Context(), s.admin, "contoso-east", name, keyvault.NewKey{Type: kty})
	return err
}

// TestThrottleHardware: a -HSM key costs more, when it is made and when it is used.
func TestThrottleHardware(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.MustPutVault(keyvault.VaultSpec{Name: "contoso-premium", SKU: "premium", Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All)}})
		l := tight()
		l.RSA2048 = throttle.Sizes{Create: 4, CreateHSM: 2, Other: 12, OtherHSM: 3}
		s.Throttle(l)
		made, used := 0, 0
		for s.makeIn("contoso-premium", "EC-HSM") == nil {
			made++
		}
		s.Pass(10 * time.Second)
		for {
			if _, err := s.Key(t.Context(), s.admin, "contoso-premium", "root1", ""); err != nil {
				break
			}
			used++
		}
		if made != 2 || used != 3 {
			t.Errorf("made %d, used %d times", made, used)
		}
	})
}

func (s *stage) makeIn(vault, kty string) error {
	_, err := s.CreateKey(s.t.Context(), s.admin, vault, "root1", keyvault.NewKey{Type: kty})
	return err
}

// TestThrottleSubscription: the vaults of a subscription share five budgets.
func TestThrottleSubscription(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.Throttle(tight())
		vaults := []string{"aaa", "bbb", "ccc", "ddd", "eee", "fff"}
		for i, name := range vaults {
			s.MustVault(name, keyvaulttest.Can(s.admin, rights.All))
			_, err := s.Keys(t.Context(), s.admin, name, "", 9)
			if _, more := s.Keys(t.Context(), s.admin, name, "", 9); i < 5 && (err != nil || more != nil) {
				t.Fatalf("%s: %v, %v", name, err, more)
			}
			if i == 5 {
				wantFault(t, err, fault.Throttled, keyvault.ReasonSubscriptionLimit)
			}
		}
	})
}

// TestThrottleIsTold: the first request that is turned away has an entry, the others a number:
// in the next such entry, or by the sweep. None of them does anything.
func TestThrottleIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		k := s.mustCreate("root1")
		s.Throttle(tight())
		flood := func() {
			for range 2 + 4 {
				_ = s.get(s.admin, "root1")
			}
		}
		s.Entries()
		flood()
		s.Pass(10 * time.Second)
		flood()
		entries := s.Entries()
		allow, deny := "allow key.get contoso-east/keys/root1/"+k.Version, "deny key.get contoso-east/keys/root1"
		want := []string{allow, allow, deny, allow, allow, deny}
		if diff := cmp.Diff(want, said(entries)); diff != "" {
			t.Fatal(diff)
		}
		if d := entries[5].Detail; d["others_before"] != "3" || d["reason"] != keyvault.ReasonVaultLimit || d["retry_after"] != "10" {
			t.Errorf("the second refusal tells %v", d)
		}
		s.Pass(10 * time.Second)
		s.Deafen(true)
		if _, err := s.Sweep(t.Context()); err == nil {
			t.Error("what could not be recorded was not told")
		}
		s.Deafen(false)
		for range 2 {
			if _, err := s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		entries = s.Entries()
		if diff := cmp.Diff([]string{"deny vault.throttle contoso-east"}, said(entries)); diff != "" {
			t.Fatal(diff)
		}
		if d := entries[0].Detail; d["requests"] != "3" {
			t.Errorf("the sweep tells %v", d)
		}
	})
}

// TestThrottleUnrecorded: a first refusal that cannot be recorded is not told as such.
func TestThrottleUnrecorded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.Throttle(tight())
		for range 2 {
			if err := s.get(s.admin, "root1"); err != nil {
				t.Fatal(err)
			}
		}
		s.Deafen(true)
		if err := s.get(s.admin, "root1"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("first refusal without a record: %v", err)
		}
	})
}
