package workload

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

const (
	renewPage   = 200                    // rows read at a time
	leastWeight = 4096                   // what a small item counts for: its row and its file cost more than its bytes
	saveEvery   = 500 * time.Millisecond // between two checkpoints inside a container
)

// destroyVersions is what the audit log calls the end of old versions of a container's key.
const destroyVersions policy.Action = "containerkey.destroy"

// Handlers returns the work on stored content, for the operation.Runner.
func (s *Service) Handlers() map[string]operation.Handler {
	return map[string]operation.Handler{Reencryption: s.reencrypt}
}

// A renewal is one claim of a Reencryption. It walks the containers by id, and the items in
// each by id:
//
//	new version of the container's key; from then on nothing comes under older ones (the floor)
//	each item under an older one: seal again, read back, exchange row and blob in one step
//	nothing under older ones: destroy them
//
// Killed anywhere, an item is the old one or the new one, both whole. What was done behind the
// last checkpoint is found done, for it is under the new version.
type renewal struct {
	s      *Service
	run    *operation.Run
	caller directory.Caller
	at     progress
	done   int64 // weight
	saved  time.Time
}

func (s *Service) reencrypt(ctx context.Context, run *operation.Run) error {
	r := &renewal{s: s, run: run, caller: directory.SystemCaller(run.Op.Tenant, Reencryption, run.Op.ID), done: run.Op.Done, saved: time.Now()}
	if err := json.Unmarshal([]byte(run.Op.Checkpoint), &r.at); err != nil {
		return fault.Wrap(fault.Corrupt, err, "the checkpoint of the operation cannot be read")
	}
	if !r.at.Counted {
		if err := r.count(ctx); err != nil {
			return err
		}
	}
	if err := r.each(ctx, r.at.After, r.container); err != nil {
		return err
	}
	if r.at.Damaged > 0 {
		return fault.New(fault.Corrupt, "%d items do not open and were left as they are; the first: %s", r.at.Damaged, r.at.First).
			WithHint("everything else is under new keys; put those items back from a backup or delete them, then start again")
	}
	return nil
}

// count adds up what there is to do.
func (r *renewal) count(ctx context.Context) error {
	var sum Tally
	var containers int64
	err := r.each(ctx, "", func(ctx context.Context, c Container) error {
		t, err := r.s.store.Tally(ctx, c.Tenant, c.ID, leastWeight)
		containers++
		sum.Items, sum.Bytes, sum.Weight = sum.Items+t.Items, sum.Bytes+t.Bytes, sum.Weight+t.Weight
		return err
	})
	if err != nil {
		return err
	}
	r.at.Counted, r.at.TotalContainers, r.at.TotalItems, r.at.TotalBytes = true, containers, sum.Items, sum.Bytes
	return r.run.Save(ctx, r.at.encode(), 0, sum.Weight)
}

// each calls fn for the containers of the operation with ids after the given one.
func (r *renewal) each(ctx context.Context, after string, fn func(context.Context, Container) error) error {
	if r.at.Only != "" {
		return r.only(ctx, after, fn)
	}
	for {
		page, err := r.s.store.ContainersAfter(ctx, r.run.Op.Tenant, after, renewPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			covered, err := r.covers(ctx, c)
			if err == nil && covered {
				err = fn(ctx, c)
			}
			if err != nil {
				return err
			}
			after = c.ID
		}
	}
}

func (r *renewal) only(ctx context.Context, after string, fn func(context.Context, Container) error) error {
	if after == r.at.Only {
		return nil
	}
	c, err := r.s.store.ContainerOf(ctx, r.run.Op.Tenant, r.at.Only)
	if err != nil {
		return err
	}
	return fn(ctx, c)
}

// covers reports whether a container has a key under the operation's policy, or has a key at
// all and belongs under that policy.
func (r *renewal) covers(ctx context.Context, c Container) (bool, error) {
	versions, err := r.s.store.Versions(ctx, c.Tenant, c.ID)
	if err != nil || len(versions) == 0 {
		return false, err
	}
	if slices.ContainsFunc(versions, func(k hierarchy.ContainerKey) bool { return k.Policy == r.at.Policy }) {
		return true, nil
	}
	target, err := r.s.policies.InForce(ctx, KeyContainer(c))
	return target.Policy == r.at.Policy, err
}

