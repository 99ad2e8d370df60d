package rest

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
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
