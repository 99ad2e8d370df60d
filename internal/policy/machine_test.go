package policy_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// A machine drives one tenant by random steps beside a model of it, which is small enough to
// be seen to be right.
type machine struct {
	c        *tenant
	policies []*model
	assigned *model          // nil: the service's own
	bad      map[string]bool // root keys that are denied or unreachable
}

type model struct {
	id, name          string
	enabled, everUsed bool
	generations       int
}

func (m *machine) pick(t *rapid.T) *model {
	if len(m.policies) == 0 {
		t.Skip("no policy yet")
	}
	return rapid.SampledFrom(m.policies).Draw(t, "policy")
}

func (m *machine) rootsAreGood() bool { return !m.bad[m.c.keys[0]] && !m.bad[m.c.keys[1]] }

// want compares an outcome with what the model says; code "" is success.
func want(t *rapid.T, what string, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("%s: %v, want code %q", what, err, code)
	}
}

func (m *machine) create(t *rapid.T) {
	name := rapid.SampledFrom([]string{"one", "two", "Three", "ONE"}).Draw(t, "name")
	_, err := m.c.service.Create(m.c.t.Context(), m.c.admin, draft(name, m.c.keys[:]...))
	for _, p := range m.policies {
		if policy.FoldName(p.name) == policy.FoldName(name) {
			want(t, "creating it twice", err, fault.Conflict)
			return
		}
	}
	if !m.rootsAreGood() {
		if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unavailable) {
			t.Fatalf("creating under bad roots: %v", err)
		}
		return
	}
	want(t, "creating", err, "")
	p, err := m.c.service.Get(m.c.t.Context(), m.c.admin, policy.MultiWorkload, name)
	want(t, "reading back", err, "")
	m.policies = append(m.policies, &model{id: p.ID, name: name, enabled: true, generations: 1})
}

func (m *machine) assign(t *rapid.T) {
	p := m.pick(t)
	err := m.c.service.Assign(m.c.t.Context(), m.c.admin, p.name)
	if !p.enabled {
		want(t, "assigning a disabled policy", err, fault.Conflict)
		return
	}
	want(t, "assigning", err, "")
	p.everUsed, m.assigned = true, p
}

func (m *machine) unassign(t *rapid.T) {
	want(t, "unassigning", m.c.service.Assign(m.c.t.Context(), m.c.admin, ""), "")
	m.assigned = nil
}

func (m *machine) refresh(t *rapid.T) {
	p := m.pick(t)
	_, err := m.c.service.Refresh(m.c.t.Context(), m.c.admin, policy.MultiWorkload, p.id)
	if !m.rootsAreGood() {
		if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unavailable) {
			t.Fatalf("refreshing under bad roots: %v", err)
		}
		return
	}
	want(t, "refreshing", err, "")
	p.generations++
}

func (m *machine) enable(t *rapid.T) {
	p, on := m.pick(t), rapid.Bool().Draw(t, "on")
	_, err := m.c.service.Update(m.c.t.Context(), m.c.admin, policy.MultiWorkload, p.name, policy.Change{Enabled: &on})
	if !on && m.assigned == p {
		want(t, "disabling what is assigned", err, fault.Conflict)
		return
	}
	want(t, "enabling or disabling", err, "")
	p.enabled = on
}

func (m *machine) roll(t *rapid.T) {
	m.c.vaults.roll(rapid.SampledFrom(m.c.keys[:]).Draw(t, "key"))
}

func (m *machine) breakRoot(t *rapid.T) {
	key := rapid.SampledFrom(m.c.keys[:]).Draw(t, "key")
	if rapid.Bool().Draw(t, "denied") {
		m.c.vaults.deny(key)
	} else {
		m.c.vaults.cut(key)
	}
	m.bad[key] = true
}

func (m *machine) healRoots(t *rapid.T) {
	for key := range m.bad {
		m.c.vaults.heal(key)
	}
	clear(m.bad)
	time.Sleep(2 * time.Second) // failures are held for a second
}

func (m *machine) seal(t *rapid.T) {
	workload := rapid.SampledFrom([]string{"exchange", "teams", "documents"}).Draw(t, "workload")
	name := fmt.Sprint(rapid.IntRange(0, 1).Draw(t, "container"))
	err := m.c.seal(workload, name)
	if err != nil && (m.rootsAreGood() || fault.CodeOf(err) != fault.Denied && fault.CodeOf(err) != fault.Unavailable) {
		t.Fatalf("sealing: %v", err)
	}
}

