package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const version = "api-version=2025-07-01"

// A stage is a World with the vault "contoso-east" and a few keys, for requests by hand:
//
//	root1       RSA, two versions; old is the first
//	disabled    EC that allows everything, disabled
//	early       RSA, not yet valid
//	expired     RSA, expired
//	nothing     EC, allows no operation
//	curve       EC
//	gone        EC, deleted
type stage struct {
	*keyvaulttest.World
	t     *testing.T
	admin directory.Caller
	old   string // version of root1
}

func newStage(t *testing.T) *stage {
	t.Helper()
	w := newWorld(t)
	s := &stage{World: w, t: t, admin: w.Person("admin@contoso.example")}
	w.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All, rights.Purge))
	no, past, future := false, w.Now().Add(-time.Hour), w.Now().Add(time.Hour)
	s.old = s.mustCreate("root1", keyvault.NewKey{Type: "RSA"}).Version
	s.mustCreate("root1", keyvault.NewKey{Type: "RSA"})
	s.mustCreate("disabled", keyvault.NewKey{Type: "EC", Ops: []string{"wrapKey", "unwrapKey"}, Attributes: keyvault.Attributes{Enabled: &no}})
	s.mustCreate("early", keyvault.NewKey{Type: "RSA", Attributes: keyvault.Attributes{NotBefore: &future}})
	s.mustCreate("expired", keyvault.NewKey{Type: "RSA", Attributes: keyvault.Attributes{Expires: &past}})
	s.mustCreate("nothing", keyvault.NewKey{Type: "EC", Ops: []string{}})
	s.mustCreate("curve", keyvault.NewKey{Type: "EC", Ops: []string{"sign", "wrapKey"}})
	s.mustCreate("gone", keyvault.NewKey{Type: "EC"})
	if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "gone"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) mustCreate(name string, n keyvault.NewKey) keyvault.Key {
	s.t.Helper()
	k, err := s.CreateKey(s.t.Context(), s.admin, "contoso-east", name, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// An exchange is one answer.
type exchange struct {
	status int
	header http.Header
	body   map[string]any
}

// send sends a request by hand. The path goes out as it is written; {old} stands for root1's
// first version.
func (s *stage) send(method, host, path, token, body string) exchange {
	s.t.Helper()
	path = strings.ReplaceAll(path, "{old}", s.old)
	req, err := http.NewRequestWithContext(s.t.Context(), method, "https://"+host+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.URL.Opaque = "//" + host + path // "//" inside a path survives only so
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	x := exchange{status: res.StatusCode, header: res.Header}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &x.body); err != nil {
			s.t.Fatalf("%s %s answers %q", method, path, text)
		}
	}
	return x
}

func (s *stage) host() string { return "contoso-east.vault." + s.Domain() }

// as sends a request to the vault with a token of c.
func (s *stage) as(c directory.Caller, method, path, body string) exchange {
	s.t.Helper()
	return s.send(method, s.host(), path, "Bearer "+s.Token(c, s.Audience()), body)
}

// code returns the codes of an error body: "Forbidden/KeyDisabled".
func (x exchange) code() string {
	e, _ := x.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	if inner, ok := e["innererror"].(map[string]any); ok {
		code += "/" + inner["code"].(string)
	}
	return code
}

func (x exchange) message() string {
	e, _ := x.body["error"].(map[string]any)
	message, _ := e["message"].(string)
	return message
}

// A case is a request by the administrator and the answer that a row of the requirements asks
// for. message is part of the text; code is empty for success.
type contract struct {
	row, method, path, body string
	status                  int
	code, message           string
}

const (
	wrap    = `{"alg":"RSA-OAEP-256","value":"c2VjcmV0"}`
	oneByte = `{"alg":"RSA-OAEP-256","value":"AA"}`

	digest32 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // 32 bytes
	signRS   = `{"alg":"RS256","value":"` + digest32 + `"}`
	signES   = `{"alg":"ES256","value":"` + digest32 + `"}`
	verifyRS = `{"alg":"RS256","digest":"` + digest32 + `","value":"AAAA"}`
)

// TestContract is KV-170: requests by hand, a row for each thing that a row of sections 4, 5 and 9
// asks for, in order.
func TestContract(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bad := func(row, method, path, body, message string) contract {
		return contract{row, method, path, body, 400, "BadParameter", message}
	}
	ok := func(row, method, path, body string) contract { return contract{row, method, path, body, 200, "", ""} }
	for _, tt := range []contract{
		{"KV-2", "GET", "/secrets?" + version, "", 404, "NotFound", ""},
		{"KV-2", "GET", "/certificates/x?" + version, "", 404, "NotFound", ""},
		{"KV-2", "GET", "/storage?" + version, "", 404, "NotFound", ""},
		{"KV-2", "GET", "/?" + version, "", 404, "NotFound", ""},
		ok("KV-7", "GET", "//keys//root1/?"+version, ""),
		ok("KV-7", "GET", "/keys/root1/?"+version, ""),
		ok("KV-7", "PATCH", "/keys/root1/?"+version, `{}`),
		ok("KV-7", "POST", "//keys/root1//wrapkey?"+version, wrap),
		{"KV-7", "GET", "/keys/../keys?" + version, "", 404, "NotFound", ""},
		{"KV-7", "GET", "/keys/%2e%2e?" + version, "", 404, "NotFound", ""},
		ok("KV-8", "GET", "/keys?api%2Dversion=7.4", ""),
		bad("KV-8", "GET", "/keys?api-version=7.4&%zz", "", "query"),
		bad("KV-10", "GET", "/keys", "", "api-version must be specified"),
		bad("KV-10", "GET", "/secrets", "", "api-version"),
		ok("KV-10", "GET", "/keys?api-version=7.0", ""),
		ok("KV-10", "GET", "/keys?api-version=7.6-preview.2", ""),
		ok("KV-10", "GET", "/keys?api-version=2025-06-01-preview", ""),
		ok("KV-10", "GET", "/keys?api-version=2026-04-01", ""),
		bad("KV-10", "GET", "/keys?api-version=2016-10-01", "", "2016-10-01"),
		bad("KV-10", "GET", "/keys?api-version=8.0", "", "8.0"),
		bad("KV-10", "GET", "/keys?api-version=2025-13-01", "", ""),
		bad("KV-12", "POST", "/keys/new/create?"+version, "", "missing"),
		bad("KV-12", "POST", "/keys/new/create?"+version, "[]", "object"),
		bad("KV-12", "POST", "/keys/new/create?"+version, `{"kty":"RSA"`, "JSON"),
		bad("KV-12", "POST", "/keys/new/create?"+version, `{"kty":"RSA"} {}`, "JSON"),
		bad("KV-12", "POST", "/keys/new/create?"+version, `{"kty":2048}`, "Property kty has invalid value"),
		ok("KV-12", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"AA","more":{"of":"it"}}`),
		{"KV-12", "POST", "/keys/root1/wrapkey?" + version, `{"alg":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "RequestTooLarge", ""},
		{"KV-12", "POST", "/keys/root1/create?" + version, `{"kty":"EC","tags":{"x":"` + strings.Repeat("y", 100_000) + `"}}`, 413, "RequestTooLarge", ""},
		ok("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"_-8="}`),
		ok("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"/+8"}`),
		bad("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"A"}`, "value"),
		bad("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"AA A"}`, "value"),
		bad("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"AA\n"}`, "value"),
		bad("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"AA==="}`, "value"),
		bad("KV-14", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"AB"}`, "value"),
		bad("KV-15 KV-153", "PATCH", "/keys/root1?"+version, `{"attributes":{"exp":-856064}}`, "Property exp has invalid value"),
		bad("KV-15", "PATCH", "/keys/root1?"+version, `{"attributes":{"exp":1.5}}`, "exp"),
		bad("KV-15", "PATCH", "/keys/root1?"+version, `{"attributes":{"nbf":"1"}}`, "nbf"),
		bad("KV-15", "PATCH", "/keys/root1?"+version, `{"attributes":{"nbf":253402300800}}`, "nbf"),
		bad("KV-15", "PATCH", "/keys/root1?"+version, `{"attributes":{"nbf":99999999999999999999}}`, "nbf"),
		ok("KV-22", "GET", "/keys/root1/{old}?"+version, ""),
		ok("KV-22", "GET", "/KEYS/ROOT1/{old}?"+version, ""),
		ok("KV-38", "POST", "/keys/curve/rotate?"+version, ""),
		ok("KV-39", "GET", "/keys/curve/rotationpolicy?"+version, ""),
		ok("KV-39", "PUT", "/keys/curve/rotationPolicy?"+version, `{"lifetimeActions":[{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"rotate"}}],"attributes":{"expiryTime":"P2Y"}}`),
		bad("KV-39", "PUT", "/keys/curve/rotationpolicy?"+version, "", "missing"),
		{"KV-39", "POST", "/keys/curve/rotationpolicy?" + version, "{}", 405, "MethodNotAllowed", ""},
		{"KV-38", "POST", "/keys/gone/rotate?" + version, "", 404, "KeyNotFound", ""},
		bad("KV-79", "PUT", "/keys/curve/rotationpolicy?"+version, `{"attributes":{"expiryTime":"P27D"}}`, "Property expiryTime has invalid value"),
		bad("KV-79", "PUT", "/keys/curve/rotationpolicy?"+version, `{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P6D"},"action":{"type":"Rotate"}}]}`, "timeAfterCreate"),
		bad("KV-79", "PUT", "/keys/curve/rotationpolicy?"+version, `{"lifetimeActions":[{"trigger":{"timeAfterCreate":7},"action":{"type":"Rotate"}}]}`, "timeAfterCreate"),
		bad("KV-79", "PUT", "/keys/curve/rotationpolicy?"+version, `{"lifetimeActions":[{"action":{"type":"Rotate"}}]}`, "trigger"),
		ok("KV-32", "POST", "/keys/curve/backup?"+version, ""),
		{"KV-32", "POST", "/keys/gone/backup?" + version, "", 404, "KeyNotFound", ""},
		{"KV-32", "POST", "/keys/curve/{old}/backup?" + version, "", 404, "NotFound", ""}, // KV-70: no single version
		bad("KV-31", "GET", "/keys/root1/{old}/attestation?"+version, "", "attestation"),
		bad("KV-31", "GET", "/keys/root1//attestation?api-version=7.6", "", "attestation"),
		{"KV-31", "GET", "/keys/root1/{old}/attestation?api-version=7.5", "", 404, "NotFound", ""},
		{"KV-31", "GET", "/keys/none/{old}/attestation?" + version, "", 404, "KeyNotFound", ""},
		{"KV-41", "POST", "/keys/root1/{old}/release?" + version, `{"target":"x"}`, 403, "Forbidden", "exportable"},
		{"KV-41", "POST", "/keys/root1/release?" + version, "", 403, "Forbidden", "exportable"},
		{"KV-41", "POST", "/keys/none/release?" + version, "", 404, "KeyNotFound", ""},
		bad("KV-33", "POST", "/keys/restore?"+version, "", "missing"),
		bad("KV-33", "POST", "/keys/restore?"+version, `{}`, "value"),
		bad("KV-72", "POST", "/keys/restore?"+version, `{"value":""}`, "Cannot decrypt backup blob"),
		bad("KV-72", "POST", "/keys/restore?"+version, `{"value":"JkF6dXJlS2V5VmF1bHRLZXlCYWNrdXBWMS5taWNyb3NvZnQuY29tZXlK"}`, "Cannot decrypt backup blob"),
		bad("KV-72", "POST", "/keys/restore?"+version, `{"value":"JkF6d"}`, "Cannot decrypt backup blob"), // cut short
		bad("KV-72", "POST", "/keys/restore?"+version, `{"value":"JkF6\n"}`, "Cannot decrypt backup blob"),
		bad("KV-12", "POST", "/keys/restore?"+version, `{"value":"`+strings.Repeat("A", 1<<20-12)+`"}`, "Cannot decrypt backup blob"),
		{"KV-12", "POST", "/keys/restore?" + version, `{"value":"` + strings.Repeat("A", 1<<20-11) + `"}`, 413, "RequestTooLarge", ""},
		{"KV-33", "GET", "/keys/restore?" + version, "", 404, "KeyNotFound", "restore"}, // a key's name like any other
		ok("KV-42", "POST", "/keys/root1/{old}/wrapKey?"+version, wrap),
		ok("KV-37", "POST", "/keys/root1/{old}/Sign?"+version, signRS),
		ok("KV-37", "POST", "/keys/root1/{old}/verify?"+version, verifyRS),
		ok("KV-37", "POST", "/keys/curve/sign?"+version, signES),
		bad("KV-37", "POST", "/keys/root1/sign?"+version, signES, "does not fit"),
		bad("KV-37", "POST", "/keys/curve/sign?"+version, signRS, "does not fit"),
		bad("KV-37", "POST", "/keys/curve/sign?"+version, `{"alg":"ES384","value":"`+digest32+`"}`, "does not fit"),
		bad("KV-37", "POST", "/keys/root1/sign?"+version, wrap, "alg"),
		bad("KV-37", "POST", "/keys/root1/sign?"+version, `{"value":"`+digest32+`"}`, "alg"),
		bad("KV-37", "POST", "/keys/root1/wrapkey?"+version, signRS, "alg"),
		bad("KV-37", "POST", "/keys/root1/verify?"+version, `{"alg":"RS256","digest":"`+digest32+`"}`, "Property value"),
		bad("KV-37", "POST", "/keys/root1/verify?"+version, `{"alg":"RS256","digest":"`+digest32+`","value":""}`, "Property value"),
		bad("KV-37", "POST", "/keys/root1/verify?"+version, `{"alg":"RS256","value":"AAAA"}`, "Property digest"),
		bad("KV-50", "POST", "/keys/root1/sign?"+version, `{"alg":"RS384","value":"`+digest32+`"}`, "Property value"),
		bad("KV-50", "POST", "/keys/curve/sign?"+version, `{"alg":"ES256","value":"AAAA"}`, "Property value"),
		bad("KV-50", "POST", "/keys/root1/sign?"+version, `{"alg":"PS256","value":""}`, "Property value"),
		bad("KV-50", "POST", "/keys/root1/verify?"+version, `{"alg":"RS512","digest":"`+digest32+`","value":"AAAA"}`, "Property digest"),
		ok("KV-40", "POST", "/rng?"+version, `{"count":1}`),
		ok("KV-40", "POST", "/rng?"+version, `{"count":128}`),
		bad("KV-40", "POST", "/rng?"+version, `{"count":0}`, "Property count"),
		bad("KV-40", "POST", "/rng?"+version, `{"count":129}`, "Property count"),
		bad("KV-40", "POST", "/rng?"+version, `{"count":-1}`, "Property count"),
		bad("KV-40", "POST", "/rng?"+version, `{"count":"8"}`, "Property count"),
		bad("KV-40", "POST", "/rng?"+version, `{}`, "Property count"),
		{"KV-40", "GET", "/rng?" + version, "", 405, "MethodNotAllowed", ""},
		bad("KV-48", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"`+strings.Repeat("A", 255)+`"}`, "value"),
		bad("KV-48", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":""}`, "value"),
		bad("KV-48", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256"}`, "value"),
		bad("KV-48", "POST", "/keys/root1/wrapkey?"+version, `{"alg":"A256KW","value":"AA"}`, "alg"),
		bad("KV-48", "POST", "/keys/root1/unwrapkey?"+version, oneByte, "cannot be decrypted"),
		bad("KV-48", "POST", "/keys/root1/unwrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"`+strings.Repeat("A", 342)+`"}`, "cannot be decrypted"),
		bad("KV-51", "POST", "/keys/new/create?"+version, `{"kty":"RSA","key_ops":["fly"]}`, "key_ops"),
		bad("KV-51", "POST", "/keys/new/create?"+version, `{"kty":"RSA","key_ops":["sign","sign"]}`, "key_ops"),
		{"KV-52", "POST", "/keys/new/create?" + version, `{"kty":"RSA-HSM"}`, 400, "BadParameter/KeyTypeNotSupported", "RSA-HSM"},
		{"KV-52", "POST", "/keys/new/create?" + version, `{"kty":"oct-HSM"}`, 400, "BadParameter/KeyTypeNotSupported", "oct-HSM"},
		bad("KV-53", "POST", "/keys/new/create?"+version, `{"kty":"RSA","attributes":{"exportable":true}}`, "AKV.SKR.1004"),
		bad("KV-53", "POST", "/keys/new/create?"+version, `{"kty":"RSA","release_policy":{"data":"e30"}}`, "Non-exportable keys"),
		bad("KV-53", "POST", "/keys/new/create?"+version, `{"kty":"RSA","attributes":{"exportable":true},"release_policy":{}}`, "not supported"),
		bad("KV-55", "POST", "/keys/new/create?"+version, `{"kty":"EC","crv":"P-256K","key_size":384}`, "Property"),
		bad("KV-55", "POST", "/keys/curve/sign?"+version, `{"alg":"ES256K","value":"`+digest32+`"}`, "does not fit"),
		bad("KV-57 CK-228", "PATCH", "/keys/root1?"+version, `{"attributes":{"exp":null}}`, "exp"),
		bad("KV-4.3", "PATCH", "/keys/root1?"+version, `{"attributes":{"exp":100,"nbf":100}}`, "exp"),
		bad("KV-84", "GET", "/keys?maxresults=0&"+version, "", "maxresults"),
		bad("KV-84", "GET", "/keys?maxresults=26&"+version, "", "maxresults"),
		bad("KV-84", "GET", "/keys?maxresults=x&"+version, "", "maxresults"),
		bad("KV-85", "GET", "/keys?$skiptoken=bm9uc2Vuc2U&"+version, "", "$skiptoken"),
		bad("KV-85", "GET", "/keys/root1/versions?$skiptoken=MTpyb290MQ&"+version, "", "$skiptoken"),
		{"KV-92", "POST", "/keys/disabled/wrapkey?" + version, wrap, 403, "Forbidden/KeyDisabled", "Operation wrapKey is not allowed on a disabled key"},
		{"KV-92", "POST", "/keys/disabled/unwrapkey?" + version, wrap, 403, "Forbidden/KeyDisabled", "unwrapKey"},
		{"KV-92", "POST", "/keys/nothing/decrypt?" + version, wrap, 403, "Forbidden/KeyOperationForbidden", "Operation decrypt is not permitted on this key"},
		{"KV-92", "POST", "/keys/expired/wrapkey?" + version, wrap, 403, "Forbidden/KeyExpired", "expired"},
		{"KV-92", "POST", "/keys/expired/encrypt?" + version, wrap, 403, "Forbidden/KeyExpired", "expired"},
		{"KV-92", "POST", "/keys/early/wrapkey?" + version, wrap, 403, "Forbidden/KeyNotYetValid", "not yet valid"},
		{"KV-92", "POST", "/keys/expired/sign?" + version, signRS, 403, "Forbidden/KeyExpired", "Operation sign is not allowed on an expired key"},
		{"KV-92", "POST", "/keys/early/sign?" + version, signRS, 403, "Forbidden/KeyNotYetValid", "not yet valid"},
		{"KV-92", "POST", "/keys/disabled/sign?" + version, signES, 403, "Forbidden/KeyDisabled", "sign"},
		{"KV-92", "POST", "/keys/disabled/verify?" + version, verifyRS, 403, "Forbidden/KeyDisabled", "verify"},
		{"KV-92", "POST", "/keys/nothing/sign?" + version, signES, 403, "Forbidden/KeyOperationForbidden", "sign"},
		{"KV-92", "POST", "/keys/curve/verify?" + version, verifyRS, 403, "Forbidden/KeyOperationForbidden", "Operation verify is not permitted on this key"},
		ok("KV-4.3", "POST", "/keys/expired/verify?"+version, verifyRS),
		ok("KV-4.3", "POST", "/keys/early/verify?"+version, verifyRS),
		{"KV-93", "POST", "/keys/none/sign?" + version, signRS, 404, "KeyNotFound", "none"},
		bad("KV-58", "POST", "/keys/expired/unwrapkey?"+version, wrap, "cannot be decrypted"), // it was tried
		bad("KV-58", "POST", "/keys/early/unwrapkey?"+version, wrap, "cannot be decrypted"),
		{"KV-4.2", "POST", "/keys/curve/unwrapkey?" + version, wrap, 403, "Forbidden/KeyOperationForbidden", ""},
		bad("KV-4.2", "POST", "/keys/curve/wrapkey?"+version, wrap, "needs an RSA key"),
		{"KV-62", "GET", "/keys/gone?" + version, "", 404, "KeyNotFound", "may be able to recover it"},
		{"KV-62", "GET", "/keys/gone/versions?" + version, "", 404, "KeyNotFound", ""},
		{"KV-62", "DELETE", "/keys/gone?" + version, "", 404, "KeyNotFound", ""},
		{"KV-62", "POST", "/keys/gone/wrapkey?" + version, wrap, 404, "KeyNotFound", ""},
		ok("KV-27", "GET", "/deletedkeys/gone?"+version, ""),
		{"KV-65", "POST", "/deletedkeys/root1/recover?" + version, "", 404, "KeyNotFound", "Deleted Key not found: root1"},
		{"KV-93", "GET", "/keys/none?" + version, "", 404, "KeyNotFound", "A key with (name/id) none was not found in this key vault"},
		{"KV-93", "GET", "/keys/root1/00000000000000000000000000000000?" + version, "", 404, "KeyNotFound", "root1/0000"},
		{"KV-93", "GET", "/deletedkeys/none?" + version, "", 404, "KeyNotFound", "Deleted Key not found: none"},
		{"KV-94", "POST", "/keys/gone/create?" + version, `{"kty":"RSA"}`, 409, "Conflict/ObjectIsDeletedButRecoverable", "deleted but recoverable"},
		bad("KV-95", "POST", "/keys/new/create?"+version, `{}`, "kty"),
		bad("KV-95", "POST", "/keys/new/create?"+version, `{"kty":"RSA","key_size":1024}`, "Property key_size has invalid value"),
		bad("KV-95", "POST", "/keys/new/create?"+version, `{"kty":"RSA","key_size":0}`, "key_size"),
		bad("KV-95", "POST", "/keys/new/create?"+version, `{"kty":"RSA","public_exponent":3}`, "public_exponent"),
		bad("KV-95", "POST", "/keys/new/create?"+version, `{"kty":"RSA","tags":{"":"x"}}`, "tags"),
		bad("KV-95", "POST", "/keys/new/create?"+version, `{"kty":"RSA","tags":{"x":"`+strings.Repeat("y", 257)+`"}}`, "tags"),
		bad("KV-95", "GET", "/keys/a%20b?"+version, "", "invalid name"),
		bad("KV-95", "GET", "/keys/a%2fb?"+version, "", "invalid name"),
		bad("KV-95", "GET", "/keys/"+strings.Repeat("a", 128)+"?"+version, "", "invalid name"),
		bad("KV-95", "GET", "/keys/root1/newest?"+version, "", "invalid version"),
		{"KV-95", "POST", "/keys/new/create?" + version, `{"kty":"oct"}`, 400, "BadParameter/KeyTypeNotSupported", "Invalid kty value: oct"},
		{"KV-96", "PUT", "/keys?" + version, "", 405, "MethodNotAllowed", ""},
		ok("KV-20", "POST", "/keys/fresh/create?"+version, `{"kty":"EC","crv":"P-521","key_ops":["sign"],"attributes":{"enabled":true,"exp":253402214400},"tags":{"a":"b"}}`),
		ok("KV-23", "GET", "/keys?maxresults=25&"+version, ""),
		ok("KV-24", "GET", "/keys/fresh/versions?"+version, ""),
		ok("KV-25", "PATCH", "/keys/root1/{old}?"+version, `{"tags":{},"key_ops":["wrapKey","unwrapKey"]}`),
		ok("KV-34", "POST", "/keys/root1/{old}/wrapkey?"+version, wrap),
		{"KV-35", "POST", "/keys/none/unwrapkey?" + version, wrap, 404, "KeyNotFound", "none"},
		ok("KV-36", "POST", "/keys/root1/encrypt?"+version, wrap),
		bad("KV-36", "POST", "/keys/root1/decrypt?"+version, oneByte, "cannot be decrypted"),
		ok("KV-26", "DELETE", "/keys/fresh?"+version, ""),
		ok("KV-28", "GET", "/deletedkeys?"+version, ""),
		ok("KV-29", "POST", "/deletedkeys/fresh/recover?"+version, ""),
		ok("KV-26", "DELETE", "/keys/fresh?"+version, ""),
		{"KV-30", "DELETE", "/deletedkeys/fresh?" + version, "", 204, "", ""},
		{"KV-30", "DELETE", "/deletedkeys/fresh?" + version, "", 404, "KeyNotFound", "Deleted Key not found: fresh"},
		{"KV-96", "POST", "/keys/root1/versions?" + version, "{}", 405, "MethodNotAllowed", ""},
	} {
		t.Run(tt.row+" "+tt.method+" "+tt.path[:min(len(tt.path), 48)], func(t *testing.T) {
			x := s.as(s.admin, tt.method, tt.path, tt.body)
			if x.status != tt.status || x.code() != tt.code || !strings.Contains(x.message(), tt.message) {
				t.Errorf("answer = %d %s %q, want %d %s %q", x.status, x.code(), x.message(), tt.status, tt.code, tt.message)
			}
		})
	}
}

// TestChallenge: every 401 says where to get a token, in the form that official clients read: with the
// port, which those of Go and Python compare (KV-100, KV-152).
func TestChallenge(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	want := `Bearer authorization="https://login.` + s.Domain() + `/` + s.Tenant + `", resource="https://vault.` + s.Domain() + `"`

	foreign := newWorld(t) // which has an issuer of its own
	stranger := s.Stranger("spy@fabrikam.example")
	for _, tt := range []struct{ row, token, method, path, message string }{
		{"KV-90 none", "", "GET", "/keys?" + version, "AKV10000"},
		{"KV-90 basic", "Basic YTpi", "GET", "/keys?" + version, "AKV10000"},
		{"KV-90 audience", "Bearer " + s.Token(s.admin, "https://api.localhost"), "GET", "/keys?" + version, "AKV10022: Invalid audience"},
		{"KV-90 signature", "Bearer " + foreign.Token(s.admin, s.Audience()), "GET", "/keys?" + version, "[BadSignature] Error validating token"},
		{"KV-90 nonsense", "Bearer x.y.z", "GET", "/keys?" + version, "Error validating token"},
		{"KV-135 tenant", "Bearer " + s.Token(stranger, s.Audience()), "GET", "/keys?" + version, "AKV10032: Invalid issuer"},
		{"KV-135 before path", "Bearer " + s.Token(stranger, s.Audience()), "GET", "/secrets", "AKV10032"},
		{"KV-11 no version", "", "GET", "/keys", "AKV10000"},
		{"KV-11 no path", "", "GET", "/nowhere", "AKV10000"},
		{"KV-11 no body", "", "POST", "/keys/root1/wrapkey?" + version, "AKV10000"},
		{"KV-11 method", "", "PUT", "/keys", "AKV10000"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			x := s.send(tt.method, s.host(), tt.path, tt.token, "")
			if x.status != 401 || x.code() != "Unauthorized" || !strings.Contains(x.message(), tt.message) {
				t.Errorf("answer = %d %s %q", x.status, x.code(), x.message())
			}
			if got := x.header.Get("WWW-Authenticate"); got != want {
				t.Errorf("challenge = %s\nwant        %s", got, want)
			}
		})
	}
	token := "Bearer " + s.Token(s.admin, s.Audience())
	s.Pass(2 * time.Hour)
	if x := s.send("GET", s.host(), "/keys?"+version, token, ""); x.status != 401 || !strings.Contains(x.message(), "[TokenExpired]") {
		t.Errorf("KV-90 expired: %d %q", x.status, x.message())
	}
	for _, audience := range []string{"https://vault.azure.net", "https://vault.azure.net/", s.Audience() + "/"} {
		if x := s.send("GET", s.host(), "/keys?"+version, "Bearer "+s.Token(s.admin, audience), ""); x.status != 200 {
			t.Errorf("KV-135 audience %s: %d %s", audience, x.status, x.message())
		}
	}
}

// TestAddresses: every address in an answer is made of what the server is configured with (KV-4), the
// port among it (KV-6): of the same database another address makes other ids.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	server, err := rest.New(rest.Config{
		Vaults: s.Service, Domain: "keys.example:9443",
		Verify: func(context.Context, string) (directory.Caller, error) { return s.admin, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/keys/root1?":          `"kid":"https://contoso-east.vault.keys.example:9443/keys/root1/`,
		"/deletedkeys/gone?":    `"recoveryId":"https://contoso-east.vault.keys.example:9443/deletedkeys/gone"`,
		"/keys?maxresults=1&":   `"nextLink":"https://contoso-east.vault.keys.example:9443/keys?`,
		"/keys/early/versions?": `"kid":"https://contoso-east.vault.keys.example:9443/keys/early/`,
	} {
		r := httptest.NewRequest("GET", "https://Contoso-East.vault.keys.example:9443"+path+version, nil)
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), s.Domain()) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := "Bearer " + s.Token(s.admin, s.Audience())
	for host, status := range map[string]int{
		"contoso-east.vault." + s.Domain(): 200,
		"Contoso-East.Vault.LocalHost":     200, // KV-5: case and port do not matter
		"contoso-west.vault." + s.Domain(): 404,
		"a.contoso-east.vault.localhost":   404,
		".vault.localhost":                 404,
		"vault.localhost":                  404,
		"contoso-east.vault.example":       404,
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://contoso-east.vault."+s.Domain()+"/keys?"+version, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", token)
		res, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, status)
		}
	}
	if x := s.send("GET", "none.vault."+s.Domain(), "/keys", "", ""); x.status != 404 || x.code() != "VaultNotFound" || x.header.Get("WWW-Authenticate") != "" {
		t.Errorf("KV-5: %d %s", x.status, x.code())
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	x := s.as(s.admin, "GET", "/keys?"+version, "")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		"x-ms-keyvault-region": "westeurope",
	} {
		if got := x.header.Get(name); got != want {
			t.Errorf("KV-13 %s = %q, want %q", name, got, want)
		}
	}
	s.Entries()
	x = s.as(s.admin, "POST", "/keys/disabled/wrapkey?"+version, wrap)
	id := x.header.Get("x-ms-request-id")
	if !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) || x.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("headers = %v", x.header)
	}
	if e := s.Entries(); len(e) != 1 || e[0].Caller.Request != id || e[0].Caller.Address != "127.0.0.1" {
		t.Errorf("KV-13: entries of the request = %+v", e)
	}
	if x := s.as(s.admin, "POST", "/keys/root1?"+version, "{}"); x.header.Get("Allow") != "DELETE, GET, PATCH, PUT" {
		t.Errorf("KV-96: Allow = %q", x.header.Get("Allow"))
	}
}

// Who may not delete a key cannot (CK-283).
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	nobody, reader := s.Person("nobody@contoso.example"), s.Person("reader@contoso.example")
	s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All, rights.Purge), keyvaulttest.Can(reader, "GET"))
	for _, tt := range []struct {
		row          string
		c            directory.Caller
		method, path string
		body         string
		status       int
		code         string
	}{
		{"KV-91 no entry", nobody, "GET", "/keys/root1?" + version, "", 403, "Forbidden/AccessDenied"},
		{"KV-91 entry", reader, "POST", "/keys/root1/wrapkey?" + version, wrap, 403, "Forbidden/ForbiddenByPolicy"},
		{"KV-104 any case", reader, "GET", "/keys/root1?" + version, "", 200, ""},
		{"KV-31 attestation", nobody, "GET", "/keys/root1/{old}/attestation?" + version, "", 403, "Forbidden/AccessDenied"},
		{"KV-41 release", reader, "POST", "/keys/root1/release?" + version, "", 403, "Forbidden/ForbiddenByPolicy"},
		{"KV-91 sign", reader, "POST", "/keys/root1/sign?" + version, signRS, 403, "Forbidden/ForbiddenByPolicy"},
		{"KV-91 verify", reader, "POST", "/keys/root1/verify?" + version, verifyRS, 403, "Forbidden/ForbiddenByPolicy"},
		{"KV-40 any permission", reader, "POST", "/rng?" + version, `{"count":8}`, 200, ""},
		{"KV-40 none", nobody, "POST", "/rng?" + version, `{"count":8}`, 403, "Forbidden/AccessDenied"},
		{"KV-102 random, broken body", nobody, "POST", "/rng?" + version, `{"count":`, 403, "Forbidden/AccessDenied"},
		{"KV-102 unknown key", nobody, "GET", "/keys/none?" + version, "", 403, "Forbidden/AccessDenied"},
		{"KV-102 broken body", nobody, "POST", "/keys/root1/wrapkey?" + version, "{", 403, "Forbidden/AccessDenied"},
		{"KV-102 broken body, no key", s.admin, "POST", "/keys/none/wrapkey?" + version, "{", 404, "KeyNotFound"},
		{"KV-102 broken body, disabled", s.admin, "POST", "/keys/disabled/wrapkey?" + version, "{", 403, "Forbidden/KeyDisabled"},
		{"KV-102 broken page, nobody", nobody, "GET", "/keys?maxresults=0&" + version, "", 403, "Forbidden/AccessDenied"},
		{"KV-102 version first", nobody, "GET", "/keys/root1", "", 400, "BadParameter"},
		{"KV-103 owner", s.Owner, "GET", "/keys?" + version, "", 403, "Forbidden/AccessDenied"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			s.Entries()
			x := s.as(tt.c, tt.method, tt.path, tt.body)
			if x.status != tt.status || x.code() != tt.code {
				t.Errorf("answer = %d %s %q", x.status, x.code(), x.message())
			}
			if entries := s.Entries(); tt.row != "KV-102 version first" && len(entries) != 1 {
				t.Errorf("recorded %d entries", len(entries))
			}
		})
	}
}

