package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// Events is where events wait; it is a keyvault.Service.
type Events interface {
	ClaimHooks(ctx context.Context, most int, hold time.Duration) ([]keyvault.Hook, error)
	Waiting(ctx context.Context, h keyvault.Hook, most int) ([]keyvault.Event, error)
	SettleHook(ctx context.Context, h keyvault.Hook, p keyvault.HookProgress, delivered int64) (keyvault.Hook, error)
	DropEvents(ctx context.Context, h keyvault.Hook, p keyvault.HookProgress, old time.Time, why string) (keyvault.Hook, error)
}

// A Deliverer takes events from the vaults' outbox to webhooks.
type Deliverer = courier.Deliverer[keyvault.Hook, keyvault.Event]

// NewDeliverer returns a Deliverer; Run starts it. The clock is the courier's.
func NewDeliverer(events Events, c *Courier, log *slog.Logger) *Deliverer {
	return courier.NewDeliverer(queue{events, c}, c.Client, log)
}

// queue is Events as package courier sees them.
type queue struct {
	events  Events
	courier *Courier
}

func (q queue) Claim(ctx context.Context, most int, hold time.Duration) ([]keyvault.Hook, error) {
	return q.events.ClaimHooks(ctx, most, hold)
}

func (q queue) Waiting(ctx context.Context, h keyvault.Hook, most int) ([]keyvault.Event, error) {
	return q.events.Waiting(ctx, h, most)
}

func (q queue) Settle(ctx context.Context, h keyvault.Hook, p courier.Progress, delivered int64) (keyvault.Hook, error) {
	return q.events.SettleHook(ctx, h, keyvault.HookProgress(p), delivered)
}

func (q queue) Drop(ctx context.Context, h keyvault.Hook, p courier.Progress, old time.Time, why string) (keyvault.Hook, error) {
	return q.events.DropEvents(ctx, h, keyvault.HookProgress(p), old, why)
}

func (q queue) Send(ctx context.Context, h keyvault.Hook, e keyvault.Event) (courier.Receipt, bool) {
	if !h.Wants(e.Type) {
		return courier.Receipt{}, false
	}
	return q.courier.Send(ctx, h, e, h.Attempts), true
}

func (queue) Line(h keyvault.Hook) courier.Line {
	return courier.Line{Progress: courier.Progress(h.HookProgress), Tenant: h.Tenant, Name: h.Vault + "/" + h.Name, Dropped: h.Dropped}
}

func (queue) Number(e keyvault.Event) int64 { return e.Seq }

func (queue) Lost(err error) bool { return fault.As(err).Reason == keyvault.ReasonChanged }