// container encrypts one container anew.
func (r *renewal) container(ctx context.Context, c Container) error {
	keys, err := r.newest(ctx, c)
	if err != nil {
		return err
	}
	defer keys.Close()
	if err := r.items(ctx, c, keys); err != nil {
		return err
	}
	if err := r.retire(ctx, c, keys); err != nil {
		return err
	}
	r.at.After, r.at.Version, r.at.Item, r.at.Containers = c.ID, 0, "", r.at.Containers+1
	return r.save(ctx)
}

// newest opens the version of the container's key that everything goes under: the one that was
// made for this, or a new one. Killed before its number is saved, a second one is made; the
// first then goes with the others. So it does where this work was stopped, and goes on after other
// work has encrypted the container anew.
func (r *renewal) newest(ctx context.Context, c Container) (*hierarchy.Opened, error) {
	if r.at.Version > 0 && r.at.Version >= c.Floor {
		return r.s.opening(ctx, r.caller, c, r.at.Version)
	}
	r.at.Version, r.at.Item = 0, ""
	keys, err := r.s.renewed(ctx, r.caller, c)
	if err != nil {
		return nil, err
	}
	r.at.Version = keys.Version()
	if err = r.s.store.RaiseFloor(ctx, c.Tenant, c.ID, r.at.Version); err == nil {
		err = r.save(ctx)
	}
	if err != nil {
		keys.Close()
		return nil, err
	}
	return keys, nil
}

// items encrypts anew what is under older versions.
func (r *renewal) items(ctx context.Context, c Container, keys *hierarchy.Opened) error {
	for {
		rows, err := r.s.store.ItemsBelow(ctx, c.Tenant, c.ID, r.at.Version, r.at.Item, renewPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := r.item(ctx, c, keys, row); err != nil {
				return err
			}
			r.at.Item = row.Item
			r.done += max(row.Size, leastWeight)
			if err := r.saveSometimes(ctx, 0); err != nil {
				return err
			}
		}
	}
}

// item encrypts one item anew. One that does not open is counted and left.
func (r *renewal) item(ctx context.Context, c Container, keys *hierarchy.Opened, row Row) error {
	err := r.reseal(ctx, c, keys, row)
	if err == nil || !fault.Is(err, fault.Corrupt) {
		return err
	}
	now, again := r.s.store.Item(ctx, row.Tenant, row.Container, row.Item)
	switch {
	case fault.Is(again, fault.NotFound), again == nil && now.Blob != row.Blob: // deleted or replaced meanwhile
		return nil
	case again != nil:
		return again
	}
	if r.at.Damaged++; r.at.First == "" {
		r.at.First = fault.As(err).Message
	}
	return nil
}

// retire moves the container's secret to the new version and destroys the older ones, unless
// a damaged item still is under one.
func (r *renewal) retire(ctx context.Context, c Container, keys *hierarchy.Opened) error {
	c, err := r.s.store.ContainerOf(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	if c.SecretVersion > 0 {
		secret, err := r.s.secret(ctx, r.caller, c, keys)
		if err != nil {
			return err
		}
		secret.Destroy()
	}
	left, err := r.s.store.ItemsBelow(ctx, c.Tenant, c.ID, r.at.Version, "", 1)
	if err != nil || len(left) > 0 {
		return err
	}
	detail := map[string]string{"below": strconv.Itoa(r.at.Version), "container": c.ID, "operation": r.run.Op.ID}
	if err := r.s.recordDeed(ctx, r.caller, destroyVersions, c.ref("").String(), audit.Allow, detail); err != nil {
		return err
	}
	n, err := r.s.store.DestroyVersions(ctx, c.Tenant, c.ID, r.at.Version)
	if err != nil {
		_ = r.s.recordDeed(context.WithoutCancel(ctx), r.caller, destroyVersions, c.ref("").String(), audit.Fail, detail)
	}
	r.at.Destroyed += int64(n)
	return err
}

// saveSometimes saves the checkpoint now and then; part is the weight of what is in work.
func (r *renewal) saveSometimes(ctx context.Context, part int64) error {
	if time.Since(r.saved) < saveEvery {
		return nil
	}
	r.saved = time.Now()
	total := r.run.Op.Total
	return r.run.Save(ctx, r.at.encode(), min(r.done+part, total), total)
}

func (r *renewal) save(ctx context.Context) error {
	r.saved = time.Time{}
	return r.saveSometimes(ctx, 0)
}
