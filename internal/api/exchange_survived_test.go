package api_test

import (
	"context"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
)

// CK-338, CK-336: an error that a command survives stands beside what it found; -ErrorAction and the
// header of that name make it the end, or keep it back.
func TestExchangeSurvivedErrors(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	officers := []string{x.personOf(x.token(x.tenant, directory.GlobalReader)), x.personOf(x.token(x.tenant, directory.GlobalReader)), x.personOf(x.token(x.tenant, directory.GlobalReader))}
	for _, who := range officers[:1] {
		x.mustRun(admin, "Add-CKOfficer", `{"Family":"mailbox","Identity":"`+who+`","Confirm":false}`)
	}
	for _, who := range officers[1:] {
		x.mustRun(admin, "Add-CKOfficer", `{"Family":"mailbox","Identity":"`+who+`","Confirm":false}`) // two requests
	}
	list := x.mustRun(admin, "Get-CKRequest", "").reply.Value
	if len(list) != 2 {
		t.Fatalf("%d requests", len(list))
	}
	bad := list[0].Get("Identity").(string)
	x.must(x.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `UPDATE requests SET detail = 'x' WHERE id = $1`, bad)
		return err
	}))

	a := x.run(admin, "Get-CKRequest", "")
	if a.status != 200 || len(a.reply.Value) != 1 || len(a.reply.Errors) != 1 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if e := a.reply.Errors[0]; !detail.MatchString(e.Message) || !strings.Contains(e.Message, bad) || e.Fault == nil || e.Fault.Code != string(fault.Corrupt) {
		t.Errorf("%+v", e)
	}
	first := x.run(admin, "Get-CKRequest", "", "Prefer: odata.maxpagesize=1")
	if len(first.reply.Value) != 1 || len(first.reply.Errors) != 1 || first.reply.NextLink != "" {
		t.Errorf("by pages: %s", first.text)
	}
	for how, want := range map[string]int{"Stop": 500, "SilentlyContinue": 200, "Ignore": 200, "Continue": 200} {
		for _, a := range []exchangeAnswer{x.run(admin, "Get-CKRequest", "", "ErrorAction: "+how), x.run(admin, "Get-CKRequest", `{"ErrorAction":"`+how+`"}`)} {
			if a.status != want || want == 200 && (len(a.reply.Value) != 1 || (len(a.reply.Errors) == 1) != (how == "Continue")) {
				t.Errorf("%s: %d %s", how, a.status, a.text)
			}
		}
	}
	for how, want := range map[string]struct{ objects, told int }{"": {1, 1}, "Stop": {0, 0}} {
		objects, told := 0, 0
		row, err := cmdlet.Find(rows.Table(), "Get-CKRequest")
		x.must(err)
		call, err := cmdlet.Bind(row, nil)
		x.must(err)
		call.Common.ErrorAction = how
		call.Host = cmdlet.Host{Object: func(cmdlet.Object) error { objects++; return nil }, Error: func(err error) {
			if fault.Is(err, fault.Corrupt) {
				told++
			}
		}}
		remote := service.Remote{BaseURL: x.server.URL, Tenant: x.tenant, Token: func(context.Context) (string, error) { return admin, nil }}
		if err := remote.Run(t.Context(), call); (how == "") != (err == nil) || objects != want.objects || told != want.told {
			t.Errorf("our client, %q: %d objects, %d errors, %v", how, objects, told, err)
		}
	}
}

// personOf returns the id of the person with that token.
func (x *exchange) personOf(token string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.callers[token].ID
}
