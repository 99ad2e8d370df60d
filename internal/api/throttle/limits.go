package throttle

import (
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits say how much may be asked.
type Limits struct {
	Window time.Duration // how long requests are counted together: 1 s to 1 h
	Caller Limit         // of each person or program
	Tenant Limit         // of all callers of an organization together
}

// A Limit bounds what one party asks; 0 stands for no bound.
type Limit struct {
	Requests int // in a window: up to 1,000,000
	AtOnce   int // under way at the same time: up to 10,000
}

const (
	shortestWindow = time.Second
	longestWindow  = time.Hour
	mostRequests   = 1_000_000
	mostAtOnce     = 10_000
)

// Default returns limits that scripts do not meet and floods do. 30,000 requests is what
// Exchange Online was seen to say (row CK-343).
func Default() Limits {
	return Limits{
		Window: 5 * time.Minute,
		Caller: Limit{Requests: 30_000, AtOnce: 64},
		Tenant: Limit{Requests: 120_000, AtOnce: 256},
	}
}

// Check returns fault.Invalid for a limit out of bounds.
func (l Limits) Check() error {
	if l.Window < shortestWindow || l.Window > longestWindow {
		return fault.New(fault.Invalid, "a window of %s is out of bounds", l.Window).
			WithHint("requests are counted over %s to %s", shortestWindow, longestWindow)
	}
	for _, of := range []Limit{l.Caller, l.Tenant} {
		if of.Requests < 0 || of.Requests > mostRequests {
			return fault.New(fault.Invalid, "a limit of %d requests is out of bounds", of.Requests).
				WithHint("give one of up to %d; 0 is no limit", mostRequests)
		}
		if of.AtOnce < 0 || of.AtOnce > mostAtOnce {
			return fault.New(fault.Invalid, "a limit of %d requests at once is out of bounds", of.AtOnce).
				WithHint("give one of up to %d; 0 is no limit", mostAtOnce)
		}
	}
	return nil
}
