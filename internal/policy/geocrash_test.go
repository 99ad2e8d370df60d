package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

func (s fusedStore) RaiseProgress(ctx context.Context, tenant, generation string, percent int) error {
	return s.f.pass(func() error { return s.Store.RaiseProgress(ctx, tenant, generation, percent) })
}

// lifeOfFiles is what an administrator does with the files of a geo, recovery included; it can be
// run again after being cut off anywhere.
func (c *tenant) lifeOfFiles(rescue [2]string) error {
	ctx := c.t.Context()
	if _, err := c.service.Register(ctx, c.admin, "", pinned(1, c.keys)); err != nil && fault.As(err).Reason != policy.ReasonRegistered {
		return err
	}
	for i := range 3 {
		if err := c.seal("sharepoint", fmt.Sprint(i)); err != nil {
			return err
		}
	}
	c.work()
	spare := policy.RootKey{URI: kid(c.spare[0], 1)}
	_, err := c.service.ChangeRoots(ctx, c.admin, "", [2]*policy.RootKey{&spare, nil})
	if err != nil && fault.CodeOf(err) != fault.Invalid && fault.As(err).Reason != policy.ReasonBusy { // done before, or in recovery
		return err
	}
	if err := c.seal("sharepoint", "late"); err != nil {
		return err
	}
	approved := directory.SystemCaller(c.id, "recovery", uuid.NewString())
	if err := c.service.BeginRecovery(ctx, approved, c.id, "default", time.Hour); err != nil {
		return err
	}
	if _, err = c.service.RestoreGeo(ctx, c.admin, "", pinned(1, rescue)); err != nil {
		return err
	}
	c.work()
	return nil
}

// Killed after every single write of registering, rolling and recovering: what is there is legal,
// everything opens, the work goes on by itself, and all of it can be done again.
func TestCrashesOfFiles(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		rescue := [2]string{w.vaults.key("rescue-east", "root"), w.vaults.key("rescue-west", "root")}
		for n, finished := int64(0), false; !finished; n += slow {
			c, f := w.tenant().files(), newFuse(n)
			c.mustSeal("sharepoint", "before")
			w.process(f)
			err := c.lifeOfFiles(rescue)
			if finished = err == nil; !finished && !f.dead.Load() {
				t.Fatalf("after %d writes: %v", n, err)
			}
			w.process(newFuse(1 << 40))
			if err := c.legal(); err != nil {
				t.Fatalf("killed after %d writes: %v", n, err)
			}
			time.Sleep(4 * time.Second) // the dead process' lease
			c.work()
			if err := c.legal(); err != nil {
				t.Fatalf("killed after %d writes, when the work had gone on: %v", n, err)
			}
			if err := c.lifeOfFiles(rescue); err != nil {
				t.Fatalf("killed after %d writes, run again: %v", n, err)
			}
			st := c.mustGeo("")
			wantGeo(t, fmt.Sprintf("killed after %d writes, at the end", n), st, policy.Registered, 100)
			if err := c.legal(); err != nil || st.Status.Policy.Roots[0].URI != kid(rescue[0], 1) {
				t.Fatalf("killed after %d writes, at the end: roots %v, %v", n, st.Status.Policy.Roots, err)
			}
			if n > 200 {
				t.Fatal("it does not end")
			}
		}
	})
}
