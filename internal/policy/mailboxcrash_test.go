package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// boxScript is what an administrator of mailboxes does; it can be run again after being cut off
// anywhere.
func (c *tenant) boxScript(fresh []string) error {
	ctx := c.t.Context()
	steps := []func() error{
		func() error { return c.service.AssignTo(ctx, c.admin, holder("alice"), "P") },
		func() error { return c.service.AssignTo(ctx, c.admin, holder("bob"), "P") },
		func() error { c.work(); return nil },
		func() error {
			_, err := c.service.Replace(ctx, c.admin, policy.Mailbox, "P", fresh)
			if fault.Is(err, fault.Invalid) {
				err = nil // it has these roots already
			}
			return err
		},
		func() error { c.work(); return nil },
		func() error { return second(c.service.Reassign(ctx, c.admin, "P", "Q")) },
		func() error { return c.service.SetDefault(ctx, c.admin, "P") },
		func() error { return c.service.AssignTo(ctx, c.admin, holder("bob"), "") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// boxLegal checks what must hold at every moment: above all, that a policy names the roots of its
// active generation, and no others.
func (c *tenant) boxLegal() error {
	all, err := c.rows.Policies(c.t.Context(), c.id, policy.Mailbox, 100)
	if err != nil {
		return err
	}
	for _, p := range all {
		pic, err := c.rows.Picture(c.t.Context(), c.id, p.ID, "converge")
		if err != nil {
			return err
		}
		if len(pic.Generations) != p.Number {
			return fmt.Errorf("%s has %d generations, and number %d", p.Name, len(pic.Generations), p.Number)
		}
		newest := pic.Generations[p.Number-1]
		if newest.ID != p.Generation || newest.State != hierarchy.Active || newest.Roots[0].Ref != p.Roots[0] || newest.Roots[1].Ref != p.Roots[1] {
			return fmt.Errorf("%s names %v, its newest generation is %s under %v and %v", p.Name, p.Roots, newest.State, newest.Roots[0].Ref, newest.Roots[1].Ref)
		}
	}
	return c.reopen()
}

// Killed after every single write: what is there is legal, everything opens, and the script can be
// run again to its end.
func TestMailboxCrashAfterEveryWrite(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for n, finished := int64(0), false; !finished; n += slow {
			c, f := w.mailTenant(), newFuse(n)
			fresh := c.pair("new")
			c.mustMake(policy.Mailbox, "P")
			c.mustMake(policy.Mailbox, "Q")
			c.mustSeal("exchange", "alice", "bob")
			w.process(f)
			err := c.boxScript(fresh)
			if finished = err == nil; !finished && !f.dead.Load() {
				t.Fatalf("after %d writes: %v", n, err)
			}
			w.process(newFuse(1 << 40))
			if err := c.boxLegal(); err != nil {
				t.Fatalf("killed after %d writes: %v", n, err)
			}
			time.Sleep(4 * time.Second) // the dead process' lease
			c.work()
			if err := c.boxScript(fresh); err != nil {
				t.Fatalf("killed after %d writes, run again: %v", n, err)
			}
			c.work()
			q := must(c.service.Get(t.Context(), c.admin, policy.Mailbox, "Q"))
			p := must(c.service.Get(t.Context(), c.admin, policy.Mailbox, "P"))
			c.wantCovered("alice", q.ID, 1, 1)
			c.wantCovered("bob", p.ID, 1, 1)
			if err := c.boxLegal(); err != nil || t.Failed() {
				t.Fatalf("killed after %d writes, at the end: %v", n, err)
			}
			if n > 300 {
				t.Fatal("the script does not end")
			}
		}
	})
}
