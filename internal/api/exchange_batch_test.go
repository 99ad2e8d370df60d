package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
)

const batchPath = "/adminapi/beta/" + contosoDomain + "/$batch"

// A part is an answer in the answer to a batch.
type part struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

func (p part) reply(t *testing.T) (r cmdlet.Reply) {
	t.Helper()
	if err := json.Unmarshal(p.Body, &r); err != nil {
		t.Fatalf("%v: %s", err, p.Body)
	}
	return r
}

func (p part) detail(t *testing.T) string {
	t.Helper()
	var e cmdlet.ErrorReply
	if err := json.Unmarshal(p.Body, &e); err != nil || len(e.Error.Details) != 1 {
		t.Fatalf("%v: %s", err, p.Body)
	}
	return e.Error.Details[0].Message
}

// batched sends requests as one batch that has to be taken.
func (x *exchange) batched(t *testing.T, token string, requests []string, headers ...string) []part {
	t.Helper()
	a := x.post(token, batchPath, `{"requests":[`+strings.Join(requests, ",")+`]}`, headers...)
	var list struct{ Responses []part }
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return list.Responses
}

// asked is a request of a batch.
func asked(id, url, name, params string) string {
	return fmt.Sprintf(`{"id":%q,"method":"POST","url":%q,"headers":{"Content-Type":"application/json"},"body":%s}`, id, url, command(name, params))
}

func statuses(parts []part) (list []int) {
	for _, p := range parts {
		list = append(list, p.Status)
	}
	return list
}

const batchRoot = "https://outlook.localhost:8443/adminapi/beta/" + contosoDomain + "/"

// CK-351: up to ten requests, each answered as by itself, under its id and with a request id of its own.
func TestExchangeBatch(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ComplianceAdministrator)
	x.mustCreate(admin, "One")
	x.mustCreate(admin, "Two")
	client := "0d9ad4b6-4a4c-4c0e-9c0b-3f0f6d5b7a10"
	requests := []string{
		asked("a", batchRoot+"InvokeCommand", getPolicies, `{"Identity":"one"}`),
		asked("b", "InvokeCommand?$select=Name", getPolicies, ""),
		asked("c", "/adminapi/v1.0/"+x.tenant+"/InvokeCommand", getPolicies, `{"Identity":"nosuch"}`),
		`{"id":"d","method":"get","url":"EXOModuleFile?Version=3.5.0","headers":{"Client-Request-Id":"` + client + `","Authorization":"Bearer nonsense"}}`,
		asked("e", "InvokeCommand", "Get-Secrets", ""),
		asked("f", "https://outlook.office365.example/adminapi/beta/x/InvokeCommand", getPolicies, ""),
		asked("g", "$batch", getPolicies, ""),
		asked("h", "/adminapi/beta/fabrikam.example/InvokeCommand", getPolicies, ""),
		`{"id":"i","method":"DELETE","url":"InvokeCommand"}`,
		`{"id":"j","url":"InvokeCommand","headers":{"X-ResponseFormat":"clixml"},"body":` + command(getPolicies, `{"Identity":"two"}`) + `}`,
	}
	parts := x.batched(t, admin, requests, "Prefer: odata.continue-on-error;odata.maxpagesize=1")
	if diff := cmp.Diff([]int{200, 200, 404, 200, 403, 400, 400, 403, 405, 200}, statuses(parts)); diff != "" {
		t.Fatal(diff)
	}
	ids, seen := "", map[string]bool{}
	for _, p := range parts {
		ids += p.ID
		seen[p.Headers["Request-Id"]] = true
	}
	if ids != "abcdefghij" || len(seen) != 10 || parts[3].Headers["Client-Request-Id"] != client {
		t.Errorf("the ids are %s, with %d request ids", ids, len(seen))
	}
	if one := parts[0].reply(t).Value; len(one) != 1 || one[0].Get("Name") != "One" || one[0].Get("Guid@data.type") != "System.Guid" {
		t.Errorf("a: %s", parts[0].Body)
	}
	if parts[0].Headers["Content-Type"] != "application/json;odata.metadata=minimal" {
		t.Errorf("a: %v", parts[0].Headers)
	}
	first := parts[1].reply(t)
	if len(first.Value) != 1 || !strings.HasPrefix(first.NextLink, batchRoot+"InvokeCommand?%24select=Name") {
		t.Errorf("b does not keep to the batch's page size: %s", parts[1].Body)
	}
	if got := parts[2].detail(t); !strings.HasPrefix(got, "Ex6F9304|") || parts[2].Headers["X-ExceptionType"] == "" {
		t.Errorf("c: %s", got)
	}
	if len(parts[4].Body) != 0 || len(parts[7].Body) != 0 || !x.log.wrote(audit.Deny, "cmdlet.run") {
		t.Errorf("strangers are told something: %s, %s", parts[4].Body, parts[7].Body)
	}
	if parts[8].Headers["Allow"] != "POST" || !strings.Contains(string(parts[9].Body), `<S N=\"Name\">Two</S>`) && !strings.Contains(string(parts[9].Body), `\u003cS N=\"Name\"\u003eTwo`) {
		t.Errorf("i: %v, j: %s", parts[8].Headers, parts[9].Body)
	}
	more := x.batched(t, admin, []string{asked("next", first.NextLink, getPolicies, "")})
	if v := more[0].reply(t).Value; len(v) != 1 || v[0].Get("Name") != "Two" || len(v[0].Fields) != 1 {
		t.Errorf("the next page: %s", more[0].Body)
	}
}

