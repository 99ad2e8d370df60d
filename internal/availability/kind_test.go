package availability_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// CK-17, CK-24, CK-25, CK-36, X-1: what the keys of the kinds are, and whom they serve.
func TestKinds(t *testing.T) {
	sealing := envelope.NewKey()
	s := mustService(t, storetest.SQLite(t, store.AvailabilityAreas()...), sealing)
	const perPolicy, perTenant, perForest = availability.PerPolicy, availability.PerTenant, availability.PerForest
	for _, tt := range []struct {
		row       string
		kind      availability.Kind
		a, b      string // tenants of two policies
		same      bool
		algorithm string
		size      int // of a wrapped key
	}{
		{"CK-24 one key for each policy", perPolicy, tenant, tenant, false, "AES-256", envelope.WrappedSize},
		{"CK-36 one for the tenant", perTenant, tenant, tenant, true, "RSA-2048", 256},
		{"CK-36 none for two tenants", perTenant, tenant, other, false, "RSA-2048", 256},
		{"CK-25 one for the forest", perForest, tenant, other, true, "RSA-2048", 256},
	} {
		t.Run(tt.row, func(t *testing.T) {
			a, b := s.mustCreateFor(t, ofFiles(tt.kind, tt.a, "policy-1")), s.mustCreateFor(t, ofFiles(tt.kind, tt.b, "policy-2"))
			if (a == b) != tt.same || a != s.mustCreateFor(t, ofFiles(tt.kind, tt.a, "policy-1")) {
				t.Errorf("keys %s and %s", a, b)
			}
			key := envelope.NewKey()
			wrapped, err := s.Wrap(t.Context(), system, tt.a, a, key, []byte("what"))
			if err != nil || len(wrapped) != tt.size || tt.kind.Algorithm() != tt.algorithm {
				t.Fatalf("%d bytes under %s, %v", len(wrapped), tt.kind.Algorithm(), err)
			}
			back, err := s.Unwrap(t.Context(), system, availability.Use{Tenant: tt.a, Policy: "policy-1", Key: a}, wrapped, []byte("what"))
			if err != nil || !back.Equal(key) {
				t.Error(err)
			}
			wrapped[17] ^= 1
			if _, err := s.Unwrap(t.Context(), system, availability.Use{Tenant: tt.a, Policy: "policy-1", Key: a}, wrapped, []byte("what")); !fault.Is(err, fault.Corrupt) {
				t.Errorf("changed: %v", err)
			}
			f, err := s.Facts(t.Context(), system, tt.b, b)
			if err != nil || f.Kind != tt.kind || f.Number != 1 || (f.Tenant == "") != (tt.kind == perForest) || (f.Policy == "") != tt.kind.Shared() {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
}

// A shared key is a PKCS #8 RSA key on disk only under the seal, bound to its place, and follows
// a rotation of the seal.
func TestSharedKeyIsSealed(t *testing.T) {
	sealing := seal.Of(envelope.NewKey())
	db := storetest.SQLite(t, store.AvailabilityAreas()...)
	s := mustServiceUnder(t, db, sealing)
	id := s.mustCreateFor(t, ofFiles(availability.PerForest, tenant, policy))
	row, err := s.journal.Key(t.Context(), other, id)
	if err != nil {
		t.Fatal(err)
	}
	der, err := sealing.Open(envelope.Bind("availability key RSA 1", "forest", "", id), row.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(row.Sealed, der[len(der)/2:len(der)/2+32]) {
		t.Error("the key is stored in the clear")
	}
	if private, err := x509.ParsePKCS8PrivateKey(der); err != nil || private.(*rsa.PrivateKey).N.BitLen() != 2048 {
		t.Errorf("%v", err)
	}
	if _, err := sealing.Open(envelope.Bind("availability key RSA 1", "tenant", "", id), row.Sealed); err == nil {
		t.Error("it opens as the key of a tenant")
	}

	key := envelope.NewKey()
	wrapped, err := s.Wrap(t.Context(), system, tenant, id, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealing.Renew(envelope.NewKey())
	reseal(t, db, sealing)
	sealing.Retire(sealing.Former()[0])
	if back, err := s.Unwrap(t.Context(), system, use(id), wrapped, nil); err != nil || !back.Equal(key) {
		t.Errorf("after the sealing key was changed: %v", err)
	}
}

// reseal does what the rotation of a sealing key does to the shelf of availability keys.
func reseal(t *testing.T, db *store.DB, s *seal.Seal) {
	t.Helper()
	rows := store.SealedAvailabilityKeys(db)
	all, err := rows.List(t.Context(), "", 100)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	for _, r := range all {
		fresh, err := s.Reseal(bindingOf(r.Parts), r.Sealed)
		if err == nil {
			err = rows.Swap(t.Context(), []seal.Swap{{Place: r.Place, Old: r.Sealed, New: fresh}})
		}
		if err != nil {
			t.Fatalf("%v: %v", r.Parts, err)
		}
	}
}

// bindingOf spells the bindings out that Shelf knows: they are in files for ever.
func bindingOf(parts []string) []byte {
	kind, tenant, policy, id := parts[0], parts[1], parts[2], parts[3]
	if kind == "policy" {
		return envelope.Bind("availability key 1", tenant, policy, id)
	}
	return envelope.Bind("availability key RSA 1", kind, tenant, id)
}

// CK-33: a roll makes one new key however often it is asked for; the old one goes on unwrapping.
// A clock set back makes no more of them.
func TestRenew(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		s, ctx := mustService(t, db, envelope.NewKey()), t.Context()
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		*s.clock = start
		first := s.mustCreate(t)
		wrapped, err := s.Wrap(ctx, system, tenant, first, envelope.NewKey(), nil)
		if err != nil {
			t.Fatal(err)
		}
		since := start.Add(time.Hour)
		for _, clock := range []time.Time{start.Add(time.Hour), start.Add(-time.Hour), start.Add(2 * time.Hour)} {
			*s.clock = clock
			id, err := s.Renew(ctx, system, ofPolicy, since)
			if err != nil || id == first {
				t.Fatalf("%s, %v", id, err)
			}
			if f, err := s.Facts(ctx, system, tenant, id); err != nil || f.Number != 2 || !f.Created.Equal(since) {
				t.Errorf("asked at %s: %+v, %v", clock, f, err)
			}
		}
		old, err := s.Facts(ctx, system, tenant, first)
		if err != nil || !old.Superseded.Equal(since) {
			t.Errorf("%+v, %v", old, err)
		}
		if _, err := s.Unwrap(ctx, system, use(first), wrapped, nil); err != nil {
			t.Errorf("the key before: %v", err)
		}
		if id := s.mustCreate(t); id == first {
			t.Error("a new policy key would go under the old one")
		}
		listed, err := s.Superseded(ctx, availability.Facts{}, 10)
		if err != nil || len(listed) != 1 || listed[0].ID != first {
			t.Errorf("superseded: %+v, %v", listed, err)
		}
		if listed, err = s.Superseded(ctx, listed[0], 10); err != nil || len(listed) != 0 {
			t.Errorf("superseded behind that: %+v, %v", listed, err)
		}
		if due, err := s.Old(ctx, since, availability.Facts{}, 10); err != nil || len(due) != 0 {
			t.Errorf("made before the roll: %+v, %v", due, err)
		}
		if due, err := s.Old(ctx, since.Add(1), availability.Facts{}, 10); err != nil || len(due) != 0 { // less than a microsecond later
			t.Errorf("made at the roll: %+v, %v", due, err)
		}
		if due, err := s.Old(ctx, since.Add(time.Second), availability.Facts{}, 10); err != nil || len(due) != 1 {
			t.Errorf("a second later: %+v, %v", due, err)
		}
	})
}

// Two nodes that roll one key at the same time make one.
func TestRenewAtOnce(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		s := mustService(t, db, envelope.NewKey())
		ids := make(chan string, 8)
		for range cap(ids) {
			go func() {
				id, err := availability.New(availability.Config{Store: store.NewAvailability(db), Seal: seal.Of(envelope.NewKey()), Audit: quiet{}})
				if err != nil {
					ids <- err.Error()
					return
				}
				made, err := id.Create(t.Context(), system, ofPolicy)
				ids <- fmt.Sprint(made, err)
			}()
		}
		first := <-ids
		for range cap(ids) - 1 {
			if next := <-ids; next != first {
				t.Errorf("%s and %s", first, next)
			}
		}
		if f, err := s.Newest(t.Context(), ofPolicy); err != nil || f.Number != 1 {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

// CK-35, CK-36: a key that serves others too is not destroyed for one tenant.
func TestSharedKeyStays(t *testing.T) {
	s := mustService(t, storetest.SQLite(t, store.AvailabilityAreas()...), envelope.NewKey())
	forest := s.mustCreateFor(t, ofFiles(availability.PerForest, tenant, policy))
	own := s.mustCreateFor(t, ofFiles(availability.PerTenant, tenant, policy))
	err := s.Destroy(t.Context(), system, tenant, forest)
	if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != availability.ReasonShared {
		t.Errorf("the forest's, for one tenant: %v", err)
	}
	if err := s.Destroy(t.Context(), system, tenant, own); err != nil {
		t.Errorf("the tenant's: %v", err)
	}
	if err := s.Destroy(t.Context(), system, other, own); !fault.Is(err, fault.NotFound) {
		t.Errorf("the tenant's, for another one: %v", err)
	}
	if err := s.Destroy(t.Context(), directory.SystemCaller("", "roll", ""), "", forest); err != nil {
		t.Errorf("the forest's, by the service: %v", err)
	}
	if again := s.mustCreateFor(t, ofFiles(availability.PerForest, tenant, policy)); again == forest {
		t.Error("a destroyed key is given out")
	}
}

func TestScopesAreChecked(t *testing.T) {
	s := mustService(t, storetest.SQLite(t, store.AvailabilityAreas()...), envelope.NewKey())
	for _, of := range []availability.Scope{
		{}, {Kind: "galaxy", Tenant: tenant, Policy: policy}, {Kind: availability.PerPolicy, Tenant: tenant},
		{Kind: availability.PerPolicy, Policy: policy}, {Kind: availability.PerTenant, Policy: policy},
	} {
		if _, err := s.Create(t.Context(), system, of); !fault.Is(err, fault.Internal) {
			t.Errorf("%+v: %v", of, err)
		}
	}
}

// CK-34: nobody reads an availability key. What a Service gives out is what it wrapped or unwrapped, and
// facts.
func TestNoMethodGivesTheKey(t *testing.T) {
	t.Parallel()
	secret := map[reflect.Type]string{reflect.TypeFor[envelope.Key](): "Unwrap", reflect.TypeFor[[]byte](): "Wrap"}
	service := reflect.TypeFor[*availability.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i)
		for o := range m.Type.NumOut() {
			out := m.Type.Out(o)
			if only, ok := secret[out]; ok && m.Name != only || out == reflect.TypeFor[availability.Key]() {
				t.Errorf("%s gives out %s", m.Name, out)
			}
		}
	}
}
