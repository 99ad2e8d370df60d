package policy

import (
	"context"
	"slices"
	"strconv"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// destroyGeneration is what the audit log calls the end of a generation.
const destroyGeneration Action = "generation.destroy"

// destroyDrained destroys the tenant's draining generations that no container key is under.
// None can come under one any more: only an active generation takes keys. Each is recorded
// before, and nothing can undo it, so the keys themselves are looked at once more: the counts
// alone do not decide.
func (w *walk) destroyDrained(ctx context.Context) error {
	drained, err := w.drained(ctx)
	if err != nil || len(drained) == 0 {
		return err
	}
	needed, err := w.s.c.Store.Needed(ctx, w.run.Op.Tenant)
	if err != nil {
		return err
	}
	for _, g := range drained {
		if needed[g.ID] > 0 { // somebody has put back rows by hand
			return w.s.c.Store.Recount(ctx, w.run.Op.Tenant)
		}
		if err := w.destroy(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// drained returns the draining generations that count as empty.
func (w *walk) drained(ctx context.Context) ([]hierarchy.Generation, error) {
	live, err := w.s.c.Store.LiveGenerations(ctx, w.run.Op.Tenant)
	if err != nil {
		return nil, err
	}
	usage, err := w.s.c.Store.Usage(ctx, w.run.Op.Tenant)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, u := range usage {
		used[u.Generation] = true
	}
	return slices.DeleteFunc(live, func(g hierarchy.Generation) bool { return g.State != hierarchy.Draining || used[g.ID] }), nil
}

func (w *walk) destroy(ctx context.Context, g hierarchy.Generation) error {
	err := w.s.record(ctx, w.caller, destroyGeneration, g.ID, audit.Allow, map[string]string{
		"policy": g.Policy, "number": strconv.Itoa(g.Number), "key1": g.Roots[0].KeyID, "key2": g.Roots[1].KeyID,
	})
	if err != nil {
		return err
	}
	f := w.run.Fence(w.at.encode(), w.run.Op.Done, w.run.Op.Total)
	destroyed, err := w.s.c.Store.DestroyGeneration(ctx, g.ID, f)
	if err != nil {
		return w.s.failed(ctx, w.caller, destroyGeneration, g.ID, err)
	}
	w.run.Saved(f)
	if !destroyed {
		return w.s.failed(ctx, w.caller, destroyGeneration, g.ID, fault.New(fault.Conflict, "the generation is in another state by now"))
	}
	w.s.c.Keys.Drop(g.Tenant, g.ID)
	return nil
}
