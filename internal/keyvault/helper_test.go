package keyvault_test

import (
	"errors"
	"testing"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A stage is a World with the vault "contoso-east", in which admin may do everything.
type stage struct {
	*keyvaulttest.World
	t     *testing.T
	db    *store.DB
	admin directory.Caller
}

func newStage(t *testing.T, db *store.DB) *stage {
	t.Helper()
	w := keyvaulttest.New(t, db)
	s := &stage{World: w, t: t, db: db, admin: w.Person("admin@contoso.example")}
	w.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All, rights.Purge))
	w.Entries()
	return s
}

// each runs fn on every engine.
func each(t *testing.T, fn func(t *testing.T, s *stage)) {
	t.Helper()
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) { fn(t, newStage(t, db)) })
}

// mustCreate makes an EC key, which costs nothing.
func (s *stage) mustCreate(name string) keyvault.Key {
	s.t.Helper()
	return s.mustCreateAs(name, keyvault.NewKey{Type: "EC"})
}

func (s *stage) mustCreateAs(name string, n keyvault.NewKey) keyvault.Key {
	s.t.Helper()
	k, err := s.CreateKey(s.t.Context(), s.admin, "contoso-east", name, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

func (s *stage) mustDelete(name string) keyvault.Key {
	s.t.Helper()
	k, err := s.DeleteKey(s.t.Context(), s.admin, "contoso-east", name)
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

func (s *stage) mustKey(name, version string) keyvault.Key {
	s.t.Helper()
	k, err := s.Key(s.t.Context(), s.admin, "contoso-east", name, version)
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// wantFault checks code and reason of an error.
func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code || f.Reason != reason {
		t.Fatalf("error = %v, want %s %s", err, code, reason)
	}
}

// said renders records as "decision action object".
func said(entries []audit.Entry) []string {
	var lines []string
	for _, e := range entries {
		lines = append(lines, string(e.Decision)+" "+e.Action+" "+e.Object)
	}
	return lines
}
