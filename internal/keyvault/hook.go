package keyvault

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
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

	Endpoint Endpoint
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

// An Endpoint is where a webhook is. Its query may hold a secret, so that it prints without it.
type Endpoint struct{ full string }

// NewEndpoint takes a URL as its owner gives it. The error is fault.Invalid if it is not
// absolute https without user and fragment, or longer than 2048 bytes; which hosts may be
// called is for the courier to say.
func NewEndpoint(text string) (Endpoint, error) {
	u, err := url.Parse(text)
	if err != nil || len(text) > 2048 || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return Endpoint{}, invalid("destination.properties.endpointUrl").WithHint("It is an https URL without user and fragment, of at most 2048 characters.")
	}
	return Endpoint{text}, nil
}

// Expose returns the whole URL, for calling it and for whoever may see it.
func (e Endpoint) Expose() string { return e.full }

// Base returns the URL without its query.
func (e Endpoint) Base() string {
	base, _, _ := strings.Cut(e.full, "?")
	return base
}

// Format prints the base alone.
func (e Endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Base()) }

// MarshalText writes the base alone.
func (e Endpoint) MarshalText() ([]byte, error) { return []byte(e.Base()), nil }

// hookName is the rule of Azure's event subscriptions.
var hookName = regexp.MustCompile(`^[A-Za-z0-9-]{3,64}$`)

// A HookSpec says what an event subscription shall be.
type HookSpec struct {
	Subscription, Group, Vault, Name string
	Endpoint                         string
	Schema                           Schema      // EventGridSchema if ""
	Types                            []EventType // all if empty
}

func (spec HookSpec) check() (Endpoint, error) {
	if !hookName.MatchString(spec.Name) {
		return Endpoint{}, invalid("name").WithHint("An event subscription's name has 3 to 64 letters, digits and hyphens.")
	}
	if s := cmp.Or(spec.Schema, EventGridSchema); s != EventGridSchema && s != CloudEventSchema {
		return Endpoint{}, invalid("eventDeliverySchema").WithHint("Use %s or %s.", EventGridSchema, CloudEventSchema)
	}
	for i, t := range spec.Types {
		if !t.Known() || slices.Contains(spec.Types[:i], t) {
			return Endpoint{}, invalid("filter.includedEventTypes").WithHint("Types of events of key vaults, each once: %s and so on.", EventTypes()[0])
		}
	}
	return NewEndpoint(spec.Endpoint)
}

// MaxHooks is how many event subscriptions a vault has at most.
const MaxHooks = 50

func errNoHook(name string) error {
	return fault.New(fault.NotFound, "The event subscription '%.64s' was not found", name).WithReason(ReasonNoResource)
}
