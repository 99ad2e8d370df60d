package main

import (
	"context"
	"flag"
	"time"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// availabilitySettings are what flags decide about availability keys.
type availabilitySettings struct {
	sharePoint string        // whom the key of SharePoint policies serves: "forest" or "tenant" (CK-36)
	roll       time.Duration // how old a key may get; 0: as old as it likes
	keep       time.Duration // how long one is kept that nothing needs any more
	mixed      string        // what one root denied and the other unreachable mean: "denied" or "outage" (CK-62)
}

func (a *availabilitySettings) flags(set *flag.FlagSet) {
	set.StringVar(&a.sharePoint, "sharepoint-availability", "forest",
		"whom the availability key of SharePoint policies serves (`SCOPE`): forest, all tenants together, or tenant, which alone lets a tenant have its own destroyed")
	set.StringVar(&a.mixed, "mixed-roots", string(hierarchy.MixedDenied),
		"what one root key denied and the vault of the other out of reach mean (`CLASS`): denied, people are refused; or outage, the availability key serves everybody")
	set.DurationVar(&a.roll, "availability-roll", 365*24*time.Hour, "how old availability keys get before they are rolled; 0: never by themselves")
	set.DurationVar(&a.keep, "availability-keep", 30*24*time.Hour,
		"how long availability keys are kept that nothing needs any more: as long as backups of the data folder, in which they may be needed")
}

func (a availabilitySettings) check() error {
	if kind := availability.Kind(a.sharePoint); !kind.Valid() || !kind.Shared() {
		return fault.New(fault.Invalid, "%q is not whom an availability key of SharePoint policies can serve", a.sharePoint).
			WithHint("give forest or tenant with --sharepoint-availability")
	}
	if m := hierarchy.Mixed(a.mixed); m != hierarchy.MixedDenied && m != hierarchy.MixedOutage {
		return fault.New(fault.Invalid, "%q is not what a root denied and another out of reach can mean", a.mixed).
			WithHint("give denied or outage with --mixed-roots")
	}
	if a.roll != 0 && a.roll < 24*time.Hour {
		return fault.New(fault.Invalid, "rolling availability keys every %v is too often", a.roll).
			WithHint("give 24h or longer with --availability-roll, or 0 for never; an operator can roll them at any time with Update-CKAvailabilityKey")
	}
	if a.keep < time.Hour || a.keep > 10*365*24*time.Hour {
		return fault.New(fault.Invalid, "keeping availability keys for %v is out of bounds", a.keep).WithHint("give one from 1h to 87600h with --availability-keep")
	}
	return nil
}

// tendAvailability has due rolls done, and says when keys are kept that nothing here has ever
// named: once for each number of them.
func (n *node) tendAvailability(ctx context.Context) {
	strange, err := n.policies.TendAvailability(ctx)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error("rolling availability keys", "err", err)
		}
		return
	}
	if strange > n.strange {
		n.log.Warn("availability keys are kept of which the database of the service knows nothing: policies that never came to be had them, or it comes from a backup", "keys", strange)
	}
	n.strange = strange
}
