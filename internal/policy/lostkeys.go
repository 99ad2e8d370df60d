package policy

import (
	"context"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A NamedKey is an availability key that policies of a tenant name.
type NamedKey struct{ Key, Tenant string }

// lookAgain says when availability keys were looked for last that are not there any more.
type lookAgain struct {
	mu   sync.Mutex
	last time.Time
}

// due reports whether it is time to look, and takes that for done.
func (l *lookAgain) due(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := now.Sub(l.last); age >= 0 && age < rollAgain {
		return false
	}
	l.last = now
	return true
}

// failed has the next call look again.
func (l *lookAgain) failed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Time{}
}

// replaceLost gives new availability keys to policies that name one which is not there: their
// database was put back from a backup, or made anew, and they have their two roots alone until then.
// That is looked for at the first call in a process, for such a database comes with a start, and
// every hour.
func (t *tending) replaceLost(ctx context.Context) error {
	if !t.s.lost.due(t.s.now()) {
		return nil
	}
	err := t.lookForLost(ctx)
	if err != nil {
		t.s.lost.failed()
	}
	return err
}

func (t *tending) lookForLost(ctx context.Context) error {
	s := t.s
	for after := (NamedKey{}); ; {
		page, err := s.c.Store.NamedKeys(ctx, after, tendPage)
		if err != nil {
			return err
		}
		for _, k := range page {
			after = k
			_, err := s.c.Availability.Facts(ctx, directory.SystemCaller(k.Tenant, rollAvailability, k.Key), k.Tenant, k.Key)
			if fault.Is(err, fault.NotFound) {
				_, err = s.startRoll(ctx, k.Tenant, time.Time{}, s.now().Add(-rollAgain)) // those that are there stay
			}
			if err != nil {
				return err
			}
		}
		if len(page) < tendPage {
			return nil
		}
	}
}
