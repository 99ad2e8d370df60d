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
	"strconv"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/courier"
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
		return c.Client.Greet(ctx, h.Endpoint)
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
		return courier.Unreachable(err)
	}
	var said struct {
		Response string `json:"validationResponse"`
	}
	if res.Status != http.StatusOK || json.Unmarshal(res.Body, &said) != nil || said.Response != code {
		return courier.NotGreeted("it answered %d without the validation code", res.Status)
	}
	return nil
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
