package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
)

const getActivity = "Get-CKActivity"

// activities returns the records that a command line finds, the newest first.
func (x *exchange) activities(token, params string) []cmdlet.Object {
	x.t.Helper()
	a := x.run(token, getActivity, params)
	if a.status != 200 {
		x.t.Fatalf("%s %s: %d %s", getActivity, params, a.status, a.text)
	}
	return a.reply.Value
}

// text writes some properties of an object as one line of JSON.
func text(t *testing.T, o cmdlet.Object, properties ...string) string {
	t.Helper()
	var values []any
	for _, name := range properties {
		values = append(values, o.Get(name))
	}
	line, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// CK-359 to CK-362: every command that changes something, and every one that is refused, has a
// record by the names of the schema; what only looks has none.
func TestExchangeActivity(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin, reader := x.token(x.tenant, directory.GlobalAdministrator), x.token(x.tenant, directory.GlobalReader)
	x.mustCreate(admin, "One")
	x.run(admin, getPolicies, "")
	x.run(admin, setPolicy, `{"Identity":"One","Name":"Uno","WhatIf":true}`)
	x.run(admin, setPolicy, `{"Identity":"One","Name":"Uno","Confirm":true}`) // a question that nobody has answered
	x.run(admin, setPolicy, `{"Identity":"One","Name":"Uno","Enabled":true}`)
	x.run(admin, setAssignment, `{"DataEncryptionPolicy":"Uno"}`)
	x.run(admin, setAssignment, `{"DataEncryptionPolicy":null}`)
	x.run(admin, newPolicy, `{"Name":"uno","AzureKeyIDs":["`+x.keys[0]+`","`+x.keys[1]+`"]}`)
	x.run(admin, setPolicy, `{"Identity":"nothing","Refresh":true}`)
	x.run(reader, setPolicy, `{"Identity":"Uno","Refresh":true,"Password":"hunter2"}`)
	x.run(reader, getPolicies, "")

	got := x.activities(reader, "")
	var lines []string
	for _, r := range got {
		lines = append(lines, text(t, r, "Operation", "ResultStatus", "ModifiedObjectResolvedName", "Parameters", "ModifiedProperties"))
	}
	keys := x.keys[0] + ";" + x.keys[1]
	generation := x.run(admin, getPolicies, `{"Identity":"Uno"}`).reply.Value[0].Get("DataEncryptionPolicyID").(string)
	want := []string{
		`["` + setPolicy + `","False","",[{"Name":"Identity","Value":"Uno"},{"Name":"Refresh","Value":"True"}],[]]`,
		`["` + setPolicy + `","False","",[{"Name":"Identity","Value":"nothing"},{"Name":"Refresh","Value":"True"}],[]]`,
		`["` + newPolicy + `","False","uno",[{"Name":"AzureKeyIDs","Value":"` + keys + `"},{"Name":"Name","Value":"uno"}],[]]`,
		`["` + setAssignment + `","True","the organization",[{"Name":"DataEncryptionPolicy","Value":"$null"}],[{"Name":"DataEncryptionPolicy","OldValue":"Uno","NewValue":""}]]`,
		`["` + setAssignment + `","True","Uno",[{"Name":"DataEncryptionPolicy","Value":"Uno"}],[{"Name":"DataEncryptionPolicy","OldValue":"","NewValue":"Uno"}]]`,
		`["` + setPolicy + `","True","One",[{"Name":"Enabled","Value":"True"},{"Name":"Identity","Value":"One"},{"Name":"Name","Value":"Uno"}],[{"Name":"Name","OldValue":"One","NewValue":"Uno"}]]`,
		`["` + newPolicy + `","True","One",[{"Name":"AzureKeyIDs","Value":"` + keys + `"},{"Name":"Name","Value":"One"}],` +
			`[{"Name":"AzureKeyIDs","OldValue":"","NewValue":"` + keys + `"},{"Name":"DataEncryptionPolicyID","OldValue":"","NewValue":"` + generation + `"},{"Name":"Enabled","OldValue":"","NewValue":"True"},` +
			`{"Name":"Name","OldValue":"","NewValue":"One"},{"Name":"State","OldValue":"","NewValue":"PendingActivation"}]]`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	x.wantSchema(got)
}

// wantSchema looks at the fields of every record, and of the newest but two, a creation that failed.
func (x *exchange) wantSchema(records []cmdlet.Object) {
	x.t.Helper()
	for _, r := range records {
		for _, name := range []string{"Id", "OrganizationId", "UserKey", "TokenObjectId", "TokenTenantId"} {
			if s, ok := r.Get(name).(string); !ok || uuid.Validate(s) != nil {
				x.t.Errorf("%s = %v", name, r.Get(name))
			}
		}
		for name, want := range map[string]string{
			"RecordType": "1", "Scope": "0", "Workload": "Exchange", "OrganizationName": contosoDomain, "OriginatingServer": "outlook.localhost", "ExternalAccess": "false",
			"UserType": "2", "UserId": "someone@" + contosoDomain, "ClientIP": "127.0.0.1", "OrganizationId": x.tenant, "TokenTenantId": x.tenant,
		} {
			if got := fmt.Sprint(r.Get(name)); got != want {
				x.t.Errorf("%s = %v, want %s", name, got, want)
			}
		}
	}
	if why := records[2].Get("ErrorMessage"); !strings.Contains(fmt.Sprint(why), "already exists") {
		x.t.Errorf("ErrorMessage = %v", why)
	}
}

// CK-362: nothing secret is in a record, wherever a caller has put it: in a parameter that holds
// secrets, in an address, in one that there is not.
func TestExchangeActivityHasNoSecrets(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin, reader := x.token(x.tenant, directory.GlobalAdministrator), x.token(x.tenant, directory.GlobalReader)
	for _, token := range []string{admin, reader} {
		x.run(token, "New-CKAlertSubscription", `{"Name":"pager","EndpointUrl":"https://alerts.contoso.example/ck?key=hunter2"}`)
		x.run(token, newPolicy, `{"Name":"P","AzureKeyIDs":["https://me:hunter2@east.vault.localhost/keys/a?sig=hunter2","https://%zz:hunter2@west"]}`)
		x.run(token, newPolicy, `{"Name":"P","Secret":"hunter2","hunter2":"x"}`)
	}
	x.post(admin, "/adminapi/beta/fabrikam.example/InvokeCommand", command("Do-hunter2", `{"hunter2":"hunter2"}`))
	records := x.activities(admin, "")
	if len(records) != 6 { // a parameter that there is not is told before anything is decided, but not to whom has no right at all
		t.Errorf("%d records", len(records))
	}
	head, err := x.log.Head(t.Context(), x.tenant)
	x.must(err)
	entries, err := x.log.Entries(t.Context(), x.tenant, -1, int(head.Size))
	x.must(err)
	for _, e := range entries {
		if strings.Contains(string(e.Leaf), "hunter2") {
			t.Errorf("the log holds %s", e.Leaf)
		}
	}
	if len(entries) < len(records) {
		t.Errorf("%d entries for %d records", len(entries), len(records))
	}
}

// CK-341, CK-362: records come in pages, each once, and by time, command and person.
func TestExchangeActivityPages(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	var want []string
	for i := range 7 {
		name := fmt.Sprint("nothing", i)
		x.run(admin, setPolicy, `{"Identity":"`+name+`","Refresh":true}`)
		want = append([]string{name}, want...)
	}
	var got []string
	body := command(getActivity, `{"StartDate":"2020-01-01","Operations":["`+setPolicy+`"],"UserIds":["someone@`+contosoDomain+`"]}`)
	for path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"; path != ""; {
		a := x.post(admin, path, body, "Prefer: odata.maxpagesize=3")
		if a.status != 200 || len(a.reply.Value) > 3 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		for _, r := range a.reply.Value {
			for _, p := range r.Get("Parameters").([]any) {
				if p := p.(cmdlet.Object); p.Get("Name") == "Identity" {
					got = append(got, p.Get("Value").(string))
				}
			}
		}
		path = strings.TrimPrefix(a.reply.NextLink, "https://outlook.localhost:8443")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for params, n := range map[string]int{
		`{"EndDate":"2020-01-01"}`: 0, `{"Operations":["New-DataEncryptionPolicy"]}`: 0, `{"UserIds":["else@contoso.example"]}`: 0, `{"ObjectIds":["One"]}`: 0, `{"ResultSize":"2"}`: 2,
	} {
		if list := x.activities(admin, params); len(list) != n {
			t.Errorf("%s finds %d", params, len(list))
		}
	}
	if a := x.run(admin, getActivity, `{"StartDate":"2027-01-02","EndDate":"2027-01-01"}`); a.status != 400 {
		t.Errorf("a time that ends before it begins: %d", a.status)
	}
	x.wantBadPlaces(admin)
}

// wantBadPlaces makes up places of pages.
func (x *exchange) wantBadPlaces(token string) {
	x.t.Helper()
	for place, status := range map[string]int{
		`{"a":"x"}`: 400, `{"a":"-1"}`: 400, `{"a":"99999999999999999999"}`: 400, `{"a":"9223372036854775807"}`: 200, `{"a":"0"}`: 200,
	} {
		a := x.post(token, "/adminapi/beta/"+contosoDomain+"/InvokeCommand?$skiptoken="+base64.RawURLEncoding.EncodeToString([]byte(place)), command(getActivity, ""))
		if a.status != status {
			x.t.Errorf("place %s: %d %s", place, a.status, a.text)
		}
	}
}

// A command whose beginning cannot be recorded changes nothing; one whose end cannot be is done, and
// its record says that nobody knows.
func TestExchangeRecordsCommandsFirst(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	x.mustCreate(admin, "One")
	describe := func(text string) (exchangeAnswer, any) {
		a := x.run(admin, setPolicy, `{"Identity":"One","Description":"`+text+`"}`)
		return a, x.run(admin, getPolicies, `{"Identity":"One"}`).reply.Value[0].Get("Description")
	}
	x.log.lose("cmdlet.run")
	if a, now := describe("first"); a.status != 503 || now != "" {
		t.Errorf("without a beginning: %d %s, described as %q", a.status, a.text, now)
	}
	x.log.lose("cmdlet.end")
	if a, now := describe("second"); a.status != 200 || len(a.reply.Warnings) != 1 || now != "second" {
		t.Errorf("without an end: %d %s, described as %q", a.status, a.text, now)
	}
	if last := x.activities(admin, "")[0]; last.Get("ResultStatus") != nil || last.Get("Operation") != setPolicy {
		t.Errorf("its record: %v", last)
	}
}
