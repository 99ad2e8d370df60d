package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

var writeRoles = flag.Bool("write-roles", false, "write the table in docs/roles.md anew")

// everyRole are the columns of the table: what people can be, and nothing at all.
var everyRole = []directory.Role{
	directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.ExchangeAdministrator, directory.SharePointAdministrator,
	directory.GlobalReader, directory.MailboxImportExport, directory.ServiceOperator, "",
}

// addRoles makes a person for each role in a tenant, and returns how each runs commands over the
// real face.
func (d *twoTenants) addRoles(t *testing.T, tenant, domain string) map[directory.Role]service.Remote {
	t.Helper()
	runners := map[directory.Role]service.Remote{}
	for i, role := range everyRole {
		p := directory.Person{Tenant: tenant, UPN: fmt.Sprintf("role%d@%s", i, domain), DisplayName: "someone"}
		if role != "" {
			p.Roles = []directory.Role{role}
		}
		system := directory.SystemCaller(tenant, "test", uuid.NewString())
		if _, err := d.node.directory.CreatePerson(t.Context(), system, p, "correct-horse-battery", false); err != nil {
			t.Fatal(err)
		}
		token := d.signIn(t, tenant, p.UPN)("outlook")
		runners[role] = service.Remote{
			BaseURL: d.node.url("outlook"), Tenant: tenant, HTTP: &http.Client{Transport: toServer{d.server}},
			Token: func(context.Context) (string, error) { return token, nil },
		}
	}
	return runners
}

// toServer sends every request to one server, whatever its host.
type toServer struct{ server *httptest.Server }

func (s toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	there := r.Clone(r.Context())
	there.Host, there.URL.Host = r.URL.Host, s.server.Listener.Addr().String()
	return s.server.Client().Transport.RoundTrip(there)
}

// try runs a command line as somebody, a change with -WhatIf only, and returns what went wrong.
func try(t *testing.T, r service.Remote, row *cmdlet.Cmdlet, words []string) error {
	t.Helper()
	if row.Impact != cmdlet.None && !slices.Contains(words, "-WhatIf") {
		words = append(slices.Clone(words), "-WhatIf")
	}
	call, err := cmdlet.Bind(row, words)
	if err != nil {
		t.Fatalf("%s %q: %v", row.Name, words, err)
	}
	call.Host = cmdlet.Host{Object: func(cmdlet.Object) error { return nil }}
	return r.Run(t.Context(), call)
}

// CK-83, CK-119, CK-277 to CK-282, X-18: every command of the service, and every parameter that
// not all who may run it may use, is tried with every role over the real face. What comes of it
// is the table in docs/roles.md. Whoever the face lets through the domain lets through too.
func TestCK277_RolesOfEveryCommand(t *testing.T) {
	t.Parallel()
	d := newTwoTenants(t)
	runners := d.addRoles(t, d.contoso.id, "contoso.example")
	var lines []string
	for _, row := range rows.Table() {
		if row.Side != cmdlet.Service {
			continue
		}
		lines = append(lines, roleLine(row.Name, func(role directory.Role) bool { return mayRun(t, runners[role], &row, role, policy.Roles{}) }))
		for _, line := range restricted(&row) {
			lines = append(lines, roleLine(row.Name+" "+line[0], func(role directory.Role) bool { return mayUse(t, runners[role], &row, line, role) }))
		}
	}
	wantTable(t, "../../docs/roles.md", lines)
}

// mayRun tries the examples of a command; those of one command may be for different families.
func mayRun(t *testing.T, r service.Remote, row *cmdlet.Cmdlet, role directory.Role, m policy.Roles) (may bool) {
	t.Helper()
	for _, example := range row.Examples {
		if may = !fault.Is(try(t, r, row, shellWords(example)[1:]), fault.Forbidden); may {
			break
		}
	}
	want := row.MayRun(directory.Caller{Roles: []directory.Role{role}}, m)
	if may != want && !row.Anyone {
		t.Errorf("%s as %q: %v, the table says %v", row.Name, role, may, want)
	}
	return may
}

// restricted returns a command line for each parameter that not all who may run the command may
// use: the parameter first.
func restricted(row *cmdlet.Cmdlet) (lines [][]string) {
	for _, p := range row.Params {
		if len(p.Roles) == 0 && !slices.ContainsFunc(p.Sets, func(set string) bool { return len(row.SetRoles[set]) > 0 }) {
			continue
		}
		switch p.Name {
		case "Refresh":
			lines = append(lines, []string{"-Refresh"})
		case "Replace":
			lines = append(lines, []string{"-Replace", "-AzureKeyIDs", "a,b"})
		case "Enabled", "Name", "Description":
			lines = append(lines, []string{"-" + p.Name, "$true"})
		case "PermanentDataPurgeRequested":
			lines = append(lines, []string{"-" + p.Name, "-PermanentDataPurgeReason", "r", "-PermanentDataPurgeContact", "c"})
		case "PermanentDataPurgeReason":
			lines = append(lines, []string{"-" + p.Name, "r"})
		}
	}
	return lines
}

