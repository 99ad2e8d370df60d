package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
)

// Kinds of the operations that destroy: one that was approved, and one that is carried out again
// because a backup has brought something back.
const (
	purgeWork      = "purge"
	purgeAgainWork = "purge again"
)

// destroyContent is what the audit log calls the destruction of containers' keys and items.
const destroyContent Action = "policy.purge.content"

// itemsAtOnce bounds the items that one transaction destroys.
const itemsAtOnce = 2000

// purge carries a request out. It can be cut off anywhere: before the ledger has the order
// nothing is destroyed and a change of what was approved stops it; from then on everything is,
// however often it begins anew.
func (s *Service) purge(ctx context.Context, run *operation.Run, r request.Request) (string, error) {
	if s.c.Purging == nil {
		return "", fault.New(fault.Invalid, "this server purges nothing")
	}
	caller := directory.SystemCaller(r.Tenant, purgeWork, r.ID)
	done, found := s.c.Purging.Ledger.Find(r.Tenant, r.Subject)
	if !found {
		var err error
		if done, err = s.order(ctx, run, caller, r); err != nil {
			return "", err
		}
	}
	if done.Order.Request != r.ID {
		return "", fault.New(fault.Invalid, "the policy was purged by another request")
	}
	return s.carryOut(ctx, run, caller, done, &r)
}

// order makes sure that what was approved is what is there, and puts the order into the ledger.
func (s *Service) order(ctx context.Context, run *operation.Run, caller directory.Caller, r request.Request) (purge.Purge, error) {
	p, err := s.c.Store.Policy(ctx, r.Tenant, r.Subject)
	if err != nil {
		return purge.Purge{}, err
	}
	if s.c.Purging.Ledger.CalledOff(r.Tenant, r.ID) {
		return purge.Purge{}, s.giveUp(ctx, caller, p, r, errCalledOff())
	}
	defer s.c.Purging.Ledger.Block(p.Tenant, p.ID)() // nobody opens anything that might then move away
	if err := s.dropAll(ctx, p); err != nil {
		return purge.Purge{}, err
	}
	shut := func() error {
		return s.fenced(run, func(f operation.Fence) error { return s.c.Purging.Store.Close(ctx, p.ID, r.ID, f) })
	}
	err = shut()
	if err != nil && fault.As(err).Reason == ReasonChanged {
		return purge.Purge{}, errAnew("the purge of the policy %q is not the one that was asked for", p.Name)
	}
	if err != nil {
		return purge.Purge{}, err
	}
	plan, err := s.unchanged(ctx, caller, p, r)
	if err != nil {
		return purge.Purge{}, s.giveUp(ctx, caller, p, r, err)
	}
	digest := r.Fact(factPlan)
	if err := s.record(ctx, caller, Purge, p.ID, audit.Allow, map[string]string{"request": r.ID, "plan": digest, "from here on": "nothing takes it back"}); err != nil {
		return purge.Purge{}, err
	}
	done, err := s.c.Purging.Ledger.Add(ctx, p.Tenant, p.ID, purge.Order{
		Request: r.ID, Family: string(p.Family), Digest: digest, AvailabilityKeys: plan.AvailabilityKeys,
	}, listed(s.purgeKeys(ctx, p), plan, shut))
	if err != nil {
		return done, s.failed(ctx, caller, Purge, p.ID, err)
	}
	return done, s.dropAll(ctx, p)
}

