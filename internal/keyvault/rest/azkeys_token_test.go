//go:build pkcs11

package rest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// newTokenWorld is a World with two premium vaults whose -HSM keys are in a token.
func newTokenWorld(t testing.TB) (*keyvaulttest.World, directory.Caller, hsm.Config) {
	t.Helper()
	c := hsmtest.Config(t)
	w := newWorld(t)
	w.Equip(&c)
	admin := w.Person("admin@contoso.example")
	for _, name := range []string{"contoso-east", "contoso-west"} {
		w.MustPutVault(keyvault.VaultSpec{Name: name, SKU: "premium", Access: []rights.Grant{keyvaulttest.Can(admin, rights.All, rights.Purge)}})
	}
	return w, admin, c
}

func hsmKey(kty azkeys.KeyType) azkeys.CreateKeyParameters {
	return azkeys.CreateKeyParameters{Kty: to.Ptr(kty)}
}

func mustWrap(t testing.TB, client *azkeys.Client, name string) azkeys.KeyOperationResult {
	t.Helper()
	res, err := client.WrapKey(t.Context(), name, "", azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("key")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.KeyOperationResult
}

func unwrap(t testing.TB, client *azkeys.Client, name string, wrapped azkeys.KeyOperationResult) error {
	t.Helper()
	res, err := client.UnwrapKey(t.Context(), name, wrapped.KID.Version(), azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: wrapped.Result}, nil)
	if err == nil && string(res.Result) != "key" {
		t.Errorf("unwrapped %q", res.Result)
	}
	return err
}

