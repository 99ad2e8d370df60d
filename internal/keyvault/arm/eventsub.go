package arm

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Event subscriptions of a vault, in the shape of Azure's Microsoft.EventGrid. Their one kind of
// destination is a webhook.

const hookType = "Microsoft.EventGrid/eventSubscriptions"

type hookIn struct {
	Properties struct {
		Destination struct {
			Type       string `json:"endpointType"`
			Properties struct {
				URL       string          `json:"endpointUrl"`
				Batch     number          `json:"maxEventsPerBatch"`
				Directory string          `json:"azureActiveDirectoryTenantId"`
				Mappings  json.RawMessage `json:"deliveryAttributeMappings"`
			} `json:"properties"`
		} `json:"destination"`
		Filter struct {
			Types    []keyvault.EventType `json:"includedEventTypes"`
			Begins   string               `json:"subjectBeginsWith"`
			Ends     string               `json:"subjectEndsWith"`
			Advanced json.RawMessage      `json:"advancedFilters"`
		} `json:"filter"`
		Schema     keyvault.Schema `json:"eventDeliverySchema"`
		Retry      retry           `json:"retryPolicy"`
		DeadLetter json.RawMessage `json:"deadLetterDestination"`
		Identity   json.RawMessage `json:"deliveryWithResourceIdentity"`
		DeadAs     json.RawMessage `json:"deadLetterWithResourceIdentity"`
		Expires    json.RawMessage `json:"expirationTimeUtc"`
	} `json:"properties"`
}

// retry is the policy that there is: for a day (package webhook).
type retry struct {
	Attempts number `json:"maxDeliveryAttempts"`
	Minutes  number `json:"eventTimeToLiveInMinutes"`
}

var theRetry = retry{30, 1440}

// check refuses what would not hold. Members that say what is so anyway are accepted: clients
// read, change and write back.
func (in hookIn) check() error {
	p, d := in.Properties, in.Properties.Destination.Properties
	cannot := func(member string) error {
		return fault.New(fault.Invalid, "Property %s is not supported", member)
	}
	switch {
	case !strings.EqualFold(p.Destination.Type, "WebHook"):
		return fault.New(fault.Invalid, "Property destination.endpointType has invalid value").WithHint("Events are sent to webhooks: WebHook.")
	case d.Batch > 1:
		return cannot("destination.properties.maxEventsPerBatch")
	case d.Directory != "":
		return cannot("destination.properties.azureActiveDirectoryTenantId")
	case !empty(d.Mappings):
		return cannot("destination.properties.deliveryAttributeMappings")
	case p.Filter.Begins != "" || p.Filter.Ends != "" || !empty(p.Filter.Advanced):
		return cannot("filter, but for includedEventTypes,")
	case p.Retry != retry{} && p.Retry != theRetry:
		return cannot("retryPolicy")
	case !empty(p.DeadLetter) || !empty(p.Identity) || !empty(p.DeadAs):
		return cannot("deadLetterDestination, like identities,")
	case !empty(p.Expires):
		return cannot("expirationTimeUtc")
	}
	return nil
}

// empty reports whether a member is absent or says nothing.
func empty(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "[]", "{}":
		return true
	}
	return false
}

type hookOut struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Properties hookPropertiesOut `json:"properties"`
	System     systemOut         `json:"systemData"`
}

type hookPropertiesOut struct {
	Topic       string          `json:"topic"`
	State       string          `json:"provisioningState"`
	Destination destinationOut  `json:"destination"`
	Filter      filterOut       `json:"filter"`
	Labels      []string        `json:"labels"`
	Schema      keyvault.Schema `json:"eventDeliverySchema"`
	Retry       retry           `json:"retryPolicy"`
	Delivery    deliveryOut     `json:"delivery"` // not Azure's: how it goes
}

type destinationOut struct {
	Type       string `json:"endpointType"`
	Properties struct {
		Base  string `json:"endpointBaseUrl"`
		Batch int    `json:"maxEventsPerBatch"`
	} `json:"properties"`
}

type filterOut struct {
	Types  []keyvault.EventType `json:"includedEventTypes"`
	Begins string               `json:"subjectBeginsWith"`
	Ends   string               `json:"subjectEndsWith"`
}

type deliveryOut struct {
	Delivered int64 `json:"delivered"`
	Dropped   int64 `json:"dropped"`
	Failures  int   `json:"failuresInARow"`
}

func renderHook(h keyvault.HookRow) hookOut {
	topic := rights.Scope{Subscription: h.Subscription, Group: h.Group, Vault: h.Vault}.String()
	types := h.Types
	if len(types) == 0 {
		types = keyvault.EventTypes()
	}
	out := hookOut{
		ID: topic + "/providers/" + hookType + "/" + h.Name, Name: h.Name, Type: hookType, System: systemOut{Created: h.Created, Modified: h.Updated},
		Properties: hookPropertiesOut{
			Topic: topic, State: "Succeeded", Filter: filterOut{Types: types}, Labels: []string{}, Schema: h.Schema, Retry: theRetry,
			Delivery: deliveryOut{h.Delivered, h.Dropped, h.Attempts},
		},
	}
	d := &out.Properties.Destination
	d.Type, d.Properties.Base, d.Properties.Batch = "WebHook", h.Base, 1
	return out
}

// hookSpec is what the path says of an event subscription.
func (x *request) hookSpec() keyvault.HookSpec {
	return keyvault.HookSpec{Subscription: x.params["subscription"], Group: x.params["group"], Vault: x.params["vault"], Name: x.params["hook"]}
}

func (x *request) putHook() error {
	var in hookIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return face.Malformed{Cause: err}
	}
	spec := x.hookSpec()
	spec.Endpoint, spec.Schema, spec.Types = in.Properties.Destination.Properties.URL, in.Properties.Schema, in.Properties.Filter.Types
	h, created, err := x.vaults.PutHook(x.r.Context(), x.caller, spec)
	if err != nil {
		return err
	}
	return x.replyPut(created, renderHook(keyvault.HookRow{Hook: h, Base: h.Endpoint.Base()}))
}

func (x *request) getHook() error {
	h, err := x.vaults.Hook(x.r.Context(), x.caller, x.hookSpec())
	if err != nil {
		return err
	}
	return x.reply(renderHook(h))
}

func (x *request) listHooks() error {
	all, err := x.vaults.Hooks(x.r.Context(), x.caller, x.hookSpec())
	if err != nil {
		return err
	}
	out := listOf[hookOut](nil)
	for _, h := range all {
		out.Value = append(out.Value, renderHook(h))
	}
	return x.reply(out)
}

func (x *request) deleteHook() error {
	gone, err := x.vaults.DeleteHook(x.r.Context(), x.caller, x.hookSpec())
	if err != nil {
		return err
	}
	if gone {
		x.w.WriteHeader(http.StatusOK)
	} else {
		x.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

type hookSecretsOut struct {
	URL    string `json:"endpointUrl"`
	Secret string `json:"signingSecret"` // not Azure's: base64 of 32 bytes
}

func (x *request) showHook() error {
	h, err := x.vaults.HookSecrets(x.r.Context(), x.caller, x.hookSpec())
	if err != nil {
		return err
	}
	secret := h.Secret.Expose()
	defer clear(secret)
	return x.reply(hookSecretsOut{h.Endpoint.Expose(), base64.StdEncoding.EncodeToString(secret)})
}
