package arm_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"
)

// TestArmsubscription cancels, renames and enables with the official client.
func TestArmsubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := armsubscription.NewClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := armsubscriptions.NewClient(w.Credential(w.Owner), options(w))
	if err != nil {
		t.Fatal(err)
	}
	id := w.Subscription.ID
	want := func(state armsubscriptions.SubscriptionState, name string) {
		t.Helper()
		got, err := reader.Get(t.Context(), id, nil)
		if err != nil || *got.State != state || *got.DisplayName != name {
			t.Errorf("subscription = %+v, %v, want %s %s", got.Subscription, err, state, name)
		}
	}
	if res, err := client.Rename(t.Context(), id, armsubscription.Name{SubscriptionName: to.Ptr("Keys")}, nil); err != nil || *res.SubscriptionID != id {
		t.Errorf("renamed: %+v, %v", res, err)
	}
	want(armsubscriptions.SubscriptionStateEnabled, "Keys")
	if res, err := client.Cancel(t.Context(), id, nil); err != nil || *res.SubscriptionID != id {
		t.Errorf("cancelled: %+v, %v", res, err)
	}
	want(armsubscriptions.SubscriptionStateDisabled, "Keys")
	_, err = client.Rename(t.Context(), id, armsubscription.Name{SubscriptionName: to.Ptr("New")}, nil)
	wantError(t, err, http.StatusConflict, "ReadOnlyDisabledSubscription")
	if res, err := client.Enable(t.Context(), id, nil); err != nil || *res.SubscriptionID != id {
		t.Errorf("enabled: %+v, %v", res, err)
	}
	want(armsubscriptions.SubscriptionStateEnabled, "Keys")

	w.SetProtected(true)
	_, err = client.Cancel(t.Context(), id, nil)
	wantError(t, err, http.StatusConflict, "SubscriptionNotCancellable")
	w.SetProtected(false)
	if _, err := w.SetSubscriptionState(t.Context(), w.Operator("operator@service.example"), w.Tenant, id, "Stopped"); err != nil {
		t.Fatal(err)
	}
	want(armsubscriptions.SubscriptionStateDisabled, "Keys")
	_, err = client.Enable(t.Context(), id, nil)
	wantError(t, err, http.StatusConflict, "ReadOnlyDisabledSubscription")
}
