package main

import (
	"context"
	"sync"
	"time"
)

// run does the background work until ctx ends: long operations, events for webhooks, the sweeps that destroy
// what is past its time, and what is due to keys by then.
func (n *node) run(ctx context.Context) error {
	var background sync.WaitGroup
	for _, work := range []func(context.Context){n.rotator.Run, n.deliverer.Run, n.health.Run, n.alerts.Run, n.tendTimes, n.tellNotices} {
		background.Go(func() { work(ctx) })
	}
	defer background.Wait()
	ran := make(chan error, 1)
	go func() { ran <- n.operations.Run(ctx) }()
	for {
		n.sweep(ctx)
		select {
		case <-ctx.Done():
			return <-ran
		case <-time.After(n.pause(ctx)):
		}
	}
}

// pause is how long until something is due to a key, a minute at most. What is overdue has
// failed just now, and waits for its minute too.
func (n *node) pause(ctx context.Context) time.Duration {
	due, err := n.vaults.NextDue(ctx)
	if wait := time.Until(due); err == nil && !due.IsZero() && wait > 0 && wait < time.Minute {
		return wait
	}
	return time.Minute
}

func (n *node) sweep(ctx context.Context) {
	defer n.gate.Enter()()
	if _, err := n.vaults.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("destroying keys past their retention", "err", err)
	}
	if err := n.sweepTokenKeys(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("changing the keys that sign tokens", "err", err)
	}
	if _, err := n.vaults.Tend(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("rotating keys and telling of their expiry", "err", err)
	}
	if err := n.requests.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("ending requests that nobody approved in time", "err", err)
	}
	n.tendAvailability(ctx)
	if _, err := n.items.Sweep(ctx); err != nil && ctx.Err() == nil {
		n.log.Error("removing blobs that nothing needs", "err", err)
	}
}
