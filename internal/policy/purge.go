package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
)

// A PurgeAsk says why a policy, and everything under it, shall be destroyed for ever.
type PurgeAsk struct {
	Reason  string // required (CK-115)
	Contact string // required: who can be asked about it (CK-116)
	Force   bool   // also where a root is gone with its vault, and so cannot be asked (CK-117)
}

// Names of the facts that a request for a purge carries; approvers see them.
const (
	factPolicy     = "Policy"
	factPlan       = "Plan" // digest of the plan
	factForce      = "Force"
	factContainers = "Containers"
	factItems      = "Items"
	factBytes      = "Bytes"
)

// RequestPurge asks for the purge of a policy (CK-255). Both roots must refuse the service by
// now (CK-173). From the moment of asking the policy takes nothing new (CK-174); what is under
// it is listed, and it is that list which an officer and an operator approve. Nothing is
// destroyed before, nor while the waiting period after the last approval lasts.
func (s *Service) RequestPurge(ctx context.Context, caller directory.Caller, f Family, identity string, a PurgeAsk) (request.Request, error) {
	p, err := s.enter(ctx, caller, f, Purge, identity, map[string]string{
		"reason": clip(a.Reason), "contact": clip(a.Contact), "force": strconv.FormatBool(a.Force),
	})
	if err != nil {
		return request.Request{}, err
	}
	r, err := s.requestPurge(ctx, caller, p, a)
	if err != nil {
		return request.Request{}, s.failed(ctx, caller, Purge, p.ID, err)
	}
	return r, nil
}

func (s *Service) requestPurge(ctx context.Context, caller directory.Caller, p Policy, a PurgeAsk) (r request.Request, err error) {
	if a.Reason == "" || a.Contact == "" {
		return r, fault.New(fault.Invalid, "a purge needs a reason and a contact").
			WithHint("give -PermanentDataPurgeReason and -PermanentDataPurgeContact")
	}
	if err := s.purgeable(ctx, caller, p); err != nil {
		return r, err
	}
	if err := s.cutOff(ctx, caller, p, a.Force); err != nil {
		return r, err
	}
	o := PurgeOrder{
		Tenant: p.Tenant, Policy: p.ID, Reason: a.Reason, Contact: a.Contact, Force: a.Force,
		AskedBy: caller.ID, Name: caller.Name, Asked: s.now(),
	}
	if err := s.c.Purging.Store.Mark(ctx, p, o); err != nil {
		return r, err
	}
	if r, err = s.askPurge(ctx, caller, p, &o); err == nil {
		err = s.c.Purging.Store.Complete(ctx, o)
	}
	if err != nil && r.ID == "" {
		_ = s.c.Purging.Store.Unmark(context.WithoutCancel(ctx), p.Tenant, p.ID, "", s.now()) // else settlePurge does
	}
	return r, err
}

// askPurge lists what is there now and asks for its destruction.
func (s *Service) askPurge(ctx context.Context, caller directory.Caller, p Policy, o *PurgeOrder) (r request.Request, err error) {
	plan, err := s.planPurge(ctx, p)
	if err != nil {
		return r, err
	}
	if o.Digest, err = plan.Digest(); err != nil {
		return r, err
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return r, err
	}
	o.Plan = string(text)
	r, err = s.c.Requests.Ask(ctx, caller, request.Ask{
		Kind: PurgeKind, Family: string(p.Family), Subject: p.ID, Reason: o.Reason, Contact: o.Contact, Detail: factsOf(p, plan, *o),
	})
	o.Request = r.ID
	return r, err
}

func factsOf(p Policy, plan purge.Plan, o PurgeOrder) []request.Fact {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	facts := []request.Fact{
		{Name: factPolicy, Value: p.Name}, {Name: factPlan, Value: o.Digest}, {Name: factForce, Value: strconv.FormatBool(o.Force)},
		{Name: factContainers, Value: count(plan.Containers)}, {Name: "ContainerKeys", Value: count(plan.ContainerKeys)},
		{Name: "OlderKeys", Value: count(plan.OlderKeys)},
		{Name: factItems, Value: count(plan.Items)}, {Name: factBytes, Value: count(plan.Bytes)},
	}
	for _, g := range plan.Generations {
		facts = append(facts, request.Fact{Name: "Generation", Value: fmt.Sprintf("%d %s under %s and %s", g.Number, g.ID, g.Roots[0], g.Roots[1])})
	}
	for _, id := range plan.AvailabilityKeys {
		facts = append(facts, request.Fact{Name: "AvailabilityKey", Value: id})
	}
	return facts
}

