package rest_test

import (
	"bytes"
	"crypto/fips140"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func newWorld(t testing.TB) *keyvaulttest.World {
	t.Helper()
	return keyvaulttest.New(t, storetest.SQLite(t, store.VaultAreas()...))
}

// mustClient returns an unmodified official client of a vault, which finds out by the vault's
// challenge where tokens come from.
func mustClient(t testing.TB, w *keyvaulttest.World, c directory.Caller, vault string) *azkeys.Client {
	t.Helper()
	client, err := azkeys.NewClient(w.VaultURL(vault), w.Credential(c), &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: w.Client(), Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func mustCreate(t testing.TB, client *azkeys.Client, name string, p azkeys.CreateKeyParameters) azkeys.KeyBundle {
	t.Helper()
	res, err := client.CreateKey(t.Context(), name, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.KeyBundle
}

func rsaKey(bits int32) azkeys.CreateKeyParameters {
	return azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSA), KeySize: to.Ptr(bits)}
}

// wantError checks status and code of an error as a client sees it.
func wantError(t testing.TB, err error, status int, code string) {
	t.Helper()
	var e *azcore.ResponseError
	if !errors.As(err, &e) || e.StatusCode != status || e.ErrorCode != code {
		t.Fatalf("error = %v, want %d %s", err, status, code)
	}
}

func TestAzkeysCreateAndRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("Contoso-East", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

	p := rsaKey(3072)
	p.KeyAttributes = &azkeys.KeyAttributes{Expires: &far, NotBefore: to.Ptr(w.Now())}
	p.Tags = map[string]*string{"for": to.Ptr("mail")}
	first := mustCreate(t, client, "Root1", p)

	name, version := first.Key.KID.Name(), first.Key.KID.Version()
	if want := w.VaultURL("contoso-east") + "/keys/Root1/" + version; string(*first.Key.KID) != want || len(version) != 32 {
		t.Errorf("kid = %q, want %q", *first.Key.KID, want)
	}
	if len(first.Key.N) != 3072/8 || !bytes.Equal(first.Key.E, []byte{1, 0, 1}) {
		t.Errorf("modulus of %d bytes, exponent %x", len(first.Key.N), first.Key.E)
	}
	if a := first.Attributes; !*a.Enabled || !a.Expires.Equal(far) || !a.NotBefore.Equal(w.Now()) || !a.Created.Equal(w.Now()) {
		t.Errorf("attributes = %+v", a)
	}
	if *first.Attributes.RecoveryLevel != "Recoverable+Purgeable" || *first.Attributes.RecoverableDays != 90 {
		t.Errorf("recovery = %s, %d days", *first.Attributes.RecoveryLevel, *first.Attributes.RecoverableDays)
	}

	second := mustCreate(t, client, "ROOT1", rsaKey(2048)) // another spelling of the same key
	if second.Key.KID.Name() != "Root1" || second.Key.KID.Version() == version {
		t.Errorf("second version = %s", *second.Key.KID)
	}
	newest, err := client.GetKey(t.Context(), "root1", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, newest.KeyBundle); diff != "" {
		t.Errorf("newest differs from what was created last: %s", diff)
	}
	old, err := client.GetKey(t.Context(), name, version, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, old.KeyBundle); diff != "" {
		t.Errorf("first version changed: %s", diff)
	}
}

func TestAzkeysEC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	for curve, size := range map[azkeys.CurveName]int{azkeys.CurveNameP256: 32, azkeys.CurveNameP384: 48, azkeys.CurveNameP521: 66} {
		key := mustCreate(t, client, "ec-"+string(curve), azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(curve)})
		if *key.Key.Crv != curve || len(key.Key.X) != size || len(key.Key.Y) != size || len(key.Key.N) != 0 {
			t.Errorf("%s: %+v", curve, key.Key)
		}
	}
	koblitz, err := client.CreateKey(t.Context(), "koblitz", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP256K)}, nil)
	if !fips140.Enforced() { // KV-55
		if err != nil || *koblitz.Key.Crv != azkeys.CurveNameP256K || len(koblitz.Key.X) != 32 || len(koblitz.Key.Y) != 32 {
			t.Errorf("P-256K: %+v, %v", koblitz.Key, err)
		}
		return
	}
	wantError(t, err, http.StatusBadRequest, "BadParameter")
}

// TestAzkeysOperations holds KV-34 to KV-36 for each algorithm.
func TestAzkeysOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	first := mustCreate(t, client, "root1", rsaKey(2048))
	mustCreate(t, client, "root1", rsaKey(2048))
	secret := []byte("thirty-two bytes of key material")

	for _, alg := range algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			in := azkeys.KeyOperationParameters{Algorithm: to.Ptr(alg), Value: secret}
			wrapped, err := client.WrapKey(t.Context(), "root1", first.Key.KID.Version(), in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if *wrapped.KID != *first.Key.KID {
				t.Errorf("wrapped under %s, want %s", *wrapped.KID, *first.Key.KID)
			}
			out := azkeys.KeyOperationParameters{Algorithm: to.Ptr(alg), Value: wrapped.Result}
			unwrapped, err := client.UnwrapKey(t.Context(), "root1", wrapped.KID.Version(), out, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(unwrapped.Result, secret) {
				t.Error("unwrapping gave something else")
			}
			_, err = client.UnwrapKey(t.Context(), "root1", "", out, nil) // the newest version is another one
			wantError(t, err, http.StatusBadRequest, "BadParameter")

			sealed, err := client.Encrypt(t.Context(), "root1", "", in, nil)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := client.Decrypt(t.Context(), "root1", "", azkeys.KeyOperationParameters{Algorithm: to.Ptr(alg), Value: sealed.Result}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(opened.Result, secret) {
				t.Error("decrypting gave something else")
			}
		})
	}
}

func TestAzkeysUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	old := mustCreate(t, client, "root1", rsaKey(2048))
	mustCreate(t, client, "root1", rsaKey(2048))
	w.Pass(time.Minute)

	res, err := client.UpdateKey(t.Context(), "root1", old.Key.KID.Version(), azkeys.UpdateKeyParameters{
		KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(false)},
		KeyOps:        []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationUnwrapKey)},
		Tags:          map[string]*string{"state": to.Ptr("taken back")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *res.Attributes.Enabled || len(res.Key.KeyOps) != 1 || *res.Tags["state"] != "taken back" || !res.Attributes.Updated.Equal(w.Now()) {
		t.Errorf("updated = %+v", res.KeyBundle)
	}
	in := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("key")}
	if _, err := client.WrapKey(t.Context(), "root1", "", in, nil); err != nil {
		t.Errorf("the newest version is disabled too: %v", err)
	}
	_, err = client.WrapKey(t.Context(), "root1", old.Key.KID.Version(), in, nil)
	wantError(t, err, http.StatusForbidden, "Forbidden")
}

// TestAzkeysDeleteAndRecover: deleting changes no attribute (KV-47), recovering nothing at all.
func TestAzkeysDeleteAndRecover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All, rights.Purge))
	client := mustClient(t, w, admin, "contoso-east")
	key := mustCreate(t, client, "root1", rsaKey(2048))
	w.Pass(time.Hour)

	deleted, err := client.DeleteKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(key.Attributes, deleted.Attributes); diff != "" {
		t.Errorf("deleting changed the attributes: %s", diff)
	}
	if *deleted.RecoveryID != w.VaultURL("contoso-east")+"/deletedkeys/root1" || !deleted.DeletedDate.Equal(w.Now()) ||
		!deleted.ScheduledPurgeDate.Equal(w.Now().AddDate(0, 0, 90)) {
		t.Errorf("deleted = %s at %s until %s", *deleted.RecoveryID, deleted.DeletedDate, deleted.ScheduledPurgeDate)
	}
	_, err = client.GetKey(t.Context(), "root1", "", nil)
	wantError(t, err, http.StatusNotFound, "KeyNotFound")
	_, err = client.CreateKey(t.Context(), "root1", rsaKey(2048), nil)
	wantError(t, err, http.StatusConflict, "Conflict")
	got, err := client.GetDeletedKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(deleted.DeletedKey, got.DeletedKey); diff != "" {
		t.Errorf("deleted key differs: %s", diff)
	}

	recovered, err := client.RecoverDeletedKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(key, recovered.KeyBundle); diff != "" {
		t.Errorf("recovering changed the key: %s", diff)
	}
	if _, err := client.DeleteKey(t.Context(), "root1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PurgeDeletedKey(t.Context(), "root1", nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetDeletedKey(t.Context(), "root1", nil)
	wantError(t, err, http.StatusNotFound, "KeyNotFound")
	if again := mustCreate(t, client, "root1", rsaKey(2048)); *again.Key.KID == *key.Key.KID {
		t.Error("a new key has the id of one that was destroyed")
	}
}

func TestAzkeysLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	ec := azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}
	var names, ids []string
	for i := range 30 {
		name := "key-" + string(rune('a'+i%26)) + string(rune('0'+i/26))
		names = append(names, name)
		mustCreate(t, client, name, ec)
	}
	for range 27 {
		ids = append(ids, string(*mustCreate(t, client, "zz", ec).Key.KID))
	}
	gone := map[string]bool{}
	for pager := client.NewListKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Value {
			gone[k.KID.Name()] = true
		}
		if len(page.Value) > 25 {
			t.Errorf("a page of %d", len(page.Value))
		}
	}
	if len(gone) != 31 || !gone[names[29]] || !gone["zz"] {
		t.Errorf("listed %d keys", len(gone))
	}
	var listed []string
	for pager := client.NewListKeyPropertiesVersionsPager("zz", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Value {
			listed = append(listed, string(*k.KID))
		}
	}
	if diff := cmp.Diff(ids, listed); diff != "" {
		t.Errorf("versions, oldest first: %s", diff)
	}
	if _, err := client.DeleteKey(t.Context(), "zz", nil); err != nil {
		t.Fatal(err)
	}
	deleted, err := client.NewListDeletedKeyPropertiesPager(nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(deleted.Value) != 1 || deleted.Value[0].KID.Name() != "zz" || deleted.Value[0].RecoveryID == nil {
		t.Errorf("deleted keys = %+v", deleted.Value)
	}
}
