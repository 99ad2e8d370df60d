package rest_test

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestAzkeysSignatures: what the official client has signed, it can have verified; anything
// else is answered with false (KV-37, KV-50).
func TestAzkeysSignatures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	mustCreate(t, client, "rsa", rsaKey(2048))
	for _, curve := range azkeys.PossibleCurveNameValues()[:4] {
		if curve != azkeys.CurveNameP256K || !fips140.Enforced() {
			mustCreate(t, client, string(curve), azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(curve)})
		}
	}
	for _, tt := range []struct {
		key  string
		alg  azkeys.SignatureAlgorithm
		hash crypto.Hash
		size int
	}{
		{"rsa", azkeys.SignatureAlgorithmRS256, crypto.SHA256, 256},
		{"rsa", azkeys.SignatureAlgorithmRS384, crypto.SHA384, 256},
		{"rsa", azkeys.SignatureAlgorithmRS512, crypto.SHA512, 256},
		{"rsa", azkeys.SignatureAlgorithmPS256, crypto.SHA256, 256},
		{"rsa", azkeys.SignatureAlgorithmPS384, crypto.SHA384, 256},
		{"rsa", azkeys.SignatureAlgorithmPS512, crypto.SHA512, 256},
		{"P-256", azkeys.SignatureAlgorithmES256, crypto.SHA256, 64},
		{"P-384", azkeys.SignatureAlgorithmES384, crypto.SHA384, 96},
		{"P-521", azkeys.SignatureAlgorithmES512, crypto.SHA512, 132},
		{"P-256K", azkeys.SignatureAlgorithmES256K, crypto.SHA256, 64},
	} {
		if tt.key == "P-256K" && fips140.Enforced() {
			continue
		}
		t.Run(string(tt.alg), func(t *testing.T) {
			h := tt.hash.New()
			h.Write([]byte("what is signed"))
			digest := h.Sum(nil)
			signed, err := client.Sign(t.Context(), tt.key, "", azkeys.SignParameters{Algorithm: &tt.alg, Value: digest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(signed.Result) != tt.size || signed.KID.Version() == "" {
				t.Errorf("signature of %d bytes under %s, want %d", len(signed.Result), *signed.KID, tt.size)
			}
			check := func(what string, want bool, digest, signature []byte) {
				t.Helper()
				res, err := client.Verify(t.Context(), tt.key, "", azkeys.VerifyParameters{Algorithm: &tt.alg, Digest: digest, Signature: signature}, nil)
				if err != nil || *res.Value != want {
					t.Errorf("%s: %+v, %v", what, res, err)
				}
			}
			check("as signed", true, digest, signed.Result)
			check("another digest", false, make([]byte, len(digest)), signed.Result)
			check("a changed signature", false, digest, append(bytes.Clone(signed.Result[1:]), 1))
			check("a longer signature", false, digest, append(bytes.Clone(signed.Result), 0))
			check("zeros", false, digest, make([]byte, tt.size))
			check("one byte", false, digest, []byte{1})
		})
	}
	_, err := client.Sign(t.Context(), "rsa", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmRS256), Value: []byte("short")}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")
}

func TestAzkeysRandomBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := w.Person("reader@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(reader, rights.List))
	client := mustClient(t, w, reader, "contoso-east")
	first, err := client.GetRandomBytes(t.Context(), azkeys.GetRandomBytesParameters{Count: to.Ptr[int32](128)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.GetRandomBytes(t.Context(), azkeys.GetRandomBytesParameters{Count: to.Ptr[int32](128)}, nil)
	if err != nil || len(first.Value) != 128 || bytes.Equal(first.Value, second.Value) {
		t.Errorf("two answers of %d and %d bytes, %v", len(first.Value), len(second.Value), err)
	}
	_, err = client.GetRandomBytes(t.Context(), azkeys.GetRandomBytesParameters{Count: to.Ptr[int32](129)}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")
}

// TestSignatureRecords: each use is in the log by what was used, and no signature is.
func TestSignatureRecords(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Entries()
	s.as(s.admin, "POST", "/keys/root1/{old}/sign?"+version, signRS)
	s.as(s.admin, "POST", "/keys/root1/{old}/verify?"+version, verifyRS)
	s.as(s.admin, "POST", "/keys/expired/sign?"+version, signRS)
	s.as(s.admin, "POST", "/rng?"+version, `{"count":16}`)
	var got []string
	for _, e := range s.Entries() {
		got = append(got, strings.Join([]string{string(e.Decision), e.Action, e.Object, e.Detail["permission"], e.Detail["alg"] + e.Detail["count"], e.Detail["reason"]}, " "))
		for _, v := range e.Detail {
			if len(v) > 20 {
				t.Errorf("detail %q", v)
			}
		}
	}
	want := []string{
		"allow key.sign contoso-east/keys/root1/" + s.old + " sign RS256 ",
		"allow key.verify contoso-east/keys/root1/" + s.old + " verify RS256 ",
		"deny key.sign contoso-east/keys/expired sign  KeyExpired",
		"allow vault.random contoso-east/keys any 16 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
