package arm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
)

// A step is one request of a walk over raw HTTP, and what it has to be answered.
type step struct {
	row, method, path, token, body string
	status                         int
	code, message                  string
}

// walk sends one request after the other.
func walk(t *testing.T, w *keyvaulttest.World, steps []step) {
	t.Helper()
	for _, s := range steps {
		x := send(t, w, s.method, s.path, s.token, s.body)
		if x.status != s.status || x.code() != s.code || !strings.Contains(x.message(), s.message) {
			t.Errorf("%s: %s %s = %d %s %q, want %d %s %q", s.row, s.method, s.path, x.status, x.code(), x.message(), s.status, s.code, s.message)
		}
	}
}

const (
	inSubscription = "/subscriptions/{sub}/providers/Microsoft.KeyVault"
	deletedEast    = inSubscription + "/locations/westeurope/deletedVaults/contoso-east"
)

func TestContractVaultDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := keyvaulttest.New(t, w.DB())
	token, not, stranger := w.Token(w.Owner, base(w)), w.Token(w.Person("other@contoso.example"), base(w)), w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	recoverBody := `{"location":"westeurope","properties":{"tenantId":"` + w.Tenant + `","sku":{"family":"A","name":"premium"},"createMode":"recover"}}`
	w.MustVault("contoso-east", keyvaulttest.Can(w.Owner, "get"))
	walk(t, w, []step{
		{"KV-117 delete not his", "DELETE", east + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-117 delete none", "DELETE", group + "/providers/Microsoft.KeyVault/vaults/contoso-none" + version, token, "", 204, "", ""},
		{"KV-117 delete no group", "DELETE", "/subscriptions/{sub}/resourceGroups/none/providers/Microsoft.KeyVault/vaults/v-1" + version, token, "", 404, "ResourceGroupNotFound", ""},
		{"KV-117 head", "HEAD", east + version, token, "", 204, "", ""},
		{"KV-126 recover a live one", "PUT", east + version, token, recoverBody, 409, "ConflictError", "not deleted"},
		{"KV-126 recover by patch", "PATCH", east + version, token, `{"properties":{"createMode":"recover"}}`, 400, "BadRequest", "createMode"},
		{"KV-118 get none", "GET", deletedEast + version, token, "", 404, "DeletedVaultNotFound", ""},
		{"KV-118 purge none", "POST", deletedEast + "/purge" + version, token, "", 404, "DeletedVaultNotFound", ""},
		{"KV-117 delete", "DELETE", east + version, token, "", 200, "", ""},
		{"KV-117 delete again", "DELETE", east + version, token, "", 204, "", ""},
		{"KV-117 head gone", "HEAD", east + version, token, "", 404, "", ""},
		{"KV-117 get gone", "GET", east + version, token, "", 404, "ResourceNotFound", ""},
		{"KV-117 patch gone", "PATCH", east + version, token, `{"tags":{}}`, 404, "ResourceNotFound", ""},
		{"KV-126 create", "PUT", east + version, token, vaultBody(w, ""), 409, "ConflictError", "deleted state"},
		{"KV-126 create, default", "PUT", east + version, token, vaultBody(w, `,"createMode":"default"`), 409, "ConflictError", "recover"},
		{"KV-118 get", "GET", inSubscription + "/locations/West%20Europe/deletedVaults/CONTOSO-EAST" + version, token, "", 200, "", ""},
		{"KV-118 elsewhere", "GET", inSubscription + "/locations/eastus/deletedVaults/contoso-east" + version, token, "", 404, "DeletedVaultNotFound", ""},
		{"KV-118 not his", "GET", deletedEast + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-118 another tenant's", "GET", deletedEast + version, stranger, "", 404, "SubscriptionNotFound", ""},
		{"KV-118 list not his", "GET", inSubscription + "/deletedVaults" + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-118 purge not his", "POST", deletedEast + "/purge" + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-126 recover not his", "PUT", east + version, not, recoverBody, 403, "AuthorizationFailed", ""},
		{"KV-126 recover", "PUT", east + version, token, recoverBody, 200, "", ""},
		{"KV-126 again", "PUT", east + version, token, recoverBody, 409, "ConflictError", ""},
	})
	v := send(t, w, "GET", east+version, token, "").body["properties"].(map[string]any)
	if sku := v["sku"].(map[string]any)["name"]; sku != "standard" || len(v["accessPolicies"].([]any)) != 1 {
		t.Errorf("KV-124: recovered as %v", v)
	}
	w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", PurgeProtection: true})
	walk(t, w, []step{
		{"KV-126 delete", "DELETE", east + version, token, "", 200, "", ""},
		{"KV-126 purge protected", "POST", deletedEast + "/purge" + version, token, "", 405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed."},
	})
	walk(t, other, []step{
		{"KV-126 across tenants", "PUT", east + version, other.Token(other.Owner, base(other)), vaultBody(other, ""), 409, "VaultAlreadyExists", "already in use"},
		{"KV-126 recover another tenant's", "PUT", east + version, other.Token(other.Owner, base(other)), strings.ReplaceAll(recoverBody, w.Tenant, other.Tenant), 404, "DeletedVaultNotFound", ""},
	})
}

func TestContractGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, not := w.Token(w.Owner, base(w)), w.Token(w.Person("other@contoso.example"), base(w))
	w.MustVault("contoso-east")
	walk(t, w, []step{
		{"KV-115 patch", "PATCH", group + version, token, `{"tags":{"a":"b"}}`, 200, "", ""},
		{"KV-115 patch nothing", "PATCH", group + version, token, `{}`, 200, "", ""},
		{"KV-115 patch none", "PATCH", "/subscriptions/{sub}/resourceGroups/none" + version, token, `{"tags":{}}`, 404, "ResourceGroupNotFound", ""},
		{"KV-115 patch not his", "PATCH", group + version, not, `{"tags":{}}`, 403, "AuthorizationFailed", ""},
		{"KV-115 patch broken", "PATCH", group + version, token, `[]`, 400, "BadRequest", ""},
		{"KV-115 delete not his", "DELETE", group + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-115 delete", "DELETE", group + version, token, "", 200, "", ""},
		{"KV-115 delete again", "DELETE", group + version, token, "", 404, "ResourceGroupNotFound", ""},
		{"KV-115 head", "HEAD", group + version, token, "", 404, "", ""},
		{"KV-118 its vault", "GET", deletedEast + version, token, "", 200, "", ""},
	})
}

func TestArmkeyvaultDeletedVaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	p := newVault(w, entry(w, w.Owner, armkeyvault.KeyPermissionsGet))
	p.Tags = map[string]*string{"side": to.Ptr("east")}
	p.Properties.EnabledForDeployment = to.Ptr(true)
	made := mustPut(t, client, "Contoso-East", p)
	if _, err := client.Delete(t.Context(), "keys", "contoso-east", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Delete(t.Context(), "keys", "contoso-east", nil); err != nil {
		t.Errorf("deleted again: %v", err)
	}
	read, err := client.GetDeleted(t.Context(), "contoso-east", keyvaulttest.Location, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := read.Properties
	if *d.VaultID != *made.ID || !d.DeletionDate.Equal(w.Now()) || !d.ScheduledPurgeDate.Equal(w.Now().AddDate(0, 0, 90)) || *d.Tags["side"] != "east" || d.PurgeProtectionEnabled != nil {
		t.Errorf("deleted vault = %+v", d)
	}
	page, err := client.NewListDeletedPager(nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 1 || cmp.Diff(read.DeletedVault, *page.Value[0]) != "" {
		t.Errorf("deleted vaults = %v, %v", page.Value, err)
	}
	name, err := client.CheckNameAvailability(t.Context(), armkeyvault.VaultCheckNameAvailabilityParameters{Name: to.Ptr("contoso-east"), Type: to.Ptr("Microsoft.KeyVault/vaults")}, nil)
	if err != nil || *name.NameAvailable || *name.Reason != armkeyvault.ReasonAlreadyExists {
		t.Errorf("name: %+v, %v", name, err)
	}
	_, err = client.BeginCreateOrUpdate(t.Context(), "keys", "contoso-east", p, nil)
	wantError(t, err, http.StatusConflict, "ConflictError")

	back := newVault(w)
	back.Properties.CreateMode = to.Ptr(armkeyvault.CreateModeRecover)
	if diff := cmp.Diff(made, mustPut(t, client, "contoso-east", back)); diff != "" {
		t.Errorf("KV-124: not as it was: %s", diff)
	}
	if _, err := client.Delete(t.Context(), "keys", "contoso-east", nil); err != nil {
		t.Fatal(err)
	}
	poller, err := client.BeginPurgeDeleted(t.Context(), "contoso-east", keyvaulttest.Location, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetDeleted(t.Context(), "contoso-east", keyvaulttest.Location, nil)
	wantError(t, err, http.StatusNotFound, "DeletedVaultNotFound")
	mustPut(t, client, "contoso-east", p)
}

// TestArmkeyvaultEnabledFor: marks that mean nothing here are kept (KV-122, KV-124).
func TestArmkeyvaultEnabledFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	p := newVault(w)
	p.Properties.EnabledForDeployment, p.Properties.EnabledForTemplateDeployment = to.Ptr(true), to.Ptr(true)
	if got := mustPut(t, client, "contoso-east", p).Properties; !*got.EnabledForDeployment || !*got.EnabledForTemplateDeployment || *got.EnabledForDiskEncryption {
		t.Errorf("made with %+v", got)
	}
	got, err := client.Update(t.Context(), "keys", "contoso-east", armkeyvault.VaultPatchParameters{Properties: &armkeyvault.VaultPatchProperties{
		EnabledForTemplateDeployment: to.Ptr(false), EnabledForDiskEncryption: to.Ptr(true),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Properties; !*p.EnabledForDeployment || *p.EnabledForTemplateDeployment || !*p.EnabledForDiskEncryption {
		t.Errorf("changed to %+v", p)
	}
	if s := got.SystemData; *s.CreatedBy != w.Owner.Name || *s.CreatedByType != armkeyvault.IdentityTypeUser || *s.LastModifiedBy != w.Owner.Name {
		t.Errorf("systemData = %+v", s)
	}
}
