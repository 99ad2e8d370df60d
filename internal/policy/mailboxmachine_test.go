package policy_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// A boxMachine drives the mailboxes of one tenant by random steps beside a model of who has
// which policy.
type boxMachine struct {
	c        *tenant
	service  string // id of the service's own policy
	policies []*boxModel
	owns     map[string]*boxModel // by mailbox
	byDef    *boxModel
	pairs    [][]string
}

type boxModel struct {
	id, name    string
	enabled     bool
	pair        int // which of the machine's pairs its roots are
	generations int
}

var boxNames = []string{"alice", "bob", "carol"}

func (m *boxMachine) pick(t *rapid.T) *boxModel {
	if len(m.policies) == 0 {
		t.Skip("no policy yet")
	}
	return rapid.SampledFrom(m.policies).Draw(t, "policy")
}

func (m *boxMachine) create(t *rapid.T) {
	name := rapid.SampledFrom([]string{"P", "Q", "R"}).Draw(t, "name")
	if slices.ContainsFunc(m.policies, func(p *boxModel) bool { return p.name == name }) {
		t.Skip("it is there")
	}
	p, err := m.c.service.Create(m.c.t.Context(), m.c.admin, policy.Draft{Family: policy.Mailbox, Name: name, KeyURIs: m.pairs[0], Enabled: true})
	want(t, "creating", err, "")
	m.policies = append(m.policies, &boxModel{id: p.ID, name: name, enabled: true, generations: 1})
}

// outcome is what putting something under p must give.
func (p *boxModel) outcome() fault.Code {
	if p.enabled {
		return ""
	}
	return fault.Conflict
}

func (m *boxMachine) assignTo(t *rapid.T) {
	p, name := m.pick(t), rapid.SampledFrom(boxNames).Draw(t, "mailbox")
	want(t, "assigning", m.c.service.AssignTo(m.c.t.Context(), m.c.admin, holder(name), p.name), p.outcome())
	if p.enabled {
		m.owns[name] = p
	}
}

func (m *boxMachine) takeBack(t *rapid.T) {
	name := rapid.SampledFrom(boxNames).Draw(t, "mailbox")
	want(t, "taking back", m.c.service.AssignTo(m.c.t.Context(), m.c.admin, holder(name), ""), "")
	delete(m.owns, name)
}

func (m *boxMachine) reassign(t *rapid.T) {
	from, to := m.pick(t), m.pick(t)
	if from == to || rapid.Bool().Draw(t, "to none") {
		_, err := m.c.service.Reassign(m.c.t.Context(), m.c.admin, from.name, "")
		want(t, "taking all back", err, "")
		to = nil
	} else {
		_, err := m.c.service.Reassign(m.c.t.Context(), m.c.admin, from.name, to.name)
		want(t, "moving all", err, to.outcome())
		if !to.enabled {
			return
		}
	}
	for name, p := range m.owns {
		if p == from {
			if m.owns[name] = to; to == nil {
				delete(m.owns, name)
			}
		}
	}
}

func (m *boxMachine) setDefault(t *rapid.T) {
	if rapid.Bool().Draw(t, "none") {
		want(t, "ending the default", m.c.service.SetDefault(m.c.t.Context(), m.c.admin, ""), "")
		m.byDef = nil
		return
	}
	p := m.pick(t)
	want(t, "setting the default", m.c.service.SetDefault(m.c.t.Context(), m.c.admin, p.id), p.outcome())
	if p.enabled {
		m.byDef = p
	}
}

func (m *boxMachine) enable(t *rapid.T) {
	p, on := m.pick(t), rapid.Bool().Draw(t, "on")
	_, err := m.c.service.Update(m.c.t.Context(), m.c.admin, policy.Mailbox, p.name, policy.Change{Enabled: &on})
	if !on && m.byDef == p {
		want(t, "disabling the default", err, fault.Conflict)
		return
	}
	want(t, "enabling or disabling", err, "")
	p.enabled = on
}