func TestPurgeProtection(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", PurgeProtection: true})
	x := s.as(s.admin, "DELETE", "/deletedkeys/gone?"+version, "")
	if x.status != 403 || x.code() != "Forbidden/ForbiddenByPolicy" || !strings.Contains(x.message(), `Operation "purge" is not allowed`) {
		t.Errorf("KV-61: %d %s %q", x.status, x.code(), x.message())
	}
	if x := s.as(s.admin, "GET", "/deletedkeys/gone?"+version, ""); x.status != 200 {
		t.Errorf("the key is gone: %d", x.status)
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Deafen(true)
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/keys/root1?" + version, ""},
		{"GET", "/keys?" + version, ""},
		{"POST", "/keys/root1/wrapkey?" + version, wrap},
		{"POST", "/keys/root1/sign?" + version, signRS},
		{"POST", "/rng?" + version, `{"count":8}`},
		{"POST", "/keys/new/create?" + version, `{"kty":"RSA"}`},
		{"DELETE", "/keys/root1?" + version, ""},
	} {
		x := s.as(s.admin, tt.method, tt.path, tt.body)
		if x.status != 503 || x.code() != "ServiceUnavailable" || x.header.Get("Retry-After") == "" {
			t.Errorf("KV-98 %s %s: %d %s", tt.method, tt.path, x.status, x.code())
		}
		if strings.Contains(x.message(), "disk under the log") {
			t.Errorf("KV-99: the answer shows the cause: %q", x.message())
		}
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	x := s.as(s.admin, "GET", "/keys/gone/versions?"+version, "")
	if x.status != 404 {
		t.Errorf("versions of a deleted key: %d", x.status)
	}
	bundle := s.as(s.admin, "GET", "/keys/root1?"+version, "").body
	wantMembers(t, "KV-46 bundle", bundle, "key", "attributes")
	wantMembers(t, "KV-46 jwk", bundle["key"], "kid", "kty", "key_ops", "n", "e")
	wantMembers(t, "KV-46 attributes", bundle["attributes"], "enabled", "created", "updated", "recoveryLevel", "recoverableDays")
	ops := bundle["key"].(map[string]any)["key_ops"]
	if diff := cmp.Diff([]any{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}, ops); diff != "" {
		t.Errorf("KV-51: %s", diff)
	}
	if ops := s.as(s.admin, "GET", "/keys/nothing?"+version, "").body["key"].(map[string]any)["key_ops"]; len(ops.([]any)) != 0 {
		t.Errorf("KV-51: no operations = %v", ops)
	}
	wantMembers(t, "KV-46 ec", s.as(s.admin, "GET", "/keys/curve?"+version, "").body["key"], "kid", "kty", "key_ops", "crv", "x", "y")
	wantMembers(t, "deleted", s.as(s.admin, "GET", "/deletedkeys/gone?"+version, "").body,
		"key", "attributes", "recoveryId", "deletedDate", "scheduledPurgeDate")
	result := s.as(s.admin, "POST", "/keys/root1/wrapkey?"+version, wrap).body
	wantMembers(t, "result", result, "kid", "value")
	if kid := result["kid"].(string); !strings.HasPrefix(kid, "https://"+s.host()+"/keys/root1/") || strings.HasSuffix(kid, s.old) {
		t.Errorf("KV-45: kid = %s", kid)
	}
	page := s.as(s.admin, "GET", "/deletedkeys?"+version, "").body
	if next, there := page["nextLink"]; !there || next != nil {
		t.Errorf("KV-44: nextLink = %v", next)
	}
	wantMembers(t, "deleted item", page["value"].([]any)[0], "kid", "attributes", "recoveryId", "deletedDate", "scheduledPurgeDate")
	s.MustVault("contoso-empty", keyvaulttest.Can(s.admin, rights.List))
	empty := s.send("GET", "contoso-empty.vault."+s.Domain(), "/keys?"+version, "Bearer "+s.Token(s.admin, s.Audience()), "").body
	if diff := cmp.Diff(map[string]any{"value": []any{}, "nextLink": nil}, empty); diff != "" {
		t.Errorf("KV-44 empty: %s", diff)
	}
}

// TestPages holds KV-85: a page names its last item, so nothing is shown twice or left out
// while keys come and go between pages.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.as(s.admin, "GET", "/keys?maxresults=2&"+version, "").body
	link := first["nextLink"].(string)
	if !strings.HasPrefix(link, "https://"+s.host()+"/keys?") {
		t.Errorf("nextLink = %s", link)
	}
	s.mustCreate("aaa", keyvault.NewKey{Type: "EC"}) // before the page
	if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "early"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for link != "" {
		page := s.as(s.admin, "GET", strings.TrimPrefix(link, "https://"+s.host()), "").body
		for _, item := range page["value"].([]any) {
			kid := item.(map[string]any)["kid"].(string)
			names = append(names, kid[strings.LastIndex(kid, "/")+1:])
		}
		link, _ = page["nextLink"].(string)
	}
	if diff := cmp.Diff([]string{"expired", "nothing", "root1"}, names); diff != "" {
		t.Errorf("pages after curve, disabled: %s", diff)
	}
}

func wantMembers(t *testing.T, what string, v any, names ...string) {
	t.Helper()
	object, ok := v.(map[string]any)
	if !ok {
		t.Errorf("%s is %v", what, v)
		return
	}
	got := slices.Sorted(maps.Keys(object))
	slices.Sort(names)
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}
