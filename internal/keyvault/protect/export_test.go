package protect_test

import (
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"strconv"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// TestExport: a private half goes to another protector, under another sealing key, and works.
func TestExport(t *testing.T) {
	t.Parallel()
	a, b := mustSoftware(t, envelope.NewKey(), 0), mustSoftware(t, envelope.NewKey(), 0)
	specs := []protect.Spec{
		rsa2048, {Type: protect.RSA, Bits: 3072}, {Type: protect.EC, Curve: "P-256"}, {Type: protect.EC, Curve: "P-384"}, {Type: protect.EC, Curve: "P-521"},
	}
	if !fips140.Enforced() {
		specs = append(specs, protect.Spec{Type: protect.EC, Curve: protect.P256K})
	}
	for _, spec := range specs {
		id := protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: spec.Curve + strconv.Itoa(spec.Bits)}
		handle, pub, err := a.Generate(t.Context(), id, spec)
		if err != nil {
			t.Fatal(err)
		}
		under := envelope.NewKey()
		sealed, err := a.Export(t.Context(), id, handle, under)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := id
		elsewhere.Vault = "another"
		handle, got, err := b.Adopt(t.Context(), elsewhere, spec, under, sealed)
		if err != nil {
			t.Fatal(spec, err)
		}
		switch pub := pub.(type) {
		case *rsa.PublicKey:
			if !pub.Equal(got) {
				t.Errorf("%v: another public half", spec)
			}
			wrapped, err := protect.Encrypt(pub, protect.OAEP256, []byte("key"))
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := b.Decrypt(t.Context(), elsewhere, handle, protect.OAEP256, wrapped); err != nil || string(plain) != "key" {
				t.Errorf("%v: %q, %v", spec, plain, err)
			}
		case interface{ Equal(crypto.PublicKey) bool }:
			if kept, err := b.Public(t.Context(), elsewhere, handle); !pub.Equal(got) || err != nil || !pub.Equal(kept) {
				t.Errorf("%v: another public half, %v", spec, err)
			}
		default:
			t.Errorf("%v: %T", spec, pub)
		}
	}
}

// TestAdoptRefuses: what was sealed for another key, or is not of the type it is said to be.
func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	s, under := mustSoftware(t, envelope.NewKey(), 0), envelope.NewKey()
	handle, _ := mustGenerate(t, s, id, rsa2048)
	sealed, err := s.Export(t.Context(), id, handle, under)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, id protect.ID, spec protect.Spec, from envelope.Key, sealed []byte) {
		t.Helper()
		if _, _, err := s.Adopt(t.Context(), id, spec, from, sealed); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("another key", id, rsa2048, envelope.NewKey(), sealed)
	refused("another version", protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: "2"}, rsa2048, under, sealed)
	refused("another name", protect.ID{Tenant: "t", Vault: "v", Key: "l", Version: "1"}, rsa2048, under, sealed)
	refused("another tenant", protect.ID{Tenant: "u", Vault: "v", Key: "k", Version: "1"}, rsa2048, under, sealed)
	refused("another size", id, protect.Spec{Type: protect.RSA, Bits: 3072}, under, sealed)
	refused("another type", id, protect.Spec{Type: protect.EC, Curve: "P-256"}, under, sealed)
	refused("no type", id, protect.Spec{}, under, sealed)
	refused("cut off", id, rsa2048, under, sealed[:len(sealed)-1])
	for what, plain := range map[string][]byte{"nothing": nil, "layout": {2}, "zeros": make([]byte, 1+4+256), "short": {1, 0, 1, 0, 1, 9}} {
		if what == "zeros" {
			plain[0], plain[4] = 1, 3
		}
		bad, err := envelope.Seal(nil, under, envelope.Bind("exported private key 1", id.Tenant, id.Key, id.Version), plain)
		if err != nil {
			t.Fatal(err)
		}
		refused(what, id, rsa2048, under, bad)
		refused(what, id, protect.Spec{Type: protect.EC, Curve: "P-521"}, under, bad)
	}
}
