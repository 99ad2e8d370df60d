package availability_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	seals "github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const tenant, other, policy = "tenant-a", "tenant-b", "policy-1"

var system = directory.SystemCaller(tenant, "work", "request")

// A journal keeps what is recorded and read, in order, before it passes it on.
type journal struct {
	availability.Store
	log    audit.Recorder
	events []string
	mute   bool
}

func (j *journal) Record(ctx context.Context, e audit.Entry) error {
	if j.mute {
		return errors.New("disk full")
	}
	j.events = append(j.events, e.Action+" "+string(e.Decision))
	return j.log.Record(ctx, e)
}

func (j *journal) AddKey(ctx context.Context, k availability.Key, since time.Time) (availability.Key, error) {
	j.events = append(j.events, "stored")
	return j.Store.AddKey(ctx, k, since)
}

func (j *journal) AddUse(ctx context.Context, r availability.Record, day int64) error {
	j.events = append(j.events, "counted")
	return j.Store.AddUse(ctx, r, day)
}

type fixture struct {
	*availability.Service
	*journal
	db    *store.DB
	clock *time.Time // if not zero, the time
}

var ofPolicy = availability.Scope{Kind: availability.PerPolicy, Tenant: tenant, Policy: policy}

// ofFiles returns the scope of a SharePoint policy's key.
func ofFiles(k availability.Kind, tenant, policy string) availability.Scope {
	return availability.Scope{Kind: k, Tenant: tenant, Policy: policy}
}

// use is what a key is unwrapped for while both vaults are out of reach.
func use(id string) availability.Use {
	return availability.Use{Tenant: tenant, Policy: policy, Generation: "generation", Key: id, Cause: "both roots unreachable"}
}

// mustService returns a service over a database and a log of its own.
func mustService(t *testing.T, db *store.DB, seal envelope.Key) fixture {
	t.Helper()
	return mustServiceUnder(t, db, seals.Of(seal))
}

