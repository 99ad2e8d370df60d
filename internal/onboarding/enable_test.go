package onboarding_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

func (w *world) mustGet(r onboarding.Report) onboarding.Report {
	w.t.Helper()
	r, err := w.service.Get(w.t.Context(), w.admin, w.vault.Tenant, r.ID)
	w.must(err)
	return r
}

// approve is what an operator of the service does.
func (w *world) approve(id string) {
	w.t.Helper()
	seen, err := w.requests.Get(w.t.Context(), w.operator, id)
	w.must(err)
	_, err = w.requests.Approve(w.t.Context(), w.operator, id, seen.Digest())
	w.must(err)
}

func (w *world) wantEnabled(f policy.Family, want bool) {
	w.t.Helper()
	if on, err := w.service.Enabled(w.t.Context(), w.vault.Tenant, f); err != nil || on != want {
		w.t.Errorf("%s is enabled: %t, %v; want %t", f, on, err, want)
	}
}

// CK-152, CK-154, CK-218, CK-308: Enable after a pass, by the approval of an operator, per family.
func TestEnableByApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	bad := w.input(onboarding.Enable)
	bad.Subscriptions[1] = bad.Subscriptions[0]
	if r := w.mustNew(bad); r.Enablement != onboarding.NotStarted || r.Request != "" {
		t.Errorf("after a failure: %s, request %q", r.Enablement, r.Request)
	}
	r := w.mustNew(w.input(onboarding.Enable))
	if r.Enablement != onboarding.Pending || r.Request == "" {
		t.Fatalf("after a pass: %s", r.Enablement)
	}
	_, err := w.service.New(t.Context(), w.admin, w.input(onboarding.Enable))
	wantsCode(t, "twice", err, fault.Conflict)
	asked, err := w.requests.Get(t.Context(), w.operator, r.Request)
	w.must(err)
	if asked.Fact("KeyIdentifier2") != r.Input.Keys[1] || asked.Fact("Scenario") != "MDEP" || asked.Subject != "multi-workload" {
		t.Errorf("the operator sees %+v", asked)
	}
	w.wantEnabled(policy.MultiWorkload, false)
	w.approve(r.Request)
	w.run()
	w.wantEnabled(policy.MultiWorkload, true)
	w.wantEnabled(policy.Mailbox, false)
	if r = w.mustGet(r); r.Enablement != onboarding.Success || !strings.Contains(r.Outcome, "multi-workload") {
		t.Errorf("in the end: %s, %q", r.Enablement, r.Outcome)
	}
	if r := w.mustNew(w.input(onboarding.Enable)); r.Enablement != onboarding.Success || r.Request != "" || !r.Already {
		t.Errorf("once more: %s, request %q", r.Enablement, r.Request)
	}
}

// Denied, taken back, or approved when it is not true any more: nothing is enabled.
func TestEnableThatComesToNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	ctx := t.Context()
	r := w.mustNew(w.input(onboarding.Enable))
	_, err := w.requests.Deny(ctx, w.operator, r.Request, "who are you?")
	w.must(err)
	if r = w.mustGet(r); r.Enablement != onboarding.Refused || r.Outcome != "who are you?" {
		t.Errorf("denied: %s, %q", r.Enablement, r.Outcome)
	}
	r = w.mustNew(w.input(onboarding.Enable))
	w.mustVault(0, "contoso-east", 90, true) // the permissions are taken back
	w.approve(r.Request)
	w.run()
	if r = w.mustGet(r); r.Enablement != onboarding.Failed || !strings.Contains(r.Outcome, "CK-169") {
		t.Errorf("not true any more: %s, %q", r.Enablement, r.Outcome)
	}
	w.wantEnabled(policy.MultiWorkload, false)
}

// A vault that cannot be reached when it is approved: it is tried again.
func TestEnableAfterAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	r := w.mustNew(w.input(onboarding.Enable))
	w.rewrite.set(func(_ *http.Request, res *http.Response) error {
		res.Body.Close()
		return errors.New("connection reset")
	})
	w.approve(r.Request)
	w.run()
	if r = w.mustGet(r); r.Enablement != onboarding.InProgress {
		t.Errorf("during the outage: %s, %q", r.Enablement, r.Outcome)
	}
	w.wantEnabled(policy.MultiWorkload, false)
	w.rewrite.set(nil)
	w.runUntil(func(ops []operation.Operation) bool { return ops[0].State.Final() })
	if r = w.mustGet(r); r.Enablement != onboarding.Success {
		t.Errorf("after it: %s, %q", r.Enablement, r.Outcome)
	}
}