// converge works a little: maybe the runner stops in the middle.
func (m *machine) converge(t *rapid.T) {
	ctx, cancel := context.WithTimeout(m.c.t.Context(), time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms"))*time.Millisecond)
	defer cancel()
	if err := m.c.runner.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// check holds after every step.
func (m *machine) check(t *rapid.T) {
	ctx := m.c.t.Context()
	m.exact(t)
	a, err := m.c.service.Assignment(ctx, m.c.admin)
	want(t, "reading the assignment", err, "")
	if (a == nil) != (m.assigned == nil) || a != nil && a.ID != m.assigned.id {
		t.Fatalf("assigned is %+v, want %+v", a, m.assigned)
	}
	all, err := m.c.service.List(ctx, m.c.admin, policy.MultiWorkload)
	if err != nil || len(all) != len(m.policies) {
		t.Fatalf("%d policies, want %d, %v", len(all), len(m.policies), err)
	}
	for _, p := range m.policies {
		st, err := m.c.service.Status(ctx, m.c.admin, policy.MultiWorkload, p.id)
		want(t, "reading the status", err, "")
		checkStatus(t, st, p)
	}
	for _, workload := range []string{"exchange", "teams"} {
		target, err := m.c.service.InForce(ctx, hierarchy.Container{Tenant: m.c.id, Workload: workload})
		want(t, "in force", err, "")
		if m.assigned != nil && target.Policy != m.assigned.id || target.NewDataOnly != (workload == "teams") {
			t.Fatalf("in force for %s is %+v, want %+v", workload, target, m.assigned)
		}
		g, err := m.c.rows.Generation(ctx, m.c.id, target.Generation)
		if err != nil || g.State != hierarchy.Active || g.Policy != target.Policy {
			t.Fatalf("the target is %+v, %v", g, err)
		}
	}
}

// checkStatus holds for every policy at any time.
func checkStatus(t *rapid.T, st policy.Status, p *model) {
	wantState := policy.PendingActivation
	if p.everUsed {
		wantState = policy.Active
	}
	if st.Policy.Enabled != p.enabled || st.Policy.State != wantState || st.Policy.Number != p.generations || len(st.Generations) != p.generations {
		t.Fatalf("%+v, want %+v", st.Policy, p)
	}
	needed := map[string]bool{}
	for i, g := range st.Generations {
		newest := i == len(st.Generations)-1
		if (g.State == hierarchy.Active) != newest || newest && g.ID != st.Policy.Generation {
			t.Fatalf("generation %d of %d is %s", g.Number, p.generations, g.State)
		}
		if g.State == hierarchy.Destroyed && g.Containers > 0 {
			t.Fatalf("generation %d is destroyed with %d keys under it", g.Number, g.Containers)
		}
		if g.State != hierarchy.Destroyed {
			needed[g.KeyIDs[0]], needed[g.KeyIDs[1]] = true, true
		}
	}
	for _, v := range st.Roots {
		if v.SafeToRetire && (needed[v.KeyID] || v.Current || v.Containers > 0) {
			t.Fatalf("%+v is said to be safe to retire", v)
		}
	}
	if st.Percent < 0 || st.Percent > 100 {
		t.Fatalf("%v %%", st.Percent)
	}
}

// settle ends a run: with good roots everything converges, what nothing needs is destroyed,
// and everything that was ever sealed opens.
func (m *machine) settle(t *rapid.T) {
	m.healRoots(t)
	time.Sleep(6 * time.Minute) // beyond any pause after failures
	m.c.work()
	needed := map[string]bool{}
	var stats []policy.Status
	for _, p := range m.policies {
		st, err := m.c.service.Status(m.c.t.Context(), m.c.admin, policy.MultiWorkload, p.id)
		want(t, "reading the status", err, "")
		stats = append(stats, st)
		for _, g := range st.Generations {
			if g.State == hierarchy.Active {
				needed[g.KeyIDs[0]], needed[g.KeyIDs[1]] = true, true
			}
		}
	}
	for _, st := range stats {
		if st.Percent != 100 {
			t.Fatalf("%s: %v %% after all work", st.Policy.Name, st.Percent)
		}
		for _, v := range st.Roots {
			if v.SafeToRetire == needed[v.KeyID] {
				t.Fatalf("%s: %+v, needed %v", st.Policy.Name, v, needed[v.KeyID])
			}
		}
		for i, g := range st.Generations {
			if i < len(st.Generations)-1 && g.State != hierarchy.Destroyed {
				t.Fatalf("%s: generation %d is %s after all work", st.Policy.Name, g.Number, g.State)
			}
		}
	}
	if err := m.c.reopen(); err != nil {
		t.Fatalf("opening what was sealed: %v", err)
	}
}

// exact holds after every step: the counts that are kept are those of the keys.
func (m *machine) exact(t *rapid.T) {
	ctx := m.c.t.Context()
	kept, err := m.c.rows.Usage(ctx, m.c.id)
	want(t, "reading the counts", err, "")
	want(t, "counting anew", m.c.rows.Recount(ctx, m.c.id), "")
	anew, err := m.c.rows.Usage(ctx, m.c.id)
	want(t, "reading the counts", err, "")
	if !slices.Equal(kept, anew) {
		t.Fatalf("counts %+v, and counted anew %+v", kept, anew)
	}
}

// Random changes, failing roots, interrupted work: the real service does what the model says,
// and every state on the way is a legal one.
func TestMachine(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 2 }, func(t *testing.T, w *world) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // wrapped: it must not ask for the deadline
			m := &machine{c: w.tenant(), bad: map[string]bool{}}
			t.Repeat(map[string]func(*rapid.T){
				"create": m.create, "assign": m.assign, "unassign": m.unassign, "refresh": m.refresh, "enable": m.enable,
				"roll": m.roll, "break": m.breakRoot, "heal": m.healRoots, "seal": m.seal, "seal more": m.seal, "seal even more": m.seal, "converge": m.converge, "": m.check,
			})
			m.settle(t)
		})
	})
}
