package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// An oracle does random things to a tenant, has each foreseen before, and compares.
type oracle struct {
	c *tenant
}

// step draws an act. It is handed the service, or the view of it.
func (o *oracle) step(t *rapid.T) (what string, act func(policy.Acts) error) {
	ctx, c := o.c.t.Context(), o.c
	family := rapid.SampledFrom([]policy.Family{policy.MultiWorkload, policy.Mailbox}).Draw(t, "family")
	name := rapid.SampledFrom([]string{"one", "two", "ONE"}).Draw(t, "name")
	other := rapid.SampledFrom([]string{"one", "two", ""}).Draw(t, "other")
	uris := [2][]string{c.keys[:], c.spare[:]}[rapid.IntRange(0, 1).Draw(t, "keys")]
	on := rapid.Bool().Draw(t, "on")
	steps := map[string]func(policy.Acts) error{
		"create": func(a policy.Acts) error {
			_, err := a.Create(ctx, c.admin, policy.Draft{Family: family, Name: name, KeyURIs: uris, Enabled: on})
			return err
		},
		"update and refresh": func(a policy.Acts) error {
			if _, err := a.Update(ctx, c.admin, family, name, policy.Change{Description: &other}); err != nil {
				return err
			}
			_, err := a.Refresh(ctx, c.admin, family, name)
			return err
		},
		"enable": func(a policy.Acts) error {
			_, err := a.Update(ctx, c.admin, family, name, policy.Change{Enabled: &on})
			return err
		},
		"refresh": func(a policy.Acts) error { _, err := a.Refresh(ctx, c.admin, family, name); return err },
		"replace": func(a policy.Acts) error { _, err := a.Replace(ctx, c.admin, family, name, uris); return err },
		"assign":  func(a policy.Acts) error { return a.Assign(ctx, c.admin, other) },
		"default": func(a policy.Acts) error { return a.SetDefault(ctx, c.admin, other) },
		"assign to": func(a policy.Acts) error {
			return a.AssignTo(ctx, c.admin, policy.Holder{Container: fmt.Sprintf("exchange/%d", len(other)), Name: "x"}, other)
		},
		"reassign": func(a policy.Acts) error { _, err := a.Reassign(ctx, c.admin, name, other); return err },
		"register": func(a policy.Acts) error {
			_, err := a.Register(ctx, c.admin, "", [2]policy.RootKey{{URI: uris[0]}, {URI: uris[1]}})
			return err
		},
		"change roots": func(a policy.Acts) error {
			_, err := a.ChangeRoots(ctx, c.admin, "", [2]*policy.RootKey{{URI: uris[0]}, nil})
			return err
		},
	}
	names := make([]string, 0, len(steps))
	for n := range steps {
		names = append(names, n)
	}
	slices.Sort(names)
	what = rapid.SampledFrom(names).Draw(t, "what")
	return what, steps[what]
}

// life is what happens to a tenant beside policies being changed.
func (o *oracle) life(t *rapid.T) {
	switch rapid.IntRange(0, 5).Draw(t, "life") {
	case 0:
		o.c.vaults.roll(rapid.SampledFrom(append(o.c.keys[:], o.c.spare[:]...)).Draw(t, "key"))
	case 1:
		o.c.work()
	default:
		workload := rapid.SampledFrom([]string{"exchange", "documents", "teams", "sharepoint"}).Draw(t, "workload")
		o.c.mustSeal(workload, fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "container")))
	}
}

// under returns the generation of each of the tenant's container keys.
func (o *oracle) under(t *rapid.T) map[policy.Place]string {
	keys, err := o.c.rows.ContainerKeys(o.c.t.Context(), o.c.id, policy.Place{}, 1000)
	want(t, "reading the keys", err, "")
	at := map[policy.Place]string{}
	for _, k := range keys {
		at[policy.Place{Container: k.Container, Version: k.Version}] = k.Generation
	}
	return at
}

