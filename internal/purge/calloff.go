package purge

import (
	"context"
	"fmt"
)

// CallOff notes for ever that a request to purge a policy came to nothing: it was denied or taken
// back, or what it was about had changed. A database that is put back from a backup may have it
// approved, and would carry it out. One place that takes it is enough, for the next start tells the
// others; the error is that of the last one if none does. Calling off again changes nothing.
func (l *Ledger) CallOff(ctx context.Context, tenant, policy, request string) error {
	l.adding.Lock()
	defer l.adding.Unlock()
	if l.CalledOff(tenant, request) {
		return nil
	}
	line, err := l.sign(entry{Version: entryVersion, ID: request, Tenant: tenant, Policy: policy, Part: calledOff})
	if err != nil {
		return err
	}
	kept := false
	for _, p := range l.places {
		if failed := p.Append(ctx, [][]byte{line}); failed != nil {
			err = fmt.Errorf("writing to %s: %w", p.Name(), failed)
			continue
		}
		kept = true
	}
	if !kept {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off[requestID{tenant, request}] = struct{}{}
	return nil
}

// CalledOff reports whether a request to purge was called off.
func (l *Ledger) CalledOff(tenant, request string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, off := l.off[requestID{tenant, request}]
	return off
}
