// Package webhook carries the events of key vaults to those who have subscribed to them.
//
// A [Courier] writes events in the two forms that Azure's event subscriptions have, and greets
// receivers as Azure does. The way to them, and how often it is tried, is package courier's
// ([NewDeliverer]). What the events mean, and whose they are, is for package keyvault.
package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// A Courier brings events to webhooks. It is safe for concurrent use.
type Courier struct{ *courier.Client }

// New returns a Courier, which goes by way of c.
func New(c *courier.Client) *Courier { return &Courier{c} }

// Greet implements keyvault.Courier by the handshakes that Azure has: an Event Grid receiver
// gives back a code, one of CloudEvents says whose events it takes (HTTP 1.1 Web Hooks for
// Event Delivery 1.0, section 4).
func (c *Courier) Greet(ctx context.Context, h keyvault.Hook) error {
	if h.Schema == keyvault.CloudEventSchema {
		return c.greetCloud(ctx, h)
	}
	code := uuid.NewString()
	body := []gridEvent{{
		ID: uuid.NewString(), Topic: topic(h), EventType: "Microsoft.EventGrid.SubscriptionValidationEvent", EventTime: c.Now().UTC(),
		Data: map[string]string{"validationCode": code}, DataVersion: "1", MetadataVersion: "1",
	}}
	m, err := message(h, body, gridContent, map[string]string{"aeg-event-type": "SubscriptionValidation"})
	if err != nil {
		return err
	}
	res, err := c.Call(ctx, m)
	if err != nil {
		return errReach(err)
	}
	var said struct {
		Response string `json:"validationResponse"`
	}
	if res.Status != http.StatusOK || json.Unmarshal(res.Body, &said) != nil || said.Response != code {
		return errGreeting("it answered %d without the validation code", res.Status)
	}
	return nil
}

func (c *Courier) greetCloud(ctx context.Context, h keyvault.Hook) error {
	origin := (&url.URL{Host: c.Domain}).Hostname()
	res, err := c.Call(ctx, courier.Message{To: h.Endpoint, Method: http.MethodOptions, Header: map[string]string{"WebHook-Request-Origin": origin}})
	if err != nil {
		return errReach(err)
	}
	allows := func(o string) bool { return o == "*" || strings.EqualFold(o, origin) }
	allowed := strings.FieldsFunc(res.Header.Get("WebHook-Allowed-Origin"), func(r rune) bool { return r == ',' || r == ' ' })
	if res.Status/100 != 2 || !slices.ContainsFunc(allowed, allows) {
		return errGreeting("it answered %d without WebHook-Allowed-Origin: %s", res.Status, origin)
	}
	return nil
}

// errGreeting says what kept a webhook from being accepted.
func errGreeting(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "Webhook validation handshake failed: "+format, args...).WithReason("URL validation").
		WithHint("The receiver answers 200 to the validation request, as docs/events.md says.")
}

// errReach is errGreeting for one that could not be asked. Why the network did not let us stays
// out of the answer: it tells of addresses.
func errReach(err error) error {
	if fault.Is(err, fault.Invalid) {
		return fault.As(err)
	}
	f := errGreeting("it could not be reached over https")
	f.Err = err
	return f
}

// Send delivers one event; attempt counts those before that failed.
func (c *Courier) Send(ctx context.Context, h keyvault.Hook, e keyvault.Event, attempt int) courier.Receipt {
	var body any = []gridEvent{c.grid(h, e)}
	content := gridContent
	if h.Schema == keyvault.CloudEventSchema {
		body, content = c.cloud(h, e), courier.CloudEventContent
	}
	m, err := message(h, body, content, map[string]string{
		"aeg-event-type": "Notification", "aeg-subscription-name": h.Name, "aeg-delivery-count": strconv.Itoa(attempt),
	})
	if err != nil {
		return courier.Receipt{Reason: "unreadable"}
	}
	return c.Client.Send(ctx, m)
}

const gridContent = "application/json; charset=utf-8"

func message(h keyvault.Hook, v any, content string, header map[string]string) (courier.Message, error) {
	body, err := json.Marshal(v)
	return courier.Message{To: h.Endpoint, Secret: h.Secret, Content: content, Body: body, Header: header}, err
}
