package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// pair makes two good keys in two vaults of their own.
func (c *tenant) pair(name string) []string {
	short := strings.ReplaceAll(c.id, "-", "")[:12]
	return []string{c.vaults.key(short+"-"+name+"-n", "root"), c.vaults.key(short+"-"+name+"-s", "root")}
}

// CK-97, CK-113: both roots in one act. New content is under the new ones at once, old content
// follows, the old roots are needed until then and said to be.
func TestCK113_ReplaceBothRoots(t *testing.T) {
	for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox} {
		t.Run(string(f), func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.mailTenant()
				p := c.mustMake(f, "P")
				if f == policy.Mailbox {
					c.mustAssignTo("alice", "P")
				} else {
					c.mustAssign("P")
				}
				c.mustSeal("exchange", "alice")
				w.work()
				fresh := c.pair("new")
				got, err := w.service.Replace(t.Context(), c.admin, f, "P", fresh)
				if err != nil {
					t.Fatal(err)
				}
				if got.Roots[0].URI != fresh[0] || got.Roots[1].URI != fresh[1] || got.Roots[0].App != p.Roots[0].App || got.Number != 2 {
					t.Errorf("replaced: %+v", got)
				}
				if read := must(w.service.Get(t.Context(), c.admin, f, "P")); read != got {
					t.Errorf("read back:\n%s", cmp.Diff(got, read))
				}
				st := must(w.service.Status(t.Context(), c.admin, f, "P"))
				if diff := cmp.Diff([]string{c.keys[0], c.keys[1]}, stillNeeded(st)); diff != "" || st.Percent != 0 {
					t.Errorf("still needed, %v percent (-want +got):\n%s", st.Percent, diff)
				}
				w.vaults.deny(c.keys[0]) // one of the old ones is enough
				w.work()
				w.vaults.deny(c.keys[1])
				if err := c.reopen(); err != nil {
					t.Errorf("without the old roots: %v", err)
				}
				st = must(w.service.Status(t.Context(), c.admin, f, "P"))
				if needed := stillNeeded(st); len(needed) > 0 || st.Percent != 100 {
					t.Errorf("at the end %v are still needed, %v percent", needed, st.Percent)
				}
				c.mustSeal("exchange", "alice")
			})
		})
	}
}

// stillNeeded returns the keys that are no root of the policy any more and not safe to retire.
func stillNeeded(st policy.Status) (uris []string) {
	for _, v := range st.Roots {
		if !v.Current && !v.SafeToRetire {
			uris = append(uris, v.KeyID[:strings.LastIndex(v.KeyID, "/")])
		}
	}
	return uris
}

// The old roots may both be lost: then the availability key moves what is under them, as work of
// the service itself (CK-50, CK-74).
func TestReplaceAfterTheLossOfBothRoots(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		c.mustMake(policy.Mailbox, "P")
		c.mustAssignTo("alice", "P")
		c.mustSeal("exchange", "alice")
		w.vaults.deny(c.keys[0])
		w.vaults.deny(c.keys[1])
		time.Sleep(2 * time.Minute) // the lease of the old policy key ends
		if _, err := w.service.Replace(t.Context(), c.admin, policy.Mailbox, "P", c.pair("new")); err != nil {
			t.Fatal(err)
		}
		w.work()
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(strings.Join(c.entries(), "\n"), "allow availability.use ") {
			t.Error("the use of the availability key is not in the log")
		}
	})
}

// One root can be replaced by giving the other one again, in any order.
func TestReplaceOneRoot(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		p := c.mustMake(policy.Mailbox, "P")
		fresh := c.pair("new")
		got, err := w.service.Replace(t.Context(), c.admin, policy.Mailbox, "P", []string{c.keys[1], fresh[0]})
		if err != nil || got.Roots[0].URI != c.keys[1] || got.Roots[1].URI != fresh[0] {
			t.Fatalf("%+v, %v", got.Roots, err)
		}
		g := must(w.rows.Generation(t.Context(), c.id, p.Generation))
		if g.State != hierarchy.Draining {
			t.Errorf("the old generation is %s", g.State)
		}
	})
}

// Every new root is checked as at creation; what was refused has changed nothing.
func TestReplaceRefuses(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		p := c.mustMake(policy.Mailbox, "P")
		fresh, weak, gone := c.pair("new"), c.pair("weak"), c.pair("gone")
		w.vaults.change(weak[0], func(k *vaultKey) { k.facts.Type, k.facts.Bits = "EC", 0 })
		w.vaults.cut(gone[1])
		for _, tt := range []struct {
			what   string
			uris   []string
			reason string
		}{
			{"CK-164 none", nil, "CK-164"},
			{"CK-164 one", fresh[:1], "CK-164"},
			{"CK-164 three", []string{fresh[0], fresh[1], weak[1]}, "CK-164"},
			{"CK-165 one vault", []string{c.keys[0], c.spare[0]}, "CK-165"},
			{"CK-166 no RSA", weak, "CK-166"},
			{"CK-85 foreign host", []string{fresh[0], "https://vault.evil.example/keys/k"}, "CK-85"},
			{"CK-169 unreachable", gone, "CK-169"},
			{"the same", c.keys[:], ""},
			{"the same with a version", []string{c.keys[0] + "/0123456789abcdef0123456789abcdef", c.keys[1]}, ""},
			{"the same, changed over", []string{c.keys[1], c.keys[0]}, ""},
		} {
			_, err := w.service.Replace(t.Context(), c.admin, policy.Mailbox, "P", tt.uris)
			if err == nil || fault.As(err).Reason != tt.reason || fault.As(err).Hint == "" {
				t.Errorf("%s: %v (%s)", tt.what, err, fault.As(err).Reason)
			}
			if now := must(w.service.Get(t.Context(), c.admin, policy.Mailbox, "P")); now != p {
				t.Fatalf("%s has changed something:\n%s", tt.what, cmp.Diff(p, now))
			}
		}
		if log := c.entries(); !strings.HasPrefix(log[len(log)-1], "fail policy.replace ") {
			t.Errorf("last entry %q", log[len(log)-1])
		}
	})
}