// purgeable refuses a policy that cannot be purged, whatever its roots say.
func (s *Service) purgeable(ctx context.Context, caller directory.Caller, p Policy) error {
	if s.c.Purging == nil || s.c.Requests == nil {
		return fault.New(fault.Invalid, "this server purges nothing")
	}
	if !slices.Contains(s.purgeFamilies(), p.Family) {
		return fault.New(fault.Invalid, "policies of the family %s cannot be purged", p.Family).WithReason("CK-172").
			WithHint("take it out of force, and delete the content; who runs the service can allow it: ck serve --purge-families")
	}
	if p.State == PendingDeletion {
		return fault.New(fault.Conflict, "the purge of the policy %q was asked for already", p.Name).WithReason(ReasonPurging).
			WithHint("see it with Get-CKRequest; Remove-CKRequest takes it back")
	}
	if left, err := s.recovery(ctx, p); err != nil {
		return err
	} else if left > 0 {
		return fault.New(fault.Conflict, "the content of the policy %q is open by a recovery", p.Name).WithReason("RecoveryActive").
			WithHint("end it first: Stop-CKRecovery -Identity %q", p.Name)
	}
	return s.ownKeys(ctx, p)
}

func (s *Service) purgeFamilies() []Family {
	if len(s.c.Purging.Families) == 0 {
		return []Family{Mailbox}
	}
	return s.c.Purging.Families
}

// ownKeys refuses a policy whose content is still on its way, and one that shares its
// availability key with others: destroying that would take theirs too (CK-36, CK-259).
func (s *Service) ownKeys(ctx context.Context, p Policy) error {
	if err := s.arrived(ctx, p); err != nil {
		return err
	}
	live, err := s.c.Store.LiveGenerations(ctx, p.Tenant)
	if err != nil {
		return err
	}
	ids, err := s.availabilityKeysOf(ctx, p, live)
	if err != nil {
		return err
	}
	for _, g := range live {
		if g.Policy == p.ID && !slices.Contains(ids, g.AvailabilityKey) {
			return fault.New(fault.Conflict, "the availability key of the policy %q is shared with others, so it cannot be destroyed", p.Name).WithReason("SharedKey").
				WithHint("only a policy whose availability key serves nobody else can be purged: ck serve --sharepoint-availability tenant, then roll the key")
		}
	}
	return nil
}

// arrived refuses a policy whose content is still on its way: to or from it, or from older versions
// of the containers' keys, where a backup has it under another policy, which lives.
func (s *Service) arrived(ctx context.Context, p Policy) error {
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if err != nil {
		return err
	}
	var all, settled int64
	for _, w := range s.settledKeys(picture) {
		all, settled = all+w.Containers, settled+w.Settled
	}
	if settled < all {
		return fault.New(fault.Conflict, "%d of %d containers of the policy %q are still on their way", all-settled, all, p.Name).WithReason("NotSettled").
			WithHint("wait until PercentEncrypted is 100, so that what is listed is what is destroyed")
	}
	if p.Family == Mailbox { // goes as a whole, whatever its keys are under
		return nil
	}
	n, err := s.c.Purging.Store.Halfway(ctx, p.Tenant, p.ID)
	if n == 0 || err != nil {
		return err
	}
	return fault.New(fault.Conflict, "%d containers of the policy %q are encrypted anew in part only", n, p.Name).WithReason("NotSettled").
		WithHint("a backup has what came over under other keys: finish it with Start-CKReencryption, then ask again")
}

