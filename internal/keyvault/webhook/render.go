package webhook

import (
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A gridEvent is an event in Azure's own schema.
type gridEvent struct {
	ID              string    `json:"id"`
	Topic           string    `json:"topic"`
	Subject         string    `json:"subject"`
	EventType       string    `json:"eventType"`
	EventTime       time.Time `json:"eventTime"`
	Data            any       `json:"data"`
	DataVersion     string    `json:"dataVersion"`
	MetadataVersion string    `json:"metadataVersion"`
}

// eventData is what Azure's events of key vaults say. Times are seconds since 1970.
type eventData struct {
	ID         string `json:"Id"`
	VaultName  string `json:"VaultName"`
	ObjectType string `json:"ObjectType"` // "Key" or "Vault"
	ObjectName string `json:"ObjectName"`
	Version    string `json:"Version"`
	NBF        *int64 `json:"NBF"`
	EXP        *int64 `json:"EXP"`
}

func (c *Courier) grid(h keyvault.Hook, e keyvault.Event) gridEvent {
	data := c.data(e)
	return gridEvent{
		ID: e.ID, Topic: topic(h), Subject: data.ObjectName, EventType: string(e.Type), EventTime: e.Time, Data: data,
		DataVersion: "1", MetadataVersion: "1",
	}
}

func (c *Courier) cloud(h keyvault.Hook, e keyvault.Event) courier.CloudEvent {
	data := c.data(e)
	return courier.CloudEvent{
		SpecVersion: "1.0", ID: e.ID, Source: topic(h), Subject: data.ObjectName, Type: string(e.Type), Time: e.Time,
		ContentType: "application/json", Data: data,
	}
}

// data writes where the object is reached now: that is never stored (KV-4).
func (c *Courier) data(e keyvault.Event) eventData {
	d := eventData{
		ID: "https://" + strings.ToLower(e.Vault) + ".vault." + c.Domain + "/", VaultName: e.Vault,
		ObjectType: "Vault", ObjectName: e.Vault, NBF: unix(e.NotBefore), EXP: unix(e.Expires),
	}
	if e.Name != "" {
		d.ID += "keys/" + e.Name
		d.ObjectType, d.ObjectName, d.Version = "Key", e.Name, e.Version
	}
	if e.Version != "" {
		d.ID += "/" + e.Version
	}
	return d
}

func unix(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	seconds := t.Unix()
	return &seconds
}

// topic is the vault's resource id.
func topic(h keyvault.Hook) string {
	return rights.Scope{Subscription: h.Subscription, Group: h.Group, Vault: h.Vault}.String()
}
