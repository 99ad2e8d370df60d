//go:build pkcs11

package holder_test

import (
	"path/filepath"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// An AES key that never leaves the token holds; another token, or none, does not give out.
func TestToken(t *testing.T) {
	c := hsmtest.Config(t)
	settings := holder.TokenSettings{Module: c.Module, Token: c.Label, PIN: c.PINFile, Key: "customerkey-seal"}
	open := func(s holder.TokenSettings) *holder.Token {
		t.Helper()
		h, err := holder.NewToken(s)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h, key := open(settings), envelope.NewKey()
	held := mustHold(t, h, key)
	wantKey(t, open(settings), held, key)
	_, err := h.Unwrap(t.Context(), held, envelope.Bind("another place"))
	wantRefusal(t, "of another place", err, fault.Invalid)
	damaged := held
	damaged.Bytes = append([]byte{}, held.Bytes...)
	damaged.Bytes[len(damaged.Bytes)-1] ^= 1
	_, err = h.Unwrap(t.Context(), damaged, bound)
	wantRefusal(t, "damaged", err, fault.Invalid)

	other := hsmtest.Config(t)
	foreign := settings
	foreign.Token, foreign.PIN = other.Label, other.PINFile
	_, err = open(foreign).Unwrap(t.Context(), held, bound)
	wantRefusal(t, "another token", err, fault.Invalid)
	nobody := settings
	nobody.PIN = filepath.Join(t.TempDir(), "none")
	_, err = open(nobody).Unwrap(t.Context(), held, bound)
	if err == nil {
		t.Error("without a PIN")
	}

	back := hsmtest.Remove(t)
	_, err = open(settings).Unwrap(t.Context(), held, bound)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("taken away: %v", err)
	}
	back()
	wantKey(t, h, held, key)
}
