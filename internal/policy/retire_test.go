package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// A keeper rolls root keys and believes what the service says about old versions: one that is
// safe to retire it destroys at once.
type keeper struct {
	c        *tenant
	policies map[policy.Family][]string
	geo      bool
	retired  map[string]bool // versions that were destroyed
}

// all returns the status of each policy of each family.
func (k *keeper) all(t *rapid.T) (all []policy.Status) {
	ctx := k.c.t.Context()
	for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox} {
		for _, name := range k.policies[f] {
			st, err := k.c.service.Status(ctx, k.c.admin, f, name)
			want(t, "reading the status", err, "")
			all = append(all, st)
		}
	}
	if k.geo {
		st, err := k.c.service.Geo(ctx, k.c.admin, "")
		want(t, "reading the status of the files", err, "")
		all = append(all, st.Status)
	}
	return all
}

// check holds after every step, for every family: a version is said to be safe to retire
// exactly when no generation that is alive was wrapped by it, the objects that still need it
// are counted as they are, and what was retired is not asked for again.
func (k *keeper) check(t *rapid.T) {
	ctx := k.c.t.Context()
	live, err := k.c.rows.LiveGenerations(ctx, k.c.id)
	want(t, "reading the generations", err, "")
	under, err := k.c.rows.Needed(ctx, k.c.id)
	want(t, "counting", err, "")
	needed := map[string]bool{}
	for _, g := range live {
		needed[g.Roots[0].KeyID], needed[g.Roots[1].KeyID] = true, true
	}
	for _, st := range k.all(t) {
		counts := map[string]int64{}
		for _, g := range st.Generations {
			for _, kid := range g.KeyIDs {
				counts[kid] += under[g.ID]
			}
			if g.Containers != under[g.ID] {
				t.Fatalf("%s: generation %d counts %d keys and has %d", st.Policy.Name, g.Number, g.Containers, under[g.ID])
			}
		}
		for _, v := range st.Roots {
			if v.SafeToRetire == needed[v.KeyID] || v.Containers != counts[v.KeyID] || v.SafeToRetire && v.Containers > 0 {
				t.Fatalf("%s: %+v, needed %v by %d keys", st.Policy.Name, v, needed[v.KeyID], counts[v.KeyID])
			}
			if k.retired[v.KeyID] && !v.SafeToRetire {
				t.Fatalf("%s is needed again after it was said to be safe to retire", v.KeyID)
			}
		}
	}
}

// retire destroys the versions that are said to be safe, and makes sure of it.
func (k *keeper) retire(t *rapid.T) {
	for _, st := range k.all(t) {
		for _, v := range st.Roots {
			if v.SafeToRetire {
				k.retired[v.KeyID] = true
				k.c.vaults.destroy(v.KeyID)
			}
		}
	}
	k.c.dropAll() // nothing is held in memory: the roots are asked again
	if err := k.c.reopen(); err != nil {
		t.Fatalf("after %d versions were destroyed: %v", len(k.retired), err)
	}
}

func (k *keeper) refresh(t *rapid.T) {
	f := rapid.SampledFrom([]policy.Family{policy.MultiWorkload, policy.Mailbox}).Draw(t, "family")
	name := rapid.SampledFrom(k.policies[f]).Draw(t, "policy")
	_, err := k.c.service.Refresh(k.c.t.Context(), k.c.admin, f, name)
	want(t, "refreshing", err, "")
}

func (k *keeper) assign(t *rapid.T) {
	name := rapid.SampledFrom(append(k.policies[policy.MultiWorkload], "")).Draw(t, "policy")
	want(t, "assigning", k.c.service.Assign(k.c.t.Context(), k.c.admin, name), "")
}

func (k *keeper) assignTo(t *rapid.T) {
	box := fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "mailbox"))
	name := rapid.SampledFrom(append(k.policies[policy.Mailbox], "")).Draw(t, "policy")
	want(t, "assigning to a mailbox", k.c.service.AssignTo(k.c.t.Context(), k.c.admin, holder(box), name), "")
}

