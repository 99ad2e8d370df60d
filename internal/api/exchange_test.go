package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	getPolicies   = "Get-M365DataAtRestEncryptionPolicy"
	newPolicy     = "New-M365DataAtRestEncryptionPolicy"
	setPolicy     = "Set-M365DataAtRestEncryptionPolicy"
	getAssignment = "Get-M365DataAtRestEncryptionPolicyAssignment"
	setAssignment = "Set-M365DataAtRestEncryptionPolicyAssignment"
)

// The shapes of section 7, as a client that was written from it alone would check them.
// Rows CK-324, CK-325, CK-327 to CK-330, CK-332, CK-335 to CK-337, CK-353.
func TestExchangeShapes(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	x.mustCreate(admin, "Contoso_Global")
	a := x.run(admin, strings.ToLower(getPolicies), "", "X-AnchorMailbox: UPN:somebody@else.example", "X-ResponseFormat: json")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json;odata.metadata=minimal" ||
		a.header.Get("OData-Version") != "4.0" || len(a.header.Get("Request-Id")) != 36 {
		t.Errorf("%d %v", a.status, a.header)
	}
	var raw map[string]json.RawMessage
	x.must(json.Unmarshal([]byte(a.text), &raw))
	for name, want := range map[string]string{
		"@odata.context":               `"https://outlook.localhost:8443/adminapi/beta/contoso.example/$metadata#Collection(Exchange.GenericHashTable)"`,
		"adminapi.warnings@odata.type": `"#Collection(String)"`,
		"@adminapi.warnings":           `[]`,
	} {
		if string(raw[name]) != want {
			t.Errorf("%s = %s, want %s", name, raw[name], want)
		}
	}
	if _, more := raw["@odata.nextLink"]; more {
		t.Error("the last page has a nextLink")
	}
	if len(a.reply.Value) != 1 {
		t.Fatalf("%d policies", len(a.reply.Value))
	}
	p := a.reply.Value[0]
	for name, want := range map[string]any{
		"Name": "Contoso_Global", "Identity": "Contoso_Global", "Enabled": true, "State": "PendingActivation", "Assigned": false, "Health": "Healthy",
		"DataEncryptionPolicyType": "multi-workload",
		"AzureKeyIDs@odata.type":   "#Collection(String)", "Guid@data.type": "System.Guid", "Guid@odata.type": "#Guid",
	} {
		if got := p.Get(name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if diff := cmp.Diff([]any{x.keys[0], x.keys[1]}, p.Get("AzureKeyIDs")); diff != "" {
		t.Errorf("AzureKeyIDs: %s", diff)
	}
	selected := x.post(admin, "/ADMINAPI/v1.0/"+x.tenant+"/invokecommand?$select=name,Guid", command(getPolicies, `{}`))
	if diff := cmp.Diff([]string{"Name", "Guid@data.type", "Guid@odata.type", "Guid"}, names(selected.reply.Value[0])); diff != "" {
		t.Errorf("$select: %s", diff)
	}
}

func names(o cmdlet.Object) (list []string) {
	for _, f := range o.Fields {
		list = append(list, f.Name)
	}
	return list
}

// A policy's whole life over the wire. CK-340 is its commands without output.
func TestExchangeLifeOfAPolicy(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	x.mustCreate(admin, "First")
	x.mustCreate(admin, "Second Policy")
	ok := func(name, params string) exchangeAnswer {
		t.Helper()
		a := x.run(admin, name, params)
		if a.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", name, params, a.status, a.text)
		}
		return a
	}
	if a := ok(getAssignment, ""); len(a.reply.Value) != 0 {
		t.Errorf("assigned before anything was: %s", a.text)
	}
	if a := ok(setAssignment, `{"Policy":"first"}`); len(a.reply.Warnings) != 1 || !strings.Contains(a.reply.Warnings[0], "-DataEncryptionPolicy") {
		t.Errorf("the older spelling goes without a warning: %s", a.text)
	}
	assigned := ok(getAssignment, "").reply.Value[0]
	if assigned.Get("Name") != "First" || assigned.Get("State") != "Active" || assigned.Get("Assigned") != true {
		t.Errorf("assigned: %v", assigned)
	}
	before := assigned.Get("DataEncryptionPolicyID")
	ok(setPolicy, `{"Identity":"`+assigned.Get("DistinguishedName").(string)+`","Refresh":true,"Confirm":false}`)
	refreshed := ok(getPolicies, `{"Identity":"`+before.(string)+`"}`).reply.Value[0] // row CK-126: past values resolve
	if refreshed.Get("DataEncryptionPolicyID") == before || refreshed.Get("Name") != "First" {
		t.Errorf("after a refresh: %v", refreshed)
	}
	if g, ok := refreshed.Get("Generations").([]any); !ok || len(g) != 2 {
		t.Errorf("generations: %v", refreshed.Get("Generations"))
	}
	ok(setPolicy, `{"Identity":"Second Policy","Name":"Second","Description":"for later","Enabled":false}`)
	second := ok(getPolicies, `{"Identity":"second"}`).reply.Value[0]
	if second.Get("Description") != "for later" || second.Get("Enabled") != false {
		t.Errorf("changed: %v", second)
	}
	ok(setAssignment, `{"DataEncryptionPolicy":null}`)
	if a := ok(getAssignment, ""); len(a.reply.Value) != 0 {
		t.Errorf("still assigned: %s", a.text)
	}
}

var detail = regexp.MustCompile(`^Ex[0-9A-F]{6}\|[A-Za-z.]+\|[^|]+$`)

// Rows CK-345 to CK-350.
func TestExchangeErrors(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	x.mustCreate(admin, "Taken")
	x.mustCreate(admin, "Off")
	if a := x.run(admin, setPolicy, `{"Identity":"Off","Enabled":false}`); a.status != http.StatusOK {
		t.Fatal(a.text)
	}
	pair := `["` + strings.Join(x.keys, `","`) + `"]`
	for _, tt := range []struct {
		name, params string
		status       int
		code         string // error.code
		text         string // in details
		fault        fault.Code
		hint         string
	}{
		{getPolicies, `{"Identity":"nosuch"}`, 404, "NotFound", "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'nosuch' couldn't be found on 'outlook.localhost:8443'.", fault.NotFound, ""},
		{setPolicy, `{"Identity":"a|b","Refresh":true}`, 404, "NotFound", "object 'a/b' couldn't be found", fault.NotFound, ""},
		{newPolicy, `{"Name":"taken","AzureKeyIDs":` + pair + `}`, 400, "Invalid Operation", "already exists", fault.Conflict, ""},
		{newPolicy, `{"Name":"New"}`, 400, "Invalid Operation", "needs -AzureKeyIDs", fault.Invalid, "ck help"},
		{newPolicy, `{"Name":"New","AzureKeyIDs":"` + x.keys[0] + `"}`, 400, "Invalid Operation", "exactly two", fault.Invalid, ""},
		{newPolicy, `{"Name":"New","AzureKeyIDs":["` + x.keys[0] + `","https://vault.evil.example/keys/k"]}`, 400, "Invalid Operation", "", fault.Invalid, ""},
		{setPolicy, `{"Identity":"Taken","Refresh":true,"AzureKeyIDs":` + pair + `}`, 400, "Invalid Operation", "-Replace", fault.Invalid, "-Replace"},
		{setPolicy, `{"Identity":"Taken"}`, 400, "Invalid Operation", "nothing to change", fault.Invalid, "-Refresh"},
		{setAssignment, `{"DataEncryptionPolicy":"Off"}`, 409, "Conflict", "disabled", fault.Conflict, "enable it"},
		{getPolicies, `{"Identity":"x","WhatIf":true}`, 400, "Invalid Operation", "changes nothing", fault.Invalid, ""},
		{getPolicies, `{"Identity":"x","OutputFormat":"json"}`, 400, "Invalid Operation", "no parameter", fault.Invalid, ""},
	} {
		a := x.run(admin, tt.name, tt.params)
		e := a.error.Error
		if a.status != tt.status || e.Code != tt.code || e.Message != "Error executing cmdlet" || len(e.Details) != 1 {
			t.Errorf("%s %s: %d %s", tt.name, tt.params, a.status, a.text)
			continue
		}
		if !detail.MatchString(e.Details[0].Message) || !strings.Contains(e.Details[0].Message, tt.text) || e.Details[0].Code != "Client" {
			t.Errorf("%s %s: detail %q, want %q", tt.name, tt.params, e.Details[0].Message, tt.text)
		}
		if e.Fault == nil || e.Fault.Code != string(tt.fault) || !strings.Contains(e.Fault.Hint, tt.hint) {
			t.Errorf("%s %s: fault %+v, want %s, hint %q", tt.name, tt.params, e.Fault, tt.fault, tt.hint)
		}
		if kind := a.header.Get("X-ExceptionType"); !strings.Contains(e.Details[0].Message, "|"+kind+"|") || a.error.WarningsType != "#Collection(String)" {
			t.Errorf("%s %s: X-ExceptionType %q, %s", tt.name, tt.params, kind, a.text)
		}
		if strings.Contains(strings.ToLower(a.text), "stacktrace") {
			t.Errorf("%s %s: a stack trace: %s", tt.name, tt.params, a.text)
		}
	}
}

// What cannot be understood is told apart from what is not there, before anything runs. Rows CK-331, CK-334.
func TestExchangeRefusesRequests(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"
	body := command(getPolicies, "")
	for _, tt := range []struct {
		what, token, path, body string
		headers                 []string
		status                  int
	}{
		{"no token", "", path, body, nil, 401},
		{"bad token", "x", path, body, nil, 401},
		{"other path", admin, "/adminapi/beta/contoso.example/Nothing", body, nil, 404},
		{"other version", admin, "/adminapi/v2.0/contoso.example/InvokeCommand", body, nil, 404},
		{"dots", admin, "/adminapi/beta/../InvokeCommand", body, nil, 400},
		{"no type", admin, path, body, []string{"Content-Type: text/plain"}, 415},
		{"other format", admin, path, body, []string{"X-ResponseFormat: yaml"}, 400},
		{"no JSON", admin, path, "{", nil, 400},
		{"no command", admin, path, "{}", nil, 400},
		{"twice", admin, path, command(getPolicies, `{"Identity":"a","Identity":"b"}`), nil, 400},
		{"deep", admin, path, command(getPolicies, `{"Identity":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`), nil, 400},
		{"too long", admin, path, command(getPolicies, `{"Identity":"`+strings.Repeat("x", 300<<10)+`"}`), nil, 413},
		{"bad page", admin, path + "?$skiptoken=!", body, nil, 400},
		{"charset", admin, path, body, []string{"Content-Type: application/json;odata.metadata=minimal;charset=utf-8"}, 200},
		{"null parameters", admin, path, command(getPolicies, "null"), nil, 200},
	} {
		if a := x.post(tt.token, tt.path, tt.body, tt.headers...); a.status != tt.status {
			t.Errorf("%s: %d, want %d: %s", tt.what, a.status, tt.status, a.text)
		} else if a.status == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: no challenge", tt.what)
		}
	}
	res, err := http.Get(x.server.URL + path)
	x.must(err)
	res.Body.Close()
	if res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

// Whoever may not run a command, names one that is not there, or another organization, gets
// one and the same answer.
func TestExchangeTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin, reader := x.token(x.tenant, directory.ComplianceAdministrator), x.token(x.tenant, directory.GlobalReader)
	nobody := x.token(x.tenant, directory.MailboxImportExport, directory.ServiceOperator)
	own := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"
	for _, tt := range []struct{ what, token, path, body string }{
		{"unknown command", admin, own, command("Get-Secrets", "")},
		{"command of the vault side", admin, own, command("Get-AzKeyVaultKey", `{"VaultName":"v"}`)},
		{"reader changes", reader, own, command(setPolicy, `{"Identity":"x","Refresh":true}`)},
		{"reader errs", reader, own, command(setPolicy, `{"NoSuch":1}`)},
		{"nobody reads", nobody, own, command(getPolicies, "")},
		{"other organization", admin, "/adminapi/beta/fabrikam.example/InvokeCommand", command(getPolicies, "")},
		{"no organization", admin, "/adminapi/beta/nowhere.example/InvokeCommand", command(getPolicies, "")},
	} {
		a := x.post(tt.token, tt.path, tt.body)
		if a.status != 403 || a.text != "" || a.header.Get("X-ExceptionType") != "System.UnauthorizedAccessException" {
			t.Errorf("%s: %d %q %v", tt.what, a.status, a.text, a.header)
		}
	}
	if a := x.post(reader, own, command(getPolicies, "")); a.status != 200 {
		t.Errorf("a reader reads: %d %s", a.status, a.text)
	}
}