// TestAzkeysToken: an official client's whole walk with keys that are in a token: every
// algorithm, import, rotation, and what clients see of it (KV-52 to KV-54).
func TestAzkeysToken(t *testing.T) {
	w, admin, _ := newTokenWorld(t)
	client := mustClient(t, w, admin, "contoso-east")
	made := mustCreate(t, client, "root1", hsmKey(azkeys.KeyTypeRSAHSM))
	wantHSM(t, made, azkeys.KeyTypeRSAHSM, keyvaulttest.Platform)
	for _, alg := range algorithms() {
		p := azkeys.KeyOperationParameters{Algorithm: &alg, Value: []byte("a key of some length")}
		wrapped, err := client.WrapKey(t.Context(), "root1", "", p, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Value = wrapped.Result
		if plain, err := client.UnwrapKey(t.Context(), "root1", "", p, nil); err != nil || string(plain.Result) != "a key of some length" {
			t.Errorf("%s: %q, %v", alg, plain.Result, err)
		}
		if plain, err := client.Decrypt(t.Context(), "root1", "", p, nil); err != nil || string(plain.Result) != "a key of some length" {
			t.Errorf("%s decrypts: %q, %v", alg, plain.Result, err)
		}
		p.Value = make([]byte, 256)
		_, err = client.UnwrapKey(t.Context(), "root1", "", p, nil)
		wantError(t, err, http.StatusBadRequest, "BadParameter")
	}
	curve := mustCreate(t, client, "curve", hsmKey(azkeys.KeyTypeECHSM))
	wantHSM(t, curve, azkeys.KeyTypeECHSM, keyvaulttest.Platform)
	for name, algs := range map[string][]azkeys.SignatureAlgorithm{
		"curve": {azkeys.SignatureAlgorithmES256},
		"root1": {azkeys.SignatureAlgorithmPS256, azkeys.SignatureAlgorithmPS384, azkeys.SignatureAlgorithmPS512, azkeys.SignatureAlgorithmRS256, azkeys.SignatureAlgorithmRS384, azkeys.SignatureAlgorithmRS512},
	} {
		for _, alg := range algs {
			digest := bytes.Repeat([]byte{7}, map[byte]int{'2': 32, '3': 48, '5': 64}[alg[2]])
			signed, err := client.Sign(t.Context(), name, "", azkeys.SignParameters{Algorithm: &alg, Value: digest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := client.Verify(t.Context(), name, "", azkeys.VerifyParameters{Algorithm: &alg, Digest: digest, Signature: signed.Result}, nil); err != nil || !*v.Value {
				t.Errorf("%s: %v, %v", alg, v.Value, err)
			}
		}
	}
	wrapped := mustWrap(t, client, "root1")
	rotated, err := client.RotateKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, rotated.KeyBundle, azkeys.KeyTypeRSAHSM, keyvaulttest.Platform)
	if err := unwrap(t, client, "root1", wrapped); err != nil {
		t.Errorf("by the version before: %v", err)
	}
	importInto(t, client)
	if soft := mustCreate(t, client, "soft", rsaKey(2048)); soft.Attributes.HSMPlatform != nil || *soft.Key.Kty != azkeys.KeyTypeRSA {
		t.Errorf("a key without -HSM: %s, %+v", *soft.Key.Kty, soft.Attributes)
	}
}

// importInto imports an RSA and an EC key and uses them by their public halves.
func importInto(t *testing.T, client *azkeys.Client) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.ImportKey(t.Context(), "imported", azkeys.ImportKeyParameters{HSM: to.Ptr(true), Key: &azkeys.JSONWebKey{
		Kty: to.Ptr(azkeys.KeyTypeRSA), N: key.N.Bytes(), E: []byte{1, 0, 1}, D: key.D.Bytes(), P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, res.KeyBundle, azkeys.KeyTypeRSAHSM, keyvaulttest.Platform)
	if err := unwrap(t, client, "imported", mustWrap(t, client, "imported")); err != nil {
		t.Error(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := ec.Bytes()
	point, _ := ec.PublicKey.Bytes()
	imported, err := client.ImportKey(t.Context(), "imported-curve", azkeys.ImportKeyParameters{Key: &azkeys.JSONWebKey{
		Kty: to.Ptr(azkeys.KeyTypeECHSM), Crv: to.Ptr(azkeys.CurveNameP384), X: point[1:49], Y: point[49:], D: d,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, imported.KeyBundle, azkeys.KeyTypeECHSM, keyvaulttest.Platform)
	digest := bytes.Repeat([]byte{9}, 48)
	signed, err := client.Sign(t.Context(), "imported-curve", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmES384), Value: digest}, nil)
	if err != nil || !ecdsa.Verify(&ec.PublicKey, digest, new(big.Int).SetBytes(signed.Result[:48]), new(big.Int).SetBytes(signed.Result[48:])) {
		t.Errorf("signed with the imported curve: %v", err)
	}
}

// TestAzkeysTokenBackup: keys in a token come back from backups after they were purged, with all
// versions; a deployment without the token answers as for any foreign blob (KV-70 to KV-75).
func TestAzkeysTokenBackup(t *testing.T) {
	w, admin, c := newTokenWorld(t)
	client, other := mustClient(t, w, admin, "contoso-east"), mustClient(t, w, admin, "contoso-west")
	mustCreate(t, client, "root1", hsmKey(azkeys.KeyTypeRSAHSM))
	wrapped := []azkeys.KeyOperationResult{mustWrap(t, client, "root1")}
	mustCreate(t, client, "root1", rsaKey(2048)) // a version in software beside it
	wrapped = append(wrapped, mustWrap(t, client, "root1"))
	blob, err := client.BackupKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	purge := func(client *azkeys.Client) {
		t.Helper()
		if _, err := client.DeleteKey(t.Context(), "root1", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := client.PurgeDeletedKey(t.Context(), "root1", nil); err != nil {
			t.Fatal(err)
		}
	}
	purge(client)
	if left := hsmtest.Halves(t, c); left != 0 {
		t.Errorf("%d halves are left of a purged key", left)
	}
	restore := func(client *azkeys.Client) error {
		_, err := client.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
		return err
	}
	if err := restore(other); err != nil {
		t.Fatal(err)
	}
	for _, one := range wrapped {
		if err := unwrap(t, other, "root1", one); err != nil {
			t.Error(err)
		}
	}
	purge(other)
	another := hsmtest.Config(t)
	for what, token := range map[string]*hsm.Config{"no token": nil, "another token": &another} {
		w.Equip(token)
		var e *azcore.ResponseError
		if err := restore(client); !errors.As(err, &e) || e.StatusCode != http.StatusBadRequest || !bytes.Contains([]byte(e.Error()), []byte("Cannot decrypt backup blob")) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.Equip(&c)
	if err := restore(client); err != nil {
		t.Errorf("with the token again: %v", err)
	}
}

// TestAzkeysTokenAway: while the token is away its keys answer 503 with Retry-After and all else
// goes on; it comes back without a restart (KV-98).
func TestAzkeysTokenAway(t *testing.T) {
	w, admin, c := newTokenWorld(t)
	client := mustClient(t, w, admin, "contoso-east")
	mustCreate(t, client, "root1", hsmKey(azkeys.KeyTypeRSAHSM))
	mustCreate(t, client, "gone", hsmKey(azkeys.KeyTypeECHSM))
	mustCreate(t, client, "soft", rsaKey(2048))
	wrapped, soft := mustWrap(t, client, "root1"), mustWrap(t, client, "soft")
	if _, err := client.DeleteKey(t.Context(), "gone", nil); err != nil {
		t.Fatal(err)
	}
	back := hsmtest.Remove(t)
	away := func(what string, err error) {
		t.Helper()
		var e *azcore.ResponseError
		if !errors.As(err, &e) || e.StatusCode != http.StatusServiceUnavailable || e.ErrorCode != "ServiceUnavailable" || e.RawResponse.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	away("unwrap", unwrap(t, client, "root1", wrapped))
	_, err := client.CreateKey(t.Context(), "new", hsmKey(azkeys.KeyTypeECHSM), nil)
	away("create", err)
	_, err = client.RotateKey(t.Context(), "root1", nil)
	away("rotate", err)
	_, err = client.BackupKey(t.Context(), "root1", nil)
	away("backup", err)
	if err := unwrap(t, client, "soft", soft); err != nil {
		t.Errorf("a key in software: %v", err)
	}
	if _, err := client.GetKey(t.Context(), "root1", "", nil); err != nil {
		t.Errorf("reading a key: %v", err)
	}
	if _, err := client.PurgeDeletedKey(t.Context(), "gone", nil); err != nil {
		t.Errorf("purging: %v", err)
	}
	back()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := unwrap(t, client, "root1", wrapped)
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it did not come back: %v", err)
		}
	}
	// What was purged meanwhile is destroyed now, and so is what create and rotate left behind.
	w.Pass(time.Hour)
	if _, err := w.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if left := hsmtest.Halves(t, c); left != 2 {
		t.Errorf("%d halves are left, of one key", left)
	}
	// A start without the token: its keys are not usable, and not lost.
	w.Equip(nil)
	away("without the settings", unwrap(t, client, "root1", wrapped))
	w.Equip(&c)
	if err := unwrap(t, client, "root1", wrapped); err != nil {
		t.Error(err)
	}
}

// TestTokenRecords: what is done with keys in a token is recorded as everything is, with the type.
func TestTokenRecords(t *testing.T) {
	w, admin, _ := newTokenWorld(t)
	client := mustClient(t, w, admin, "contoso-east")
	w.Entries()
	mustCreate(t, client, "root1", hsmKey(azkeys.KeyTypeECHSM))
	entries := w.Entries()
	i := slices.IndexFunc(entries, func(e audit.Entry) bool { return e.Action == string(keyvault.CreateKey) })
	if i < 0 || entries[i].Detail["type"] != "EC-HSM" {
		t.Errorf("recorded %+v", entries)
	}
}
