package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/api/throttle"
	"github.com/customerkey/customerkey/internal/directory"
)

// A section7 is a server with 2,500 mailboxes and two policies, and clients of it that were written
// from section 7 alone.
type section7 struct {
	*exchange
	admin, reader *plainClient
	pass          func(time.Duration)
}

// mostAsked is more than what the other tests ask for as one caller, and not much more.
const mostAsked = 400

func newSection7(t *testing.T) *section7 {
	t.Helper()
	x := &section7{exchange: newExchange(t)}
	x.mustPeople(2500)
	x.pass = x.limit(throttle.Limits{Window: time.Minute, Caller: throttle.Limit{Requests: mostAsked}})
	x.admin = x.client(directory.ComplianceAdministrator, directory.ExchangeAdministrator)
	x.reader = x.client(directory.GlobalReader)
	for _, name := range []string{"Alpha", "Beta"} {
		params := map[string]any{"Name": name, "AzureKeyIDs": x.keys}
		if _, err := x.admin.run(t.Context(), newPolicy, params, nil); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func (x *section7) client(roles ...directory.Role) *plainClient {
	token := x.token(x.tenant, roles...)
	return &plainClient{base: x.server.URL, tenant: contosoDomain, token: func() string { return token }, sleep: func(d time.Duration) { x.pass(d) }}
}

// must runs a command that has to work.
func (x *section7) must(t *testing.T, c *plainClient, name string, params map[string]any, headers ...string) plainResult {
	t.Helper()
	r, err := c.run(t.Context(), name, params, headersOf(headers))
	if err != nil {
		t.Fatalf("%s %v: %v", name, params, err)
	}
	return r
}

// headersOf reads "Name: value".
func headersOf(lines []string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return h
}

// fails runs a command that must not work, and returns how it failed.
func (x *section7) fails(t *testing.T, c *plainClient, name string, params map[string]any, headers ...string) (*plainError, plainResult) {
	t.Helper()
	r, err := c.run(t.Context(), name, params, headersOf(headers))
	var e *plainError
	if !errors.As(err, &e) {
		t.Fatalf("%s %v: %v", name, params, err)
	}
	return e, r
}

// first returns the first object of an answer.
func (r plainResult) first() map[string]any {
	if len(r.value) == 0 {
		return nil
	}
	o, _ := r.value[0].(map[string]any)
	return o
}

// The recorded shapes of section 7, a row at a time, as a client sees them that was written from
// the section: CK-324, CK-325, CK-327 to CK-343, CK-345 to CK-352.
func TestSection7(t *testing.T) {
	t.Parallel()
	x := newSection7(t)
	for _, row := range []struct {
		name string
		test func(*testing.T, *section7)
	}{
		{"CK-324", addresses}, {"CK-325", versions}, {"CK-327", bodies}, {"CK-328", parameters}, {"CK-329", letters}, {"CK-330", selection},
		{"CK-331", tokens}, {"CK-332", anchors}, {"CK-333", pageSizes}, {"CK-334", formats}, {"CK-336", optionalHeaders}, {"CK-337", successes},
		{"CK-338", saidBeside}, {"CK-339", annotations}, {"CK-340", silence}, {"CK-341", nextPages}, {"CK-342", resultSizes}, {"CK-343", answerHeaders},
		{"CK-345", failures}, {"CK-347", refusals}, {"CK-348", duplicates}, {"CK-349", backOff}, {"CK-351", batches}, {"CK-352", startUp},
	} {
		t.Run(row.name, func(t *testing.T) { row.test(t, x) })
	}
}

// {tenant} is a GUID or a domain.
func addresses(t *testing.T, x *section7) {
	byID := *x.reader
	byID.tenant = x.tenant
	if r := x.must(t, &byID, getPolicies, nil); len(r.value) != 2 {
		t.Errorf("by GUID: %v", r.value)
	}
}

// beta serves InvokeCommand, and here v1.0 does too.
func versions(t *testing.T, x *section7) {
	for _, version := range []string{"beta", "v1.0"} {
		r, err := x.reader.runAt(t.Context(), x.reader.address(version, "InvokeCommand"), getPolicies, nil, nil)
		if err != nil || len(r.value) != 2 || !strings.Contains(r.last.json["@odata.context"].(string), "/adminapi/"+version+"/") {
			t.Errorf("%s: %v, %v", version, r.last.json, err)
		}
	}
}

func bodies(t *testing.T, x *section7) {
	for kind, want := range map[string]int{
		"application/json": 200, "application/json;odata.metadata=minimal": 200, "application/json; charset=utf-8": 200, "text/xml": 415, "": 415,
	} {
		a := x.post(x.reader.token(), "/adminapi/beta/"+contosoDomain+"/InvokeCommand", command(getPolicies, ""), "Content-Type: "+kind)
		if a.status != want {
			t.Errorf("%q: %d", kind, a.status)
		}
	}
}

// Parameters may be absent or {}, switches are true, -Confirm:$false is false, lists are arrays,
// $null is null, and what is an annotation is none.
func parameters(t *testing.T, x *section7) {
	for _, params := range []map[string]any{nil, {}, {"Identity": nil}} {
		if r := x.must(t, x.reader, getPolicies, params); len(r.value) != 2 {
			t.Errorf("%v: %v", params, r.value)
		}
	}
	made := x.must(t, x.admin, newPolicy, map[string]any{"Name": "Gamma", "AzureKeyIDs": x.keys, "AzureKeyIDs@odata.type": "#Collection(String)", "Confirm": false}).first()
	if diff := cmp.Diff([]any{x.keys[0], x.keys[1]}, made["AzureKeyIDs"]); diff != "" {
		t.Error(diff)
	}
	x.must(t, x.admin, setPolicy, map[string]any{"Identity": "Gamma", "Refresh": true, "Confirm": false})
	x.must(t, x.admin, setAssignment, map[string]any{"DataEncryptionPolicy": "Gamma"})
	if r := x.must(t, x.reader, getAssignment, nil); r.first()["Name"] != "Gamma" {
		t.Errorf("assigned: %v", r.value)
	}
	x.must(t, x.admin, setAssignment, map[string]any{"DataEncryptionPolicy": nil})
	if r := x.must(t, x.reader, getAssignment, nil); len(r.value) != 0 {
		t.Errorf("still assigned: %v", r.value)
	}
	hash := map[string]any{"Identity": "Gamma", "Description": map[string]any{"@odata.type": "#Exchange.GenericHashTable", "a": "b"}}
	if e, _ := x.fails(t, x.admin, setPolicy, hash); e.status != 400 {
		t.Errorf("a hash table for a text: %v", e)
	}
}

func letters(t *testing.T, x *section7) {
	if r := x.must(t, x.reader, strings.ToUpper(getPolicies), map[string]any{"iDENTITY": "alpha"}); len(r.value) != 1 {
		t.Errorf("%v", r.value)
	}
}

func selection(t *testing.T, x *section7) {
	r, err := x.reader.runAt(t.Context(), x.reader.address("beta", "InvokeCommand?$select=name,Enabled"), getPolicies, nil, nil)
	if diff := cmp.Diff(map[string]any{"Name": "Alpha", "Enabled": true}, r.first()); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

func tokens(t *testing.T, x *section7) {
	none := *x.reader
	none.token = func() string { return "" }
	if e, r := x.fails(t, &none, getPolicies, nil); e.status != 401 || !strings.HasPrefix(r.last.header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%v, %v", e, r.last.header)
	}
}

// Whatever the anchor, the token says who calls.
func anchors(t *testing.T, x *section7) {
	for _, anchor := range []string{"UPN:root@fabrikam.example", "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + x.tenant, "SMTP:x@y.example", "MBX:1@2"} {
		x.must(t, x.reader, getPolicies, nil, "X-AnchorMailbox: "+anchor)
		if e, _ := x.fails(t, x.reader, setPolicy, map[string]any{"Identity": "Alpha", "Refresh": true}, "X-AnchorMailbox: "+anchor); e.status != 403 {
			t.Errorf("%s: %v", anchor, e)
		}
	}
}

func pageSizes(t *testing.T, x *section7) {
	for prefer, pages := range map[string]int{"": 3, "odata.maxpagesize=100": 25, "odata.maxpagesize=1000": 3, "odata.maxpagesize=5000": 3, `a; odata.maxpagesize="2000", b`: 3} {
		if r := x.must(t, x.reader, "Get-Mailbox", nil, "Prefer: "+prefer); r.pages != pages || len(r.value) != 2500 {
			t.Errorf("%q: %d mailboxes in %d pages", prefer, len(r.value), r.pages)
		}
	}
}

// JSON unless CLIXML is asked for; then every object is a document of its own. CK-335: Partial ends
// below the first level, Full does not.
func formats(t *testing.T, x *section7) {
	if r := x.must(t, x.reader, getPolicies, nil, "X-ResponseFormat: json"); r.first()["Name"] != "Alpha" {
		t.Errorf("json: %v", r.value)
	}
	r := x.must(t, x.reader, "Get-Mailbox", nil, "X-ResponseFormat: clixml", "X-SerializationLevel: Partial")
	if len(r.value) != 2500 || r.pages != 3 {
		t.Fatalf("%d mailboxes in %d pages", len(r.value), r.pages)
	}
	last, err := properties(r.value[2499].(string))
	if err != nil || last["Name"] != "S p002499@contoso.example" || last["Guid"] != "G 00000000-0000-4000-8000-000000002499" {
		t.Errorf("%v: %v", err, last)
	}
	for _, level := range []string{"Partial", "Full"} {
		text, _ := x.must(t, x.reader, getPolicies, map[string]any{"Identity": "Alpha"}, "X-ResponseFormat: CliXml", "X-SerializationLevel: "+level).value[0].(string)
		got, err := properties(text)
		if err != nil || got["Enabled"] != "B true" || !strings.HasPrefix(got["AzureKeyIDs"], "Obj ") || !strings.HasPrefix(got["DateCreated"], "DT ") {
			t.Errorf("%s: %v: %v", level, err, got)
		}
	}
	e, _ := x.fails(t, x.reader, getPolicies, map[string]any{"Identity": "nosuch"}, "X-ResponseFormat: clixml")
	if e.status != 404 || e.id != "Ex6F9304" {
		t.Errorf("an error where CLIXML was asked for: %v", e)
	}
	if e, _ := x.fails(t, x.reader, getPolicies, nil, "X-ResponseFormat: yaml"); e.status != 400 {
		t.Errorf("another format: %v", e)
	}
}

// The answer is the same without any of the optional headers; those that ask for something get it.
func optionalHeaders(t *testing.T, x *section7) {
	plain := x.must(t, x.reader, "Get-Mailbox", map[string]any{"ResultSize": 50})
	r := x.must(t, x.reader, "Get-Mailbox", map[string]any{"ResultSize": 50}, "X-CmdletName: Get-Other", "connection-id: "+newID(), "Accept-Language: de",
		"X-ClientApplication: ExoManagementModule", "X-ClientModuleVersion: 3.5.0", "parameter-based-routing: true", "ErrorAction: nonsense")
	if diff := cmp.Diff(plain.last.json, r.last.json); diff != "" {
		t.Error(diff)
	}
	if r.last.header.Get("Content-Encoding") != "gzip" || !strings.Contains(r.last.header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("not packed: %v", r.last.header)
	}
	if len(r.warnings) != 1 {
		t.Errorf("warnings %q", r.warnings)
	}
	if r := x.must(t, x.reader, "Get-Mailbox", map[string]any{"ResultSize": 50}, "WarningAction: SilentlyContinue"); len(r.warnings) != 0 || len(r.last.header["X-Warnings"]) != 0 {
		t.Errorf("silenced: %q", r.warnings)
	}
	id := newID()
	a := x.post(x.reader.token(), "/adminapi/beta/"+contosoDomain+"/InvokeCommand", command(getPolicies, ""), "client-request-id: "+id)
	if a.header.Get("client-request-id") != id || a.header.Get("Request-Id") == id {
		t.Errorf("ids: %v", a.header)
	}
}

func successes(t *testing.T, x *section7) {
	r := x.must(t, x.reader, getPolicies, nil)
	body := r.last.json
	if r.last.header.Get("Content-Type") != "application/json;odata.metadata=minimal" || !strings.HasSuffix(body["@odata.context"].(string), "$metadata#Collection(Exchange.GenericHashTable)") ||
		body["adminapi.warnings@odata.type"] != "#Collection(String)" || body["@odata.nextLink"] != nil {
		t.Errorf("%v %v", r.last.header, body)
	}
	if w, ok := body["@adminapi.warnings"].([]any); !ok || len(w) != 0 {
		t.Errorf("warnings: %v", body["@adminapi.warnings"])
	}
}

// Warnings stand in the body and in a header, and what WhatIf would do in a message. The errors
// that a command survives are shown by TestExchangeSurvivedErrors.
func saidBeside(t *testing.T, x *section7) {
	r := x.must(t, x.admin, setAssignment, map[string]any{"Policy": "Alpha", "WhatIf": true})
	if len(r.warnings) != 1 || r.last.header.Get("X-Warnings") != r.warnings[0] {
		t.Errorf("%q, %q", r.warnings, r.last.header.Get("X-Warnings"))
	}
	if _, r := x.fails(t, x.admin, setAssignment, map[string]any{"Policy": "nosuch"}); r.last.header.Get("X-Warnings") == "" || len(r.last.json["@adminapi.warnings"].([]any)) != 1 {
		t.Errorf("of one that failed: %s", r.last.body)
	}
	if text, _ := r.last.json["@adminapi.confirmationmessage"].(string); !strings.Contains(text, `"Alpha"`) {
		t.Errorf("%v", r.last.json)
	}
}

func annotations(t *testing.T, x *section7) {
	o := x.must(t, x.reader, getPolicies, map[string]any{"Identity": "Alpha"}).first()
	for name, want := range map[string]any{
		"AzureKeyIDs@odata.type": "#Collection(String)", "Guid@data.type": "System.Guid", "Guid@odata.type": "#Guid", "Enabled": true, "State": "PendingActivation",
	} {
		if o[name] != want {
			t.Errorf("%s: %v", name, o[name])
		}
	}
	for name := range o {
		if at := strings.Index(name, "@"); at > 0 && o[name[:at]] == nil {
			t.Errorf("%s is about nothing", name)
		}
	}
}

func silence(t *testing.T, x *section7) {
	r := x.must(t, x.admin, "Set-Mailbox", map[string]any{"Identity": "p000001", "DataEncryptionPolicy": nil, "Confirm": false})
	if value, ok := r.last.json["value"].([]any); !ok || len(value) != 0 {
		t.Errorf("%d %v", r.last.status, r.last.json)
	}
}

// Each mailbox comes once, in order, whatever happens between the pages.
func nextPages(t *testing.T, x *section7) {
	r := x.must(t, x.reader, "Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}, "Prefer: odata.maxpagesize=700")
	for i, o := range r.value {
		if name := o.(map[string]any)["Name"]; name != fmt.Sprintf("p%06d@contoso.example", i) {
			t.Fatalf("mailbox %d is %v", i, name)
		}
	}
	if len(r.value) != 2500 || r.pages != 4 {
		t.Errorf("%d mailboxes in %d pages", len(r.value), r.pages)
	}
}

func resultSizes(t *testing.T, x *section7) {
	for size, want := range map[any]int{1: 1, "1200": 1200, "Unlimited": 2500, 2500: 2500} {
		r := x.must(t, x.reader, "Get-Mailbox", map[string]any{"ResultSize": size})
		if len(r.value) != want || (len(r.warnings) == 1) != (want < 2500) {
			t.Errorf("%v: %d mailboxes, %q", size, len(r.value), r.warnings)
		}
	}
}

func answerHeaders(t *testing.T, x *section7) {
	h := x.must(t, x.reader, getPolicies, nil).last.header
	reset, err := time.Parse(time.RFC3339, h.Get("Rate-Limit-Reset"))
	if err != nil || reset.Before(x.config.Now()) || h.Get("Rate-Limit-Limit") != strconv.Itoa(mostAsked) || h.Get("Rate-Limit-Remaining") == "" ||
		h.Get("OData-Version") != "4.0" || len(h.Get("Request-Id")) != 36 || h.Get("X-ExceptionType") != "" {
		t.Errorf("%v", h)
	}
}

// CK-346, CK-350: three parts and no more, whatever the text; ids are stable; no stack trace.
func failures(t *testing.T, x *section7) {
	e, r := x.fails(t, x.reader, getPolicies, map[string]any{"Identity": "no|such|thing"})
	if e.status != 404 || e.code != "NotFound" || e.id != "Ex6F9304" || e.kind != "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException" ||
		!strings.Contains(e.is, "couldn't be found on") || r.last.header.Get("X-ExceptionType") != e.kind {
		t.Errorf("%+v", e)
	}
	inner := r.last.json["error"].(map[string]any)["innererror"].(map[string]any)
	if inner["type"] != "Microsoft.Exchange.Admin.OData.Core.ODataServiceException" || regexp.MustCompile(`(?i)stacktrace|\.go:\d`).Match(r.last.body) {
		t.Errorf("%s", r.last.body)
	}
}

// An unknown command and one that the caller may not see are one: 403 without a body.
func refusals(t *testing.T, x *section7) {
	for _, name := range []string{"Get-Nothing", setPolicy, "Get-AzKeyVaultKey"} {
		e, r := x.fails(t, x.reader, name, map[string]any{"Identity": "Alpha"})
		if e.status != 403 || len(r.last.body) != 0 || r.last.header.Get("X-ExceptionType") != "System.UnauthorizedAccessException" {
			t.Errorf("%s: %d %s", name, e.status, r.last.body)
		}
	}
}

func duplicates(t *testing.T, x *section7) {
	x.must(t, x.admin, "New-Mailbox", map[string]any{"Name": "shared", "Shared": true})
	for name, params := range map[string]map[string]any{
		newPolicy:     {"Name": "alpha", "AzureKeyIDs": x.keys},
		"New-Mailbox": {"Name": "shared", "Shared": true},
	} {
		e, _ := x.fails(t, x.admin, name, params)
		if e.status != 400 || !strings.Contains(e.is, "already exists") || !strings.HasSuffix(e.kind, ".ADObjectAlreadyExistsException") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Whoever is throttled waits as long as the answer says, and is served. TestExchangeAtOnce shows the
// plain text.
func backOff(t *testing.T, x *section7) {
	c := x.client(directory.GlobalReader)
	for i := range mostAsked {
		if _, err := c.send(t.Context(), http.MethodGet, c.address("v1.0", "EXOBanner('AutogenSession')?Version=1"), nil, nil); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	if len(c.slept) != 0 {
		t.Fatalf("throttled before the limit: %v", c.slept)
	}
	if r := x.must(t, c, "Get-Mailbox", nil); len(r.value) != 2501 || len(c.slept) != 1 || c.slept[0] != time.Minute {
		t.Errorf("%d mailboxes, after %v", len(r.value), c.slept)
	}
}

// Ten commands in one request, each with pages of its own.
func batches(t *testing.T, x *section7) {
	var commands []map[string]any
	for i := range 10 {
		commands = append(commands, input("Get-Mailbox", map[string]any{"ResultSize": 100 + i*50}))
	}
	results, err := x.reader.batch(t.Context(), commands, http.Header{"Prefer": {"odata.continue-on-error, odata.maxpagesize=100"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if len(r.value) != 100+i*50 || r.pages != (100+i*50+99)/100 {
			t.Errorf("command %d: %d mailboxes in %d pages", i, len(r.value), r.pages)
		}
	}
}

// The calls with which a module starts tell each caller what he may run, and no more.
func startUp(t *testing.T, x *section7) {
	for _, version := range []string{"v1.0", "beta"} {
		all, err := x.admin.exported(t.Context(), version, "*")
		if err != nil || !slices.Contains(all, setPolicy) || slices.Contains(all, "Get-AzKeyVault") || !slices.IsSorted(all) {
			t.Errorf("the administrator: %v, %v", all, err)
		}
		some, err := x.reader.exported(t.Context(), version, "")
		if err != nil || !slices.Contains(some, getPolicies) || slices.Contains(some, setPolicy) || len(some) >= len(all) {
			t.Errorf("the reader: %v, %v", some, err)
		}
		named, err := x.reader.exported(t.Context(), version, "get-mailbox*, Set-*")
		if diff := cmp.Diff([]string{"Get-Mailbox", "Get-MailboxStatistics"}, named); err != nil || diff != "" {
			t.Errorf("by name: %v, %s", err, diff)
		}
		for _, name := range some { // what is listed is not refused
			if e := x.run(x.reader.token(), name, `{"NoSuchParameter":1}`); e.status != 400 {
				t.Errorf("%s is listed, and answers %d %s", name, e.status, e.text)
			}
		}
		a, err := x.reader.send(t.Context(), http.MethodGet, x.reader.address(version, "EXOBanner('AutogenSession')?Version=3.5.0"), nil, nil)
		if value, ok := a.json["value"].([]any); err != nil || a.status != 200 || !ok || len(value) != 0 {
			t.Errorf("the banner: %d %s, %v", a.status, a.body, err)
		}
	}
}
