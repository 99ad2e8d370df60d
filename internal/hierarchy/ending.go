package hierarchy

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
)

// Why a lease ended, as its closing entry says it.
const (
	endExpired  = "expired"
	endReplaced = "replaced"
	endDenied   = "denied"
	endDropped  = "dropped"
	endClosed   = "closed"
	endRecovery = "recovery ended"
)

// An ending is the closing entry of a lease that still has to be written.
type ending struct {
	lease  *Lease
	reason string
}

// endings are closing entries that could not be written. There are never many: without the
// log no lease is granted either.
type endings struct {
	mu   sync.Mutex
	left []ending
}

func (e *endings) keep(more []ending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = append(e.left, more...)
}

func (e *endings) take() []ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := e.left
	e.left = nil
	return left
}

func endOf(l *Lease, reason string) ending { return ending{lease: l, reason: reason} }

// end ends the lease of one slot.
func (h *holding) end(a audience, reason string) []ending {
	l := h[a].lease
	if l == nil {
		return nil
	}
	h[a].lease = nil
	if !l.end() {
		return nil
	}
	return []ending{endOf(l, reason)}
}

// endAll ends the leases of all slots.
func (h *holding) endAll(reason string) []ending {
	return append(h.end(everyone, reason), h.end(systemOnly, reason)...)
}

// writeSoon writes closing entries in the background. Keyring.mu is held.
func (k *Keyring) writeSoon(ended []ending) {
	if len(ended) > 0 {
		k.work.Go(func() { k.write(k.base, ended) }) //nolint:errcheck // kept for the next time
	}
}

// write writes closing entries, those left from before too. What cannot be written is kept;
// the first error is returned.
func (k *Keyring) write(ctx context.Context, ended []ending) error {
	var first error
	for _, e := range append(k.ends.take(), ended...) {
		if err := k.writeOne(ctx, e); err != nil {
			k.ends.keep([]ending{e})
			if first == nil {
				first = err
			}
		}
	}
	return first
}

func (k *Keyring) writeOne(ctx context.Context, e ending) error {
	ctx, cancel := context.WithTimeout(ctx, closingTime)
	defer cancel()
	l := e.lease
	count := func(c counter) string { return strconv.FormatInt(l.counts[c].Load(), 10) }
	return k.record(ctx, l.caller, l.of.tenant, "lease.close", l.policy, audit.Allow, map[string]string{
		"lease": l.id, "generation": l.of.id, "reason": e.reason,
		"itemsSealed": count(itemsSealed), "itemsOpened": count(itemsOpened),
		"keysWrapped": count(keysWrapped), "keysUnwrapped": count(keysUnwrapped),
	})
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
