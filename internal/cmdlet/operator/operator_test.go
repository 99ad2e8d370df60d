package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/operator"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// run runs a command line against a resource manager and returns what it printed.
func run(t *testing.T, c operator.Config, line string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cli := show.CLI{Out: &out, Err: &bytes.Buffer{}, Runner: func(side cmdlet.Side) (cmdlet.Runner, error) {
		if side != cmdlet.Operator {
			t.Errorf("%s runs on side %s", line, side)
		}
		return operator.New(c)
	}}
	words := strings.Fields(line)
	err := cli.Run(t.Context(), words[0], words[1:])
	return out.String(), err
}

// TestRequests decides about the requests of three customers, at the real face.
func TestRequests(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, store.VaultAreas()...)
	w := keyvaulttest.New(t, db)
	owners := []*keyvaulttest.World{w, keyvaulttest.New(t, db), keyvaulttest.New(t, db)}
	for _, o := range owners {
		if _, err := o.RegisterRetention(t.Context(), o.Owner, o.Subscription.ID); err != nil {
			t.Fatal(err)
		}
	}
	base := "https://management." + w.Domain()
	token := w.Token(w.Operator("operator@service.example"), base)
	c := operator.Config{Management: base + "/", HTTP: w.Client(), Token: func(context.Context) (string, error) { return token, nil }}
	must := func(line, want string) {
		t.Helper()
		if out, err := run(t, c, line); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	for _, o := range owners {
		must("Get-CKRetentionRequest", o.Subscription.ID)
	}
	must("Get-CKRetentionRequest "+w.Subscription.ID, "Pending")
	must("Approve-CKRetentionRequest "+strings.ToUpper(w.Subscription.ID)+" -WhatIf", "What if: The subscription is registered for mandatory retention")
	must("Deny-CKRetentionRequest "+w.Subscription.ID+" -WhatIf -OutputFormat json", `"Effects":["The subscription stays as it is`)
	if _, err := run(t, c, "Approve-CKRetentionRequest "+w.Subscription.ID); !fault.Is(err, fault.Invalid) {
		t.Errorf("approved without being asked: %v", err)
	}
	must("Deny-CKRetentionRequest -Force "+w.Subscription.ID, "NotRegistered")
	if _, err := run(t, c, "Approve-CKRetentionRequest "+w.Subscription.ID+" -Force"); !fault.Is(err, fault.NotFound) {
		t.Errorf("approved what waits for nothing: %v", err)
	}
	sub, err := owners[2].Service.Subscription(t.Context(), owners[2].Owner, owners[2].Subscription.ID)
	if err != nil || sub.Retention.State != keyvault.Pending {
		t.Errorf("the third: %+v, %v", sub.Retention, err)
	}
	token = w.Token(w.Owner, base)
	if _, err := run(t, c, "Get-CKRetentionRequest"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an owner: %v", err)
	}
	token = "none"
	if _, err := run(t, c, "Get-CKRetentionRequest"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}

// TestHostileAnswers: what makes no sense is an error, and the token stays with the service.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	var body string
	var status int
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "{self}", "http://"+r.Host))
	}))
	t.Cleanup(server.Close)
	c := operator.Config{Management: server.URL, HTTP: server.Client(), Token: func(context.Context) (string, error) { return "secret", nil }}
	for _, tt := range []struct {
		status int
		body   string
		want   fault.Code
	}{
		{200, "", fault.Internal},
		{200, "[]", fault.Internal},
		{200, `{"value":{}}`, fault.Internal},
		{200, `{"value":[],"nextLink":"` + other.URL + `"}`, fault.Internal},
		{200, `{"value":[],"nextLink":"{self}/operator/retentionRequests"}`, fault.Internal},
		{200, `{"value":[],"nextLink":"{self}.evil.example/"}`, fault.Internal},
		{200, `{"value":[{"requestedAt":"` + strings.Repeat("9", 2<<20) + `"}]}`, fault.Internal},
		{302, "", fault.Invalid},
		{404, "<html>", fault.NotFound},
		{409, `{"error":{"message":"No."}}`, fault.Conflict},
		{429, "", fault.Throttled},
		{503, "", fault.Unavailable},
	} {
		status, body = tt.status, tt.body
		if _, err := run(t, c, "Get-CKRetentionRequest"); !fault.Is(err, tt.want) {
			t.Errorf("%d %.60s: %v, want %s", tt.status, tt.body, err, tt.want)
		}
	}
	if elsewhere != 0 {
		t.Errorf("%d requests went elsewhere", elsewhere)
	}
	server.Close()
	if _, err := run(t, c, "Get-CKRetentionRequest"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no server: %v", err)
	}
}
