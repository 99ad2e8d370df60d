package arm_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
)

func mustResources(t *testing.T, w *keyvaulttest.World, c directory.Caller) *armresources.Client {
	t.Helper()
	client, err := armresources.NewClient(w.Subscription.ID, w.Credential(c), options(w))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestContractResources holds KV-116: each filter, and what it finds.
func TestContractResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Tags: map[string]string{"Side": "it's east"}})
	w.MustVault("contoso-gone")
	if _, _, err := w.PutGroup(t.Context(), w.Owner, keyvault.Group{Subscription: w.Subscription.ID, Name: "more", Location: "eastus"}); err != nil {
		t.Fatal(err)
	}
	spec := keyvault.VaultSpec{Subscription: w.Subscription.ID, Group: "more", Name: "contoso-west", Location: "West US", SKU: "standard"}
	if _, _, err := w.PutVault(t.Context(), w.Owner, spec); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeleteVault(t.Context(), w.Owner, w.Subscription.ID, "keys", "contoso-gone"); err != nil {
		t.Fatal(err)
	}
	token := w.Token(w.Owner, base(w))
	const all, none = "[contoso-east contoso-west]", "[]"
	for _, tt := range []struct{ under, filter, want string }{
		{"", "", all},
		{"", "resourceType eq 'Microsoft.KeyVault/vaults'", all},
		{"", "resourceType eq 'microsoft.keyvault/VAULTS' and name eq 'CONTOSO-WEST'", "[contoso-west]"},
		{"", "name eq 'contoso-west' and resourceGroup eq 'keys'", none},
		{"", "name eq 'contoso-gone'", none},
		{"", "name eq 'contoso-none'", none},
		{"", "resourceType eq 'Microsoft.Web/sites' and name eq 'contoso-west'", none},
		{"", "resourceGroup eq 'MORE'", "[contoso-west]"},
		{"", "LOCATION EQ 'westus'", "[contoso-west]"},
		{"", "tagName eq 'side'", "[contoso-east]"},
		{"", "tagName eq 'side' and tagValue eq 'it''s east'", "[contoso-east]"},
		{"", "tagName eq 'side' and tagValue eq 'west'", none},
		{"", "tagValue eq 'it''s east'", "[contoso-east]"},
		{"/resourceGroups/more", "", "[contoso-west]"},
		{"/resourceGroups/keys", "name eq 'contoso-west'", none},
		{"/resourceGroups/keys", "resourceGroup eq 'more'", none},
	} {
		x := send(t, w, "GET", "/subscriptions/{sub}"+tt.under+"/resources"+version+"&$filter="+url.QueryEscape(tt.filter), token, "")
		names := []string{}
		for _, v := range x.body["value"].([]any) {
			names = append(names, v.(map[string]any)["name"].(string))
		}
		slices.Sort(names)
		if got := fmt.Sprint(names); x.status != 200 || got != tt.want {
			t.Errorf("%s %q: %d %s, want %s", tt.under, tt.filter, x.status, got, tt.want)
		}
	}
	var bad []step
	for _, filter := range []string{
		"color eq 'red'", "name ne 'a'", "name eq a", "name eq 'a' and", "and name eq 'a'", "name eq 'a' or name eq 'b'", "name eq 'a' name eq 'b'",
		"name eq 'a' and name eq 'a'", "name eq 'a", "substringof('a', name)", "name eq 'a'and location eq 'b'and",
	} {
		bad = append(bad, step{"KV-116", "GET", "/subscriptions/{sub}/resources" + version + "&$filter=" + url.QueryEscape(filter), token, "", 400, "InvalidFilterInQueryString", ""})
	}
	walk(t, w, append(bad,
		step{"KV-116 no group", "GET", "/subscriptions/{sub}/resourceGroups/none/resources" + version, token, "", 404, "ResourceGroupNotFound", ""},
		step{"KV-116 not his", "GET", "/subscriptions/{sub}/resources" + version + "&$filter=x", w.Token(w.Person("other"), base(w)), "", 403, "AuthorizationFailed", ""},
	))
}

