package keyvault_test

import (
	"bytes"
	"crypto/fips140"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestLongest holds KV-48's table: the longest value of each algorithm is wrapped, one byte
// more is not.
func TestLongest(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, tt := range []struct {
		bits, oaep256, oaep, pkcs1 int
	}{{2048, 190, 214, 245}, {3072, 318, 342, 373}, {4096, 446, 470, 501}} {
		s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA", Bits: tt.bits})
		for alg, most := range map[string]int{"RSA-OAEP-256": tt.oaep256, "RSA-OAEP": tt.oaep, "RSA1_5": tt.pkcs1} {
			if fips140.Enforced() && alg != "RSA-OAEP-256" {
				continue
			}
			value := bytes.Repeat([]byte{7}, most)
			wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, value)
			if err != nil {
				t.Errorf("%d %s: %v", tt.bits, alg, err)
				continue
			}
			got, err := s.Unwrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, wrapped.Value)
			if err != nil || !bytes.Equal(got.Value, value) {
				t.Errorf("%d %s: unwrapped %d bytes, %v", tt.bits, alg, len(got.Value), err)
			}
			_, err = s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, append(value, 7))
			wantFault(t, err, fault.Invalid, "")
		}
	}
}

// TestOneMessage: every cause for which a value does not decrypt reads the same (KV-48).
func TestOneMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA"})
	wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(wrapped.Value)
	changed[100] ^= 1
	messages := map[string]bool{}
	for _, value := range [][]byte{changed, wrapped.Value[1:], append([]byte{0}, wrapped.Value...), make([]byte, 256), bytes.Repeat([]byte{255}, 256), {1}} {
		_, err := s.Unwrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", value)
		wantFault(t, err, fault.Invalid, "")
		messages[err.Error()] = true
	}
	if len(messages) != 1 {
		t.Errorf("%d messages: %v", len(messages), messages)
	}
}

// TestWindow holds section 4.3: nbf and exp keep wrapping back, never unwrapping.
func TestWindow(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	from, until := s.Now().Add(time.Hour), s.Now().Add(2*time.Hour)
	s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA"})
	wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	change := keyvault.KeyChange{Attributes: keyvault.Attributes{NotBefore: &from, Expires: &until}}
	if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", change); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pass   time.Duration
		reason string
	}{{0, keyvault.ReasonNotYetValid}, {time.Hour - 1, keyvault.ReasonNotYetValid}, {1, ""}, {time.Hour - 1000, ""}, {1000, keyvault.ReasonExpired}, {1e6 * time.Hour, keyvault.ReasonExpired}} {
		s.Pass(tt.pass)
		for what, do := range map[string]func(alg string, v []byte) error{
			"wrap": func(alg string, v []byte) error {
				_, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, v)
				return err
			},
			"encrypt": func(alg string, v []byte) error {
				_, err := s.Encrypt(t.Context(), s.admin, "contoso-east", "root1", "", alg, v)
				return err
			},
		} {
			err := do("RSA-OAEP-256", []byte("key"))
			if tt.reason == "" && err != nil {
				t.Errorf("%s at %s: %v", what, s.Now(), err)
			}
			if tt.reason != "" {
				wantFault(t, err, fault.Forbidden, tt.reason)
			}
		}
		if got, err := s.Unwrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", wrapped.Value); err != nil || string(got.Value) != "key" {
			t.Errorf("unwrap at %s: %v", s.Now(), err)
		}
		if _, err := s.Decrypt(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", wrapped.Value); err != nil {
			t.Errorf("decrypt at %s: %v", s.Now(), err)
		}
	}
}

// TestRefusedAlgorithms holds KV-49: a deployment may do without the older two, and one that
// runs with fips140=only has to.
func TestRefusedAlgorithms(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, store.VaultAreas()...)
	s := newStage(t, db)
	s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA"})
	protector, err := protect.NewSoftware(protect.SoftwareConfig{Seal: seal.Of(s.Seal())})
	if err != nil {
		t.Fatal(err)
	}
	strict, err := keyvault.New(keyvault.Config{
		Store: store.NewKeyVault(db), Protector: protector, Backups: s.Backups(db), Audit: s, Now: s.Now,
		Refuse: []protect.Algorithm{protect.OAEP, protect.PKCS1},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"RSA-OAEP", "RSA1_5"} {
		_, err := strict.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, []byte("key"))
		wantFault(t, err, fault.Invalid, "")
		_, err = strict.Unwrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, make([]byte, 256))
		wantFault(t, err, fault.Invalid, "")
		if _, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", alg, []byte("key")); (err != nil) != fips140.Enforced() {
			t.Errorf("%s where it is not refused: %v", alg, err)
		}
	}
	if _, err := strict.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key")); err != nil {
		t.Error(err)
	}
}

// TestNoAnswerWithoutRecord: what was worked out while the log was asked is not told where the
// log then fails.
func TestNoAnswerWithoutRecord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreateAs("rsa", keyvault.NewKey{Type: "RSA"})
		wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "rsa", "", "RSA-OAEP-256", []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		s.Deafen(true)
		got, err := s.Unwrap(t.Context(), s.admin, "contoso-east", "rsa", "", "RSA-OAEP-256", wrapped.Value)
		if !fault.Is(err, fault.Unavailable) || got.Value != nil || got.Key.Name != "" {
			t.Errorf("answered %+v, %v", got, err)
		}
	})
}
