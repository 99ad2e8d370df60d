package policy

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
)

// A RollReport is what rolling the availability keys of a tenant would come to.
type RollReport struct {
	Report
	Policies int    // all of the tenant, those of the service too
	Rolled   int    // of those, how many would get another key now
	Skipped  int    // how many would keep theirs for now, because a root key does not work
	First    string // why the first of those would
}

// WhatIfRolled reports what [Service.RollAvailability] would come to for a tenant, by the same code
// and on its real rows: see [Service.WhatIf]. No key is made. It is for whoever has passed the
// door of RollAvailability: there is none here.
func (s *Service) WhatIfRolled(ctx context.Context, caller directory.Caller, tenant string) (r RollReport, err error) {
	all, err := s.everyPolicy(ctx, tenant)
	if err != nil {
		return r, err
	}
	r.Policies = len(all)
	r.Report, err = s.foresee(ctx, tenant, nil, func(on *Service) error {
		work := &roll{s: on, since: s.now(), caller: directory.SystemCaller(tenant, rollAvailability, caller.Request)}
		for _, p := range all {
			rolled, err := work.policy(ctx, p)
			if err != nil {
				return err
			}
			if rolled {
				r.Rolled++
			}
		}
		r.Skipped, r.First = work.skipped, work.first
		return nil
	})
	return r, err
}

// foreseenKey returns the id of the key that a policy would have after a roll: its own, of which
// f tells, if that is of the kind that is wanted, has no successor and was made at since or later.
func foreseenKey(own string, f availability.Facts, kind availability.Kind, since time.Time) string {
	if f.Kind == kind && f.Superseded.IsZero() && f.Serves(since) {
		return own
	}
	return uuid.NewString()
}

// AvailabilityDue returns how many availability keys, of all tenants, a roll of all would replace;
// most if there are more.
func (s *Service) AvailabilityDue(ctx context.Context, most int) (int, error) {
	old, err := s.c.Availability.Old(ctx, s.now(), availability.Facts{}, most)
	return len(old), err
}