// CK-333: behind a request that failed nothing is run, unless the client prefers it; and who has
// left gets no more work done.
func TestExchangeBatchStops(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	requests := func(prefix string) []string {
		return []string{
			asked("1", "InvokeCommand", "New-Mailbox", `{"Name":"`+prefix+`1","Shared":true}`),
			asked("2", "InvokeCommand", "Get-Mailbox", `{"Identity":"nobody"}`),
			asked("3", "InvokeCommand", "New-Mailbox", `{"Name":"`+prefix+`3","Shared":true}`),
		}
	}
	made := func() (names []string) {
		for _, o := range x.mustRun(admin, "Get-Mailbox", "").reply.Value {
			names = append(names, o.Get("DisplayName").(string))
		}
		return names
	}
	parts := x.batched(t, admin, requests("a"))
	if diff := cmp.Diff([]int{200, 404, 424}, statuses(parts)); diff != "" || !strings.Contains(parts[2].detail(t), "continue-on-error") {
		t.Errorf("%s: %s", diff, parts[2].Body)
	}
	parts = x.batched(t, admin, requests("b"), "Prefer: continue-on-error=true")
	if diff := cmp.Diff([]int{200, 404, 200}, statuses(parts)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a1", "b1", "b3"}, made()); diff != "" {
		t.Error(diff)
	}

	ctx, leave := context.WithCancel(t.Context())
	known := x.config.Tenant
	asks := 0
	x.config.Tenant = func(c context.Context, name string) (string, error) {
		if asks++; asks == 3 { // of the batch, of its first request, of its second
			leave()
		}
		return known(c, name)
	}
	x.start()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, batchPath, strings.NewReader(`{"requests":[`+strings.Join(requests("c"), ",")+`]}`))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + admin}, "Prefer": {"odata.continue-on-error"}}
	x.face.ServeHTTP(w, r)
	if w.Body.Len() != 0 {
		t.Errorf("an answer for nobody: %s", w.Body)
	}
	if diff := cmp.Diff([]string{"a1", "b1", "b3", "c1"}, made()); diff != "" {
		t.Errorf("after the client has left: %s", diff)
	}
}

// A batch that is not one is refused as a whole: nothing of it runs. CK-351.
func TestExchangeRefusesBatches(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	good := asked("1", "InvokeCommand", "New-Mailbox", `{"Name":"made","Shared":true}`)
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = asked(fmt.Sprint(i), "InvokeCommand", "New-Mailbox", fmt.Sprintf(`{"Name":"made%d","Shared":true}`, i))
	}
	for what, tt := range map[string]struct {
		body   string
		status int
	}{
		"nothing":       {`{}`, 400},
		"no requests":   {`{"requests":[]}`, 400},
		"no array":      {`{"requests":{"id":"1"}}`, 400},
		"eleven":        {`{"requests":[` + strings.Join(eleven, ",") + `]}`, 400},
		"one id twice":  {`{"requests":[` + good + `,` + good + `]}`, 400},
		"no id":         {`{"requests":[` + good + `,{"url":"InvokeCommand"}]}`, 400},
		"id a number":   {`{"requests":[` + good + `,{"id":2,"url":"InvokeCommand"}]}`, 400},
		"body a text":   {`{"requests":[` + good + `,{"id":"2","url":"InvokeCommand","body":"{}"}]}`, 400},
		"a null":        {`{"requests":[` + good + `,null]}`, 400},
		"names twice":   {`{"requests":[` + good + `],"requests":[` + good + `]}`, 400},
		"in two cases":  {`{"requests":[` + good + `],"Requests":[` + good + `]}`, 400},
		"too deep":      {`{"requests":[` + good + `,{"id":"2","url":"x","body":{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}]}`, 400},
		"ten megabytes": {`{"requests":[` + good + `],"x":"` + strings.Repeat("x", 10<<20) + `"}`, 413},
	} {
		if a := x.post(admin, batchPath, tt.body); a.status != tt.status || !detail.MatchString(a.error.Error.Details[0].Message) {
			t.Errorf("%s: %d %s", what, a.status, a.text)
		}
	}
	if v := x.mustRun(admin, "Get-Mailbox", "").reply.Value; len(v) != 0 {
		t.Errorf("of refused batches %d mailboxes were made", len(v))
	}
}
