package rest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestAzkeysBackup: an official client backs a key up, purges it, and has it back in another
// vault with ids of that vault (KV-32, KV-33, KV-71 to KV-74).
func TestAzkeysBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	for _, vault := range []string{"contoso-east", "contoso-west"} {
		w.MustVault(vault, keyvaulttest.Can(admin, rights.All, rights.Purge))
	}
	client, other := mustClient(t, w, admin, "contoso-east"), mustClient(t, w, admin, "contoso-west")
	p := rsaKey(2048)
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	p.KeyAttributes, p.Tags = &azkeys.KeyAttributes{Expires: &far}, map[string]*string{"for": to.Ptr("mail")}
	first := mustCreate(t, client, "root1", p)
	wrapped, err := client.WrapKey(t.Context(), "root1", "", azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("key")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second := mustCreate(t, client, "root1", rsaKey(2048))
	res, err := client.BackupKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(res.Value, []byte("&AzureKeyVaultKeyBackupV1.customerkeyeyJ")) {
		t.Errorf("KV-71: blob begins %.60q", res.Value)
	}
	_, err = client.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: res.Value}, nil)
	wantError(t, err, http.StatusConflict, "Conflict")
	if _, err := client.DeleteKey(t.Context(), "root1", nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: res.Value}, nil)
	wantError(t, err, http.StatusConflict, "Conflict")
	if _, err := client.PurgeDeletedKey(t.Context(), "root1", nil); err != nil {
		t.Fatal(err)
	}
	w.Pass(24 * time.Hour)
	restored, err := other.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: res.Value}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(*second.Key.KID), "contoso-east", "contoso-west", 1)
	if string(*restored.Key.KID) != want {
		t.Errorf("KV-74: kid %s, want %s", *restored.Key.KID, want)
	}
	got, err := other.GetKey(t.Context(), "root1", first.Key.KID.Version(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got.Key.KID = first.Key.KID
	if diff := cmp.Diff(first, got.KeyBundle); diff != "" {
		t.Errorf("KV-74: first version changed: %s", diff)
	}
	plain, err := other.UnwrapKey(t.Context(), "root1", first.Key.KID.Version(), azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: wrapped.Result}, nil)
	if err != nil || string(plain.Result) != "key" {
		t.Errorf("unwrapped %q, %v", plain.Result, err)
	}
	res.Value[len(res.Value)-1] ^= 1
	_, err = client.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: res.Value}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")
	if !strings.Contains(err.Error(), "Cannot decrypt backup blob") {
		t.Errorf("KV-72: %v", err)
	}
}

// TestAzkeysRotation: an official client reads and sets a rotation policy and rotates by it
// (KV-38, KV-39, KV-78 to KV-80).
func TestAzkeysRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	client := mustClient(t, w, admin, "contoso-east")
	p := rsaKey(3072)
	p.KeyOps, p.Tags = []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationWrapKey)}, map[string]*string{"for": to.Ptr("mail")}
	old := mustCreate(t, client, "root1", p)

	policy, err := client.GetKeyRotationPolicy(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	notify := &azkeys.LifetimeAction{
		Action:  &azkeys.LifetimeActionType{Type: to.Ptr(azkeys.KeyRotationPolicyActionNotify)},
		Trigger: &azkeys.LifetimeActionTrigger{TimeBeforeExpiry: to.Ptr("P30D")},
	}
	byDefault := azkeys.KeyRotationPolicy{
		ID: policy.ID, Attributes: &azkeys.KeyRotationPolicyAttributes{}, LifetimeActions: []*azkeys.LifetimeAction{notify},
	}
	if diff := cmp.Diff(byDefault, policy.KeyRotationPolicy); diff != "" || *policy.ID != w.VaultURL("contoso-east")+"/keys/root1/rotationpolicy" {
		t.Errorf("KV-80: %s %s", *policy.ID, diff)
	}
	want := azkeys.KeyRotationPolicy{
		Attributes: &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to.Ptr("P2Y")},
		LifetimeActions: []*azkeys.LifetimeAction{notify, {
			Action:  &azkeys.LifetimeActionType{Type: to.Ptr(azkeys.KeyRotationPolicyActionRotate)},
			Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: to.Ptr("P18M")},
		}},
	}
	set, err := client.UpdateKeyRotationPolicy(t.Context(), "root1", want, nil)
	if err != nil {
		t.Fatal(err)
	}
	want.ID = set.ID
	want.Attributes.Created, want.Attributes.Updated = to.Ptr(w.Now()), to.Ptr(w.Now())
	again, err := client.GetKeyRotationPolicy(t.Context(), "root1", nil)
	if diff := cmp.Diff(want, set.KeyRotationPolicy) + cmp.Diff(want, again.KeyRotationPolicy); err != nil || diff != "" {
		t.Errorf("KV-39: %v %s", err, diff)
	}
	_, err = client.UpdateKeyRotationPolicy(t.Context(), "root1", azkeys.KeyRotationPolicy{Attributes: &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to.Ptr("P27D")}}, nil)
	wantError(t, err, http.StatusBadRequest, "BadParameter")

	rotated, err := client.RotateKey(t.Context(), "root1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if rotated.Key.KID.Version() == old.Key.KID.Version() || len(rotated.Key.N) != 3072/8 || bytes.Equal(rotated.Key.N, old.Key.N) {
		t.Errorf("KV-78: rotated to %+v", rotated.Key)
	}
	if diff := cmp.Diff(old.Tags, rotated.Tags) + cmp.Diff(old.Key.KeyOps, rotated.Key.KeyOps); diff != "" {
		t.Errorf("KV-78: %s", diff)
	}
	if exp := w.Now().AddDate(2, 0, 0); rotated.Attributes.Expires == nil || !rotated.Attributes.Expires.Equal(exp) {
		t.Errorf("KV-79: expires %v, want %v", rotated.Attributes.Expires, exp)
	}
}
