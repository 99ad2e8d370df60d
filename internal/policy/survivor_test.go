package policy_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// A survivor does to one tenant whatever may happen in years: policies come, move, roll, are
// replaced and purged, roots are taken away and cut off, the log refuses, the clock jumps, the
// server starts anew. Its model is what was acknowledged, which roots are bad since when, and
// which policies were purged.
type survivor struct {
	c         *tenant
	officer   directory.Caller
	pairs     [2][]string
	boxes     []policy.Policy // of the mailbox family, that were not purged
	denied    map[string]bool // roots by URI; false is cut off
	changed   map[string]time.Time
	purged    map[string]bool    // policies by id
	under     map[string]string  // the policy that each container was under last
	recovered map[string]bool    // policies whose availability key was opened to people, perhaps
	percent   map[string]float64 // of each operation, as people saw it last
	seen      map[string]int     // how often each thing of interest happened
	right     time.Duration      // by how much the service's clock is when it is right
}

var survivorBoxes = []string{"alice", "bob", "carol"}

func newSurvivor(w *world, seen map[string]int) *survivor {
	s := &survivor{
		c: w.tenant(), seen: seen, right: time.Duration(w.wrong.Load()), denied: map[string]bool{}, changed: map[string]time.Time{}, purged: map[string]bool{}, recovered: map[string]bool{}, percent: map[string]float64{}, under: map[string]string{},
	}
	c := s.c
	c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	s.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer@contoso.example", Request: uuid.NewString()}
	if _, err := w.requests.AddOfficer(w.t.Context(), c.admin, string(policy.Mailbox), s.officer.ID); err != nil {
		w.t.Fatal(err)
	}
	s.pairs = [2][]string{c.keys[:], c.spare[:]}
	c.mustCreate("Tenant")
	return s
}

// may fails unless err is one of the answers that a change may get; it says if it was made.
func may(t *rapid.T, what string, err error) bool {
	t.Helper()
	switch fault.CodeOf(err) {
	case "":
		return true
	case fault.Conflict, fault.Denied, fault.Unavailable, fault.Invalid, fault.NotFound:
		return false
	}
	t.Fatalf("%s: %v", what, err)
	return false
}

func (s *survivor) box(t *rapid.T) policy.Policy {
	if len(s.boxes) == 0 {
		t.Skip("no policy yet")
	}
	return s.boxes[rapid.IntRange(0, len(s.boxes)-1).Draw(t, "policy")]
}

func (s *survivor) pair(t *rapid.T) []string {
	return s.pairs[rapid.IntRange(0, 1).Draw(t, "pair")]
}

func (s *survivor) create(t *rapid.T) {
	if len(s.boxes) == 3 {
		t.Skip("enough")
	}
	name := fmt.Sprint("Mailboxes ", len(s.boxes)+len(s.purged))
	p, err := s.c.service.Create(s.c.t.Context(), s.c.admin, policy.Draft{Family: policy.Mailbox, Name: name, KeyURIs: s.pair(t), Enabled: true})
	if may(t, "creating", err) {
		s.boxes = append(s.boxes, p)
	}
}

func (s *survivor) assign(t *rapid.T) {
	ctx, name := s.c.t.Context(), rapid.SampledFrom([]string{"", "Tenant"}).Draw(t, "name")
	if rapid.Bool().Draw(t, "tenant") {
		may(t, "assigning to the tenant", s.c.service.Assign(ctx, s.c.admin, name))
		return
	}
	if name != "" {
		name = s.box(t).ID
	}
	may(t, "assigning to a mailbox", s.c.service.AssignTo(ctx, s.c.admin, holder(rapid.SampledFrom(survivorBoxes).Draw(t, "mailbox")), name))
}

// change makes a new generation in one way or another. The log may refuse any of its records.
func (s *survivor) change(t *rapid.T) {
	ctx, family, name := s.c.t.Context(), policy.MultiWorkload, "Tenant"
	if rapid.Bool().Draw(t, "mailboxes") {
		family, name = policy.Mailbox, s.box(t).ID
	}
	if left := rapid.IntRange(0, 8).Draw(t, "records"); left < 6 {
		s.c.log.tell(func(audit.Entry) bool { left--; return left < 0 })
		defer s.c.log.tell(nil)
	}
	var err error
	switch rapid.SampledFrom([]string{"refresh", "replace", "availability"}).Draw(t, "how") {
	case "refresh":
		_, err = s.c.service.Refresh(ctx, s.c.admin, family, name)
	case "replace":
		_, err = s.c.service.Replace(ctx, s.c.admin, family, name, s.pair(t))
	default:
		err = s.c.service.RollAvailability(ctx, s.c.operator, s.c.id)
	}
	may(t, "changing", err)
}

func (s *survivor) key(t *rapid.T) string { return rapid.SampledFrom(s.pair(t)).Draw(t, "key") }

