package arm

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

type tenantOut struct {
	ID       string `json:"id"`
	TenantID string `json:"tenantId"`
	Category string `json:"tenantCategory"`
}

// tenants lists the one tenant that the token is for.
func (x *request) tenants() error {
	return x.reply(listOf([]tenantOut{{"/tenants/" + x.caller.Tenant, x.caller.Tenant, "Home"}}))
}

type subscriptionOut struct {
	ID             string         `json:"id"`
	SubscriptionID string         `json:"subscriptionId"`
	TenantID       string         `json:"tenantId"`
	DisplayName    string         `json:"displayName"`
	State          string         `json:"state"`
	Policies       map[string]any `json:"subscriptionPolicies"`
	Source         string         `json:"authorizationSource"`
}

func subscription(s keyvault.Subscription) subscriptionOut {
	return subscriptionOut{
		ID: "/subscriptions/" + s.ID, SubscriptionID: s.ID, TenantID: s.Tenant, DisplayName: s.DisplayName,
		State: shownState(s.State), Policies: map[string]any{"spendingLimit": "Off"}, Source: "RoleBased",
	}
}

// shownState is a subscription's state in the words that clients know.
func shownState(s keyvault.SubscriptionState) string {
	if s == keyvault.Stopped {
		s = keyvault.Disabled
	}
	return string(s)
}

func (x *request) listSubscriptions() error {
	own, err := x.vaults.Subscriptions(x.r.Context(), x.caller)
	if err != nil {
		return err
	}
	out := listOf[subscriptionOut](nil)
	for _, s := range own {
		out.Value = append(out.Value, subscription(s))
	}
	return x.reply(out)
}

func (x *request) getSubscription() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	return x.reply(subscription(s))
}

type changedOut struct {
	Subscription string `json:"subscriptionId"`
}

// cancelSubscription, enableSubscription and renameSubscription are what clients of
// Microsoft.Subscription call.
func (x *request) cancelSubscription() error { return x.changed(x.vaults.CancelSubscription) }
func (x *request) enableSubscription() error { return x.changed(x.vaults.EnableSubscription) }

func (x *request) renameSubscription() error {
	var in struct {
		Name string `json:"subscriptionName"`
	}
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	return x.changed(func(ctx context.Context, c directory.Caller, id string) (keyvault.Subscription, error) {
		return x.vaults.RenameSubscription(ctx, c, id, in.Name)
	})
}

func (x *request) changed(change func(ctx context.Context, c directory.Caller, id string) (keyvault.Subscription, error)) error {
	s, err := change(x.r.Context(), x.caller, x.params["subscription"])
	if err != nil {
		return err
	}
	return x.reply(changedOut{s.ID})
}

// own returns the subscription of the path if the caller owns it.
func (x *request) own() (keyvault.Subscription, error) {
	return x.vaults.Subscription(x.r.Context(), x.caller, x.params["subscription"])
}

// nothing is a list that is always empty.
func (x *request) nothing() error {
	if _, err := x.own(); err != nil {
		return err
	}
	return x.reply(listOf[struct{}](nil))
}

type locationOut struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// knownLocations are offered to clients that ask; a vault may be anywhere.
var knownLocations = []locationOut{
	{Name: "eastus", DisplayName: "East US"}, {Name: "westus", DisplayName: "West US"},
	{Name: "northeurope", DisplayName: "North Europe"}, {Name: "westeurope", DisplayName: "West Europe"},
	{Name: "eastasia", DisplayName: "East Asia"}, {Name: "southeastasia", DisplayName: "Southeast Asia"},
}

func (x *request) locations() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	out := listOf(knownLocations)
	for i := range out.Value {
		out.Value[i].ID = "/subscriptions/" + s.ID + "/locations/" + out.Value[i].Name
	}
	return x.reply(out)
}

type providerOut struct {
	ID        string                     `json:"id"`
	Namespace string                     `json:"namespace"`
	State     keyvault.RegistrationState `json:"registrationState"`
	Policy    string                     `json:"registrationPolicy"`
	Types     []resourceTypeOut          `json:"resourceTypes"`
}

type resourceTypeOut struct {
	Type      string   `json:"resourceType"`
	Locations []string `json:"locations"`
	Versions  []string `json:"apiVersions"` // generic commands of clients pick one (KV-114)
}

// providers lists what is here. Only Microsoft.KeyVault is registered and unregistered; the
// rest always is.
func providers(s keyvault.Subscription) []providerOut {
	var everywhere []string
	for _, l := range knownLocations {
		everywhere = append(everywhere, l.DisplayName)
	}
	provider := func(namespace, policy string, state keyvault.RegistrationState, versions []string, types ...string) providerOut {
		p := providerOut{"/subscriptions/" + s.ID + "/providers/" + namespace, namespace, state, policy, nil}
		for _, t := range types {
			p.Types = append(p.Types, resourceTypeOut{t, everywhere, versions})
		}
		return p
	}
	return []providerOut{
		provider("Microsoft.Authorization", "RegistrationFree", keyvault.Registered, []string{"2022-04-01", "2015-07-01"}, "roleDefinitions", "roleAssignments"),
		provider("Microsoft.Features", "RegistrationFree", keyvault.Registered, []string{"2021-07-01"}, "features", "providers", "featureProviders", "subscriptionFeatureRegistrations"),
		provider(keyvault.ProviderNamespace, "RegistrationRequired", s.Provider.State, []string{"2024-11-01", "2023-07-01", "2023-02-01", "2022-07-01"},
			"vaults", "vaults/accessPolicies", "deletedVaults", "locations", "locations/deletedVaults", "checkNameAvailability"),
		provider("Microsoft.Resources", "RegistrationFree", keyvault.Registered, []string{"2024-11-01", "2021-04-01"}, "subscriptions", "resourceGroups", "resources", "tenants"),
		provider("Microsoft.Subscription", "RegistrationFree", keyvault.Registered, []string{"2021-10-01"}, "cancel", "rename", "enable"),
	}
}

func (x *request) listProviders() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	return x.reply(listOf(providers(s)))
}

func (x *request) getProvider() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	return x.replyProvider(s)
}

func (x *request) registerProvider() error   { return x.setProvider(x.vaults.RegisterProvider) }
func (x *request) unregisterProvider() error { return x.setProvider(x.vaults.UnregisterProvider) }

// setProvider changes the one registration that can change.
func (x *request) setProvider(change func(ctx context.Context, c directory.Caller, id string) (keyvault.Subscription, error)) error {
	if !strings.EqualFold(x.params["namespace"], keyvault.ProviderNamespace) {
		return x.getProvider()
	}
	s, err := change(x.r.Context(), x.caller, x.params["subscription"])
	if err != nil {
		return err
	}
	return x.replyProvider(s)
}

func (x *request) replyProvider(s keyvault.Subscription) error {
	for _, p := range providers(s) {
		if strings.EqualFold(p.Namespace, x.params["namespace"]) {
			return x.reply(p)
		}
	}
	return fault.New(fault.NotFound, "The resource provider '%.64s' is not available here", x.params["namespace"])
}
