package arm_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armfeatures"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/customerkey/customerkey/internal/keyvault"
)

const (
	features      = "/subscriptions/{sub}/providers/Microsoft.Features"
	oneFeature    = features + "/providers/Microsoft.Resources/features/mandatoryRetentionPeriodEnabled"
	registrations = features + "/featureProviders/Microsoft.Resources/subscriptionFeatureRegistrations"
	subscribed    = "/subscriptions/{sub}/providers/Microsoft.Subscription"
	request       = "/operator/retentionRequests"
)

func TestContractRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east")
	token, not := w.Token(w.Owner, base(w)), w.Token(w.Person("other@contoso.example"), base(w))
	operator, stranger := w.Token(w.Operator("operator@service.example"), base(w)), w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	decide := request + "/" + w.Tenant + "/" + w.Subscription.ID
	customer := "/operator/subscriptions/" + w.Tenant + "/" + w.Subscription.ID
	walk(t, w, []step{
		{"KV-112 get", "GET", oneFeature + version, token, "", 200, "", ""},
		{"KV-112 case", "GET", "/SUBSCRIPTIONS/{sub}/Providers/microsoft.features/providers/microsoft.resources/features/MANDATORYRETENTIONPERIODENABLED" + version, token, "", 200, "", ""},
		{"KV-112 unknown", "GET", features + "/providers/Microsoft.Resources/features/other" + version, token, "", 404, "FeatureNotFound", ""},
		{"KV-112 unknown", "POST", features + "/providers/Microsoft.Resources/features/other/register" + version, token, "", 404, "FeatureNotFound", ""},
		{"KV-112 namespace", "GET", features + "/providers/Microsoft.Compute/features" + version, token, "", 404, "InvalidResourceNamespace", ""},
		{"KV-112 not his", "POST", oneFeature + "/register" + version, not, "", 403, "AuthorizationFailed", "Microsoft.Features/providers/features/register/action"},
		{"KV-112 not his, unknown", "GET", features + "/providers/Microsoft.Resources/features/other" + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-112 another tenant's", "POST", oneFeature + "/register" + version, stranger, "", 404, "SubscriptionNotFound", ""},
		{"KV-113 list", "GET", registrations + version, token, "", 200, "", ""},
		{"KV-113 unknown", "PUT", registrations + "/other" + version, token, "{}", 404, "FeatureNotFound", ""},
		{"KV-113 delete none", "DELETE", registrations + "/mandatoryRetentionPeriodEnabled" + version, token, "", 204, "", ""},
		{"KV-113 delete unknown", "DELETE", registrations + "/other" + version, token, "", 404, "FeatureNotFound", ""},

		{"KV-127 nobody's", "GET", request, "", "", 401, "AuthenticationFailed", ""},
		{"KV-127 owners see no requests", "GET", request, token, "", 403, "AuthorizationFailed", ""},
		{"KV-127 nor decide", "POST", decide + "/approve", token, "", 403, "AuthorizationFailed", ""},
		{"KV-127 no request", "POST", decide + "/approve", operator, "", 404, "RequestNotFound", ""},
		{"KV-112 register", "POST", oneFeature + "/register" + version, token, "", 200, "", ""},
		{"KV-127 requests", "GET", request + "?$top=1", operator, "", 200, "", ""},
		{"KV-127 bad page", "GET", request + "?$skiptoken=x", operator, "", 400, "BadRequest", ""},
		{"KV-127 deny", "POST", decide + "/deny", operator, "", 200, "", ""},
		{"KV-113 register", "PUT", registrations + "/mandatoryRetentionPeriodEnabled" + version, token, "{}", 200, "", ""},
		{"KV-127 approve", "POST", decide + "/approve", operator, "", 200, "", ""},
		{"KV-127 approve again", "POST", decide + "/approve", operator, "", 404, "RequestNotFound", ""},
		{"KV-114 register", "POST", "/subscriptions/{sub}/providers/microsoft.keyvault/register" + version, token, "", 200, "", ""},
		{"KV-114 unregister", "POST", "/subscriptions/{sub}/providers/Microsoft.KeyVault/unregister" + version, token, "", 409, "CannotUnregisterResourceProvider", ""},
		{"KV-114 unregister another", "POST", "/subscriptions/{sub}/providers/Microsoft.Resources/unregister" + version, token, "", 200, "", ""},
		{"KV-127 cancel", "POST", subscribed + "/cancel" + version, token, "", 409, "SubscriptionNotCancellable", "mandatory retention"},
		{"KV-127 cancel not his", "POST", subscribed + "/cancel" + version, not, "", 403, "AuthorizationFailed", ""},
		{"KV-112 unregister", "POST", oneFeature + "/unregister" + version, token, "", 200, "", ""},
		{"KV-127 end", "POST", decide + "/approve", operator, "", 200, "", ""},
		{"KV-111 rename", "POST", subscribed + "/rename" + version, token, `{"subscriptionName":"Keys"}`, 200, "", ""},
		{"KV-111 rename to nothing", "POST", subscribed + "/rename" + version, token, `{}`, 400, "BadRequest", "subscriptionName"},
		{"KV-111 rename broken", "POST", subscribed + "/rename" + version, token, `{`, 400, "BadRequest", "JSON"},
		{"KV-111 cancel", "POST", subscribed + "/cancel" + version, token, "", 200, "", ""},
		{"KV-111 read only", "PATCH", east + version, token, `{"tags":{}}`, 409, "ReadOnlyDisabledSubscription", ""},
		{"KV-111 read", "GET", east + version, token, "", 200, "", ""},
		{"KV-111 enable", "POST", subscribed + "/enable" + version, token, "", 200, "", ""},
		{"operators stop", "POST", customer + "/stop", operator, "", 200, "", ""},
		{"owners cannot go on", "POST", subscribed + "/enable" + version, token, "", 409, "ReadOnlyDisabledSubscription", ""},
		{"nor as operators", "POST", customer + "/enable", token, "", 403, "AuthorizationFailed", ""},
		{"operators warn", "POST", customer + "/warn", operator, "", 200, "", ""},
		{"operators enable", "POST", customer + "/enable", operator, "", 200, "", ""},
	})
}