// By rule: whoever passes is in. Open: everybody is, and nothing is asked for.
func TestGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByRule)
	r := w.mustNew(w.input(onboarding.Enable))
	w.run()
	if r = w.mustGet(r); r.Enablement != onboarding.Success {
		t.Errorf("by rule: %s, %q", r.Enablement, r.Outcome)
	}
	w.wantEnabled(policy.MultiWorkload, true)
	w.config.Gate = onboarding.Open
	w.open()
	w.wantEnabled(policy.SharePoint, true)
	if r := w.mustNew(w.input(onboarding.Enable)); r.Enablement != onboarding.Success || r.Request != "" {
		t.Errorf("open: %s, request %q", r.Enablement, r.Request)
	}
	if _, err := onboarding.Rules("maybe"); err == nil {
		t.Error("maybe is a gate")
	}
	w.config.Gate = onboarding.ByApproval
	w.open()
	wantsCode(t, "granted by an administrator", w.service.Grant(t.Context(), w.admin, policy.Mailbox), fault.Forbidden)
	w.must(w.service.Grant(t.Context(), directory.SystemCaller(w.vault.Tenant, "set-up", "1"), policy.Mailbox))
	w.wantEnabled(policy.Mailbox, true)
}

// X-11, CK-149: scenarios, and who may ask in which (CK-148, CK-153, CK-277).
func TestWhoOnboards(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	ctx := t.Context()
	as := func(roles ...directory.Role) directory.Caller {
		c := w.admin
		c.Roles = roles
		return c
	}
	ask := func(c directory.Caller, s onboarding.Scenario, organization string) error {
		in := w.input(onboarding.Validate)
		in.Scenario, in.Organization = s, organization
		_, err := w.service.New(ctx, c, in)
		return err
	}
	stranger := w.vault.Stranger("admin@fabrikam.example")
	stranger.Roles = []directory.Role{directory.GlobalAdministrator}
	for _, tt := range []struct {
		name         string
		caller       directory.Caller
		scenario     onboarding.Scenario
		organization string
		code         fault.Code
	}{
		{"compliance, MDEP", as(directory.ComplianceAdministrator), onboarding.MDEP, "contoso.example", ""},
		{"compliance, EDP", as(directory.ComplianceAdministrator), onboarding.EDP, "contoso.example", fault.Forbidden},
		{"exchange, EDP", as(directory.ExchangeAdministrator), onboarding.EDP, w.vault.Tenant, ""},
		{"sharepoint, SPO", as(directory.SharePointAdministrator), onboarding.SPO, "contoso.example", ""},
		{"reader", as(directory.GlobalReader), onboarding.MDEP, "contoso.example", fault.Forbidden},
		{"operator", w.operator, onboarding.MDEP, "contoso.example", fault.Forbidden},
		{"nobody", directory.Caller{}, onboarding.MDEP, "contoso.example", fault.Unauthenticated},
		{"no scenario", w.admin, "XDEP", "contoso.example", fault.Invalid},
		{"another organization", w.admin, onboarding.MDEP, "fabrikam.example", fault.Invalid},
		{"no organization", w.admin, onboarding.MDEP, "nobody.example", fault.Invalid},
		{"by another organization", stranger, onboarding.MDEP, "contoso.example", fault.Invalid},
	} {
		if err := ask(tt.caller, tt.scenario, tt.organization); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
		}
	}
	r := w.mustNew(w.input(onboarding.Validate))
	if _, err := w.service.Get(ctx, as(directory.GlobalReader), "contoso.example", r.ID); err != nil {
		t.Errorf("a reader: %v", err)
	}
	_, err := w.service.Get(ctx, as(directory.MailboxImportExport), "contoso.example", r.ID)
	wantsCode(t, "read without a role", err, fault.Forbidden)
	_, err = w.service.Get(ctx, w.admin, "contoso.example", "../x")
	wantsCode(t, "no id", err, fault.NotFound)
	_, err = w.service.Get(ctx, w.admin, "contoso.example", uuid.NewString())
	wantsCode(t, "unknown", err, fault.NotFound)
	if all, err := w.service.List(ctx, w.admin, "contoso.example"); err != nil || len(all) != 4 || all[0].ID != r.ID {
		t.Errorf("the list has %d, %v", len(all), err)
	}
	log, err := w.log.Entries(ctx, w.vault.Tenant, -1, 1000)
	w.must(err)
	denied := 0
	for _, e := range log {
		if e.Entry.Decision == "deny" && strings.HasPrefix(e.Entry.Action, "onboarding.") {
			denied++
		}
	}
	if denied != 5 {
		t.Errorf("%d refusals are recorded", denied)
	}
}

// Old reports are forgotten, so that a tenant cannot fill the database with them.
func TestReportsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onboarding.ByApproval)
	var last onboarding.Report
	for i := range onboarding.MaxReports + 5 {
		id, err := uuid.NewV7()
		w.must(err)
		last = onboarding.Report{
			Tenant: w.vault.Tenant, ID: id.String(), Input: w.input(onboarding.Validate), Created: time.Unix(int64(i), 0).UTC(),
			By: request.Person{Tenant: w.vault.Tenant, ID: w.admin.ID, Name: w.admin.Name},
		}
		w.must(w.config.Store.Add(t.Context(), last))
	}
	all, err := w.service.List(t.Context(), w.admin, "contoso.example")
	if err != nil || len(all) != onboarding.MaxReports || all[0].ID != last.ID {
		t.Errorf("%d are kept, %v", len(all), err)
	}
}
