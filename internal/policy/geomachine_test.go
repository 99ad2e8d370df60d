package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// A geoMachine drives the files of one geo by random steps. Root keys are known by their URIs
// without a version.
type geoMachine struct {
	c          *tenant
	registered bool
	recovery   time.Time       // when the recovery ends
	denied     map[string]bool // by their owner
	down       map[string]bool // cannot be reached
	shown      map[string]int  // generation -> percentage
	pairs      [2]*[2]string   // of root keys, to choose from
}

func (m *geoMachine) bad(uri string) bool { return m.denied[uri] || m.down[uri] }

// wantOutcome checks what a change came to, given why it must be refused, if it must, and the
// root keys that it needs.
func (m *geoMachine) wantOutcome(t *rapid.T, what string, err error, refused bool, needs ...string) (done bool) {
	t.Helper()
	broken := false
	for _, uri := range needs {
		broken = broken || m.bad(uri)
	}
	switch {
	case refused:
		want(t, what+" when it is refused", err, fault.Conflict)
	case broken:
		if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unavailable) {
			t.Fatalf("%s under bad roots: %v", what, err)
		}
	default:
		want(t, what, err, "")
	}
	return err == nil
}

func (m *geoMachine) register(t *rapid.T) {
	_, err := m.c.service.Register(m.c.t.Context(), m.c.admin, "", pinned(1, *m.pairs[0]))
	m.registered = m.wantOutcome(t, "registering", err, m.registered, m.pairs[0][0], m.pairs[0][1]) || m.registered
}

func (m *geoMachine) state() policy.GeoStatus { return m.c.mustGeo("") }

func (m *geoMachine) change(t *rapid.T) {
	side, pair, st := rapid.IntRange(0, 1).Draw(t, "side"), rapid.IntRange(0, 1).Draw(t, "pair"), m.state()
	key := policy.RootKey{URI: kid(m.pairs[pair][side], 1)}
	var keys [2]*policy.RootKey
	keys[side] = &key
	if st.State == policy.Registered && st.Status.Policy.Roots[side].URI == key.URI {
		t.Skip("it has this one")
	}
	_, err := m.c.service.ChangeRoots(m.c.t.Context(), m.c.admin, "", keys)
	needs := []string{m.pairs[pair][side]}
	if st.State == policy.Registered {
		needs = append(needs, st.Status.Policy.Roots[1-side].Key())
	}
	m.wantOutcome(t, "rolling", err, st.State != policy.Registered, needs...)
}

func (m *geoMachine) beginRecovery(t *rapid.T) {
	span := time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second
	until := time.Now().Add(span)
	err := m.c.service.BeginRecovery(m.c.t.Context(), directory.SystemCaller(m.c.id, "recovery", uuid.NewString()), m.c.id, "default", span)
	if m.wantOutcome(t, "beginning a recovery", err, !m.registered) {
		m.recovery = until
	}
}

func (m *geoMachine) restore(t *rapid.T) {
	pair := m.pairs[rapid.IntRange(0, 1).Draw(t, "pair")]
	_, err := m.c.service.RestoreGeo(m.c.t.Context(), m.c.admin, "", pinned(1, *pair))
	if m.wantOutcome(t, "restoring", err, !time.Now().Before(m.recovery), pair[0], pair[1]) {
		m.recovery = time.Time{}
		want(t, "reading after the restore", m.c.reopen(), "")
	}
}

func (m *geoMachine) breakRoot(t *rapid.T) {
	uri := m.pairs[rapid.IntRange(0, 1).Draw(t, "pair")][rapid.IntRange(0, 1).Draw(t, "side")]
	delete(m.denied, uri)
	delete(m.down, uri)
	if rapid.Bool().Draw(t, "denied") {
		m.c.vaults.deny(uri)
		m.denied[uri] = true
	} else {
		m.c.vaults.cut(uri)
		m.down[uri] = true
	}
}

func (m *geoMachine) healRoots(*rapid.T) {
	for _, pair := range m.pairs {
		for _, uri := range pair {
			m.c.vaults.heal(uri)
		}
	}
	clear(m.denied)
	clear(m.down)
}

func (m *geoMachine) seal(t *rapid.T) {
	err := m.c.seal("sharepoint", fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "site")))
	if err != nil && (len(m.denied)+len(m.down) == 0 || fault.CodeOf(err) != fault.Denied && fault.CodeOf(err) != fault.Unavailable) {
		t.Fatalf("sealing: %v", err)
	}
}

