package activity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const rename = "Set-M365DataAtRestEncryptionPolicy"

// CK-359 to CK-362: a command has one record with everything that the schema asks for: from its
// beginning on, with its result once it is over.
func TestCK362_ACommand(t *testing.T) {
	t.Parallel()
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		w, tenant := newWorld(t, db), uuid.NewString()
		bob := person(tenant, "bob@contoso.example", directory.ComplianceAdministrator)
		act := w.Act(activity.Command{Name: rename, Caller: bob, Parameters: []activity.Parameter{{Name: "Name", Value: "New"}, {Name: "Identity", Value: "Old"}}})
		if list := w.all(t, admin(tenant), activity.Query{}); len(list) != 0 {
			t.Errorf("recorded before it began: %+v", list)
		}
		must(t, act.Begin(t.Context(), "Old"))
		must(t, act.Begin(t.Context(), "Old")) // a second step of the same command
		want := activity.Record{
			Time: noon, Operation: rename, Tenant: tenant, Caller: bob, UserType: activity.Admin, Target: "Old", Server: "outlook.localhost",
			Parameters: []activity.Parameter{{Name: "Identity", Value: "Old"}, {Name: "Name", Value: "New"}},
		}
		under := w.one(t, tenant)
		if want.ID = under.ID; uuid.Validate(under.ID) != nil {
			t.Errorf("the id is %q", under.ID)
		}
		if diff := cmp.Diff(want, under); diff != "" {
			t.Errorf("while it runs: %s", diff)
		}
		act.About("p-1")
		act.Changed("Name", "Old", "New")
		act.Changed("Enabled", "True", "True")
		w.now = w.now.Add(time.Minute)
		must(t, act.End(t.Context(), nil))
		want.Result, want.Object, want.Changes = activity.Succeeded, "p-1", []activity.Change{{Name: "Name", Old: "Old", New: "New"}}
		if diff := cmp.Diff(want, w.one(t, tenant)); diff != "" {
			t.Errorf("when it is over: %s", diff)
		}
	})
}

// CK-361, CK-362: what failed says so and why, whether it had begun or not; what was refused is a
// denial in the log. Insides of errors stay out.
func TestCK361_Failures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, areas()...))
	inside := fault.Wrap(fault.Conflict, context.DeadlineExceeded, "the name is taken")
	for name, tt := range map[string]struct {
		run      func(activity.Command) error
		reason   string
		decision audit.Decision
	}{
		"begun": {func(c activity.Command) error {
			act := w.Act(c)
			must(t, act.Begin(t.Context(), "x"))
			left, cancel := context.WithCancel(t.Context())
			cancel() // the client has gone: it is written all the same
			return act.End(left, inside)
		}, "the name is taken", audit.Fail},
		"not begun": {func(c activity.Command) error { return w.Act(c).End(t.Context(), inside) }, "the name is taken", audit.Fail},
		"no right": {func(c activity.Command) error {
			return w.Refuse(t.Context(), c, fault.New(fault.Forbidden, "no role"))
		}, "no role", audit.Deny},
	} {
		tenant := uuid.NewString()
		must(t, tt.run(activity.Command{Name: rename, Caller: person(tenant, "eve"), Parameters: []activity.Parameter{{Name: "Identity", Value: "x"}}}))
		r := w.one(t, tenant)
		if r.Result != activity.Failed || r.Reason != tt.reason || r.Operation != rename || len(r.Parameters) != 1 || r.UserType != activity.Regular {
			t.Errorf("%s: %+v", name, r)
		}
		entries, err := w.log.Entries(t.Context(), tenant, -1, 10)
		must(t, err)
		if last := entries[len(entries)-1].Entry; last.Decision != tt.decision {
			t.Errorf("%s: %+v", name, last)
		}
	}
	quiet := uuid.NewString()
	must(t, w.Act(activity.Command{Name: rename, Caller: admin(quiet)}).End(t.Context(), nil))
	if list := w.all(t, admin(quiet), activity.Query{}); len(list) != 0 {
		t.Errorf("a command that changed nothing has a record: %+v", list)
	}
}

// Record first: a log that does not write stops the command, and one that stops writing between
// leaves a record without a result, not none.
func TestBrokenLog(t *testing.T) {
	t.Parallel()
	w, tenant := newWorld(t, storetest.SQLite(t, areas()...)), uuid.NewString()
	act := w.Act(activity.Command{Name: rename, Caller: admin(tenant)})
	w.log.broken = true
	if err := act.Begin(t.Context(), "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("begun without a record: %v", err)
	}
	w.log.broken = false
	must(t, act.Begin(t.Context(), "x"))
	w.log.broken = true
	if err := act.End(t.Context(), nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ended without a record: %v", err)
	}
	if r := w.one(t, tenant); r.Result != activity.Unknown {
		t.Errorf("%+v", r)
	}
}