// A refusal is recorded, or there is no answer that says so.
func TestExchangeRecordsRefusals(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	reader := x.token(x.tenant, directory.GlobalReader)
	x.run(reader, setAssignment, `{"DataEncryptionPolicy":"x"}`)
	if !x.log.wrote(audit.Deny, "cmdlet.run") {
		t.Error("a refused command is not in the log")
	}
	x.log.setDeaf(true)
	if a := x.run(reader, setAssignment, `{"DataEncryptionPolicy":"x"}`); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("with a log that fails: %d %s", a.status, a.text)
	}
}

// What a change would be is told and nothing is done (CK-338).
func TestExchangeWhatIfAndConfirm(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	x.mustCreate(admin, "One")
	keys := `["` + strings.Join(x.keys, `","`) + `"]`
	for _, tt := range []struct{ name, params, text string }{
		{newPolicy, `{"Name":"Two","AzureKeyIDs":` + keys + `,"WhatIf":true}`, `"Create data encryption policy" on target "Two"`},
		{setPolicy, `{"Identity":"One","Name":"Uno","Refresh":true,"WhatIf":true}`, `"Rename to \"Uno\", refresh data encryption policy" on target "One"`},
		{setPolicy, `{"Identity":"One","Enabled":false,"Confirm":true}`, `"Disable data encryption policy" on target "One"`},
		{setAssignment, `{"DataEncryptionPolicy":"One","WhatIf":true}`, `"Assign data encryption policy" on target "One"`},
		{setAssignment, `{"DataEncryptionPolicy":null,"Confirm":true}`, `"Unassign the data encryption policy" on target "the organization"`},
	} {
		a := x.run(admin, tt.name, tt.params)
		if a.status != 200 || !strings.Contains(a.reply.Confirmation, tt.text) {
			t.Errorf("%s %s: %d %s", tt.name, tt.params, a.status, a.text)
		}
		if reports := strings.Contains(tt.params, "WhatIf"); (len(a.reply.Value) == 1) != reports || reports && a.reply.Value[0].Get("RootKeysKept") == nil {
			t.Errorf("%s %s reports %s", tt.name, tt.params, a.text)
		}
	}
	a := x.run(admin, getPolicies, "")
	if len(a.reply.Value) != 1 || a.reply.Value[0].Get("Name") != "One" || a.reply.Value[0].Get("Enabled") != true || a.reply.Value[0].Get("Assigned") != false {
		t.Errorf("something changed: %s", a.text)
	}
}