// needed returns the versions of root keys that live generations are wrapped under.
func (o *oracle) needed(t *rapid.T) map[string]bool {
	live, err := o.c.rows.LiveGenerations(o.c.t.Context(), o.c.id)
	want(t, "reading the generations", err, "")
	kids := map[string]bool{}
	for _, g := range live {
		kids[g.Roots[0].KeyID], kids[g.Roots[1].KeyID] = true, true
	}
	return kids
}

// foresee has an act foreseen, sees that this has left no trace, does it, lets everything move,
// and compares.
func (o *oracle) foresee(t *rapid.T, what string, act func(policy.Acts) error) {
	ctx, c := o.c.t.Context(), o.c
	state := func() any {
		p, err := c.rows.Prospect(ctx, c.id)
		want(t, "reading", err, "")
		keys, err := c.service.AvailabilityKeys(ctx, c.admin, "", "")
		want(t, "reading the availability keys", err, "")
		ops, err := c.config.Operations.List(ctx, c.id, "", 100)
		want(t, "reading the operations", err, "")
		return []any{p, len(keys), ops, len(c.entries())}
	}
	untouched := state()
	report, foreseen := c.service.WhatIf(ctx, c.admin, act)
	if diff := cmp.Diff(untouched, state()); diff != "" {
		t.Fatalf("foreseeing %s has changed what is there:\n%s", what, diff)
	}
	before := o.needed(t)
	done := act(c.service)
	if f, d := fault.As(foreseen), fault.As(done); (foreseen == nil) != (done == nil) || done != nil && (f.Code != d.Code || f.Message != d.Message || f.Hint != d.Hint) {
		t.Fatalf("%s: %v, and was foreseen as %v", what, done, foreseen)
	}
	if done != nil {
		return
	}
	for kid := range o.needed(t) {
		before[kid] = true
	}
	from := o.under(t)
	c.work()
	moved, containers := int64(0), map[string]bool{}
	for place, g := range o.under(t) {
		if from[place] != g {
			moved++
			containers[place.Container] = true
		}
	}
	if report.Moving.Keys != moved || report.Moving.Containers != int64(len(containers)) {
		t.Fatalf("%s moves %d keys of %d containers, and was foreseen as %+v", what, moved, len(containers), report)
	}
	var shifted int64
	for _, s := range report.Moves {
		shifted += s.Keys
	}
	after := o.needed(t)
	if shifted != moved || len(report.Kept)+len(report.Taken) != len(after) || len(report.Freed) != len(before)-len(after) {
		t.Fatalf("%s: %+v; needed after it %v, and before %v", what, report, after, before)
	}
	for _, kid := range slices.Concat(report.Kept, report.Taken) {
		if !after[kid] {
			t.Fatalf("%s: %s is not needed, of %+v", what, kid, report)
		}
	}
	for _, kid := range report.Freed {
		if after[kid] || !before[kid] {
			t.Fatalf("%s: %s is not freed, of %+v", what, kid, report)
		}
	}
}

// CK-260, CK-338: what -WhatIf reports is what the act then does, whatever the state: the same
// keys move, the same root keys are freed, the same things are refused in the same words; and
// asking changes nothing.
func TestCK338_WhatIsForeseenHappens(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 3; c.Settle = 100 * time.Millisecond }, func(t *testing.T, w *world) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			o := &oracle{c: w.tenant()}
			o.c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				o.life(t)
				what, act := o.step(t)
				if rapid.Bool().Draw(t, "foresee") {
					o.foresee(t, what, act)
				} else {
					_ = act(o.c.service)
				}
			}
		})
	})
}

// Whoever may not do it is not told what would come of it, and that he tried is recorded.
func TestWhatIfIsRefusedAsTheActIs(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("one")
		reader := c.admin
		reader.Roles = []directory.Role{directory.GlobalReader}
		before := len(c.entries())
		_, err := w.service.WhatIf(t.Context(), reader, func(a policy.Acts) error { return a.Assign(t.Context(), reader, "one") })
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("a reader: %v", err)
		}
		if lines := c.entries()[before:]; len(lines) != 1 || lines[0] != "deny policy.assign one" {
			t.Errorf("recorded %q", lines)
		}
	})
}
