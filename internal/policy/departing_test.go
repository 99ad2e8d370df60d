package policy_test

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// departing is what a world has for customers who lose their keys or leave.
type departing struct {
	requests  *request.Service
	ledger    *purge.Ledger
	ledgerKey ed25519.PrivateKey
	places    []purge.Place
	families  []policy.Family // that may be purged
	operator  directory.Caller
}

// purgeWait is shorter than a server's three days: it is counted in steps of minutes.
const purgeWait = 2 * time.Hour

// openDeparting opens the ledger and the requests over the world's rows.
func (w *world) openDeparting() {
	w.t.Helper()
	if w.ledgerKey == nil {
		dir := w.t.TempDir()
		w.ledgerKey = signingKey()
		w.places = []purge.Place{store.NewPurgeLedger(w.spareDB), purge.NewFile(filepath.Join(dir, "data")), purge.NewFile(filepath.Join(dir, "seals"))}
		w.operator = directory.Caller{
			Tenant: uuid.NewString(), ID: uuid.NewString(), Kind: directory.User, Name: "operator@provider.customerkey",
			Roles: []directory.Role{directory.ServiceOperator}, Request: uuid.NewString(),
		}
	}
	w.ledger = must(purge.Open(w.t.Context(), purge.Config{Key: w.ledgerKey, Places: w.places}))
	w.requests = must(request.New(request.Config{
		Store: store.NewRequest(w.db), Audit: w.log, Kinds: policy.RequestRules(purgeWait, false),
		Families: []string{string(policy.MultiWorkload), string(policy.Mailbox), string(policy.SharePoint)},
		Person:   func(_ context.Context, _, who string) (id, name string, err error) { return who, who, nil },
		Wake:     func() { w.runner.Wake() }, Now: w.now, Uptime: w.uptime(),
	}))
	w.tend()
}

// uptime begins to measure how long a process runs.
func (w *world) uptime() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) + time.Duration(w.run.Load()) }
}

// tend counts waiting periods, as a node does when it starts and every few seconds.
func (w *world) tend() {
	w.t.Helper()
	if err := w.requests.Tend(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// wait has a node run for a while.
func (w *world) wait(d time.Duration) {
	w.t.Helper()
	for d > 0 {
		step := min(d, 4*time.Minute)
		time.Sleep(step)
		w.tend()
		d -= step
	}
}

func (w *world) purging(keys *availability.Service) *policy.Purging {
	return &policy.Purging{
		Store: store.NewPurge(w.db), Ledger: w.ledger, Shredder: keys, Request: store.NewRequest(w.db).Request, Families: w.families,
		Head: func(ctx context.Context, tenant string) (string, error) {
			h, err := w.log.Head(ctx, tenant)
			return string(h.Note), err
		},
	}
}

// A leaver is a tenant with a mailbox policy in force for alice and bob, and another one for
// carol; dora's mailbox is under the service's own. It has an officer for mailboxes.
type leaver struct {
	*tenant
	officer directory.Caller
	p, q    policy.Policy
	mine    []item // under p
	others  []item
}

func (w *world) leaver() *leaver {
	w.t.Helper()
	c := &leaver{tenant: w.tenant()}
	c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer@contoso.example", Request: uuid.NewString()}
	for _, f := range []policy.Family{policy.Mailbox, policy.MultiWorkload} {
		if _, err := w.requests.AddOfficer(w.t.Context(), c.admin, string(f), c.officer.ID); err != nil {
			w.t.Fatal(err)
		}
	}
	c.p = c.mustMake(policy.Mailbox, "Leaving")
	var err error
	c.q, err = w.service.Create(w.t.Context(), c.admin, policy.Draft{Family: policy.Mailbox, Name: "Staying", KeyURIs: c.spare[:], Enabled: true})
	if err != nil {
		w.t.Fatal(err)
	}
	c.mustSeal("exchange", "alice", "bob")
	c.mine = c.items
	c.items = nil
	c.mustSeal("exchange", "carol", "dora")
	c.others = c.items
	for name, p := range map[string]string{"alice": "Leaving", "bob": "Leaving", "empty": "Leaving", "carol": "Staying"} {
		c.mustAssignTo(name, p)
	}
	w.work()
	c.wantReadable("before", true)
	return c
}

// opens tries to open items as a caller; the first error.
func (c *tenant) opens(caller directory.Caller, items []item) error {
	c.items, items = items, c.items
	defer func() { c.items = items }()
	admin := c.admin
	c.admin = caller
	defer func() { c.admin = admin }()
	return c.reopen()
}

// wantReadable checks what opens: what was never to be purged always, and what was if mine.
func (c *leaver) wantReadable(when string, mine bool) {
	c.t.Helper()
	if err := c.opens(c.admin, c.others); err != nil {
		c.t.Errorf("%s: what belongs to others does not open: %v", when, err)
	}
	for _, caller := range []directory.Caller{c.admin, directory.SystemCaller(c.id, "indexing", "request")} {
		for _, it := range c.mine {
			err := c.opens(caller, []item{it})
			if mine && err != nil {
				c.t.Errorf("%s: %s does not open for the %s: %v", when, it.container, caller.Kind, err)
			}
			if !mine && fault.As(err).Reason != hierarchy.ReasonPurged && !fault.Is(err, fault.NotFound) {
				c.t.Errorf("%s: %s was purged, and for the %s: %v", when, it.container, caller.Kind, err)
			}
		}
	}
}

// shutOut takes the service's permission off both roots of the policy that is left.
func (c *leaver) shutOut() {
	c.vaults.deny(c.keys[0])
	c.vaults.deny(c.keys[1])
}

func (c *leaver) letIn() {
	c.vaults.heal(c.keys[0])
	c.vaults.heal(c.keys[1])
}

var leaving = policy.PurgeAsk{Reason: "we leave", Contact: "legal@contoso.example"}

func (c *leaver) mustAsk() request.Request {
	c.t.Helper()
	c.shutOut()
	r, err := c.service.RequestPurge(c.t.Context(), c.admin, policy.Mailbox, "Leaving", leaving)
	if err != nil {
		c.t.Fatalf("asking for the purge: %v", err)
	}
	return r
}

func (c *leaver) mustApprove(r request.Request) {
	c.t.Helper()
	for _, who := range []directory.Caller{c.officer, c.operator} {
		if _, err := c.requests.Approve(c.t.Context(), who, r.ID, r.Digest()); err != nil {
			c.t.Fatalf("approving as %s: %v", who.Name, err)
		}
	}
}

// outcome returns a request as it stands.
func (c *leaver) outcome(r request.Request) request.Request {
	c.t.Helper()
	got, err := c.requests.Get(c.t.Context(), c.admin, r.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func (c *leaver) policyNow() policy.Policy {
	c.t.Helper()
	p, err := c.service.Get(c.t.Context(), c.admin, policy.Mailbox, c.p.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func wantFault(t testing.TB, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if !fault.Is(err, code) || reason != "" && fault.As(err).Reason != reason {
		t.Errorf("%s: %v (%s %s), want %s %s", what, err, fault.CodeOf(err), fault.As(err).Reason, code, reason)
	}
}
