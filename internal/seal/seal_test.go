package seal_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

var bound = envelope.Bind("thing 1", "tenant", "id")

func mustSeal(t testing.TB, s *seal.Seal, text string) []byte {
	t.Helper()
	sealed, err := s.Seal(bound, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantOpen(t testing.TB, s *seal.Seal, sealed []byte, want string) {
	t.Helper()
	if got, err := s.Open(bound, sealed); err != nil || string(got) != want {
		t.Errorf("opened %q, %v; want %q", got, err, want)
	}
}

// What is sealed names its key, opens under it as long as it is held, and nowhere else.
func TestRenewAndRetire(t *testing.T) {
	t.Parallel()
	key := envelope.NewKey()
	s := seal.Of(key)
	first := s.Current()
	old := mustSeal(t, s, "old")
	if id, ok := seal.Under(old); !ok || id != first || !s.Fresh(old) {
		t.Fatalf("sealed under %s, %v", id, ok)
	}
	next := envelope.NewKey()
	s.Renew(next)
	fresh := mustSeal(t, s, "new")
	wantOpen(t, s, old, "old")
	wantOpen(t, s, fresh, "new")
	if s.Fresh(old) || !s.Fresh(fresh) || s.Current() != seal.IDOf(next) || fmt.Sprint(s.Former()) != fmt.Sprint([]seal.ID{first}) {
		t.Errorf("current %s, former %v", s.Current(), s.Former())
	}
	moved, err := s.Reseal(bound, old)
	if err != nil || !s.Fresh(moved) {
		t.Fatalf("re-sealing: %v", err)
	}
	s.Retire(s.Current()) // must not happen
	s.Retire(first)
	wantOpen(t, s, moved, "old")
	wantOpen(t, s, fresh, "new")
	if _, err := s.Open(bound, old); !fault.Is(err, fault.Corrupt) || fault.As(err).Reason != "SealNotHeld" {
		t.Errorf("under a key that is gone: %v", err)
	}
	if !key.IsZero() || len(s.Former()) != 0 {
		t.Error("the retired key still has bytes")
	}
	again, err := seal.New(next)
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, again, moved, "old") // as after a restart
}

// Bytes of before keys had ids open under any key that is held, and get an id by being re-sealed.
func TestBare(t *testing.T) {
	t.Parallel()
	older, newer := envelope.NewKey(), envelope.NewKey()
	s, err := seal.New(newer, older)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := envelope.Seal(nil, older, bound, []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, s, sealed, "old")
	if s.Fresh(sealed) {
		t.Error("a bare message is called fresh")
	}
	moved, err := s.Reseal(bound, sealed)
	if err != nil || !s.Fresh(moved) {
		t.Fatalf("re-sealing: %v", err)
	}
	wantOpen(t, s, moved, "old")
	if _, err := seal.Of(newer).Open(bound, sealed); !fault.Is(err, fault.Corrupt) {
		t.Errorf("under another key: %v", err)
	}
	wrapped, err := envelope.WrapKey(older, newer, bound)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := s.UnwrapKey(wrapped, bound); err != nil || !key.Equal(newer) {
		t.Errorf("a bare wrapped key: %v", err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s, key := seal.Of(envelope.NewKey()), envelope.NewKey()
	sealed, err := s.WrapKey(key, bound)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.UnwrapKey(sealed, bound); err != nil || !got.Equal(key) {
		t.Errorf("unwrapped: %v", err)
	}
	if _, err := s.WrapKey(envelope.Key{}, bound); err == nil {
		t.Error("a key without bytes was sealed")
	}
	if _, err := s.UnwrapKey(mustSeal(t, s, "short"), bound); err == nil {
		t.Error("five bytes are a key")
	}
	if _, err := seal.New(envelope.Key{}); err == nil {
		t.Error("a seal without a key")
	}
}

// What was changed, cut, or is of another place does not open; printing shows nothing.
func TestTampered(t *testing.T) {
	t.Parallel()
	key := envelope.NewKey()
	s := seal.Of(key)
	sealed := mustSeal(t, s, "secret")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open(bound, changed); !fault.Is(err, fault.Corrupt) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := s.Open(bound, sealed[:i]); !fault.Is(err, fault.Corrupt) {
			t.Errorf("cut to %d: %v", i, err)
		}
	}
	if _, err := s.Open(envelope.Bind("thing 1", "tenant", "other"), sealed); !fault.Is(err, fault.Corrupt) {
		t.Errorf("in another place: %v", err)
	}
	if _, err := envelope.Open(nil, key, bound, sealed[17:]); !fault.Is(err, fault.Corrupt) {
		t.Errorf("without the id in its binding: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
		if out := fmt.Sprintf(verb, s); bytes.Contains([]byte(out), fmt.Appendf(nil, "%x", key.Expose())) {
			t.Errorf("%s prints key bytes", verb)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := envelope.NewKey()
	s := seal.Of(key)
	f.Add(mustSeal(f, s, "secret"))
	old, err := envelope.Seal(nil, key, bound, []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old)
	f.Add([]byte{1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := s.Open(bound, sealed); err == nil && string(plain) != "secret" {
			t.Errorf("%x opens as %q", sealed, plain)
		}
		if id, ok := seal.Under(sealed); ok && !id.Valid() {
			t.Errorf("%x names %q", sealed, id)
		}
	})
}
