package courier

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
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

	life     = 24 * time.Hour // how old a message may become before it is given up
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

// Progress is how far a webhook has come with what it is sent.
type Progress struct {
	Reached  int64     // number of the last message that was dealt with
	Attempts int       // deliveries that have failed in a row
	Due      time.Time // when to try again; while it is claimed, when the claim ends; zero for at once
}

// A Line says how a webhook stands.
type Line struct {
	Progress
	Tenant  string
	Name    string // of the webhook, for the log
	Dropped int64  // messages that were given up, since it was made
}

// A Queue is where messages M wait for webhooks H. Numbers of messages rise.
type Queue[H, M any] interface {
	// Claim returns webhooks for which something waits, at most so many, and keeps others from
	// getting them for a while.
	Claim(ctx context.Context, most int, hold time.Duration) ([]H, error)
	// Waiting returns the next messages of a webhook, at most so many.
	Waiting(ctx context.Context, h H, most int) ([]M, error)
	// Settle keeps how far a claimed webhook has come, and returns it as it is now. With p.Due it
	// is left alone until then, or still claimed; without, the claim is over.
	Settle(ctx context.Context, h H, p Progress, delivered int64) (H, error)
	// Drop gives up on the message that p names, or with old on all that are older than that.
	Drop(ctx context.Context, h H, p Progress, old time.Time, why string) (H, error)
	// Send delivers one message; wanted is false if the webhook is not for messages like it.
	Send(ctx context.Context, h H, m M) (r Receipt, wanted bool)

	Line(h H) Line
	Number(m M) int64
	// Lost reports whether an error of Settle or Drop only says that the webhook was changed or
	// taken away, or the claim lost.
	Lost(err error) bool
}

// A Deliverer takes messages from a Queue to webhooks. Each webhook gets its messages in their
// order, each at least once: one that was not answered with 2xx is sent again, and
// holds back those after it, until it has been given up.
type Deliverer[H, M any] struct {
	queue Queue[H, M]
	log   *slog.Logger
	now   func() time.Time
	wake  chan struct{}

	mu   sync.Mutex
	busy map[string]int // webhooks of a tenant that are served now
}

// NewDeliverer returns a Deliverer; Run starts it. The clock is the client's.
func NewDeliverer[H, M any](queue Queue[H, M], c *Client, log *slog.Logger) *Deliverer[H, M] {
	return &Deliverer[H, M]{queue: queue, log: log, now: c.now, wake: make(chan struct{}, 1), busy: map[string]int{}}
}

// Wake has it look for events now.
func (d *Deliverer[H, M]) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run delivers until ctx ends, and returns when nothing is under way any more.
func (d *Deliverer[H, M]) Run(ctx context.Context) {
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
func (d *Deliverer[H, M]) start(ctx context.Context, work *sync.WaitGroup, slots chan struct{}) {
	free := cap(slots) - len(slots)
	if free == 0 {
		return // the next one that ends looks again
	}
	hooks, err := d.queue.Claim(ctx, free, claim)
	if err != nil && ctx.Err() == nil {
		d.log.Error("looking for messages to deliver", "err", err)
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
func (d *Deliverer[H, M]) serve(ctx context.Context, h H) {
	at := d.queue.Line(h)
	if !d.enter(at.Tenant) { // one tenant's slow receivers must not take all the slots
		d.settle(ctx, h, Progress{Reached: at.Reached, Attempts: at.Attempts, Due: d.now().Add(turn)})
		return
	}
	defer d.leave(at.Tenant)
	for end := d.now().Add(turn); ; {
		messages, err := d.queue.Waiting(ctx, h, page)
		if err != nil && ctx.Err() == nil {
			d.complain(ctx, err)
			return // the claim ends by itself: tried again at once, it would fail again at once
		}
		if len(messages) == 0 || d.now().After(end) || ctx.Err() != nil {
			at := d.queue.Line(h)
			d.settle(ctx, h, Progress{Reached: at.Reached, Attempts: at.Attempts})
			return
		}
		var more bool
		if h, more = d.deliver(ctx, h, messages, end); !more {
			return
		}
	}
}

func (d *Deliverer[H, M]) enter(tenant string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[tenant] >= perTenant {
		return false
	}
	d.busy[tenant]++
	return true
}

func (d *Deliverer[H, M]) leave(tenant string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[tenant]--; d.busy[tenant] == 0 {
		delete(d.busy, tenant)
	}
}

// deliver sends messages one after the other. more is false when the webhook's turn is over and
// its claim settled.
func (d *Deliverer[H, M]) deliver(ctx context.Context, h H, messages []M, end time.Time) (_ H, more bool) {
	for _, m := range messages {
		if d.now().After(end) || ctx.Err() != nil {
			return h, true // the caller sees it too, and ends the turn
		}
		var err error
		switch r, wanted := d.queue.Send(ctx, h, m); {
		case !wanted:
			h, err = d.queue.Settle(ctx, h, d.passed(m), 0)
		case r.OK:
			h, err = d.queue.Settle(ctx, h, d.passed(m), 1)
		case ctx.Err() != nil:
			return h, true
		case r.Never:
			h, err = d.queue.Drop(ctx, h, d.passed(m), time.Time{}, r.Reason)
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

// passed is the progress of a webhook that goes on, still claimed, after a message.
func (d *Deliverer[H, M]) passed(m M) Progress {
	return Progress{Reached: d.queue.Number(m), Due: d.now().Add(claim)}
}

// failed puts a webhook off, and gives up on what has become too old.
func (d *Deliverer[H, M]) failed(ctx context.Context, h H, r Receipt) {
	now, at := d.now(), d.queue.Line(h)
	p := Progress{Reached: at.Reached, Attempts: at.Attempts + 1}
	p.Due = now.Add(backoff(p.Attempts, r.After))
	if p.Attempts >= leastTry {
		dropped, err := d.queue.Drop(ctx, h, p, now.Add(-life), r.Reason)
		if err != nil {
			d.complain(ctx, err)
			return
		}
		if n := d.queue.Line(dropped).Dropped - at.Dropped; n != 0 {
			d.log.Warn("messages to a webhook were given up", "tenant", at.Tenant, "webhook", at.Name, "messages", n, "reason", r.Reason)
			return // settled with it
		}
	}
	d.settle(ctx, h, p)
}

// settle ends a turn. When the server stops, the claim is given back for whoever comes next.
func (d *Deliverer[H, M]) settle(ctx context.Context, h H, p Progress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), release)
	defer cancel()
	_, err := d.queue.Settle(ctx, h, p, 0)
	d.complain(ctx, err)
}

// complain logs an error, unless it only says that the webhook was changed or taken away.
func (d *Deliverer[H, M]) complain(ctx context.Context, err error) {
	if err == nil || d.queue.Lost(err) || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	d.log.Error("delivering to a webhook", "err", err)
}