func mayUse(t *testing.T, r service.Remote, row *cmdlet.Cmdlet, line []string, role directory.Role) bool {
	t.Helper()
	err := try(t, r, row, append([]string{"-Identity", "x"}, line...))
	return !fault.Is(err, fault.Forbidden) && !unknownParameter(err)
}

// unknownParameter reports whether a command was refused for a parameter, or for a combination of
// them, that there is not for the caller.
func unknownParameter(err error) bool {
	f := fault.As(err)
	return err != nil && f.Reason == cmdlet.ReasonParameter
}

// The same under another map: what a role may do is what the map says, for each parameter.
func TestCK83_AnotherRoleMap(t *testing.T) {
	t.Parallel()
	m, err := policy.ReadRoles(strings.NewReader(`{
		"multi-workload": {"administrators": ["Compliance Administrator", "Global Administrator"], "refreshers": ["Exchange Administrator"]},
		"mailbox": {"administrators": ["SharePoint Administrator"], "readers": [], "purgeRequesters": ["Compliance Administrator"]}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	d := newTwoTenants(t, func(s *settings) { s.roles = m })
	runners := d.addRoles(t, d.contoso.id, "contoso.example")
	for _, row := range rows.Table() {
		if row.Side != cmdlet.Service {
			continue
		}
		for role, r := range runners {
			mayRun(t, r, &row, role, m)
		}
	}
	const tenant, mail = "Set-M365DataAtRestEncryptionPolicy", "Set-DataEncryptionPolicy"
	for _, tt := range []struct {
		role directory.Role
		row  string
		line []string
		want bool
	}{
		{directory.ExchangeAdministrator, tenant, []string{"-Refresh"}, true},
		{directory.ExchangeAdministrator, tenant, []string{"-Replace", "-AzureKeyIDs", "a,b"}, false},
		{directory.ExchangeAdministrator, tenant, []string{"-Enabled", "$false"}, false},
		{directory.ComplianceAdministrator, tenant, []string{"-Name", "New"}, true},
		{directory.GlobalAdministrator, mail, []string{"-Refresh"}, false},
		{directory.SharePointAdministrator, mail, []string{"-Name", "New"}, true},
		{directory.SharePointAdministrator, mail, []string{"-PermanentDataPurgeRequested", "-PermanentDataPurgeReason", "r", "-PermanentDataPurgeContact", "c"}, false},
		{directory.ComplianceAdministrator, mail, []string{"-PermanentDataPurgeRequested", "-PermanentDataPurgeReason", "r", "-PermanentDataPurgeContact", "c"}, true},
		{directory.ComplianceAdministrator, mail, []string{"-PermanentDataPurgeReason", "r"}, false}, // CK-119
		{directory.ServiceOperator, mail, []string{"-PermanentDataPurgeReason", "r"}, true},
		{directory.ServiceOperator, mail, []string{"-Refresh"}, false},
	} {
		row, err := cmdlet.Find(rows.Table(), tt.row)
		if err != nil {
			t.Fatal(err)
		}
		if got := mayUse(t, runners[tt.role], row, tt.line, tt.role); got != tt.want {
			t.Errorf("%s %v as %s: %v, want %v", tt.row, tt.line, tt.role, got, tt.want)
		}
	}
	d.wantDenials(t, "the caller has no role that may use -Refresh")
}

// wantDenials looks for the record of a refused parameter.
func (d *twoTenants) wantDenials(t *testing.T, text string) {
	t.Helper()
	d.token = d.contoso.token
	for after := ""; ; {
		got := d.ask(t, "GET", "api", "/v1/audit/service?limit=1000&after="+after, "", "")
		if strings.Contains(got.Body, `"`+text+`"`) {
			return
		}
		var page struct{ Next string }
		if err := json.Unmarshal([]byte(got.Body), &page); err != nil || page.Next == "" {
			t.Fatalf("no record of %q: %d %.300s", text, got.Status, got.Body)
		}
		after = page.Next
	}
}

func roleLine(what string, may func(directory.Role) bool) string {
	line := "| `" + what + "` |"
	for _, role := range everyRole {
		if may(role) {
			line += " yes |"
		} else {
			line += " |"
		}
	}
	return line
}

const tableBegins, tableEnds = "<!-- made by TestCK277_RolesOfEveryCommand: -write-roles -->\n", "<!-- end -->"

// wantTable compares the table in a document with lines, or writes it anew.
func wantTable(t *testing.T, path string, lines []string) {
	t.Helper()
	head := "| |"
	for _, role := range everyRole {
		if role == "" {
			role = "no role"
		}
		head += " " + string(role) + " |"
	}
	want := tableBegins + head + "\n|" + strings.Repeat(" --- |", len(everyRole)+1) + "\n" + strings.Join(lines, "\n") + "\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableBegins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", path)
	}
	switch made := before + want + tableEnds + after; {
	case *writeRoles:
		if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	case made != string(text):
		t.Errorf("%s is out of date: see its table with go test ./cmd/ck -run TestCK277 -write-roles", path)
	}
}

// shellWords splits at spaces outside quotes and takes the quotes away.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote := rune(0)
	for _, r := range line + " " {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && r == ' ':
			if word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return words
}
