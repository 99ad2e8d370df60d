package policy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// rollAvailability is the kind of the operation that gives new availability keys to a tenant's
// policies.
const rollAvailability = "rollavailability"

// rollTries bounds how often a policy that somebody else changes meanwhile is tried in one claim.
const rollTries = 3

// A roll is one claim of a "rollavailability" operation. It goes through all policies of the
// tenant, those that the service owns too, and needs no place to go on from: a policy whose key
// is new enough is left as it is.
type roll struct {
	s       *Service
	run     *operation.Run
	caller  directory.Caller
	since   time.Time // keys made before are replaced
	skipped int
	first   string // why the first of those was
}

// A rollOrder is what the operation is to do, as JSON in its checkpoint from the start.
type rollOrder struct {
	Since int64 `json:"since"` // microseconds UTC
}

func rollOperation(tenant string, since, now time.Time) (operation.Operation, error) {
	op, err := operation.Fresh(tenant, rollAvailability, "", now)
	text, _ := json.Marshal(rollOrder{since.UnixMicro()}) // a number always marshals
	op.Checkpoint = string(text)
	return op, err
}

// rollAvailability makes, policy by policy, a new availability key and with it a new generation
// (CK-33); the operation "converge" moves what lies under the old one. Nobody sees a key. A policy
// whose roots deny or cannot be reached is left for another time, and told of in the operation's
// error: [Service.TendAvailability] starts the next try.
func (s *Service) rollAvailability(ctx context.Context, run *operation.Run) error {
	var order rollOrder
	if err := json.Unmarshal([]byte(run.Op.Checkpoint), &order); err != nil {
		return fault.Wrap(fault.Corrupt, err, "the checkpoint of the operation cannot be read")
	}
	r := &roll{s: s, run: run, since: time.UnixMicro(order.Since), caller: directory.SystemCaller(run.Op.Tenant, rollAvailability, run.Op.ID)}
	all, err := s.everyPolicy(ctx, run.Op.Tenant)
	if err != nil {
		return err
	}
	for i, p := range all {
		rolled, err := r.policy(ctx, p)
		if err != nil {
			return err
		}
		if !rolled {
			continue
		}
		if err := run.Save(ctx, run.Op.Checkpoint, max(run.Op.Done, int64(i+1)), max(run.Op.Total, int64(len(all)))); err != nil {
			return err
		}
		s.c.Wake() // the move may begin
	}
	return r.report(len(all))
}

// everyPolicy returns the tenant's policies of all families.
func (s *Service) everyPolicy(ctx context.Context, tenant string) (all []Policy, err error) {
	for _, f := range append([]Family{ServiceOwned}, families...) {
		of, err := s.c.Store.Policies(ctx, tenant, f, maxPolicies)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// policy gives one policy a new key, if it needs one. An error ends the claim.
func (r *roll) policy(ctx context.Context, p Policy) (rolled bool, err error) {
	for range rollTries {
		if p.State == Purged {
			return false, nil
		}
		if err := p.open(RollAvailability); err != nil { // a key more, and it is not what people approve
			return false, r.skip(ctx, p, err)
		}
		key, err := r.newKey(ctx, p)
		if err != nil || key == p.AvailabilityKey {
			return false, err
		}
		err = r.s.record(ctx, r.caller, RollAvailability, p.ID, audit.Allow, map[string]string{"was": p.AvailabilityKey, "availabilityKey": key})
		if err != nil {
			return false, err
		}
		p.AvailabilityKey = key
		g, err := r.s.generation(ctx, r.caller, p, p.Number+1)
		if err != nil {
			return false, r.skip(ctx, p, err)
		}
		err = r.apply(ctx, p, g)
		if err == nil {
			return true, nil
		}
		if err := r.s.failed(ctx, r.caller, RollAvailability, p.ID, err); fault.As(err).Reason != ReasonChanged {
			return false, err
		}
		if p, err = r.s.c.Store.Policy(ctx, p.Tenant, p.ID); err != nil {
			return false, err
		}
	}
	return false, r.skip(ctx, p, Stale())
}

// newKey returns the id of the key that the policy is to have, which is the one it has if that is
// new enough. A key that was destroyed stays the last: only a customer that leaves asks for that
// (CK-35).
func (r *roll) newKey(ctx context.Context, p Policy) (string, error) {
	f, err := r.s.c.Availability.Facts(ctx, r.caller, p.Tenant, p.AvailabilityKey)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	if !f.Destroyed.IsZero() {
		return p.AvailabilityKey, nil
	}
	scope, since := r.s.availabilityScope(p), r.since
	if scope.Kind == availability.PerForest { // rolled for all tenants at once, or not
		since = time.Time{}
	}
	if r.s.view { // no key is made
		return foreseenKey(p.AvailabilityKey, f, scope.Kind, since), nil
	}
	return r.s.c.Availability.Renew(ctx, r.caller, scope, since)
}

// apply makes g the policy's generation, and with it the key that p names its availability key.
func (r *roll) apply(ctx context.Context, p Policy, g hierarchy.Generation) error {
	now := r.s.now()
	op, err := operation.Fresh(p.Tenant, converge, p.ID, now)
	if err != nil {
		return err
	}
	p.Generation, p.Number, p.Updated = g.ID, g.Number, now
	return r.s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, Generation: &g, Operation: &op})
}

// skip leaves a policy for another time, unless what failed is not its roots.
func (r *roll) skip(ctx context.Context, p Policy, err error) error {
	err = r.s.failed(ctx, r.caller, RollAvailability, p.ID, err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e := fault.As(err); e.Code == fault.Internal || e.Reason == hierarchy.ReasonNotRecorded {
		return err
	}
	r.skipped++
	switch {
	case r.first != "":
	case p.Family == ServiceOwned: // the tenant reads this, and the service's vaults are no business of his
		r.first = "that of the service itself: its keys cannot be used now"
	default:
		r.first = clip(p.Name + ": " + fault.As(err).Message)
	}
	return nil
}

// report ends the claim. What was skipped makes it final all the same (fault.Invalid): trying
// again in a second would only knock at vaults that have just refused.
func (r *roll) report(all int) error {
	if r.skipped == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%d of %d policies keep their availability keys for now; the first, %s", r.skipped, all, r.first).
		WithHint("both root keys must work; it is tried again every hour")
}