func (s *survivor) roll(t *rapid.T) { s.c.vaults.roll(s.key(t)) }

func (s *survivor) deny(t *rapid.T) { s.makeBad(s.key(t), true) }

func (s *survivor) cut(t *rapid.T) { s.makeBad(s.key(t), false) }

func (s *survivor) makeBad(key string, denied bool) {
	if was, bad := s.denied[key]; bad && was == denied {
		return
	}
	s.denied[key], s.changed[key] = denied, time.Now()
	if denied {
		s.c.vaults.deny(key)
	} else {
		s.c.vaults.cut(key)
	}
}

func (s *survivor) heal(t *rapid.T) {
	pair := s.pair(t)
	for _, key := range pair {
		s.c.vaults.heal(key)
		delete(s.denied, key)
	}
}

func (s *survivor) seal(t *rapid.T) {
	workload, name := "exchange", rapid.SampledFrom(survivorBoxes).Draw(t, "container")
	if rapid.IntRange(0, 3).Draw(t, "workload") == 0 {
		workload = "teams"
	}
	may(t, "sealing", s.c.seal(workload, name))
}

// converge works a little: maybe the runner stops in the middle, or is slow.
func (s *survivor) converge(t *rapid.T) {
	ctx, cancel := context.WithTimeout(s.c.t.Context(), time.Duration(rapid.IntRange(0, 6000).Draw(t, "ms"))*time.Millisecond)
	defer cancel()
	if err := s.c.runner.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// restart ends the service and begins it anew over what it has stored.
func (s *survivor) restart(t *rapid.T) {
	if err := s.c.world.keys.Close(s.c.t.Context()); err != nil {
		t.Fatal(err)
	}
	s.c.assemble(func(c *policy.Config) { c.Batch = 2 })
}

func (s *survivor) pass(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
}

// jump sets the service's clock wrong, or right again.
func (s *survivor) jump(t *rapid.T) {
	s.c.wrong.Store(int64(s.right + time.Duration(rapid.IntRange(-48, 48).Draw(t, "hours"))*time.Hour))
}

// wait lets long times pass, by the service's clock alone: rapid ends a test after a day. A clock
// that was wrong is right again.
func (s *survivor) wait(long time.Duration) {
	s.right += 48*time.Hour + long
	s.c.wrong.Store(int64(s.right))
	for passed := time.Duration(0); passed < long; passed += 4 * time.Minute {
		s.c.run.Add(int64(4 * time.Minute))
		s.c.tend()
	}
	s.c.work()
}

// approve gives a request both approvals, and the time that it then waits.
func (s *survivor) approve(t *rapid.T, r request.Request) request.Request {
	ctx := s.c.t.Context()
	for _, who := range []directory.Caller{s.officer, s.c.operator} {
		if _, err := s.c.requests.Approve(ctx, who, r.ID, r.Digest()); err != nil {
			t.Fatalf("approving a %s: %v", r.Kind, err)
		}
	}
	s.c.work()
	s.wait(purgeWait)
	got, err := s.c.requests.Get(ctx, s.c.admin, r.ID)
	want(t, "reading a request", err, "")
	return got
}

// shutOut takes the permission on both roots of a policy away, often.
func (s *survivor) shutOut(t *rapid.T, p policy.Policy) {
	now, err := s.c.service.Get(s.c.t.Context(), s.c.admin, policy.Mailbox, p.ID)
	want(t, "reading a policy", err, "")
	if rapid.IntRange(0, 3).Draw(t, "shut out") > 0 {
		for _, root := range now.Roots {
			s.makeBad(root.Key(), true)
		}
	}
}

// recover opens the availability key to people (rows CK-74, CK-75).
func (s *survivor) recover(t *rapid.T) {
	p := s.box(t)
	s.shutOut(t, p)
	r, err := s.c.service.RequestRecovery(s.c.t.Context(), s.c.admin, policy.Mailbox, p.ID, "both keys are lost")
	if may(t, "asking for a recovery", err) {
		s.approve(t, r)
		s.recovered[p.ID] = true
		s.seen["recoveries"]++
	}
}

// purge destroys a policy whose roots were both taken away, if all goes well (rows CK-253 to CK-257).
func (s *survivor) purge(t *rapid.T) {
	p := s.box(t)
	s.shutOut(t, p)
	r, err := s.c.service.RequestPurge(s.c.t.Context(), s.c.admin, policy.Mailbox, p.ID, leaving)
	if !may(t, "asking for a purge", err) || s.approve(t, r).State != request.Done {
		return
	}
	s.purged[p.ID] = true
	s.seen["purges"]++
	for i := range s.boxes {
		if s.boxes[i].ID == p.ID {
			s.boxes = append(s.boxes[:i:i], s.boxes[i+1:]...)
			break
		}
	}
}

// check holds after every step.
func (s *survivor) check(t *rapid.T) {
	time.Sleep(1100 * time.Millisecond) // failures are held for a second
	rows := store.NewHierarchy(s.c.db)
	for _, it := range s.c.items {
		at := container(s.c.id, it.workload, it.container)
		row, err := rows.ContainerKey(s.c.t.Context(), s.c.id, at.ID, it.version)
		if fault.Is(err, fault.NotFound) && s.purged[s.under[at.ID]] {
			s.seen["gone"]++
			continue // and its key with it
		}
		want(t, "reading a container's key", err, "")
		s.under[at.ID] = row.Policy
		g, err := rows.Generation(s.c.t.Context(), s.c.id, row.Generation)
		want(t, "reading its generation", err, "")
		if g.State == hierarchy.Destroyed && !s.purged[row.Policy] {
			t.Fatalf("generation %d of %s is destroyed, and %s needs it", g.Number, g.Policy, at.ID)
		}
		err = s.c.opens(s.c.admin, []item{it})
		verdict := s.verdict(g)
		s.seen["readable: "+verdict]++
		switch verdict {
		case "yes":
			want(t, fmt.Sprintf("opening %s, roots denied %v", at.ID, s.denied), err, "")
		case "no":
			if err == nil || fault.Is(err, fault.Corrupt) || fault.Is(err, fault.Internal) {
				t.Fatalf("opening %s, roots denied %v, purged %v: %v", at.ID, s.denied, s.purged[row.Policy], err)
			}
		}
	}
	s.checkOperations(t)
}

// verdict says whether people can read what lies under a generation: "yes", "no", or "" while
// it depends on what was asked before.
func (s *survivor) verdict(g hierarchy.Generation) string {
	if s.purged[g.Policy] {
		return "no"
	}
	var last time.Time
	anyDenied := false
	for _, root := range g.Roots {
		denied, bad := s.denied[root.Ref.Key()]
		if !bad {
			return "yes"
		}
		anyDenied = anyDenied || denied
		if at := s.changed[root.Ref.Key()]; at.After(last) {
			last = at
		}
	}
	switch {
	case !anyDenied:
		return "yes" // an outage: the availability key
	case s.recovered[g.Policy] || time.Since(last) < time.Minute:
		return ""
	}
	return "no"
}

// checkOperations: no percentage goes back.
func (s *survivor) checkOperations(t *rapid.T) {
	ops, err := store.NewOperation(s.c.db).List(s.c.t.Context(), s.c.id, "", 1000)
	want(t, "listing operations", err, "")
	for _, op := range ops {
		if op.Done > op.Total || op.Percent() < s.percent[op.ID] {
			t.Fatalf("the %s was at %.3f%% and is at %.3f%%, %d of %d", op.Kind, s.percent[op.ID], op.Percent(), op.Done, op.Total)
		}
		s.percent[op.ID] = op.Percent()
	}
}

// settle ends a run: with good roots everything opens but what was purged.
func (s *survivor) settle(t *rapid.T) {
	for _, pair := range s.pairs {
		for _, key := range pair {
			s.c.vaults.heal(key)
		}
	}
	clear(s.denied)
	s.wait(time.Hour) // beyond any pause after failures
	s.check(t)
}

// Whatever happens, nothing that was acknowledged is lost while a root of its policy works or
// its vaults are only out of reach; nobody reads it longer than a lease after both were denied,
// nor ever again once it was purged; no generation is destroyed that is needed; no percentage
// goes back. CK_SURVIVOR is how many worlds this is tried in, with 50 tenants of some 30 steps each.
func TestSurvivor(t *testing.T) {
	worlds, _ := strconv.Atoi(os.Getenv("CK_SURVIVOR"))
	if worlds > 0 {
		checks := flag.Lookup("rapid.checks").Value.String()
		if err := flag.Set("rapid.checks", "50"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set("rapid.checks", checks) })
	}
	for n := range max(worlds, 1) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inWorld(t, func(c *policy.Config) { c.Batch = 2 }, survive)
		})
	}
}

func survive(t *testing.T, w *world) {
	seen := map[string]int{}
	rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // wrapped: it must not ask for the deadline
		s := newSurvivor(w, seen)
		t.Repeat(map[string]func(*rapid.T){
			"create": s.create, "assign": s.assign, "assign more": s.assign, "change": s.change, "change more": s.change, "roll": s.roll,
			"deny": s.deny, "cut": s.cut, "heal": s.heal, "heal more": s.heal, "seal": s.seal, "seal more": s.seal, "converge": s.converge, "converge more": s.converge,
			"restart": s.restart, "pass": s.pass, "jump": s.jump, "recover": s.recover, "purge": s.purge,
			"": func(t *rapid.T) { seen["steps"]++; s.check(t) },
		})
		s.settle(t)
	})
	t.Logf("%v", seen)
}
