package arm_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"

	"github.com/customerkey/customerkey/internal/directory"
)

// TestArmsubscriptionAliases: an administrator makes subscriptions in his own tenant with the
// official client, each once, and owns them.
func TestArmsubscriptionAliases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	admin.Roles = []directory.Role{directory.GlobalAdministrator}
	make := func(c directory.Caller, alias, name string) (*armsubscription.AliasResponse, error) {
		client, err := armsubscription.NewAliasClient(w.Credential(c), options(w))
		if err != nil {
			t.Fatal(err)
		}
		poller, err := client.BeginCreate(t.Context(), alias, armsubscription.PutAliasRequest{Properties: &armsubscription.PutAliasRequestProperties{
			DisplayName: &name, Workload: to.Ptr(armsubscription.WorkloadProduction), BillingScope: to.Ptr("/billing/none"),
		}}, nil)
		if err != nil {
			return nil, err
		}
		res, err := poller.PollUntilDone(t.Context(), nil)
		return &res.AliasResponse, err
	}
	made, err := make(admin, "keys-east", "Contoso keys east")
	if err != nil {
		t.Fatal(err)
	}
	id := *made.Properties.SubscriptionID
	again, err := make(admin, "KEYS-EAST", "another name")
	if err != nil || *again.Properties.SubscriptionID != id || *again.Properties.DisplayName != "Contoso keys east" {
		t.Errorf("again: %+v, %v", again.Properties, err)
	}
	subscriptions, err := armsubscriptions.NewClient(w.Credential(admin), options(w))
	if err != nil {
		t.Fatal(err)
	}
	got, err := subscriptions.Get(t.Context(), id, nil)
	if err != nil || *got.DisplayName != "Contoso keys east" || *got.TenantID != w.Tenant {
		t.Errorf("subscription = %+v, %v", got.Subscription, err)
	}
	client, err := armsubscription.NewAliasClient(w.Credential(admin), options(w))
	if err != nil {
		t.Fatal(err)
	}
	if one, err := client.Get(t.Context(), "keys-east", nil); err != nil || *one.Properties.SubscriptionID != id {
		t.Errorf("alias = %+v, %v", one.Properties, err)
	}
	_, err = client.Get(t.Context(), "none", nil)
	wantError(t, err, 404, "SubscriptionNotFound")

	_, err = make(w.Person("alice@contoso.example"), "hers", "Hers")
	wantError(t, err, 403, "AuthorizationFailed")
	second := w.Person("second@contoso.example")
	second.Roles = admin.Roles
	_, err = make(second, "keys-east", "Contoso keys east")
	wantError(t, err, 409, "Conflict")
	stranger := w.Stranger("admin@fabrikam.example")
	stranger.Roles = admin.Roles
	theirs, err := make(stranger, "keys-east", "Fabrikam keys")
	if err != nil || *theirs.Properties.SubscriptionID == id {
		t.Errorf("another tenant's alias of the same name: %+v, %v", theirs, err)
	}
	_, err = make(admin, "no.good.alias", "x")
	wantError(t, err, 400, "BadRequest")
}
