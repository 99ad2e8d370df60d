package arm

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
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
		State: "Enabled", Policies: map[string]any{"spendingLimit": "Off"}, Source: "RoleBased",
	}
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
	ID        string            `json:"id"`
	Namespace string            `json:"namespace"`
	State     string            `json:"registrationState"`
	Policy    string            `json:"registrationPolicy"`
	Types     []resourceTypeOut `json:"resourceTypes"`
}

type resourceTypeOut struct {
	Type      string   `json:"resourceType"`
	Locations []string `json:"locations"`
	Versions  []string `json:"apiVersions"` // generic commands of clients pick one (KV-114)
}

func providers(subscription string) []providerOut {
	var everywhere []string
	for _, l := range knownLocations {
		everywhere = append(everywhere, l.DisplayName)
	}
	provider := func(namespace string, versions []string, types ...string) providerOut {
		p := providerOut{"/subscriptions/" + subscription + "/providers/" + namespace, namespace, "Registered", "RegistrationFree", nil}
		for _, t := range types {
			p.Types = append(p.Types, resourceTypeOut{t, everywhere, versions})
		}
		return p
	}
	return []providerOut{
		provider("Microsoft.KeyVault", []string{"2024-11-01", "2023-07-01", "2023-02-01", "2022-07-01"}, "vaults", "vaults/accessPolicies", "checkNameAvailability"),
		provider("Microsoft.Resources", []string{"2024-11-01", "2021-04-01"}, "subscriptions", "resourceGroups", "resources", "tenants"),
	}
}

func (x *request) listProviders() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	return x.reply(listOf(providers(s.ID)))
}

// getProvider also answers a registration: what is here is registered.
func (x *request) getProvider() error {
	s, err := x.own()
	if err != nil {
		return err
	}
	for _, p := range providers(s.ID) {
		if strings.EqualFold(p.Namespace, x.params["namespace"]) {
			return x.reply(p)
		}
	}
	return fault.New(fault.NotFound, "The resource provider '%.64s' is not available here", x.params["namespace"])
}