// TestArmfeatures walks both forms with the official clients, up to a protected key.
func TestArmfeatures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east")
	client, err := armfeatures.NewClient(w.Subscription.ID, w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	const namespace, name = "Microsoft.Resources", "mandatoryRetentionPeriodEnabled"
	state := func(want string) {
		t.Helper()
		got, err := client.Get(t.Context(), namespace, name, nil)
		if err != nil || *got.Properties.State != want || *got.Name != namespace+"/"+name {
			t.Fatalf("feature = %+v, %v, want %s", got.Properties, err, want)
		}
	}
	state("NotRegistered")
	for _, read := range []func() ([]*armfeatures.FeatureResult, error){
		func() ([]*armfeatures.FeatureResult, error) {
			page, err := client.NewListAllPager(nil).NextPage(t.Context())
			return page.Value, err
		},
		func() ([]*armfeatures.FeatureResult, error) {
			page, err := client.NewListPager(namespace, nil).NextPage(t.Context())
			return page.Value, err
		},
	} {
		if all, err := read(); err != nil || len(all) != 1 {
			t.Errorf("features = %v, %v", all, err)
		}
	}
	_, err = client.Get(t.Context(), namespace, "other", nil)
	wantError(t, err, http.StatusNotFound, "FeatureNotFound")

	newer, err := armfeatures.NewSubscriptionFeatureRegistrationsClient(w.Subscription.ID, w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	put, err := newer.CreateOrUpdate(t.Context(), namespace, name, nil)
	if err != nil || *put.Properties.State != armfeatures.SubscriptionFeatureRegistrationStatePending || *put.Properties.AuthorizationProfile.RequesterObjectID != w.Owner.ID {
		t.Fatalf("registration = %+v, %v", put.Properties, err)
	}
	state("Pending")
	if _, err := newer.Delete(t.Context(), namespace, name, nil); err != nil {
		t.Fatal(err)
	}
	state("NotRegistered")
	if got, err := client.Register(t.Context(), namespace, name, nil); err != nil || *got.Properties.State != "Pending" {
		t.Fatalf("registered: %+v, %v", got.Properties, err)
	}
	if _, err := w.DecideRetention(t.Context(), w.Operator("operator@service.example"), w.Tenant, w.Subscription.ID, true); err != nil {
		t.Fatal(err)
	}
	state("Registered")
	page, err := newer.NewListAllBySubscriptionPager(nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 1 || *page.Value[0].Properties.State != armfeatures.SubscriptionFeatureRegistrationStateRegistered {
		t.Errorf("registrations = %v, %v", page.Value, err)
	}

	providers, err := armresources.NewProvidersClient(w.Subscription.ID, w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	level := func(want string) {
		t.Helper()
		v, err := w.Vault(t.Context(), w.Owner, w.Subscription.ID, "keys", "contoso-east")
		if got, _ := v.Recovery(); err != nil || got != want {
			t.Errorf("level = %s, %v, want %s", got, err, want)
		}
	}
	level("Recoverable+Purgeable")
	if p, err := providers.Register(t.Context(), "Microsoft.KeyVault", nil); err != nil || *p.RegistrationState != "Registered" {
		t.Fatalf("provider = %+v, %v", p.Provider, err)
	}
	level("Recoverable+ProtectedSubscription")

	if got, err := client.Unregister(t.Context(), namespace, name, nil); err != nil || *got.Properties.State != string(keyvault.Unregistering) {
		t.Errorf("unregistered: %+v, %v", got.Properties, err)
	}
	level("Recoverable+ProtectedSubscription")
}

// TestArmresourcesProviders holds KV-114: generic commands pick an api-version from the list.
func TestArmresourcesProviders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := armresources.NewProvidersClient(w.Subscription.ID, w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.NewListPager(nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Value {
		for _, kind := range p.ResourceTypes {
			if len(kind.APIVersions) == 0 || len(kind.Locations) == 0 {
				t.Errorf("%s/%s has no versions or locations", *p.Namespace, *kind.ResourceType)
			}
		}
	}
	if p, err := client.Unregister(t.Context(), "Microsoft.KeyVault", nil); err != nil || *p.RegistrationState != "Unregistered" {
		t.Errorf("unregistered: %+v, %v", p.Provider, err)
	}
	vaults := mustVaults(t, w, w.Owner)
	_, err = vaults.BeginCreateOrUpdate(t.Context(), "keys", "contoso-east", newVault(w), nil)
	if err != nil { // the pipeline registers by itself where a provider is missing
		t.Error(err)
	}
	if p, err := client.Get(t.Context(), "Microsoft.KeyVault", &armresources.ProvidersClientGetOptions{Expand: to.Ptr("resourceTypes/aliases")}); err != nil || *p.RegistrationState != "Registered" {
		t.Errorf("provider = %+v, %v", p.Provider, err)
	}
}
