package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An Outbox is the part of a Store that keeps subscriptions, and how far they have come.
type Outbox interface {
	// AddSubscription adds one that has Reached the tenant's last change; fault.Conflict if there
	// is one of that name in any case, or MaxSubscriptions.
	AddSubscription(ctx context.Context, s SubscriptionRow) error
	Subscriptions(ctx context.Context, tenant string) ([]SubscriptionRow, error) // by name
	RemoveSubscription(ctx context.Context, tenant, name string) (gone bool, err error)
	// ClaimSubscriptions returns those of all tenants whose Due has come, the longest due first,
	// and sets it to until.
	ClaimSubscriptions(ctx context.Context, now, until time.Time, limit int) ([]SubscriptionRow, error)
	// SettleSubscription replaces Progress, Delivered and Dropped if Due is still was, and Created
	// as in s; else fault.Conflict with ReasonChanged. With no Due, it is due at once if changes
	// wait, else it rests.
	SettleSubscription(ctx context.Context, s SubscriptionRow, was time.Time) error
	// Changes returns a tenant's changes after one, by Seq.
	Changes(ctx context.Context, tenant string, after int64, limit int) ([]Change, error)
	// OlderChanges counts the tenant's changes after one that are older than a time, and returns
	// the Seq of the last of them.
	OlderChanges(ctx context.Context, tenant string, after int64, old time.Time) (count, last int64, err error)
}

// A Deliverer takes changes to the webhooks of tenants.
type Deliverer = courier.Deliverer[Subscription, Change]

// NewDeliverer returns a Deliverer of the service's changes; Run starts it.
func (s *Service) NewDeliverer(log *slog.Logger) *Deliverer {
	return courier.NewDeliverer(queue{s}, s.c.Way, log)
}

// queue is the service's changes as package courier sees them.
type queue struct{ s *Service }

func (q queue) Claim(ctx context.Context, most int, hold time.Duration) ([]Subscription, error) {
	defer q.s.c.Seal.Enter()() // they are read and opened
	now := q.s.now()
	rows, err := q.s.c.Store.ClaimSubscriptions(ctx, now, now.Add(hold), most)
	var list []Subscription
	for _, row := range rows {
		sub, opening := q.s.open(row)
		if opening != nil { // it waits for its claim to end, and comes again; others go on
			err = opening
			continue
		}
		list = append(list, sub)
	}
	return list, err
}

func (q queue) Waiting(ctx context.Context, sub Subscription, most int) ([]Change, error) {
	return q.s.c.Store.Changes(ctx, sub.Tenant, sub.Reached, most)
}

func (q queue) Settle(ctx context.Context, sub Subscription, p courier.Progress, delivered int64) (Subscription, error) {
	was := sub.Due
	sub.Progress = p
	sub.Delivered += delivered
	return sub, q.s.c.Store.SettleSubscription(ctx, SubscriptionRow{Subscription: sub}, was)
}

// Drop gives up on changes. It is recorded first, in the log of the tenant.
func (q queue) Drop(ctx context.Context, sub Subscription, p courier.Progress, old time.Time, why string) (Subscription, error) {
	count, last := int64(1), p.Reached
	if !old.IsZero() {
		var err error
		if count, last, err = q.s.c.Store.OlderChanges(ctx, sub.Tenant, p.Reached, old); err != nil || count == 0 {
			return sub, err
		}
	}
	caller := directory.SystemCaller(sub.Tenant, "alerts", uuid.NewString())
	detail := map[string]string{"changes": strconv.FormatInt(count, 10), "last": strconv.FormatInt(last, 10), "reason": why}
	if err := q.s.note(ctx, caller, drop, sub.Name, audit.Fail, detail); err != nil {
		return sub, err
	}
	was := sub.Due
	sub.Progress = p
	sub.Reached = last
	sub.Dropped += count
	return sub, q.s.c.Store.SettleSubscription(ctx, SubscriptionRow{Subscription: sub}, was)
}

func (q queue) Send(ctx context.Context, sub Subscription, c Change) (courier.Receipt, bool) {
	if !sub.Wants(c) {
		return courier.Receipt{}, false
	}
	c.Policies = slices.DeleteFunc(slices.Clone(c.Policies), func(p PolicyName) bool { return !slices.Contains(sub.Families, p.Family) })
	body, err := json.Marshal(q.s.cloudEvent(c))
	if err != nil {
		return courier.Receipt{Never: true, Reason: "unreadable"}, true
	}
	return q.s.c.Way.Send(ctx, courier.Message{
		To: sub.Endpoint, Secret: sub.Secret, Content: courier.CloudEventContent, Body: body,
		Header: map[string]string{"CK-Delivery-Count": strconv.Itoa(sub.Attempts)},
	}), true
}

func (queue) Line(sub Subscription) courier.Line {
	return courier.Line{Progress: sub.Progress, Tenant: sub.Tenant, Name: sub.Name, Dropped: sub.Dropped}
}

func (queue) Number(c Change) int64 { return c.Seq }

func (queue) Lost(err error) bool { return fault.As(err).Reason == ReasonChanged }

// alertData is what an alert says.
type alertData struct {
	Policies []PolicyName `json:"policies"`
	RootKey  string       `json:"rootKey,omitempty"` // URI
	Was      State        `json:"was"`
	State    State        `json:"state"`
	Text     string       `json:"text"`
	Why
}

func (s *Service) cloudEvent(c Change) courier.CloudEvent {
	return courier.CloudEvent{
		SpecVersion: "1.0", ID: c.ID, Source: "https://api." + s.c.Way.Domain + "/v1/health/policies", Subject: c.Subject(),
		Type: string(c.Type), Time: c.Time, ContentType: "application/json",
		Data: alertData{Policies: c.Policies, RootKey: c.Root.URI, Was: c.Was, State: c.State, Text: c.Text(), Why: c.Why},
	}
}
