package request_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A modelled request is what the test believes of one.
type modelled struct {
	r         request.Request
	state     request.State
	approvers []string      // names
	waits     time.Duration // until its operation may begin
}

// A machine gives random commands to a service and to a small model, and compares them.
type machine struct {
	*world
	tenant
	all    []*modelled
	people []directory.Caller // who give commands
}

// Random commands, clocks that jump, starts anew: an approval of the wrong person never counts,
// none counts twice, nothing happens before its time or after its end, and every deed that was
// approved is done exactly once.
func TestMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, store.ServiceAreas()...))
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{world: w, tenant: w.tenant()}
		compliance := w.person("compliance", m.id, directory.ComplianceAdministrator)
		m.people = []directory.Caller{m.admin, m.officer, compliance, w.operator}
		rt.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "approve": m.approve, "deny": m.deny, "withdraw": m.withdraw,
			"pass": m.pass, "set the clock": m.set, "run": m.run, "sweep": m.sweep, "start anew": func(*rapid.T) { w.service = w.open() },
			"": m.compare,
		})
	})
}

func (m *machine) ask(rt *rapid.T) {
	kind := rapid.SampledFrom([]request.Kind{"both", "slow", "officer1", "operator", "rule"}).Draw(rt, "kind")
	who := rapid.SampledFrom(m.people).Draw(rt, "who")
	r, err := m.service.Ask(m.t.Context(), who, request.Ask{Kind: kind, Family: "mailbox", Subject: uuid.NewString()})
	if may := who.Has(askers...); may != (err == nil) {
		rt.Fatalf("%s asks for %s: %v", who.Name, kind, err)
	}
	if err != nil {
		return
	}
	one := &modelled{r: r, state: request.Waiting}
	if kind == "rule" {
		one.state = request.Approved
	}
	m.all = append(m.all, one)
}

// pick draws one of the requests, and somebody.
func (m *machine) pick(rt *rapid.T) (*modelled, directory.Caller) {
	if len(m.all) == 0 {
		rt.Skip("nothing is asked for")
	}
	return rapid.SampledFrom(m.all).Draw(rt, "request"), rapid.SampledFrom(m.people).Draw(rt, "who")
}

// sees reports whether the caller can name the request at all.
func (m *machine) sees(one *modelled, who directory.Caller) bool {
	undecided := one.state == request.Waiting || one.state == request.Approved
	return who.Tenant == m.id || undecided && one.needs("operator")
}

// needs reports whether an approval of that person counts for the kind.
func (one *modelled) needs(name string) bool {
	return map[request.Kind]map[string]bool{
		"both": {"officer": true, "operator": true}, "slow": {"officer": true, "operator": true},
		"officer1": {"officer": true}, "operator": {"operator": true},
	}[one.r.Kind][name]
}

// lapse is what the model makes of the time when somebody looks.
func (m *machine) lapse(one *modelled) {
	if one.state == request.Waiting && m.now().After(one.r.Expires) {
		one.state = request.Expired
	}
}

func (m *machine) approve(rt *rapid.T) {
	one, who := m.pick(rt)
	digest := one.r.Digest()
	right := rapid.IntRange(0, 4).Draw(rt, "digest") > 0
	if !right {
		digest = m.all[0].r.Digest() + "0"
	}
	if m.sees(one, who) {
		m.lapse(one)
	}
	may := one.state == request.Waiting && right && one.needs(who.Name) && !slices.Contains(one.approvers, who.Name)
	r, err := m.service.Approve(m.t.Context(), who, one.r.ID, digest)
	if may != (err == nil) {
		rt.Fatalf("%s approves %s, which is %s: %v", who.Name, one.r.Kind, one.state, err)
	}
	if !may {
		return
	}
	one.approvers = append(one.approvers, who.Name)
	if len(one.approvers) == 2 || one.r.Kind == "officer1" || one.r.Kind == "operator" {
		one.state, one.waits = request.Approved, kinds[one.r.Kind].Wait
		if want := m.now().Add(kinds[one.r.Kind].Wait); r.NotBefore.Before(want) {
			rt.Fatalf("it takes effect at %v, before %v", r.NotBefore, want)
		}
	}
}

func (m *machine) deny(rt *rapid.T) {
	one, who := m.pick(rt)
	if m.sees(one, who) {
		m.lapse(one)
	}
	may := m.sees(one, who) && (who.Name == "officer" || who.Name == "operator" && one.needs("operator"))
	m.end(rt, one, may, request.Denied, func() error {
		_, err := m.service.Deny(m.t.Context(), who, one.r.ID, "no")
		return err
	})
}

func (m *machine) withdraw(rt *rapid.T) {
	one, who := m.pick(rt)
	if m.sees(one, who) {
		m.lapse(one)
	}
	may := who.Name == "admin" || who.ID == one.r.AskedBy.ID
	m.end(rt, one, may, request.Withdrawn, func() error {
		_, err := m.service.Withdraw(m.t.Context(), who, one.r.ID, "no")
		return err
	})
}

func (m *machine) end(rt *rapid.T, one *modelled, may bool, as request.State, do func() error) {
	may = may && (one.state == request.Waiting || one.state == request.Approved)
	if err := do(); may != (err == nil) {
		rt.Fatalf("%s, which is %s, becomes %s: %v", one.r.Kind, one.state, as, err)
	}
	if may {
		one.state = as
	}
}

func (m *machine) pass(rt *rapid.T) {
	d := time.Duration(rapid.SampledFrom([]int{1, 15, 30, 61}).Draw(rt, "minutes")) * time.Minute
	m.world.pass(d)
	for _, one := range m.all {
		if one.state == request.Approved {
			one.waits -= d
		}
	}
}

// set sets the clock, on or back: that hurries nothing that waits, and holds up nothing.
func (m *machine) set(rt *rapid.T) {
	m.world.set(time.Duration(rapid.SampledFrom([]int{-24 * 60, -90, -30, 30, 61, 24 * 60}).Draw(rt, "minutes")) * time.Minute)
	m.tend()
}

func (m *machine) run(*rapid.T) {
	m.runAll(m.id)
	for _, one := range m.all {
		if one.state == request.Approved && one.waits <= 0 {
			one.state = request.Done
		}
	}
}

func (m *machine) sweep(rt *rapid.T) {
	if err := m.service.Sweep(m.t.Context()); err != nil {
		rt.Fatal(err)
	}
	for _, one := range m.all {
		m.lapse(one)
	}
}

// compare looks at every row behind the service's back.
func (m *machine) compare(rt *rapid.T) {
	for _, one := range m.all {
		r, err := m.rows.Request(m.t.Context(), m.id, one.r.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if r.State != one.state || len(r.Approvals) != len(one.approvers) && r.Needs != request.NeedsRule || r.Digest() != one.r.Digest() {
			rt.Fatalf("%s is %s with %d approvals, want %s with %d", r.Kind, r.State, len(r.Approvals), one.state, len(one.approvers))
		}
		if ran := m.ran(r); ran != map[bool]int{true: 1}[one.state == request.Done] {
			rt.Fatalf("the deed of %s, which is %s, ran %d times", r.Kind, one.state, ran)
		}
	}
}