func (m *boxMachine) replace(t *rapid.T) {
	p, to := m.pick(t), rapid.IntRange(0, len(m.pairs)-1).Draw(t, "pair")
	_, err := m.c.service.Replace(m.c.t.Context(), m.c.admin, policy.Mailbox, p.name, m.pairs[to])
	if to == p.pair {
		want(t, "replacing by the same", err, fault.Invalid)
		return
	}
	want(t, "replacing", err, "")
	p.pair, p.generations = to, p.generations+1
}

func (m *boxMachine) seal(t *rapid.T) {
	if err := m.c.seal("exchange", rapid.SampledFrom(boxNames).Draw(t, "mailbox")); err != nil {
		t.Fatalf("sealing: %v", err)
	}
}

func (m *boxMachine) converge(t *rapid.T) {
	ctx, cancel := context.WithTimeout(m.c.t.Context(), time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms"))*time.Millisecond)
	defer cancel()
	if err := m.c.runner.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// covers is the policy that a mailbox belongs under: its own, the default, the service's.
func (m *boxMachine) covers(name string) (id string, own bool) {
	switch {
	case m.owns[name] != nil:
		return m.owns[name].id, true
	case m.byDef != nil:
		return m.byDef.id, false
	}
	return m.service, false
}

// check holds after every step.
func (m *boxMachine) check(t *rapid.T) {
	(&machine{c: m.c}).exact(t)
	for _, name := range boxNames {
		id, own := m.covers(name)
		got, err := m.c.service.Coverage(m.c.t.Context(), m.c.admin, container(m.c.id, "exchange", name))
		if err != nil || got.Policy.ID != id || got.Own != own || got.Settled > got.Keys || got.Keys > 1 {
			t.Fatalf("%s is covered %+v, want by %s, own %v: %v", name, got, id, own, err)
		}
	}
	for _, p := range m.policies {
		st, err := m.c.service.Status(m.c.t.Context(), m.c.admin, policy.Mailbox, p.id)
		want(t, "reading the status", err, "")
		objects := int64(0)
		for _, q := range m.owns {
			if q == p {
				objects++
			}
		}
		if st.Objects != objects || st.Assigned != (objects > 0 || m.byDef == p) || st.Policy.Enabled != p.enabled || st.Policy.Number != p.generations || st.Policy.Roots[0].URI != m.pairs[p.pair][0] {
			t.Fatalf("%+v, want %+v with %d mailboxes", st.Policy, p, objects)
		}
	}
}

// settle ends a run: everything is where it belongs and opens, and root keys that no policy has
// any more are not needed.
func (m *boxMachine) settle(t *rapid.T) {
	time.Sleep(6 * time.Minute)
	m.c.work()
	for _, name := range boxNames {
		if got := m.c.coverage(name); got.Settled != got.Keys {
			t.Fatalf("%s has not settled: %+v", name, got)
		}
	}
	used := map[int]bool{}
	for _, p := range m.policies {
		used[p.pair] = true
	}
	for i, pair := range m.pairs {
		for _, key := range pair {
			if !used[i] {
				m.c.vaults.deny(key)
			}
		}
	}
	time.Sleep(2 * time.Minute) // no lease of an old key is left
	if err := m.c.reopen(); err != nil {
		t.Fatalf("opening what was sealed: %v", err)
	}
}

// Random assignments, defaults, replaced roots, interrupted work: what covers each mailbox is
// always what the model says, and all that was ever sealed opens (CK-120, CK-254, CK-314).
func TestMailboxMachine(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 2 }, func(t *testing.T, w *world) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			c := w.mailTenant()
			m := &boxMachine{c: c, service: c.inForce("exchange"), owns: map[string]*boxModel{}, pairs: [][]string{c.keys[:], c.pair("b"), c.pair("c")}}
			t.Repeat(map[string]func(*rapid.T){
				"create": m.create, "assign": m.assignTo, "assign more": m.assignTo, "take back": m.takeBack, "move all": m.reassign, "default": m.setDefault,
				"enable": m.enable, "replace": m.replace, "seal": m.seal, "seal more": m.seal, "converge": m.converge, "": m.check,
			})
			m.settle(t)
		})
	})
}
