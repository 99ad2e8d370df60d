package arm_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func newWorld(t testing.TB) *keyvaulttest.World {
	t.Helper()
	return keyvaulttest.New(t, storetest.SQLite(t, store.VaultAreas()...))
}

func options(w *keyvaulttest.World) *azarm.ClientOptions {
	base := "https://management." + w.Domain()
	return &azarm.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: w.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: base, Audience: base},
		}},
	}}
}

func mustVaults(t testing.TB, w *keyvaulttest.World, c directory.Caller) *armkeyvault.VaultsClient {
	t.Helper()
	client, err := armkeyvault.NewVaultsClient(w.Subscription.ID, w.Credential(c), options(w))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newVault returns the parameters of a vault as a customer of the articles makes it.
func newVault(w *keyvaulttest.World, entries ...*armkeyvault.AccessPolicyEntry) armkeyvault.VaultCreateOrUpdateParameters {
	return armkeyvault.VaultCreateOrUpdateParameters{
		Location: to.Ptr(keyvaulttest.Location),
		Properties: &armkeyvault.VaultProperties{
			TenantID: to.Ptr(w.Tenant), SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNamePremium)},
			AccessPolicies: append([]*armkeyvault.AccessPolicyEntry{}, entries...),
		},
	}
}

func entry(w *keyvaulttest.World, c directory.Caller, keys ...armkeyvault.KeyPermissions) *armkeyvault.AccessPolicyEntry {
	e := &armkeyvault.AccessPolicyEntry{TenantID: to.Ptr(w.Tenant), ObjectID: to.Ptr(c.ID), Permissions: &armkeyvault.Permissions{}}
	for _, k := range keys {
		e.Permissions.Keys = append(e.Permissions.Keys, to.Ptr(k))
	}
	return e
}

func mustPut(t testing.TB, client *armkeyvault.VaultsClient, name string, p armkeyvault.VaultCreateOrUpdateParameters) armkeyvault.Vault {
	t.Helper()
	poller, err := client.BeginCreateOrUpdate(t.Context(), "keys", name, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.Vault
}

func wantError(t testing.TB, err error, status int, code string) {
	t.Helper()
	var e *azcore.ResponseError
	if !errors.As(err, &e) || e.StatusCode != status || e.ErrorCode != code {
		t.Fatalf("error = %v, want %d %s", err, status, code)
	}
}

func TestArmkeyvaultVaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	admin := w.Person("admin@contoso.example")
	p := newVault(w, entry(w, admin, armkeyvault.KeyPermissionsCreate, armkeyvault.KeyPermissionsGet))
	p.Tags = map[string]*string{"side": to.Ptr("east")}
	made := mustPut(t, client, "Contoso-East", p)

	wantID := "/subscriptions/" + w.Subscription.ID + "/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/Contoso-East"
	if *made.ID != wantID || *made.Properties.VaultURI != w.VaultURL("contoso-east")+"/" {
		t.Errorf("id = %s, uri = %s", *made.ID, *made.Properties.VaultURI)
	}
	if *made.Properties.SoftDeleteRetentionInDays != 90 || !*made.Properties.EnableSoftDelete || made.Properties.EnablePurgeProtection != nil {
		t.Errorf("properties = %+v", made.Properties)
	}
	read, err := client.Get(t.Context(), "KEYS", "contoso-east", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, read.Vault); diff != "" {
		t.Errorf("read differs from made: %s", diff)
	}

	// What clients do: read, change, write back. Protection cannot be taken back (KV-122).
	back := armkeyvault.VaultCreateOrUpdateParameters{Location: read.Location, Tags: read.Tags, Properties: read.Properties}
	back.Properties.EnablePurgeProtection = to.Ptr(true)
	if v := mustPut(t, client, "contoso-east", back); !*v.Properties.EnablePurgeProtection || len(v.Properties.AccessPolicies) != 1 || *v.Tags["side"] != "east" {
		t.Errorf("written back: %+v", v.Properties)
	}
	back.Properties.EnablePurgeProtection = to.Ptr(false)
	_, err = client.BeginCreateOrUpdate(t.Context(), "keys", "contoso-east", back, nil)
	wantError(t, err, http.StatusBadRequest, "BadRequest")

	updated, err := client.Update(t.Context(), "keys", "contoso-east", armkeyvault.VaultPatchParameters{Tags: map[string]*string{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(updated.Tags) != 0 || !*updated.Properties.EnablePurgeProtection || len(updated.Properties.AccessPolicies) != 1 {
		t.Errorf("updated = %+v", updated.Vault)
	}
	_, err = client.Get(t.Context(), "keys", "contoso-west", nil)
	wantError(t, err, http.StatusNotFound, "ResourceNotFound")
}

func TestArmkeyvaultAccessPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	admin, service := w.Person("admin@contoso.example"), w.Person("service")
	mustPut(t, client, "contoso-east", newVault(w))
	set := func(kind armkeyvault.AccessPolicyUpdateKind, e *armkeyvault.AccessPolicyEntry) map[string][]armkeyvault.KeyPermissions {
		t.Helper()
		res, err := client.UpdateAccessPolicy(t.Context(), "keys", "contoso-east", kind, armkeyvault.VaultAccessPolicyParameters{
			Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{e}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]armkeyvault.KeyPermissions{}
		for _, e := range res.Properties.AccessPolicies {
			for _, k := range e.Permissions.Keys {
				got[*e.ObjectID] = append(got[*e.ObjectID], *k)
			}
		}
		return got
	}
	const get, wrap, unwrap, create = armkeyvault.KeyPermissionsGet, armkeyvault.KeyPermissionsWrapKey, armkeyvault.KeyPermissionsUnwrapKey, armkeyvault.KeyPermissionsCreate
	type policy = map[string][]armkeyvault.KeyPermissions
	for _, tt := range []struct {
		kind armkeyvault.AccessPolicyUpdateKind
		e    *armkeyvault.AccessPolicyEntry
		want policy
	}{
		{armkeyvault.AccessPolicyUpdateKindAdd, entry(w, admin, create), policy{admin.ID: {create}}},
		{armkeyvault.AccessPolicyUpdateKindAdd, entry(w, service, wrap, get), policy{admin.ID: {create}, service.ID: {wrap, get}}},
		{armkeyvault.AccessPolicyUpdateKindAdd, entry(w, service, unwrap, "GET"), policy{admin.ID: {create}, service.ID: {wrap, unwrap, "GET"}}},
		{armkeyvault.AccessPolicyUpdateKindReplace, entry(w, admin, get), policy{admin.ID: {get}, service.ID: {wrap, unwrap, "GET"}}},
		{armkeyvault.AccessPolicyUpdateKindRemove, entry(w, service, "UNWRAPKEY"), policy{admin.ID: {get}, service.ID: {wrap, "GET"}}},
		{armkeyvault.AccessPolicyUpdateKindRemove, entry(w, service, get, wrap), policy{admin.ID: {get}}},
	} {
		if diff := cmp.Diff(tt.want, set(tt.kind, tt.e)); diff != "" {
			t.Errorf("%s: %s", tt.kind, diff)
		}
	}
}

func TestArmkeyvaultLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	for _, name := range []string{"contoso-a", "contoso-b", "contoso-c"} {
		mustPut(t, client, name, newVault(w))
	}
	want := []string{"contoso-a", "contoso-b", "contoso-c"}
	var byGroup, bySubscription, resources []string
	for pager := client.NewListByResourceGroupPager("Keys", &armkeyvault.VaultsClientListByResourceGroupOptions{Top: to.Ptr[int32](2)}); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Value {
			byGroup = append(byGroup, *v.Name)
		}
	}
	for pager := client.NewListBySubscriptionPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Value {
			bySubscription = append(bySubscription, *v.Name)
		}
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Value {
			resources = append(resources, *v.Name)
		}
	}
	for list, got := range map[string][]string{"group": byGroup, "subscription": bySubscription, "resources": resources} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %s: %s", list, diff)
		}
	}
	if page, err := client.NewListDeletedPager(nil).NextPage(t.Context()); err != nil || len(page.Value) != 0 {
		t.Errorf("deleted vaults = %v, %v", page.Value, err)
	}
}

