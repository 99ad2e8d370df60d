package webhook

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// Times and numbers of deliveries.
const (
	atOnce    = 16               // webhooks served at the same time
	perTenant = 4                // of one tenant among them
	turn      = 15 * time.Second // how long one webhook is served before others have theirs
	claim     = 30 * time.Second // how long a webhook is held, which each delivery begins anew: longer than one takes
	look      = 10 * time.Second // between looks at what is due
	release   = 2 * time.Second  // to give a claim back when the server stops
	page      = 50               // events read at once

	life     = 24 * time.Hour // how old an event may become before it is given up
	leastTry = 6              // failures in a row before age counts: after a long stop, too, there is time
)

// waits is how long to wait after each failure in a row; the last one from then on.
var waits = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// backoff returns how long to wait after so many failures in a row, at least what the receiver
// asked for, and an hour at most.
func backoff(failures int, asked time.Duration) time.Duration {
	w := waits[min(max(failures, 1), len(waits))-1]
	return min(max(w, asked), waits[len(waits)-1])
}

// A Queue is where events wait; it is a keyvault.Service.
type Queue interface {
	ClaimHooks(ctx context.Context, most int, hold time.Duration) ([]keyvault.Hook, error)
	Waiting(ctx context.Context, h keyvault.Hook, most int) ([]keyvault.Event, error)
	SettleHook(ctx context.Context, h keyvault.Hook, p keyvault.HookProgress, delivered int64) (keyvault.Hook, error)
	DropEvents(ctx context.Context, h keyvault.Hook, p keyvault.HookProgress, old time.Time, why string) (keyvault.Hook, error)
}

// A Deliverer takes events from the outbox to webhooks. Each webhook gets the events of its
// vault in their order, each at least once: one that was not answered with 2xx is sent again, and
// holds back those after it, until it has been given up.
type Deliverer struct {
	queue   Queue
	courier *Courier
	log     *slog.Logger
	now     func() time.Time
	wake    chan struct{}

	mu   sync.Mutex
	busy map[string]int // webhooks of a tenant that are served now
}

// NewDeliverer returns a Deliverer; Run starts it. The clock is the courier's.
func NewDeliverer(queue Queue, courier *Courier, log *slog.Logger) *Deliverer {
	return &Deliverer{queue: queue, courier: courier, log: log, now: courier.now, wake: make(chan struct{}, 1), busy: map[string]int{}}
}

// Wake has it look for events now.
func (d *Deliverer) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run delivers until ctx ends, and returns when nothing is under way any more.
func (d *Deliverer) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, atOnce)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		d.start(ctx, &work, slots)
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-tick.C:
		}
	}
}

// start claims what is due, as far as there are free slots, and serves it.
func (d *Deliverer) start(ctx context.Context, work *sync.WaitGroup, slots chan struct{}) {
	free := cap(slots) - len(slots)
	if free == 0 {
		return // the next one that ends looks again
	}
	hooks, err := d.queue.ClaimHooks(ctx, free, claim)
	if err != nil && ctx.Err() == nil {
		d.log.Error("looking for events to deliver", "err", err)
	}
	for _, h := range hooks {
		slots <- struct{}{} // free: nobody else fills them
		work.Go(func() {
			d.serve(ctx, h)
			<-slots
			d.Wake()
		})
	}
}

// serve gives one webhook its turn.
func (d *Deliverer) serve(ctx context.Context, h keyvault.Hook) {
	if !d.enter(h.Tenant) { // one tenant's slow receivers must not take all the slots
		d.settle(ctx, h, keyvault.HookProgress{Reached: h.Reached, Attempts: h.Attempts, Due: d.now().Add(turn)})
		return
	}
	defer d.leave(h.Tenant)
	for end := d.now().Add(turn); ; {
		events, err := d.queue.Waiting(ctx, h, page)
		if err != nil && ctx.Err() == nil {
			d.complain(ctx, err)
			return // the claim ends by itself: tried again at once, it would fail again at once
		}
		if len(events) == 0 || d.now().After(end) || ctx.Err() != nil {
			d.settle(ctx, h, keyvault.HookProgress{Reached: h.Reached, Attempts: h.Attempts})
			return
		}
		var more bool
		if h, more = d.deliver(ctx, h, events, end); !more {
			return
		}
	}
}

func (d *Deliverer) enter(tenant string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[tenant] >= perTenant {
		return false
	}
	d.busy[tenant]++
	return true
}

func (d *Deliverer) leave(tenant string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[tenant]--; d.busy[tenant] == 0 {
		delete(d.busy, tenant)
	}
}

// deliver sends events one after the other. more is false when the webhook's turn is over and
// its claim settled.
func (d *Deliverer) deliver(ctx context.Context, h keyvault.Hook, events []keyvault.Event, end time.Time) (_ keyvault.Hook, more bool) {
	for _, e := range events {
		if d.now().After(end) || ctx.Err() != nil {
			return h, true // the caller sees it too, and ends the turn
		}
		var err error
		switch r := d.send(ctx, h, e); {
		case r.OK:
			h, err = d.queue.SettleHook(ctx, h, d.passed(e), delivered(h, e))
		case ctx.Err() != nil:
			return h, true
		case r.Never:
			h, err = d.queue.DropEvents(ctx, h, d.passed(e), time.Time{}, r.Reason)
		default:
			d.failed(ctx, h, r)
			return h, false
		}
		if err != nil {
			d.complain(ctx, err)
			return h, false // the claim ends by itself, and what is not settled is sent again
		}
	}
	return h, true
}

// send delivers one event, if the hook wants it.
func (d *Deliverer) send(ctx context.Context, h keyvault.Hook, e keyvault.Event) Receipt {
	if !h.Wants(e.Type) {
		return Receipt{OK: true}
	}
	return d.courier.Send(ctx, h, e, h.Attempts)
}

func delivered(h keyvault.Hook, e keyvault.Event) int64 {
	if h.Wants(e.Type) {
		return 1
	}
	return 0
}

// passed is the progress of a hook that goes on, still claimed, after an event.
func (d *Deliverer) passed(e keyvault.Event) keyvault.HookProgress {
	return keyvault.HookProgress{Reached: e.Seq, Due: d.now().Add(claim)}
}

// failed puts a webhook off, and gives up on what has become too old.
func (d *Deliverer) failed(ctx context.Context, h keyvault.Hook, r Receipt) {
	now := d.now()
	p := keyvault.HookProgress{Reached: h.Reached, Attempts: h.Attempts + 1}
	p.Due = now.Add(backoff(p.Attempts, r.After))
	if p.Attempts >= leastTry {
		was := h.Dropped
		dropped, err := d.queue.DropEvents(ctx, h, p, now.Add(-life), r.Reason)
		if err != nil {
			d.complain(ctx, err)
			return
		}
		if dropped.Dropped != was {
			d.log.Warn("events were given up", "tenant", h.Tenant, "vault", h.Vault, "subscription", h.Name, "events", dropped.Dropped-was, "reason", r.Reason)
			return // settled with it
		}
	}
	d.settle(ctx, h, p)
}

// settle ends a turn. When the server stops, the claim is given back for whoever comes next.
func (d *Deliverer) settle(ctx context.Context, h keyvault.Hook, p keyvault.HookProgress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), release)
	defer cancel()
	_, err := d.queue.SettleHook(ctx, h, p, 0)
	d.complain(ctx, err)
}

// complain logs an error, unless it only says that the hook was changed or taken away.
func (d *Deliverer) complain(ctx context.Context, err error) {
	if err == nil || fault.As(err).Reason == keyvault.ReasonChanged || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	d.log.Error("delivering events", "err", err)
}
