package rest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

func mustRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustEC(t testing.TB, curve elliptic.Curve) (key *ecdsa.PrivateKey, d, x, y []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if d, err = key.Bytes(); err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := 1 + len(point)/2
	return key, d, point[1:half], point[half:]
}

// TestAzkeysImport: the official client brings keys in, as a new key and as a new version, and
// what they sign is verified with the pair from outside (KV-21).
func TestAzkeysImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")

	key := mustRSA(t)
	first := mustCreate(t, client, "root1", rsaKey(2048))
	res, err := client.ImportKey(t.Context(), "ROOT1", azkeys.ImportKeyParameters{
		Key: &azkeys.JSONWebKey{
			Kty: to.Ptr(azkeys.KeyTypeRSA), N: key.N.Bytes(), E: []byte{1, 0, 1}, D: key.D.Bytes(), P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(),
			DP: key.Precomputed.Dp.Bytes(), DQ: key.Precomputed.Dq.Bytes(), QI: key.Precomputed.Qinv.Bytes(),
			KeyOps: []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationUnwrapKey), to.Ptr(azkeys.KeyOperationSign)},
		},
		HSM: to.Ptr(false), KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(true)}, Tags: map[string]*string{"from": to.Ptr("outside")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Key.KID.Name() != "root1" || res.Key.KID.Version() == first.Key.KID.Version() || !bytes.Equal(res.Key.N, key.N.Bytes()) ||
		len(res.Key.D) != 0 || len(res.Key.KeyOps) != 2 || *res.Tags["from"] != "outside" {
		t.Errorf("imported = %+v", res.KeyBundle)
	}
	secret := []byte("wrapped outside")
	wrapped, err := protect.Encrypt(&key.PublicKey, protect.OAEP256, secret)
	if err != nil {
		t.Fatal(err)
	}
	in := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: wrapped}
	if got, err := client.UnwrapKey(t.Context(), "root1", "", in, nil); err != nil || !bytes.Equal(got.Result, secret) {
		t.Errorf("unwrapped %q, %v", got.Result, err)
	}

	for curve, alg := range map[elliptic.Curve]azkeys.SignatureAlgorithm{
		elliptic.P256(): azkeys.SignatureAlgorithmES256, elliptic.P384(): azkeys.SignatureAlgorithmES384, elliptic.P521(): azkeys.SignatureAlgorithmES512,
	} {
		key, d, x, y := mustEC(t, curve)
		name := curve.Params().Name
		jwk := &azkeys.JSONWebKey{Kty: to.Ptr(azkeys.KeyTypeEC), Crv: to.Ptr(azkeys.CurveName(name)), D: d, X: x, Y: y}
		if _, err := client.ImportKey(t.Context(), name, azkeys.ImportKeyParameters{Key: jwk}, nil); err != nil {
			t.Fatal(err)
		}
		digest := make([]byte, protect.SignatureAlgorithm(alg).DigestSize())
		signed, err := client.Sign(t.Context(), name, "", azkeys.SignParameters{Algorithm: &alg, Value: digest}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, s := new(big.Int).SetBytes(signed.Result[:len(x)]), new(big.Int).SetBytes(signed.Result[len(x):])
		if !ecdsa.Verify(&key.PublicKey, digest, r, s) {
			t.Errorf("%s: the signature is not the imported key's", name)
		}
		jwk.D[0] ^= 1
		_, err = client.ImportKey(t.Context(), name, azkeys.ImportKeyParameters{Key: jwk}, nil)
		wantError(t, err, http.StatusBadRequest, "BadParameter")
	}
	_, err = client.ImportKey(t.Context(), "hsm", azkeys.ImportKeyParameters{HSM: to.Ptr(true), Key: &azkeys.JSONWebKey{Kty: to.Ptr(azkeys.KeyTypeRSA)}}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")
}

// TestImportContract holds KV-21, KV-52, KV-53 and KV-54 by hand. No answer and no record holds a
// private member.
func TestImportContract(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	enc := base64.RawURLEncoding.EncodeToString
	_, d, x, y := mustEC(t, elliptic.P256())
	ec := map[string]any{"kty": "EC", "crv": "P-256", "d": enc(d), "x": enc(x), "y": enc(y)}
	big := mustRSA(t)
	rsaKey := map[string]any{
		"kty": "RSA", "n": enc(big.N.Bytes()), "e": "AQAB", "d": enc(big.D.Bytes()), "p": enc(big.Primes[0].Bytes()), "q": enc(big.Primes[1].Bytes()),
	}
	body := func(jwk map[string]any, changes ...any) string {
		jwk = maps.Clone(jwk)
		whole := map[string]any{"key": jwk}
		for i := 0; i < len(changes); i += 2 {
			if name := changes[i].(string); strings.HasPrefix(name, "/") {
				whole[name[1:]] = changes[i+1]
			} else {
				jwk[name] = changes[i+1]
			}
		}
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// A private key whose base64 has "+" and "/", which some clients write as JSON escapes.
	odd := append([]byte{16, 16}, bytes.Repeat([]byte{0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff}, 5)...)
	oddKey, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), odd)
	if err != nil {
		t.Fatal(err)
	}
	point, err := oddKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	escaped := strings.NewReplacer("/", `\/`, "+", `\u002B`).Replace(
		body(ec, "d", base64.StdEncoding.EncodeToString(odd), "x", enc(point[1:33]), "y", enc(point[33:])))
	secrets := []string{enc(d), enc(odd), enc(big.D.Bytes()), enc(big.Primes[0].Bytes()), big.D.String(), big.Primes[0].String(), fmt.Sprintf("%x", d), fmt.Sprint(d)}
	bad := func(row, body, message string) contract {
		return contract{row, "PUT", "/keys/new?" + version, body, 400, "BadParameter", message}
	}
	s.Entries()
	for i, tt := range []contract{
		{"KV-21", "PUT", "/keys/imported?" + version, body(ec), 200, "", ""},
		{"KV-21", "PUT", "/keys/Imported?" + version, body(rsaKey, "/attributes", map[string]any{"exp": 253402214400}, "/Hsm", false), 200, "", ""},
		{"KV-21", "PUT", "/keys/root1?" + version, body(rsaKey, "key_ops", []string{}, "dp", nil, "kid", "https://elsewhere.example/keys/x"), 200, "", ""},
		{"KV-14", "PUT", "/keys/escaped?" + version, escaped, 200, "", ""},
		bad("KV-14", strings.Replace(escaped, `\/`, `\u20ac`, 1), "Property key.d"),
		bad("KV-14", strings.Replace(escaped, `\/`, `\"`, 1), "Property key.d"),
		{"KV-94", "PUT", "/keys/gone?" + version, body(ec), 409, "Conflict/ObjectIsDeletedButRecoverable", "deleted but recoverable"},
		{"KV-52", "PUT", "/keys/new?" + version, body(rsaKey, "/Hsm", true), 400, "BadParameter/KeyTypeNotSupported", "Invalid kty value: RSA-HSM"},
		{"KV-52", "PUT", "/keys/new?" + version, body(ec, "kty", "EC-HSM"), 400, "BadParameter/KeyTypeNotSupported", "EC-HSM"},
		{"KV-52", "PUT", "/keys/new?" + version, body(ec, "kty", "EC-HSM", "/Hsm", true), 400, "BadParameter/KeyTypeNotSupported", "Invalid kty value: EC-HSM"},
		{"KV-4.2", "PUT", "/keys/new?" + version, `{"key":{"kty":"oct","k":"AAAA"}}`, 400, "BadParameter/KeyTypeNotSupported", "Invalid kty value: oct"},
		bad("KV-52", body(ec, "/Hsm", "yes"), "Property Hsm"),
		bad("KV-54", `{}`, "Property key.kty"),
		bad("KV-54", `{"key":null}`, "Property key.kty"),
		bad("KV-54", `{"key":[]}`, "Property key"),
		bad("KV-54", `{"key":{"kty":"RSA"}}`, "Property key.n"),
		bad("KV-54", body(ec, "key_hsm", "AAAA"), "Property key.key_hsm"),
		bad("KV-54", body(ec, "d", nil), "Property key.d"),
		bad("KV-54", body(ec, "d", ""), "Property key.d"),
		bad("KV-54", body(ec, "d", 7), "Property key.d"),
		bad("KV-54", body(ec, "d", map[string]any{"d": 1}), "Property key.d"),
		bad("KV-54", body(ec, "d", enc(d)+"\n"), "Property key.d"),
		bad("KV-54", body(ec, "d", enc(d[:31])), "Property key.d"),
		bad("KV-54", body(ec, "x", enc(y)), "Property key.x"),
		bad("KV-54", body(ec, "y", "A"), "Property key.y"),
		bad("KV-54", body(ec, "crv", "P-521"), "Property key"),
		bad("KV-54", body(ec, "crv", "P-192"), "Property key.crv"),
		bad("KV-54", body(rsaKey, "e", "Ag"), "Property key.e"),
		bad("KV-54", body(rsaKey, "e", "AQAC"), "Property key.e"),
		bad("KV-54", body(rsaKey, "n", enc(big.N.Bytes()[:128])), "Property key.n"),
		bad("KV-54", body(rsaKey, "q", rsaKey["p"]), "Property key.n"),
		bad("KV-54", body(rsaKey, "qi", "AQ"), "Property key.qi"),
		bad("KV-51", body(ec, "key_ops", []string{"fly"}), "key_ops"),
		bad("KV-53", body(ec, "/attributes", map[string]any{"exportable": true}), "AKV.SKR.1004"),
		bad("KV-53", body(ec, "/release_policy", map[string]any{}), "Non-exportable keys"),
		bad("KV-4.3", body(ec, "/attributes", map[string]any{"exp": 100, "nbf": 100}), "exp"),
		bad("KV-95", body(ec, "/tags", map[string]any{"": "x"}), "tags"),
		{"KV-95", "PUT", "/keys/a%20b?" + version, body(ec), 400, "BadParameter", "invalid name"},
		{"KV-12", "PUT", "/keys/new?" + version, body(ec, "more", strings.Repeat("x", 64<<10)), 413, "RequestTooLarge", ""},
		{"KV-93", "GET", "/keys/new?" + version, "", 404, "KeyNotFound", ""}, // none of the above made it
	} {
		got := s.as(s.admin, tt.method, tt.path, tt.body)
		if got.status != tt.status || got.code() != tt.code || !strings.Contains(got.message(), tt.message) {
			t.Errorf("%s %d: answer = %d %s %q, want %d %s %q", tt.row, i, got.status, got.code(), got.message(), tt.status, tt.code, tt.message)
		}
		told := fmt.Sprintf("%v %+v", got.body, s.Entries())
		for _, secret := range secrets {
			if strings.Contains(told, secret) {
				t.Errorf("%s %d: a private member was told", tt.row, i)
			}
		}
		if tt.status == 200 {
			wantMembers(t, tt.row, got.body["key"], map[bool][]string{true: {"kid", "kty", "key_ops", "n", "e"}, false: {"kid", "kty", "key_ops", "crv", "x", "y"}}[strings.Contains(tt.body, "RSA")]...)
		}
	}
	reader := s.Person("reader@contoso.example")
	s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All), keyvaulttest.Can(reader, rights.Create))
	if got := s.as(reader, "PUT", "/keys/new?"+version, body(ec)); got.code() != "Forbidden/ForbiddenByPolicy" || !strings.Contains(got.message(), "keys import permission") {
		t.Errorf("KV-91: %d %s %q", got.status, got.code(), got.message())
	}
}
