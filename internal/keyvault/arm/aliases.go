package arm

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// An alias is how a subscription is made, and made once (Microsoft.Subscription).
type aliasIn struct {
	Properties struct {
		DisplayName string `json:"displayName"`
	} `json:"properties"`
}

type aliasOut struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Properties aliasProperties `json:"properties"`
}

type aliasProperties struct {
	SubscriptionID string `json:"subscriptionId"`
	DisplayName    string `json:"displayName"`
	OwnerID        string `json:"subscriptionOwnerId"`
	State          string `json:"provisioningState"`
	Accepted       string `json:"acceptOwnershipState"`
}

func (x *request) alias(s keyvault.Subscription) aliasOut {
	name := x.params["alias"]
	return aliasOut{
		ID: "/providers/Microsoft.Subscription/aliases/" + name, Name: name, Type: "Microsoft.Subscription/aliases",
		Properties: aliasProperties{s.ID, s.DisplayName, s.Owner, "Succeeded", "Completed"},
	}
}

// putAlias makes a subscription in the caller's tenant. Billing members are ignored.
func (x *request) putAlias() error {
	var in aliasIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	s, created, err := x.vaults.Subscribe(x.r.Context(), x.caller, x.params["alias"], in.Properties.DisplayName)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return face.Reply(x.w, status, x.alias(s))
}

func (x *request) getAlias() error {
	s, err := x.vaults.SubscriptionOf(x.r.Context(), x.caller, x.params["alias"])
	if err != nil {
		return err
	}
	return x.reply(x.alias(s))
}
