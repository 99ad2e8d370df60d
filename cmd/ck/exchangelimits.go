package main

import (
	"flag"

	"github.com/customerkey/customerkey/internal/api/throttle"
)

// exchangeSettings say how much may be asked of the admin endpoint; 0 is no limit.
type exchangeSettings struct {
	throttle.Limits
}

func (s *exchangeSettings) flags(set *flag.FlagSet) {
	usual := throttle.Default()
	set.DurationVar(&s.Window, "exchange-window", usual.Window, "how long requests to the admin endpoint are counted together")
	set.IntVar(&s.Caller.Requests, "exchange-requests", usual.Caller.Requests, "how many `REQUESTS` a person or program may send it in that time; 0 for any number")
	set.IntVar(&s.Tenant.Requests, "exchange-tenant-requests", usual.Tenant.Requests, "how many `REQUESTS` all of a tenant may; 0 for any number")
	set.IntVar(&s.Caller.AtOnce, "exchange-at-once", usual.Caller.AtOnce, "how many `REQUESTS` of a person or program it answers at the same time; 0 for any number")
	set.IntVar(&s.Tenant.AtOnce, "exchange-tenant-at-once", usual.Tenant.AtOnce, "how many `REQUESTS` of all of a tenant; 0 for any number")
}

func (s *exchangeSettings) check() error {
	if s.Limits == (throttle.Limits{}) {
		return nil // nobody read flags, and nothing is limited
	}
	return s.Check()
}

// throttle returns what counts, nil if nothing is limited.
func (s *exchangeSettings) throttle() (*throttle.Throttle, error) {
	if s.Limits == (throttle.Limits{}) {
		return nil, nil
	}
	return throttle.New(s.Limits)
}