func mustServiceUnder(t *testing.T, db *store.DB, seal *seals.Seal) fixture {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte("a seed for tests, and only tests"))
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "availability"})
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{Store: store.NewAvailability(db), log: log}
	clock := new(time.Time)
	now := func() time.Time {
		if clock.IsZero() {
			return time.Now()
		}
		return *clock
	}
	s, err := availability.New(availability.Config{Store: j, Seal: seal, Audit: j, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{s, j, db, clock}
}

func (f fixture) mustCreate(t *testing.T) string {
	t.Helper()
	return f.mustCreateFor(t, ofPolicy)
}

func (f fixture) mustCreateFor(t *testing.T, of availability.Scope) string {
	t.Helper()
	id, err := f.Create(t.Context(), system, of)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWrapAndUnwrap(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		s, ctx, key := mustService(t, db, envelope.NewKey()), t.Context(), envelope.NewKey()
		id := s.mustCreate(t)
		wrapped, err := s.Wrap(ctx, system, tenant, id, key, []byte("what"))
		if err != nil || len(wrapped) != envelope.WrappedSize {
			t.Fatalf("%d bytes, %v", len(wrapped), err)
		}
		back, err := s.Unwrap(ctx, system, use(id), wrapped, []byte("what"))
		if err != nil || !back.Equal(key) {
			t.Errorf("unwrapping: %v", err)
		}
		if _, err := s.Unwrap(ctx, system, use(id), wrapped, []byte("another")); !fault.Is(err, fault.Corrupt) {
			t.Errorf("for another purpose: %v", err)
		}
		another := s.mustCreateFor(t, availability.Scope{Kind: availability.PerPolicy, Tenant: tenant, Policy: "policy-2"})
		if _, err := s.Unwrap(ctx, system, use(another), wrapped, []byte("what")); !fault.Is(err, fault.Corrupt) {
			t.Errorf("with another key: %v", err)
		}
		if _, err := s.Unwrap(ctx, system, availability.Use{Tenant: other, Key: id}, wrapped, []byte("what")); !fault.Is(err, fault.NotFound) {
			t.Errorf("in another tenant: %v", err)
		}
		mallory := directory.Caller{Tenant: other, Kind: directory.User}
		for what, err := range map[string]error{
			"wrap":    second(s.Wrap(ctx, mallory, tenant, id, key, nil)),
			"unwrap":  second(s.Unwrap(ctx, mallory, use(id), wrapped, []byte("what"))),
			"create":  second(s.Create(ctx, mallory, ofPolicy)),
			"destroy": s.Destroy(ctx, mallory, tenant, id),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s by another tenant: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Every use stands in the log before it happens; without the log nothing happens.
func TestRecordFirst(t *testing.T) {
	s, ctx, key := mustService(t, storetest.SQLite(t, store.AvailabilityAreas()...), envelope.NewKey()), t.Context(), envelope.NewKey()
	id := s.mustCreate(t)
	wrapped, err := s.Wrap(ctx, system, tenant, id, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unwrap(ctx, system, use(id), wrapped, nil); err != nil {
		t.Fatal(err)
	}
	s.mute = true
	for what, err := range map[string]error{
		"wrap":    second(s.Wrap(ctx, system, tenant, id, key, nil)),
		"unwrap":  second(s.Unwrap(ctx, system, use(id), wrapped, nil)),
		"create":  second(s.Create(ctx, system, availability.Scope{Kind: availability.PerPolicy, Tenant: tenant, Policy: "another"})),
		"destroy": s.Destroy(ctx, system, tenant, id),
	} {
		if !fault.Is(err, fault.Unavailable) || fault.As(err).Reason != "NotRecorded" {
			t.Errorf("%s without a log: %v", what, err)
		}
	}
	s.mute = false
	if err := s.Destroy(ctx, system, tenant, id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unwrap(ctx, system, use(id), wrapped, nil); !fault.Is(err, fault.Conflict) || fault.As(err).Reason != "KeyDestroyed" {
		t.Errorf("after destroying it: %v", err)
	}
	want := []string{
		"availabilitykey.create allow", "stored", "availabilitykey.wrap allow", "availabilitykey.unwrap allow", "counted",
		"availabilitykey.destroy allow", "availabilitykey.unwrap deny",
	}
	if d := cmp.Diff(want, s.events); d != "" {
		t.Error("(-want +got):\n" + d)
	}
}

// The key is on disk only under the seal, and gone once it is destroyed.
func TestSealed(t *testing.T) {
	seal := envelope.NewKey()
	db := storetest.SQLite(t, store.AvailabilityAreas()...)
	s := mustService(t, db, seal)
	id := s.mustCreate(t)
	row, err := s.journal.Key(t.Context(), tenant, id)
	if err != nil || len(row.Sealed) != 17+envelope.WrappedSize {
		t.Fatalf("%d bytes stored, %v", len(row.Sealed), err)
	}
	clear, err := seals.Of(seal).UnwrapKey(row.Sealed, envelope.Bind("availability key 1", tenant, policy, id))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(row.Sealed, clear.Expose()) {
		t.Error("the key is stored in the clear")
	}
	stranger := mustService(t, db, envelope.NewKey())
	if _, err := stranger.Wrap(t.Context(), system, tenant, id, envelope.NewKey(), nil); !fault.Is(err, fault.Corrupt) {
		t.Errorf("under another seal: %v", err)
	}
	if err := s.Destroy(t.Context(), system, tenant, id); err != nil {
		t.Fatal(err)
	}
	if row, err = s.journal.Key(t.Context(), tenant, id); err != nil || len(row.Sealed) != 0 || row.Destroyed.IsZero() {
		t.Errorf("destroyed: %d bytes at %v, %v", len(row.Sealed), row.Destroyed, err)
	}
	if err := s.Destroy(t.Context(), system, tenant, id); err != nil {
		t.Errorf("destroying it again: %v", err)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", s.Service, s.Service), fmt.Sprintf("%x", seal.Expose()[:8])) {
		t.Error("printing the service shows its seal")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := availability.New(availability.Config{}); err == nil {
		t.Error("a service without anything")
	}
}