// Rows CK-333, CK-341, CK-342.
func TestExchangePages(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	want := []string{"Alpha", "beta", "Delta", "gamma", "Übung"}
	for _, i := range []int{3, 0, 4, 2, 1} {
		x.mustCreate(admin, want[i])
	}
	walk := func(params, prefer string) (got []string, pages int, warnings []string) {
		t.Helper()
		path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand?$select=Name"
		for pages = 0; path != "" && pages < 10; pages++ {
			a := x.post(admin, path, command(getPolicies, params), "Prefer: "+prefer)
			if a.status != 200 {
				t.Fatalf("page %d: %d %s", pages, a.status, a.text)
			}
			for _, o := range a.reply.Value {
				if len(o.Fields) != 1 {
					t.Errorf("$select is lost on page %d: %v", pages, o)
				}
				got = append(got, o.Get("Name").(string))
			}
			warnings = append(warnings, a.reply.Warnings...)
			path = strings.TrimPrefix(a.reply.NextLink, "https://outlook.localhost:8443")
		}
		return got, pages, warnings
	}
	for _, tt := range []struct {
		params, prefer string
		want           []string
		pages          int
		warned         bool
	}{
		{`{}`, "", want, 1, false},
		{`{}`, "odata.maxpagesize=2", want, 3, false},
		{`{}`, "odata.continue-on-error;odata.maxpagesize=1", want, 5, false},
		{`{}`, "odata.maxpagesize=5", want, 1, false},
		{`{"ResultSize":3}`, "odata.maxpagesize=2", want[:3], 2, true},
		{`{"ResultSize":"5"}`, "odata.maxpagesize=2", want, 3, false},
		{`{"ResultSize":"Unlimited"}`, "odata.maxpagesize=99999", want, 1, false},
	} {
		got, pages, warnings := walk(tt.params, tt.prefer)
		if diff := cmp.Diff(tt.want, got); diff != "" || pages != tt.pages || (len(warnings) > 0) != tt.warned {
			t.Errorf("%s %s: %d pages, warnings %q: %s", tt.params, tt.prefer, pages, warnings, diff)
		}
	}
}

