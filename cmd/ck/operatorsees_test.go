package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// CK-282, CK-320: whoever runs the service reads neither content nor keys. Every address of every
// face is tried as an operator of the provider and as one in the customer's own organization, and
// nothing of Contoso comes back or changes.
func TestCK320_OperatorsSeeNoContentAndNoKeys(t *testing.T) {
	t.Parallel()
	d := newTwoTenants(t)
	provider, err := d.node.directory.Tenant(t.Context(), providerDomain)
	if err != nil {
		t.Fatal(err)
	}
	for where, tenant := range map[string]directory.Tenant{
		"the provider": provider, "contoso": {ID: d.contoso.id, Domain: "contoso.example"},
	} {
		system := directory.SystemCaller(tenant.ID, "test", uuid.NewString())
		p := directory.Person{Tenant: tenant.ID, UPN: "watcher@" + tenant.Domain, DisplayName: "Watcher", Roles: []directory.Role{directory.ServiceOperator}}
		if _, err := d.node.directory.CreatePerson(t.Context(), system, p, "correct-horse-battery", false); err != nil {
			t.Fatal(err)
		}
		d.token = d.signIn(t, tenant.ID, p.UPN)
		t.Run("content as an operator of "+where, d.operatorReadsNothing)
		t.Run("keys as an operator of "+where, d.operatorUsesNoKeys)
	}
	d.token = d.contoso.token
	for path, want := range contosoItems() {
		if got := d.ask(t, "GET", "api", path, "", ""); got.Status != http.StatusOK || got.Body != want {
			t.Errorf("%s is %d %q afterwards", path, got.Status, got.Body)
		}
	}
}

// contosoItems are the contents that newTwoTenants has written, by path.
func contosoItems() map[string]string {
	return map[string]string{
		"/v1/documents/secret/plan.txt": "of Contoso", "/v1/documents/shared/theirs.txt": "theirs", "/v1/teams/alice-and-bob/1": "hello",
	}
}

// operatorReadsNothing goes by the table that the face gives of itself: no row can be forgotten.
func (d *twoTenants) operatorReadsNothing(t *testing.T) {
	var table struct {
		Routes []struct{ Method, Path string }
	}
	if err := json.Unmarshal([]byte(d.ask(t, "GET", "api", "/v1", "", "").Body), &table); err != nil || len(table.Routes) < 10 {
		t.Fatalf("%d routes, %v", len(table.Routes), err)
	}
	tried := 0
	for _, route := range table.Routes {
		if !strings.Contains(route.Path, "{container}") {
			continue
		}
		for path := range contosoItems() {
			parts := strings.SplitN(strings.TrimPrefix(path, "/v1/"), "/", 3)
			at := strings.NewReplacer("{workload}", parts[0], "{container}", parts[1], "{item...}", parts[2]).Replace(route.Path)
			body := ""
			if route.Method == "PUT" || route.Method == "POST" {
				body = "overwritten"
			}
			if got := d.ask(t, route.Method, "api", at, body, ""); got.Status != http.StatusForbidden && got.Status != http.StatusNotFound {
				t.Errorf("%s %s: %d %.100s", route.Method, at, got.Status, got.Body)
			}
			tried++
		}
	}
	if tried < 12 {
		t.Errorf("%d addresses of content were tried", tried)
	}
	for _, path := range []string{"/v1/documents", "/v1/teams", "/v1/exchange"} {
		if got := d.ask(t, "GET", "api", path, "", ""); strings.Contains(got.Body, "secret") || strings.Contains(got.Body, "alice") {
			t.Errorf("%s lists %s", path, got.Body)
		}
	}
	for _, log := range []string{"service", "vault"} {
		if got := d.ask(t, "GET", "api", "/v1/audit/"+log, "", ""); got.Status != http.StatusForbidden {
			t.Errorf("the %s log: %d", log, got.Status)
		}
	}
}

// operatorUsesNoKeys tries the customer's vaults, and to get into them.
func (d *twoTenants) operatorUsesNoKeys(t *testing.T) {
	const v = "?api-version=7.4"
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/keys" + v, ""}, {"GET", "/keys/root1" + v, ""}, {"GET", "/keys/root1/versions" + v, ""}, {"GET", "/deletedkeys" + v, ""},
		{"POST", "/keys/root1/wrapkey" + v, `{"alg":"RSA-OAEP-256","value":"AAAA"}`}, {"POST", "/keys/root1/unwrapkey" + v, `{"alg":"RSA-OAEP-256","value":"AAAA"}`},
		{"POST", "/keys/root1/backup" + v, ""}, {"POST", "/keys/mine/create" + v, `{"kty":"RSA"}`}, {"PATCH", "/keys/root1" + v, `{"attributes":{"enabled":false}}`}, {"DELETE", "/keys/root1" + v, ""},
	} {
		if got := d.ask(t, tt.method, "contoso-east.vault", tt.path, tt.body, ""); got.Status != http.StatusUnauthorized && got.Status != http.StatusForbidden {
			t.Errorf("%s %s: %d %.200s", tt.method, tt.path, got.Status, got.Body)
		}
	}
	at := "/subscriptions/" + d.contoso.subscription + "/resourceGroups/customer-key/providers/Microsoft.KeyVault/vaults/contoso-east"
	for _, tt := range []struct{ method, path string }{
		{"GET", at}, {"DELETE", at}, {"PUT", at + "/accessPolicies/add"}, {"PATCH", at},
	} {
		body := ""
		if tt.method == "PUT" || tt.method == "PATCH" {
			body = `{"properties":{"accessPolicies":[]}}`
		}
		refused := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}
		if got := d.ask(t, tt.method, "management", tt.path+"?api-version=2023-07-01", body, ""); !slices.Contains(refused, got.Status) {
			t.Errorf("%s %s: %d %.200s", tt.method, tt.path, got.Status, got.Body)
		}
	}
	if got := d.ask(t, "POST", "outlook", d.contoso.admin(), `{"CmdletInput":{"CmdletName":"Get-M365DataAtRestEncryptionPolicy"}}`, ""); got.Status != http.StatusForbidden {
		t.Errorf("policies: %d %.200s", got.Status, got.Body)
	}
}