// availabilityKeysOf returns the ids of the availability keys that serve the policy and nobody
// else: its own, and that of the tenant where no other policy's generation is under it. live are
// the tenant's generations that are not destroyed.
func (s *Service) availabilityKeysOf(ctx context.Context, p Policy, live []hierarchy.Generation) ([]string, error) {
	caller := directory.SystemCaller(p.Tenant, purgeWork, p.ID)
	ids, err := s.c.Purging.Shredder.Alive(ctx, caller, p.Tenant, p.ID)
	if err != nil {
		return nil, err
	}
	for _, g := range live {
		if g.Policy != p.ID || slices.Contains(ids, g.AvailabilityKey) {
			continue
		}
		f, err := s.c.Purging.Shredder.Facts(ctx, caller, p.Tenant, g.AvailabilityKey)
		if err != nil {
			return nil, err
		}
		shared := slices.ContainsFunc(live, func(o hierarchy.Generation) bool { return o.Policy != p.ID && o.AvailabilityKey == f.ID })
		if f.Kind == availability.PerTenant && f.Destroyed.IsZero() && !shared {
			ids = append(ids, f.ID)
		}
	}
	return ids, nil
}

// planPurge lists what the purge of a policy would destroy at this moment.
func (s *Service) planPurge(ctx context.Context, p Policy) (plan purge.Plan, err error) {
	plan = purge.Plan{Tenant: p.Tenant, Policy: p.ID, Family: string(p.Family)}
	live, err := s.c.Store.LiveGenerations(ctx, p.Tenant)
	if err != nil {
		return plan, err
	}
	if plan.AvailabilityKeys, err = s.availabilityKeysOf(ctx, p, live); err != nil {
		return plan, err
	}
	for _, g := range live {
		if g.Policy != p.ID {
			continue
		}
		plan.Generations = append(plan.Generations, purge.Generation{ID: g.ID, Number: g.Number, Roots: [2]string{g.Roots[0].KeyID, g.Roots[1].KeyID}})
	}
	list := purge.NewLister()
	for k, err := range s.purgeKeys(ctx, p) {
		if err != nil {
			return plan, err
		}
		list.Add(k)
	}
	list.Into(&plan)
	plan.Items, plan.Bytes, err = s.c.Purging.Store.Contents(ctx, p.Tenant, p.ID)
	return plan, err
}

// PlanPurge returns what a purge would destroy, and what stands in its way: nil if nothing does.
// It changes nothing; the roots are asked, which is recorded.
func (s *Service) PlanPurge(ctx context.Context, caller directory.Caller, f Family, identity string, force bool) (plan purge.Plan, obstacle, err error) {
	p, err := s.enter(ctx, caller, f, Read, identity, nil)
	if err != nil {
		return plan, nil, err
	}
	if s.c.Purging == nil {
		return plan, nil, fault.New(fault.Invalid, "this server purges nothing")
	}
	if plan, err = s.planPurge(ctx, p); err != nil {
		return plan, nil, err
	}
	if obstacle = s.purgeable(ctx, caller, p); obstacle == nil {
		obstacle = s.cutOff(ctx, caller, p, force)
	}
	return plan, obstacle, ctx.Err()
}

// PurgeContainers returns the containers that a purge of a policy would concern, by their ids
// behind after, at most limit.
func (s *Service) PurgeContainers(ctx context.Context, caller directory.Caller, f Family, identity, after string, limit int) ([]PurgeContainer, error) {
	p, err := s.enter(ctx, caller, f, Read, identity, nil)
	if err != nil {
		return nil, err
	}
	if s.c.Purging == nil {
		return nil, nil
	}
	return s.c.Purging.Store.Containers(ctx, p.Tenant, p.ID, after, limit)
}

// PurgeOf returns what is known about the purge of a policy: the order, if one was given, and
// the signed record with the key to check it, once it was carried out.
func (s *Service) PurgeOf(ctx context.Context, caller directory.Caller, f Family, identity string) (o PurgeOrder, record, key string, err error) {
	p, err := s.enter(ctx, caller, f, Read, identity, nil)
	if err != nil || s.c.Purging == nil {
		return o, "", "", err
	}
	if o, err = s.c.Purging.Store.Order(ctx, p.Tenant, p.ID); err != nil {
		return o, "", "", err
	}
	if done, found := s.c.Purging.Ledger.Find(p.Tenant, p.ID); found {
		record = done.Record
	}
	key, err = s.c.Purging.Ledger.VerifierKey(p.Tenant)
	return o, record, key, err
}
