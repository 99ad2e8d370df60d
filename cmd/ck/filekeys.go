package main

import (
	"context"
	"flag"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// fileKeySettings are what the flags of ck serve say about the policy keys of files, which are
// held for hours where others are held for a lease.
type fileKeySettings struct{ hedge hierarchy.Hedge }

func (s *fileKeySettings) flags(set *flag.FlagSet) {
	set.DurationVar(&s.hedge.Cache, "file-cache", 4*time.Hour, "how long the policy keys of files are held: the longest that taking both root keys back can go unnoticed where no vault tells of it")
	set.DurationVar(&s.hedge.Lead, "file-lead", 2*time.Hour, "how long before their end the policy keys of files are renewed")
	set.DurationVar(&s.hedge.Offset, "file-offset", 100*time.Millisecond, "how long after the first root key of files the second one is asked")
}

func (s *fileKeySettings) check() error {
	switch h := s.hedge; {
	case h.Offset < time.Millisecond || h.Offset > 5*time.Second:
		return fault.New(fault.Invalid, "an offset of %v is out of bounds", h.Offset).WithHint("give one from 1ms to 5s with --file-offset")
	case h.Lead < time.Second:
		return fault.New(fault.Invalid, "a lead of %v is out of bounds", h.Lead).WithHint("give one from 1s with --file-lead")
	case h.Cache <= h.Lead || h.Cache > 7*24*time.Hour:
		return fault.New(fault.Invalid, "policy keys of files cannot be held for %v and renewed %v before their end", h.Cache, h.Lead).
			WithHint("give more than --file-lead, and 168h at most, with --file-cache")
	}
	return nil
}

// hedging returns the settings with somebody to hear of a policy key that cannot be renewed (CK-70).
func (n *node) hedging() hierarchy.Hedge {
	h := n.fileKeys.hedge
	h.Alert = func(a hierarchy.Alert) {
		n.log.Error("the policy key of files cannot be renewed: both vaults must be looked at before it ends",
			"tenant", a.Tenant, "policy", a.Policy, "since", a.Since, "ends", a.Expires, "err", a.Err)
		n.health.Ending(context.Background(), a) // and the tenant
	}
	return h
}