// listed yields keys, and ends with an error unless they are those of the plan: another process may
// have moved one in between, and what the ledger does not name would not be destroyed. It ends with
// that of shut too, the last that is asked before nothing leads back: another runner may have taken
// over from one that stood still, and have given the policy back.
func listed(keys iter.Seq2[purge.Key, error], plan purge.Plan, shut func() error) iter.Seq2[purge.Key, error] {
	return func(yield func(purge.Key, error) bool) {
		list, seen := purge.NewLister(), purge.Plan{}
		for k, err := range keys {
			if err == nil {
				list.Add(k)
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
		if list.Into(&seen); seen.List != plan.List {
			yield(purge.Key{}, fault.New(fault.Conflict, "what is to be purged has changed a moment ago").WithHint("this is looked at again by itself"))
			return
		}
		if err := shut(); err != nil {
			yield(purge.Key{}, err)
		}
	}
}

// fenced makes a change under the fence of an operation.
func (s *Service) fenced(run *operation.Run, change func(f operation.Fence) error) error {
	f := run.Fence(run.Op.Checkpoint, run.Op.Done, run.Op.Total)
	if err := change(f); err != nil {
		return err
	}
	run.Saved(f)
	return nil
}

// dropAll ends every lease under the policy.
func (s *Service) dropAll(ctx context.Context, p Policy) error {
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	for _, g := range picture.Generations {
		s.c.Keys.Drop(p.Tenant, g.ID)
	}
	return err
}

// unchanged returns the plan as it is now, and refuses, with fault.Invalid, if it is not the one
// that was approved.
func (s *Service) unchanged(ctx context.Context, caller directory.Caller, p Policy, r request.Request) (plan purge.Plan, err error) {
	err = s.cutOff(ctx, caller, p, r.Fact(factForce) == "true")
	if err == nil {
		err = s.ownKeys(ctx, p) // a mailbox may have been given to another policy since, and write under that
	}
	if fault.Is(err, fault.Conflict) {
		return plan, errAnew("%s", fault.As(err).Message)
	}
	if err != nil {
		return plan, err
	}
	if plan, err = s.planPurge(ctx, p); err != nil {
		return plan, err
	}
	if digest, err := plan.Digest(); err != nil || digest != r.Fact(factPlan) {
		return plan, errAnew("what is under the policy %q has changed since its purge was approved", p.Name)
	}
	return plan, nil
}

// errAnew ends a request: what was approved is not what is there.
func errAnew(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithReason(ReasonChanged).WithHint("nothing was destroyed; ask again, so that what is there now is approved")
}

// errCalledOff ends a request that had ended already.
func errCalledOff() error {
	return fault.New(fault.Invalid, "the request was called off, and an older database of the service has brought it back").WithReason(ReasonChanged).
		WithHint("nothing was destroyed; ask again if it is still wanted")
}

// giveUp puts a policy back into the state of before where its purge cannot go on for ever;
// any other trouble leaves it for the next try.
func (s *Service) giveUp(ctx context.Context, caller directory.Caller, p Policy, r request.Request, why error) error {
	if !fault.Is(why, fault.Invalid) {
		return why
	}
	if err := s.callOff(ctx, p, r.ID); err != nil {
		return err // tried again: the request stays as it is until the policy is whole
	}
	return s.failed(ctx, caller, Purge, p.ID, why)
}

// carryOut destroys, in the order of row CK-257. Every step may have been done before.
func (s *Service) carryOut(ctx context.Context, run *operation.Run, caller directory.Caller, done purge.Purge, r *request.Request) (string, error) {
	if err := s.c.Purging.Ledger.Complete(ctx); err != nil { // each place knows before a key goes
		return "", err
	}
	p := Policy{Tenant: done.Tenant, ID: done.Policy}
	if err := s.dropAll(ctx, p); err != nil {
		return "", err
	}
	generations, err := s.destroyGenerations(ctx, run, caller, p)
	if err != nil {
		return "", err
	}
	if err := s.destroyKeys(ctx, run, caller, p); err != nil {
		return "", err
	}
	ids, err := s.c.Purging.Shredder.Shred(ctx, caller, p.Tenant, p.ID, done.Order.AvailabilityKeys)
	if err != nil {
		return "", err
	}
	if err := s.dropAll(ctx, p); err != nil { // a flight may have been under way
		return "", err
	}
	if err := s.fenced(run, func(f operation.Fence) error { return s.c.Purging.Store.Done(ctx, done, f) }); err != nil {
		return "", err
	}
	if done.Record == "" && r != nil {
		if err := s.certify(ctx, done, *r, purge.Gone{Generations: generations, AvailabilityKeys: ids}); err != nil {
			return "", err
		}
	}
	o, err := s.c.Purging.Store.Order(ctx, p.Tenant, p.ID)
	return fmt.Sprintf("%d container keys and the %d items under them are destroyed for ever", o.Keys, o.Items), err
}

// destroyGenerations empties the wrapped copies of every policy key of the policy, and returns
// the ids of all it ever had.
func (s *Service) destroyGenerations(ctx context.Context, run *operation.Run, caller directory.Caller, p Policy) ([]string, error) {
	ids := []string{}
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if fault.Is(err, fault.NotFound) { // an older database, from before the policy
		return ids, nil
	}
	if err != nil {
		return nil, err
	}
	for _, g := range picture.Generations {
		ids = append(ids, g.ID)
		if !g.Destroyed.IsZero() {
			continue
		}
		err := s.record(ctx, caller, destroyGeneration, g.ID, audit.Allow, map[string]string{
			"policy": g.Policy, "number": strconv.Itoa(g.Number), "key1": g.Roots[0].KeyID, "key2": g.Roots[1].KeyID, "cause": purgeWork,
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, s.fenced(run, func(f operation.Fence) error { return s.c.Purging.Store.DestroyPolicy(ctx, p.ID, f) })
}

// destroyKeys destroys the keys that the ledger lists, with the items under them.
func (s *Service) destroyKeys(ctx context.Context, run *operation.Run, caller directory.Caller, p Policy) error {
	if err := s.record(ctx, caller, destroyContent, p.ID, audit.Allow, nil); err != nil {
		return err
	}
	var n, total int64
	count := func(keys []purge.Key) error { total += int64(len(keys)); return nil }
	if err := s.c.Purging.Ledger.Keys(ctx, p.Tenant, p.ID, count); err != nil {
		return err
	}
	return s.c.Purging.Ledger.Keys(ctx, p.Tenant, p.ID, func(keys []purge.Key) error {
		n += int64(len(keys))
		for more := true; more; {
			f := run.Fence(run.Op.Checkpoint, max(n, run.Op.Done), max(total, run.Op.Total))
			var err error
			if more, err = s.c.Purging.Store.DestroyKeys(ctx, p.ID, keys, itemsAtOnce, f); err != nil {
				return err
			}
			run.Saved(f)
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
		}
		return nil
	})
}

// certify signs and keeps the record of what was destroyed.
func (s *Service) certify(ctx context.Context, done purge.Purge, r request.Request, gone purge.Gone) error {
	o, err := s.c.Purging.Store.Order(ctx, done.Tenant, done.Policy)
	if err != nil {
		return err
	}
	p, err := s.c.Store.Policy(ctx, done.Tenant, done.Policy)
	if err != nil {
		return err
	}
	head, err := s.c.Purging.Head(ctx, done.Tenant)
	if err != nil {
		return err
	}
	gone.ContainerKeys, gone.Items, gone.Bytes = o.Keys, o.Items, o.Bytes
	record := purge.Record{
		Tenant: p.Tenant, Policy: p.ID, Name: p.Name, Family: string(p.Family), Request: r.ID, Reason: r.Reason, Contact: r.Contact,
		Forced: r.Fact(factForce) == "true", AskedBy: personOf(r.AskedBy, "", r.Asked), Approved: []purge.Person{},
		Digest: r.Fact(factPlan), Ordered: done.At, Finished: s.now(), Gone: gone, Log: head,
	}
	for _, a := range r.Approvals {
		record.Approved = append(record.Approved, personOf(a.By, string(a.Side), a.At))
	}
	if err := json.Unmarshal([]byte(o.Plan), &record.Plan); err != nil {
		return fault.Wrap(fault.Corrupt, err, "the plan of the purge cannot be read")
	}
	_, err = s.c.Purging.Ledger.Finish(ctx, record)
	return err
}

func personOf(p request.Person, as string, at time.Time) purge.Person {
	return purge.Person{ID: p.ID, Name: p.Name, As: as, At: at}
}
