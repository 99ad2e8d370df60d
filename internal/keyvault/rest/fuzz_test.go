package rest

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// FuzzBodies: whatever a body holds, reading it ends in parameters or in a refusal that says
// so, and what was read is within bounds.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"kty":"RSA","key_size":2048,"key_ops":["sign"],"attributes":{"enabled":true,"nbf":0,"exp":253402214400},"tags":{"a":"b"}}`,
		`{"attributes":{"exp":null},"tags":{}}`, `{"alg":"RSA-OAEP-256","value":"c2VjcmV0"}`, `{"attributes":{"exp":-856064}}`,
		`{"release_policy":{"data":"e30"}}`, `{"value":"AA==="}`, `[]`, `{}`, `{"kty":1}`, "{\"value\":\"AA\\n\"}",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		invalid := func(err error) {
			t.Helper()
			if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
				t.Errorf("error %v", err)
			}
		}
		var create createIn
		if err := decodeText(body, &create); err != nil {
			invalid(err)
		} else if n, err := create.newKey(); err != nil {
			invalid(err)
		} else if n.Bits < 0 || n.Exponent < 0 || n.Attributes.Expires != nil && n.Attributes.Expires.Unix() < 0 {
			t.Errorf("read %+v", n)
		}
		var update updateIn
		if err := decodeText(body, &update); err != nil {
			invalid(err)
		} else if change, err := update.change(); err != nil {
			invalid(err)
		} else if strings.Contains(body, `"exp":null`) && change.Attributes.Expires == nil && update.Attributes.Expires != nil {
			t.Error("an expiry was taken away")
		}
		var op operationIn
		if err := decodeText(body, &op); err != nil {
			invalid(err)
		} else if value, err := parseBytes("value", op.Value); err != nil {
			invalid(err)
		} else if again, err := parseBytes("value", ptr(base64url(value))); err != nil || string(again) != string(value) {
			t.Errorf("%q read twice: %q, %v", *op.Value, again, err)
		}
	})
}

// FuzzImport: whatever a JSON web key holds, it is refused as invalid or it is one sound key
// pair; no refusal quotes a private member, and no answer shows one (CK-22).
func FuzzImport(f *testing.F) {
	private, d, x, y := mustPair(f)
	for _, body := range []string{
		`{"key":{"kty":"EC","crv":"P-256","d":"` + d + `","x":"` + x + `","y":"` + y + `"},"Hsm":false}`,
		`{"key":{"kty":"EC","crv":"P-384","d":"` + d + `","x":"` + x + `","y":"` + y + `","key_ops":[]}}`,
		`{"key":{"kty":"EC","d":"AQ","D":"Ag","x":null,"y":7}}`, `{"key":{"kty":"RSA","n":"AQ","e":"AQAB","d":"AA==","p":"","q":"_-8="}}`,
		`{"key":{"kty":"RSA","d":["AQ"],"p":{"q":1},"dp":"\u0041","key_hsm":"AA"},"Hsm":true}`, `{"key":[]}`, `{}`,
		private,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var in importIn
		defer func() { in.Key.destroy() }()
		err := decodeText(body, &in)
		var jwk protect.JWK
		if err == nil {
			jwk, err = in.Key.jwk()
		}
		if err == nil {
			_, err = in.newKey()
		}
		var pair *protect.Pair
		if err == nil {
			jwk.Type = protect.Type(in.Key.KTY)
			pair, err = jwk.Pair()
		}
		switch {
		case err == nil && pair.Spec().Type != jwk.Type:
			t.Errorf("a pair of %+v", pair.Spec())
		case err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge):
			t.Errorf("error %v", err)
		case err != nil && strings.Contains(err.Error(), d):
			t.Error("a private member was told")
		}
	})
}

// mustPair returns an RSA key as a body, and the members of a P-256 key.
func mustPair(f *testing.F) (body, d, x, y string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	body = fmt.Sprintf(`{"key":{"kty":"RSA","n":"%s","e":"AQAB","d":"%s","p":"%s","q":"%s"}}`, base64url(key.N.Bytes()),
		base64url(key.D.Bytes()), base64url(key.Primes[0].Bytes()), base64url(key.Primes[1].Bytes()))
	curve, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	point := curve.PublicKey().Bytes()
	return body, base64url(curve.Bytes()), base64url(point[1:33]), base64url(point[33:])
}

func decodeText(body string, v any) error {
	return face.Decode(httptest.NewRequest("POST", "/", strings.NewReader(body)), v)
}

func ptr(s string) *string { return &s }

func TestParseTime(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int64{"0": 0, "253402214400": 253402214400, "1": 1} {
		if got, err := parseTime("exp", json.RawMessage(raw)); err != nil || got.Unix() != want {
			t.Errorf("%s: %v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"-1", "1.0", "1e3", `"1"`, "true", "9223372036854775808", "18446744073709551615", "[]"} {
		if got, err := parseTime("exp", json.RawMessage(raw)); err == nil {
			t.Errorf("%s: %v", raw, got)
		}
	}
	if got, err := parseTime("exp", json.RawMessage("null")); err != nil || got != nil {
		t.Errorf("null: %v, %v", got, err)
	}
}
