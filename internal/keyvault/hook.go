package keyvault

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Actions on event subscriptions.
const (
	PutHook    Action = "webhook.put"
	GetHook    Action = "webhook.get"
	ShowHook   Action = "webhook.show_secrets"
	DeleteHook Action = "webhook.delete"
	DropEvents Action = "webhook.drop" // only ever by the service itself: events that could not be delivered
)

// A Schema is the form in which a webhook is sent events, spelt as in Azure.
type Schema string

// Schemas of events.
const (
	EventGridSchema  Schema = "EventGridSchema"
	CloudEventSchema Schema = "CloudEventSchemaV1_0"
)

// A Hook is an event subscription of a vault that sends to a webhook.
type Hook struct {
	Tenant, Subscription, Group, Vault, Name string

	VaultMade time.Time // when the vault that is meant was made; zero from a Store

	Endpoint courier.Endpoint
	Secret   envelope.Key // deliveries are signed with it
	Schema   Schema
	Types    []EventType // all if empty

	Created, Updated   time.Time
	Ends               int64 // Seq of the last event that it is sent, once its vault is gone; else 0
	Delivered, Dropped int64 // events, since it was made
	HookProgress
}

// A HookProgress is how far a webhook has come with the events of its vault.
type HookProgress struct {
	Reached  int64     // Seq of the last event that was dealt with
	Attempts int       // deliveries that have failed in a row
	Due      time.Time // when to try again; while it is claimed, when the claim ends; zero for at once
}

// Wants reports whether the hook is for events of a type.
func (h Hook) Wants(t EventType) bool { return len(h.Types) == 0 || slices.Contains(h.Types, t) }

// hookName is the rule of Azure's event subscriptions.
var hookName = regexp.MustCompile(`^[A-Za-z0-9-]{3,64}$`)

// A HookSpec says what an event subscription shall be.
type HookSpec struct {
	Subscription, Group, Vault, Name string
	Endpoint                         string
	Schema                           Schema      // EventGridSchema if ""
	Types                            []EventType // all if empty
}

func (spec HookSpec) check() (courier.Endpoint, error) {
	if !hookName.MatchString(spec.Name) {
		return courier.Endpoint{}, naming.Invalid("name").WithHint("An event subscription's name has 3 to 64 letters, digits and hyphens.")
	}
	if s := cmp.Or(spec.Schema, EventGridSchema); s != EventGridSchema && s != CloudEventSchema {
		return courier.Endpoint{}, naming.Invalid("eventDeliverySchema").WithHint("Use %s or %s.", EventGridSchema, CloudEventSchema)
	}
	for i, t := range spec.Types {
		if !t.Known() || slices.Contains(spec.Types[:i], t) {
			return courier.Endpoint{}, naming.Invalid("filter.includedEventTypes").WithHint("Types of events of key vaults, each once: %s and so on.", EventTypes()[0])
		}
	}
	e, err := courier.NewEndpoint(spec.Endpoint)
	if err != nil {
		return e, naming.Invalid("destination.properties.endpointUrl").WithHint("%s", fault.As(err).Hint)
	}
	return e, nil
}

// MaxHooks is how many event subscriptions a vault has at most.
const MaxHooks = 50

func errNoHook(name string) error {
	return fault.New(fault.NotFound, "The event subscription '%.64s' was not found", name).WithReason(ReasonNoResource)
}
