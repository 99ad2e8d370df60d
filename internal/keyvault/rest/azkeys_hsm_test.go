package rest_test

import (
	"crypto/sha256"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestAzkeysPremium: an official client makes, uses, rotates and restores keys of the -HSM types
// in a premium vault. Without hardware they say that software holds them (KV-52, KV-53).
func TestAzkeysPremium(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	for name, sku := range map[string]string{"contoso-east": "premium", "contoso-west": "premium", "contoso-plain": "standard"} {
		w.MustPutVault(keyvault.VaultSpec{Name: name, SKU: sku, Access: []rights.Grant{keyvaulttest.Can(admin, rights.All, rights.Purge)}})
	}
	client := mustClient(t, w, admin, "contoso-east")
	made, err := client.CreateKey(t.Context(), "root1", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSAHSM)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, made.KeyBundle, azkeys.KeyTypeRSAHSM, "software")
	wrapped, err := client.WrapKey(t.Context(), "root1", "", azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("key")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := client.RotateKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, rotated.KeyBundle, azkeys.KeyTypeRSAHSM, "software")
	ec, err := client.CreateKey(t.Context(), "curve", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeECHSM), Curve: to.Ptr(azkeys.CurveNameP256)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, ec.KeyBundle, azkeys.KeyTypeECHSM, "software")
	digest := sha256.Sum256([]byte("message"))
	if _, err := client.Sign(t.Context(), "curve", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmES256), Value: digest[:]}, nil); err != nil {
		t.Error(err)
	}
	for pager := client.NewListKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Value {
			if a := item.Attributes; a.HSMPlatform == nil || *a.HSMPlatform != "software" || a.Exportable == nil || *a.Exportable {
				t.Errorf("%s in a list: %+v", *item.KID, a)
			}
		}
	}
	blob, err := client.BackupKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := mustClient(t, w, admin, "contoso-west").RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantHSM(t, restored.KeyBundle, azkeys.KeyTypeRSAHSM, "software")
	plain, err := mustClient(t, w, admin, "contoso-west").UnwrapKey(t.Context(), "root1", wrapped.KID.Version(), azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: wrapped.Result}, nil)
	if err != nil || string(plain.Result) != "key" {
		t.Errorf("unwrapped by the key that came back: %q, %v", plain.Result, err)
	}
	_, err = mustClient(t, w, admin, "contoso-plain").RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")

	// A vault that is no longer premium keeps its keys usable and makes no new ones.
	w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", SKU: "standard"})
	_, err = client.RotateKey(t.Context(), "root1", nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")
	if _, err := client.GetKey(t.Context(), "root1", "", nil); err != nil {
		t.Error(err)
	}
}

func wantHSM(t *testing.T, b azkeys.KeyBundle, kty azkeys.KeyType, platform string) {
	t.Helper()
	a := b.Attributes
	if *b.Key.Kty != kty || a.HSMPlatform == nil || *a.HSMPlatform != platform || a.Exportable == nil || *a.Exportable {
		t.Errorf("%s: %s, %+v", *b.Key.KID, *b.Key.Kty, a)
	}
}