// TestArmresources uses a vault as generic clients do: found, read, changed and written back
// by its id, with what Set-AzResource sends (KV-114, KV-123, KV-124).
func TestArmresources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east", keyvaulttest.Can(w.Owner, "get"))
	w.MustVault("contoso-west")
	client := mustResources(t, w, w.Owner)

	var names []string
	for pager := client.NewListPager(&armresources.ClientListOptions{Top: to.Ptr[int32](1), Expand: to.Ptr("createdTime,provisioningState")}); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			names = append(names, *r.Name)
			if r.CreatedTime == nil || r.ChangedTime != nil || *r.ProvisioningState != "Succeeded" {
				t.Errorf("%s expanded: %+v", *r.Name, r)
			}
		}
	}
	if diff := cmp.Diff([]string{"contoso-east", "contoso-west"}, names); diff != "" {
		t.Error(diff)
	}
	page, err := client.NewListByResourceGroupPager("KEYS", nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 2 {
		t.Errorf("of the group: %v, %v", page.Value, err)
	}

	id, at := *page.Value[0].ID, "2022-07-01"
	if there, err := client.CheckExistenceByID(t.Context(), id, at, nil); err != nil || !there.Success {
		t.Errorf("there: %+v, %v", there, err)
	}
	if there, err := client.CheckExistenceByID(t.Context(), id+"2", at, nil); err != nil || there.Success {
		t.Errorf("not there: %+v, %v", there, err)
	}
	read, err := client.GetByID(t.Context(), id, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	properties := read.Properties.(map[string]any)
	properties["enableSoftDelete"] = "True" // as the article does
	properties["enablePurgeProtection"] = "true"
	poller, err := client.BeginCreateOrUpdateByID(t.Context(), id, at, armresources.GenericResource{Location: read.Location, Tags: read.Tags, Properties: properties}, nil)
	if err != nil {
		t.Fatal(err)
	}
	put, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := put.Properties.(map[string]any); p["enablePurgeProtection"] != true || p["enableSoftDelete"] != true || len(p["accessPolicies"].([]any)) != 1 {
		t.Errorf("written back: %v", p)
	}
	update, err := client.BeginUpdateByID(t.Context(), id, at, armresources.GenericResource{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := update.PollUntilDone(t.Context(), nil); err != nil || *res.Tags["a"] != "b" || *res.Location != keyvaulttest.Location {
		t.Errorf("updated: %+v, %v", res.GenericResource, err)
	}
	gone, err := client.BeginDeleteByID(t.Context(), id, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetByID(t.Context(), id, at, nil)
	wantError(t, err, http.StatusNotFound, "ResourceNotFound")
}

// TestArmresourcesGroups uses every method of the official client on a group.
func TestArmresourcesGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east")
	client, err := armresources.NewResourceGroupsClient(w.Subscription.ID, w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client.Update(t.Context(), "keys", armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": to.Ptr("b")}}, nil); err != nil || *got.Tags["a"] != "b" {
		t.Errorf("updated: %+v, %v", got.ResourceGroup, err)
	}
	if there, err := client.CheckExistence(t.Context(), "keys", nil); err != nil || !there.Success {
		t.Errorf("there: %+v, %v", there, err)
	}
	poller, err := client.BeginDelete(t.Context(), "keys", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{}); err != nil {
		t.Fatal(err)
	}
	if there, err := client.CheckExistence(t.Context(), "keys", nil); err != nil || there.Success {
		t.Errorf("gone: %+v, %v", there, err)
	}
	if _, err := w.DeletedVault(t.Context(), w.Owner, w.Subscription.ID, "", "contoso-east"); err != nil {
		t.Errorf("its vault: %v", err)
	}
}