// What has no order to go on by comes in one page: a link to a next one would lead back to the
// first for ever.
func TestExchangeOnePage(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	x.mustCreate(admin, "Alpha")
	x.mustCreate(admin, "Beta")
	path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"
	a := x.post(admin, path, command("Get-CKKeyHealth", ""), "Prefer: odata.maxpagesize=1")
	if a.status != 200 || len(a.reply.Value) != 4 || a.reply.NextLink != "" {
		t.Errorf("%d root keys on the first page, then %q: %s", len(a.reply.Value), a.reply.NextLink, a.text)
	}
}

// Our own client gets out what the service put in: objects with their types, and errors with
// code and hint.
func TestRemoteAgainstExchange(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin, reader := x.token(x.tenant, directory.ComplianceAdministrator), x.token(x.tenant, directory.GlobalReader)
	remote := func(token string) service.Remote {
		return service.Remote{BaseURL: x.server.URL, Tenant: x.tenant, Token: func(context.Context) (string, error) { return token, nil }}
	}
	run := func(token string, words ...string) (objects []cmdlet.Object, said []string, err error) {
		t.Helper()
		row, err := cmdlet.Find(rows.Table(), words[0])
		x.must(err)
		call, err := cmdlet.Bind(row, words[1:])
		x.must(err)
		note := func(text string) { said = append(said, text) }
		call.Host = cmdlet.Host{
			Object: func(o cmdlet.Object) error { objects = append(objects, o); return nil }, Warn: note, WhatIf: note,
			Confirm: func(q string) (bool, error) { note(q); return false, nil },
		}
		err = remote(token).Run(t.Context(), call)
		return objects, said, err
	}
	made, said, err := run(admin, newPolicy, "Global Policy", "-AzureKeyIDs", strings.Join(x.keys, ","))
	if err != nil || len(made) != 1 || len(said) != 1 {
		t.Fatalf("made %v, said %q, %v", made, said, err)
	}
	if _, ok := made[0].Get("Guid").(cmdlet.GUID); !ok || len(made[0].Get("AzureKeyIDs").([]string)) != 2 || made[0].Type != "DataEncryptionPolicy" {
		t.Errorf("types are lost: %#v", made[0])
	}
	if v := made[0].Get("KeyVersions").([]cmdlet.Object); len(v) != 2 || v[0].Get("Current") != true {
		t.Errorf("key versions: %v", v)
	}
	if _, said, err := run(admin, setPolicy, "Global Policy", "-Refresh", "-WhatIf"); err != nil || len(said) < 3 || !strings.Contains(said[0], "Refresh") || !strings.Contains(said[len(said)-1], "Nothing becomes unreadable") {
		t.Errorf("-WhatIf says %q, %v", said, err)
	}
	if _, said, err := run(admin, setPolicy, "Global Policy", "-Refresh", "-Confirm"); err != nil || len(said) != 2 {
		t.Errorf("-Confirm asks %q, %v", said, err)
	}
	_, _, err = run(admin, getPolicies, "Globl Policy")
	if f := fault.As(err); f.Code != fault.NotFound || !strings.Contains(f.Message, "Globl Policy") || !strings.Contains(f.Hint, "Global Policy") {
		t.Errorf("%v, hint %q", err, f.Hint)
	}
	_, _, err = run(reader, setPolicy, "x", "-Refresh")
	if f := fault.As(err); f.Code != fault.Forbidden || !strings.Contains(f.Hint, string(directory.ComplianceAdministrator)) {
		t.Errorf("%v, hint %q", err, f.Hint)
	}
	_, _, err = run("expired", getPolicies)
	if f := fault.As(err); f.Code != fault.Unauthenticated {
		t.Errorf("with a bad token: %v", err)
	}
	x.server.Close()
	_, _, err = run(admin, getPolicies)
	if f := fault.As(err); f.Code != fault.Unavailable || !strings.Contains(f.Hint, "ck serve") {
		t.Errorf("with nobody there: %v, hint %q", err, f.Hint)
	}
}
