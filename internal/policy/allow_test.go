package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

type permission struct {
	role directory.Role
	do   policy.Action
	want bool
}

func allow(r directory.Role, do policy.Action) permission { return permission{r, do, true} }
func deny(r directory.Role, do policy.Action) permission  { return permission{r, do, false} }

func TestCK277_X18_Roles(t *testing.T) {
	rows := []permission{
		allow(directory.GlobalReader, policy.Read), // CK-281
		deny(directory.MailboxImportExport, policy.Read),
		deny(directory.ItemsReadWriteAll, policy.Read),
		deny(directory.ServiceOperator, policy.Read),
	}
	for _, do := range []policy.Action{policy.Create, policy.Update, policy.Refresh, policy.Assign} {
		rows = append(rows,
			allow(directory.ComplianceAdministrator, do), // S0
			allow(directory.GlobalAdministrator, do),     // S4
			allow(directory.ExchangeAdministrator, do),   // MG 2026
			deny(directory.GlobalReader, do),
			deny(directory.ServiceOperator, do),
			deny(directory.MailboxImportExport, do),
			deny(directory.ItemsReadWriteAll, do),
		)
	}
	for _, tt := range rows {
		if got := (policy.Roles{}).Allow([]directory.Role{tt.role}, policy.MultiWorkload, tt.do); got != tt.want {
			t.Errorf("Allow(%q, %q) = %v, want %v", tt.role, tt.do, got, tt.want)
		}
		if (policy.Roles{}).Allow([]directory.Role{tt.role}, policy.ServiceOwned, tt.do) {
			t.Errorf("Allow(%q, %q) for the service's own policies", tt.role, tt.do)
		}
	}
	if (policy.Roles{}).Allow(nil, policy.MultiWorkload, policy.Read) {
		t.Error("no role may read")
	}
}

// Every method refuses and records it, and tells nothing about what there is.
func TestDoor(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("p")
		c.mustAssign("p")
		reader := c.admin
		reader.Roles = []directory.Role{directory.GlobalReader}
		if _, err := w.service.Status(t.Context(), reader, policy.MultiWorkload, "p"); err != nil {
			t.Errorf("a reader reads: %v", err)
		}
		off := false
		calls := func(who directory.Caller, identity string) map[string]error {
			return map[string]error{
				"create":     second(w.service.Create(t.Context(), who, draft("q", c.keys[:]...))),
				"update":     second(w.service.Update(t.Context(), who, policy.MultiWorkload, identity, policy.Change{Enabled: &off})),
				"refresh":    second(w.service.Refresh(t.Context(), who, policy.MultiWorkload, identity)),
				"assign":     w.service.Assign(t.Context(), who, identity),
				"unassign":   w.service.Assign(t.Context(), who, ""),
				"get":        second(w.service.Get(t.Context(), who, policy.MultiWorkload, identity)),
				"list":       second(w.service.List(t.Context(), who, policy.MultiWorkload)),
				"assignment": second(w.service.Assignment(t.Context(), who)),
				"status":     second(w.service.Status(t.Context(), who, policy.MultiWorkload, identity)),
			}
		}
		operator := c.admin
		operator.Roles = []directory.Role{directory.ServiceOperator, directory.MailboxImportExport}
		for who, caller := range map[string]directory.Caller{
			"an operator": operator, "the service": directory.SystemCaller(c.id, "x", "y"),
			"a system caller with a role": {Tenant: c.id, Kind: directory.System, Roles: c.admin.Roles},
		} {
			before := len(c.entries())
			for _, identity := range []string{"p", "not there"} {
				for what, err := range calls(caller, identity) {
					if !fault.Is(err, fault.Forbidden) || !strings.Contains(fault.As(err).Hint, string(directory.ComplianceAdministrator)) {
						t.Errorf("%s: %s: %v", who, what, err)
					}
				}
			}
			if denied := c.entries()[before:]; len(denied) != 18 || slices.ContainsFunc(denied, func(l string) bool { return !strings.HasPrefix(l, "deny policy.") }) {
				t.Errorf("%s: recorded %q", who, denied)
			}
		}
		for what, err := range calls(directory.Caller{Roles: c.admin.Roles}, "p") {
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("nobody: %s: %v", what, err)
			}
		}
		for what, err := range calls(reader, "p") {
			read := what == "get" || what == "list" || what == "assignment" || what == "status"
			if fault.Is(err, fault.Forbidden) == read {
				t.Errorf("a reader: %s: %v", what, err)
			}
		}
	})
}