func (m *geoMachine) converge(t *rapid.T) {
	ctx, cancel := context.WithTimeout(m.c.t.Context(), time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms"))*time.Millisecond)
	defer cancel()
	want(t, "working", m.c.runner.Run(ctx), "")
}

// outwait lets more time pass than any policy key is held.
func (m *geoMachine) outwait(*rapid.T) {
	time.Sleep(m.c.world.keys.Life(hierarchy.Hedged) + time.Second)
}

// closed reports whether both roots of a generation that sites are under deny (both), or open
// nothing for whatever reason (any).
func (m *geoMachine) closed(t *rapid.T) (both, any bool) {
	live, err := m.c.rows.LiveGenerations(m.c.t.Context(), m.c.id)
	want(t, "reading generations", err, "")
	usage, err := m.c.rows.Usage(m.c.t.Context(), m.c.id)
	want(t, "reading usage", err, "")
	for _, g := range live {
		used := false
		for _, u := range usage {
			used = used || u.Generation == g.ID && u.Keys > 0
		}
		a, b := g.Roots[0].Ref.Key(), g.Roots[1].Ref.Key()
		if used && g.Unwrapping == hierarchy.Hedged {
			both = both || m.denied[a] && m.denied[b]
			any = any || m.bad(a) && m.bad(b)
		}
	}
	return both, any
}

// check holds after every step.
func (m *geoMachine) check(t *rapid.T) {
	st := m.state()
	p := st.Status.Policy
	switch {
	case !m.registered:
		if st.State != policy.Unregistered {
			t.Fatalf("%s before anything was registered", st.State)
		}
	case (st.State == policy.Recovering) != time.Now().Before(m.recovery):
		t.Fatalf("%s, and the recovery ends at %s", st.State, m.recovery)
	case st.State == policy.Unregistered, (st.State == policy.Registered) != (st.Percent == 100) && st.State != policy.Recovering:
		t.Fatalf("%s with %d %%", st.State, st.Percent)
	case st.Percent < m.shown[p.Generation]:
		t.Fatalf("CK-144 %d %%, and %d %% was shown before", st.Percent, m.shown[p.Generation])
	}
	m.shown[p.Generation] = st.Percent
	time.Sleep(2 * time.Second) // failures are held for a second
	if _, any := m.closed(t); !any {
		want(t, "reading while a root of each policy key works", m.c.reopen(), "")
	}
}

// taken checks that what is under two denied roots does not open once no key is held any more, nor by
// work of the service (CK-71 to CK-73).
func (m *geoMachine) taken(t *rapid.T) {
	both, _ := m.closed(t)
	if !both {
		t.Skip("nothing is closed")
	}
	m.outwait(t)
	if err := m.c.reopen(); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unavailable) {
		t.Fatalf("what is under two denied roots opens: %v", err)
	}
}

// holdFilesFor makes the world hold policy keys of files for less time.
func (w *world) holdFilesFor(cache, lead time.Duration) {
	w.keys = must(hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(w.db), Root: w.vaults.root, Availability: w.config.Availability, Audit: w.log,
		Purged: w.ledger, Recoveries: store.NewRecovery(w.db), Hedge: hierarchy.Hedge{Cache: cache, Lead: lead},
	}))
	w.t.Cleanup(func() {
		if err := w.keys.Close(context.Background()); err != nil {
			w.t.Errorf("closing the keyring: %v", err)
		}
	})
	w.config.Keys = w.keys
	w.service = must(policy.New(w.config))
	w.runner = must(operation.New(operation.Config{Store: store.NewOperation(w.db), Handlers: w.service.Handlers()}))
}

// Random changes of a geo, failing roots, interrupted work, recoveries, hours that pass: nothing that
// was sealed is lost, nothing opens that must not, and no percentage goes back.
func TestMachineOfFiles(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 2 }, func(t *testing.T, w *world) {
		w.holdFilesFor(20*time.Second, 10*time.Second) // rapid ends when a day has passed, also a virtual one
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			c := w.tenant().files()
			m := &geoMachine{c: c, denied: map[string]bool{}, down: map[string]bool{}, shown: map[string]int{}, pairs: [2]*[2]string{&c.keys, &c.spare}}
			t.Repeat(map[string]func(*rapid.T){
				"register": m.register, "change": m.change, "change again": m.change, "begin recovery": m.beginRecovery, "restore": m.restore,
				"break": m.breakRoot, "heal": m.healRoots, "seal": m.seal, "seal more": m.seal, "converge": m.converge, "converge more": m.converge,
				"outwait": m.outwait, "taken": m.taken, "": m.check,
			})
			m.healRoots(t)
			time.Sleep(6 * time.Minute) // beyond any pause after failures, and any recovery
			m.c.work()
			if st := m.state(); m.registered && st.State != policy.Registered {
				t.Fatalf("%s after all work: %+v", st.State, st.Status.Operation)
			}
			want(t, "opening what was sealed", m.c.reopen(), "")
		})
	})
}