// TestArmkeyvaultCheckName holds KV-120.
func TestArmkeyvaultCheckName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := mustVaults(t, w, w.Owner)
	mustPut(t, client, "contoso-east", newVault(w))
	for name, want := range map[string]string{"contoso-west": "", "CONTOSO-EAST": "AlreadyExists", "4you": "AccountNameInvalid"} {
		res, err := client.CheckNameAvailability(t.Context(), armkeyvault.VaultCheckNameAvailabilityParameters{
			Name: to.Ptr(name), Type: to.Ptr("Microsoft.KeyVault/vaults"),
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		reason := ""
		if res.Reason != nil {
			reason = string(*res.Reason)
		}
		if *res.NameAvailable != (want == "") || reason != want {
			t.Errorf("%s: available %t, %q", name, *res.NameAvailable, reason)
		}
	}
}

func TestArmsubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := armsubscriptions.NewClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.NewListPager(nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Value) != 1 || *page.Value[0].SubscriptionID != w.Subscription.ID || *page.Value[0].State != armsubscriptions.SubscriptionStateEnabled {
		t.Errorf("subscriptions = %+v", page.Value)
	}
	if got, err := client.Get(t.Context(), w.Subscription.ID, nil); err != nil || *got.DisplayName != "Contoso keys" {
		t.Errorf("subscription = %+v, %v", got.Subscription, err)
	}
	if page, err := client.NewListLocationsPager(w.Subscription.ID, nil).NextPage(t.Context()); err != nil || len(page.Value) == 0 {
		t.Errorf("locations = %v, %v", page.Value, err)
	}
	tenants, err := armsubscriptions.NewTenantsClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	if page, err := tenants.NewListPager(nil).NextPage(t.Context()); err != nil || len(page.Value) != 1 || *page.Value[0].TenantID != w.Tenant {
		t.Errorf("tenants = %v, %v", page.Value, err)
	}

	other, err := armsubscriptions.NewClient(w.Credential(w.Person("reader@contoso.example")), options(w))
	if err != nil {
		t.Fatal(err)
	}
	if page, err := other.NewListPager(nil).NextPage(t.Context()); err != nil || len(page.Value) != 0 {
		t.Errorf("someone else sees %v, %v", page.Value, err)
	}
	_, err = other.Get(t.Context(), w.Subscription.ID, nil)
	wantError(t, err, http.StatusForbidden, "AuthorizationFailed")
	stranger, err := armsubscriptions.NewClient(w.Credential(w.Stranger("spy@fabrikam.example")), options(w))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Get(t.Context(), w.Subscription.ID, nil)
	wantError(t, err, http.StatusNotFound, "SubscriptionNotFound")
}
