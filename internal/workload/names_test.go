package workload

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func TestItemIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "a/b/c", "Grüße.txt", "a b", "...", ".git", "a..b", "x/..y", strings.Repeat("x", MaxItemID)} {
		if err := checkItemID(id); err != nil {
			t.Errorf("checkItemID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", `a\b`, `..\a`, "a\x00b", "a\nb", "\x7f", "a\u0085",
		"\xff", "\xc0\xaf", strings.Repeat("x", MaxItemID+1),
	} {
		if err := checkItemID(id); !fault.Is(err, fault.Invalid) || fault.As(err).Hint == "" {
			t.Errorf("checkItemID(%q) = %v, want fault.Invalid with a hint", id, err)
		}
	}
}

func TestContainerNames(t *testing.T) {
	t.Parallel()
	mailboxes, folders := Workload{Mailboxes: true}, Workload{}
	for _, name := range []string{"alice@contoso.example", strings.Repeat("x", MaxContainerName-2) + "@x"} {
		if err := checkContainerName(mailboxes, name); err != nil {
			t.Errorf("checkContainerName(%q) = %v", name, err)
		}
	}
	if err := checkContainerName(mailboxes, "a11ce000-0000-4000-8000-000000000001"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a mailbox named by an object id: %v, want fault.Invalid", err)
	}
	for _, name := range []string{"", ".", "..", "a/b", `a\b`, "\n", "\xff", strings.Repeat("x", MaxContainerName+1)} {
		if err := checkContainerName(folders, name); !fault.Is(err, fault.Invalid) {
			t.Errorf("checkContainerName(%q) = %v, want fault.Invalid", name, err)
		}
	}
}

// What is accepted never leaves its folder, whatever program makes a path of it.
func FuzzItemID(f *testing.F) {
	for _, id := range []string{"a/b", "../x", "a/%2e%2e/b", `a\..\b`, "a//b", "a/./b"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if checkItemID(id) != nil {
			return
		}
		if joined := path.Join("/root", id); joined != "/root/"+id {
			t.Errorf("%q becomes %q", id, joined)
		}
		if !utf8.ValidString(id) || len(id) > MaxItemID || strings.ContainsAny(id, "\\\x00\n") {
			t.Errorf("%q was accepted", id)
		}
	})
}

func TestDecide(t *testing.T) {
	t.Parallel()
	user := func(id string, roles ...directory.Role) directory.Caller {
		return directory.Caller{Tenant: "t", ID: id, Kind: directory.User, Roles: roles}
	}
	type row struct {
		name   string
		caller directory.Caller
		allow  bool
	}
	allow := func(name string, c directory.Caller) row { return row{name, c, true} }
	deny := func(name string, c directory.Caller) row { return row{name, c, false} }
	for _, tt := range []row{
		allow("owner", user("owner")),
		allow("export role", user("x", directory.MailboxImportExport)),
		allow("provider's program", directory.Caller{Tenant: "t", ID: "x", Kind: directory.App, Roles: []directory.Role{directory.ItemsReadWriteAll}}),
		allow("the service itself", directory.SystemCaller("t", "index", "")),
		deny("nobody", directory.Caller{}),
		deny("no tenant", directory.Caller{ID: "owner"}),
		deny("no id", directory.Caller{Tenant: "t"}),
		deny("someone else", user("x")),
		deny("administrator", user("x", directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.ExchangeAdministrator)),
		deny("operator", user("x", directory.ServiceOperator)),
		deny("operator who owns it", user("owner", directory.ServiceOperator)),
		deny("operator with the export role", user("x", directory.ServiceOperator, directory.MailboxImportExport)),
	} {
		if reason := decide(tt.caller, "owner"); (reason == "") != tt.allow {
			t.Errorf("%s: decide = %q, want allowed %v", tt.name, reason, tt.allow)
		}
	}
}