// CK-362: what an operator does to an organization is in its records as external, and in the
// operator's own as not; nobody else has it.
func TestCK362_ExternalAccess(t *testing.T) {
	t.Parallel()
	w, contoso, provider := newWorld(t, storetest.SQLite(t, areas()...)), uuid.NewString(), uuid.NewString()
	operator := person(provider, "operator@provider.example", directory.ServiceOperator)
	act := w.Act(activity.Command{Name: "Approve-CKRequest", Caller: operator})
	act.Concerns(contoso)
	act.Concerns(contoso)
	must(t, act.Begin(t.Context(), "request 1"))
	must(t, act.End(t.Context(), nil))
	for tenant, external := range map[string]bool{contoso: true, provider: false} {
		r := w.one(t, tenant)
		if r.External() != external || r.UserType != activity.DCAdmin || r.Result != activity.Succeeded || r.Tenant != tenant || r.Caller.ID != operator.ID {
			t.Errorf("external %v: %+v", external, r)
		}
	}
	if list := w.all(t, admin(uuid.NewString()), activity.Query{}); len(list) != 0 {
		t.Errorf("another organization sees %+v", list)
	}
}

// CK-360: who it was, by kinds.
func TestCK360_UserTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, areas()...))
	app, system := person("", "program", directory.ExchangeAdministrator), directory.SystemCaller("", "work", "r")
	app.Kind = directory.App
	for _, tt := range []struct {
		caller directory.Caller
		want   activity.UserType
	}{
		{person("", "officer"), activity.Regular}, {person("", "reader", directory.GlobalReader), activity.Admin},
		{person("", "operator", directory.ServiceOperator), activity.DCAdmin}, {app, activity.Application}, {system, activity.System},
	} {
		tt.caller.Tenant = uuid.NewString()
		act := w.Act(activity.Command{Name: rename, Caller: tt.caller})
		must(t, act.Begin(t.Context(), "x"))
		if r := w.one(t, tt.caller.Tenant); r.UserType != tt.want {
			t.Errorf("%s is %d, want %d", tt.caller.Name, r.UserType, tt.want)
		}
	}
}

// Only readers of the audit log read records; who tries without the role is recorded.
func TestReaders(t *testing.T) {
	t.Parallel()
	w, tenant := newWorld(t, storetest.SQLite(t, areas()...)), uuid.NewString()
	for _, role := range []directory.Role{directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.GlobalReader} {
		w.all(t, person(tenant, "reader", role), activity.Query{})
	}
	no := func(activity.Record) error { t.Error("shown"); return nil }
	for _, role := range []directory.Role{directory.ExchangeAdministrator, directory.SharePointAdministrator, directory.ServiceOperator, directory.MailboxImportExport} {
		if err := w.Search(t.Context(), person(tenant, "x", role), activity.Query{}, no); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", role, err)
		}
	}
	if err := w.Search(t.Context(), directory.Caller{}, activity.Query{}, no); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	entries, err := w.log.Entries(t.Context(), tenant, -1, 10)
	must(t, err)
	if len(entries) != 4 || entries[0].Entry.Decision != audit.Deny {
		t.Errorf("%d refusals are recorded", len(entries))
	}
}

// However long a text somebody sends, and of whatever bytes: the record fits into an entry, and
// says where it was cut.
func TestLongValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, areas()...))
	for _, unit := range []string{"x", "\x00", "é", "x\xff", `"`} {
		tenant, long := uuid.NewString(), strings.Repeat(unit, 100_000)
		c := activity.Command{Name: rename, Caller: admin(tenant)}
		for _, name := range strings.Split("ABCDEFGHIJ", "") { // as many as any command takes
			c.Parameters = append(c.Parameters, activity.Parameter{Name: name, Value: long})
		}
		act := w.Act(c)
		must(t, act.Begin(t.Context(), long))
		act.About(long)
		for _, name := range strings.Split("ABCDEF", "") {
			act.Changed(name, long, "")
		}
		must(t, act.End(t.Context(), fault.New(fault.Invalid, "%s", long)))
		r := w.one(t, tenant)
		if v := r.Parameters[9].Value; len(r.Parameters) != 10 || !strings.HasSuffix(v, "...") || len(v) > 600 || len(r.Changes) != 6 {
			t.Errorf("%q: %d parameters, %d changes, %.20q", unit, len(r.Parameters), len(r.Changes), r.Parameters[9].Value)
		}
	}
}