func (k *keeper) register(t *rapid.T) {
	if k.geo {
		t.Skip("once")
	}
	var keys [2]policy.RootKey
	for i, uri := range k.c.keys {
		k.c.vaults.change(uri, func(key *vaultKey) { keys[i].URI = kid(uri, key.versions) })
	}
	_, err := k.c.service.Register(k.c.t.Context(), k.c.admin, "", keys)
	want(t, "registering", err, "")
	k.geo = true
}

func (k *keeper) roll(t *rapid.T) {
	k.c.vaults.roll(rapid.SampledFrom(k.c.keys[:]).Draw(t, "key"))
}

func (k *keeper) seal(t *rapid.T) {
	workload := rapid.SampledFrom([]string{"exchange", "teams", "documents", "sharepoint"}).Draw(t, "workload")
	want(t, "sealing", k.c.seal(workload, fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "container"))), "")
}

// renew makes a new version of a container's key and destroys the older ones, as deep
// re-encryption does when it has sealed everything again; what was under them is forgotten here.
func (k *keeper) renew(t *rapid.T) {
	if len(k.c.items) == 0 {
		t.Skip("nothing is sealed")
	}
	it := rapid.SampledFrom(k.c.items).Draw(t, "item")
	box := container(k.c.id, it.workload, it.container)
	target, err := k.c.service.InForce(k.c.t.Context(), box)
	want(t, "in force", err, "")
	o, err := k.c.world.keys.Renew(k.c.t.Context(), k.c.admin, box, target)
	want(t, "renewing", err, "")
	o.Close()
	n, err := store.NewWorkload(k.c.db).DestroyVersions(k.c.t.Context(), k.c.id, box.ID, o.Version())
	want(t, "destroying old versions", err, "")
	if n == 0 {
		t.Fatal("no old version was destroyed")
	}
	var kept []item
	for _, other := range k.c.items {
		if other.workload != it.workload || other.container != it.container {
			kept = append(kept, other)
		}
	}
	k.c.items = kept
	want(t, "sealing anew", k.c.seal(it.workload, it.container), "")
}

// CK-238, CK-239, CK-246, CK-319: nobody has to keep old versions for ever or guess which are
// needed. For every family, also after deep re-encryption: what the service says is safe to
// retire can be destroyed, at any moment, and everything still opens.
func TestCK246_WhatIsSafeToRetire(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 2 }, func(t *testing.T, w *world) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			c := w.tenant().files()
			c.admin.Roles = append(c.admin.Roles, directory.ExchangeAdministrator)
			k := &keeper{c: c, policies: map[policy.Family][]string{policy.MultiWorkload: {"P", "Q"}, policy.Mailbox: {"M", "N"}}, retired: map[string]bool{}}
			for f, names := range k.policies {
				for _, name := range names {
					c.mustMake(f, name)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"refresh": k.refresh, "assign": k.assign, "assign to": k.assignTo, "register": k.register, "roll": k.roll,
				"seal": k.seal, "seal more": k.seal, "renew": k.renew, "work": func(*rapid.T) { c.work() }, "retire": k.retire, "": k.check,
			})
			time.Sleep(6 * time.Minute)
			c.work()
			k.retire(t)
			for _, st := range k.all(t) {
				for _, g := range st.Generations {
					if (g.State == hierarchy.Active) != (g.ID == st.Policy.Generation) || g.State == hierarchy.Draining {
						t.Fatalf("%s: generation %d is %s after all work", st.Policy.Name, g.Number, g.State)
					}
				}
			}
		})
	})
}

// destroy makes a version of a root key unusable for ever.
func (v *vaults) destroy(id string) {
	v.change(id[:strings.LastIndex(id, "/")], func(k *vaultKey) {
		if k.gone == nil {
			k.gone = map[string]bool{}
		}
		k.gone[id] = true
	})
}

// errGone is what a vault says of a version that was destroyed.
func errGone(id string) error {
	return fault.New(fault.Denied, "%s is not there", id).WithReason("KeyNotFound")
}
