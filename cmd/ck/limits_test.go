package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/policy"
)

// TestTenantsDoNotLearnOfEachOther asks, as the administrator of Fabrikam, for what Contoso has
// and for what nobody has: both answers must be the same, byte for byte, but for the name that
// was asked for and the number of the request.
func TestTenantsDoNotLearnOfEachOther(t *testing.T) {
	t.Parallel()
	d := newTwoTenants(t)
	here, ghost := d.contoso, uuid.NewString()

	// What lists show is one's own.
	for _, tt := range []struct{ host, path, body string }{
		{"api", "/v1/documents", ""}, {"api", "/v1/exchange", ""}, {"api", "/v1/documents/shared", ""},
		{"api", "/v1/audit/service?limit=1000", ""}, {"api", "/v1/audit/vault?limit=1000", ""},
		{"management", "/subscriptions?api-version=2022-12-01", ""}, {"management", "/tenants?api-version=2022-12-01", ""},
		{"outlook", d.fabrikam.admin(), invoke("Get-M365DataAtRestEncryptionPolicy", nil)},
	} {
		t.Run("list "+tt.host+strings.ReplaceAll(tt.path, d.fabrikam.id, "own"), func(t *testing.T) {
			method := map[bool]string{true: "GET", false: "POST"}[tt.body == ""]
			got := d.ask(t, method, tt.host, tt.path, tt.body, "")
			if got.Status != 200 {
				t.Fatalf("%d: %s", got.Status, got.Body)
			}
			for _, theirs := range []string{here.id, here.subscription, here.policy.ID, here.alice, "theirs.txt"} {
				if strings.Contains(got.Body, theirs) {
					t.Errorf("the answer holds %s of the other tenant", theirs)
				}
			}
		})
	}

	// What exists in Contoso, and the same with a name that exists nowhere.
	for _, tt := range []struct {
		method, host, path string // * in path and body stands for the name
		body               string
		there, nowhere     string
		status             int
	}{
		{"GET", "api", "/v1/documents/*/plan.txt", "", "secret", "nowhre", 404},
		{"HEAD", "api", "/v1/documents/*/plan.txt", "", "secret", "nowhre", 404},
		{"DELETE", "api", "/v1/documents/*/plan.txt", "", "secret", "nowhre", 404},
		{"GET", "api", "/v1/documents/*", "", "secret", "nowhre", 404},
		{"GET", "api", "/v1/documents/*?after=plan&limit=1", "", "secret", "nowhre", 404},
		{"GET", "api", "/v1/documents/shared/*", "", "theirs.txt", "nobody.txt", 404},
		{"GET", "api", "/v1/teams/*/1", "", "alice-and-bob", "carol-and-bob", 404},
		{"GET", "api", "/v1/exchange/*@contoso.example", "", "alice", "nobdy", 404},
		{"GET", "api", "/v1/exchange/*@contoso.example/1", "", "alice", "nobdy", 404},
		{"POST", "api", "/v1/exchange/*@contoso.example", "a letter", "alice", "nobdy", 404},
		{"GET", "graph", "/v1.0/users/*@contoso.example", "", "alice", "nobdy", 404},
		{"GET", "graph", "/v1.0/users/*", "", here.alice, ghost, 404},

		{"GET", "management", "/subscriptions/*?api-version=2022-12-01", "", here.subscription, ghost, 404},
		{"GET", "management", "/subscriptions/*/resourceGroups?api-version=2021-04-01", "", here.subscription, ghost, 404},
		{"GET", "management", "/subscriptions/*/resourceGroups/customer-key?api-version=2021-04-01", "", here.subscription, ghost, 404},
		{"GET", "management", "/subscriptions/*/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01", "", here.subscription, ghost, 404},
		{"GET", "management", "/subscriptions/*/resourceGroups/customer-key/providers/Microsoft.KeyVault/vaults/contoso-east?api-version=2023-07-01", "", here.subscription, ghost, 404},
		{"PUT", "management", "/subscriptions/*/resourceGroups/new?api-version=2021-04-01", `{"location":"eastus"}`, here.subscription, ghost, 404},

		{"GET", "contoso-east.vault", "/keys/*?api-version=7.4", "", "root1", "rootX", 401},
		{"GET", "contoso-east.vault", "/keys/*/versions?api-version=7.4", "", "root1", "rootX", 401},
		{"POST", "contoso-east.vault", "/keys/*/wrapkey?api-version=7.4", `{"alg":"RSA-OAEP-256","value":"AAAA"}`, "root1", "rootX", 401},
		{"DELETE", "contoso-east.vault", "/keys/*?api-version=7.4", "", "root1", "rootX", 401},

		{"POST", "outlook", "/adminapi/beta/*/InvokeCommand", invoke("Get-M365DataAtRestEncryptionPolicy", nil), here.id, ghost, 403},
		{"POST", "outlook", "/adminapi/beta/*/InvokeCommand", invoke("Get-M365DataAtRestEncryptionPolicy", nil), "contoso.example", "nowhere.example", 403},
		{"POST", "outlook", d.fabrikam.admin(), invoke("Get-M365DataAtRestEncryptionPolicy", map[string]any{"Identity": "*"}), "Contoso_Global", "Nowhere_Global", 404},
		{"POST", "outlook", d.fabrikam.admin(), invoke("Get-M365DataAtRestEncryptionPolicy", map[string]any{"Identity": "*"}), here.policy.ID, ghost, 404},
		{"POST", "outlook", d.fabrikam.admin(), invoke("Get-M365DataAtRestEncryptionPolicy", map[string]any{"Identity": "*"}), here.policy.Generation, ghost, 404},
		{"POST", "outlook", d.fabrikam.admin(), invoke("Set-M365DataAtRestEncryptionPolicy", map[string]any{"Identity": "*", "Refresh": true}), here.policy.ID, ghost, 404},
		{"POST", "outlook", d.fabrikam.admin(), invoke("Set-M365DataAtRestEncryptionPolicyAssignment", map[string]any{"DataEncryptionPolicy": "*"}), here.policy.ID, ghost, 404},
		{"POST", "outlook", d.fabrikam.admin(), invoke("New-M365DataAtRestEncryptionPolicy", map[string]any{"Name": "x", "AzureKeyIDs": []string{
			d.node.url("contoso-east.vault") + "/keys/*", d.node.url("fabrikam-west.vault") + "/keys/root2",
		}}), "root1", "rootX", 400},
	} {
		t.Run(tt.method+" "+tt.host+strings.ReplaceAll(tt.path, d.fabrikam.id, "own")+" "+tt.there, func(t *testing.T) {
			there := d.ask(t, tt.method, tt.host, tt.path, tt.body, tt.there)
			nowhere := d.ask(t, tt.method, tt.host, tt.path, tt.body, tt.nowhere)
			if diff := cmp.Diff(nowhere, there); diff != "" {
				t.Errorf("what another tenant has can be told from what nobody has (-nowhere +there):\n%s", diff)
			}
			if there.Status != tt.status {
				t.Errorf("the answer is %d, want %d: %s", there.Status, tt.status, there.Body)
			}
		})
	}

	// The same name is another item in each tenant, and neither touches the other's.
	if got := d.ask(t, "PUT", "api", "/v1/documents/secret/plan.txt", "of Fabrikam", ""); got.Status != 201 {
		t.Fatalf("writing: %d %s", got.Status, got.Body)
	}
	if got := d.ask(t, "GET", "api", "/v1/documents/secret/plan.txt", "", ""); got.Body != "of Fabrikam" {
		t.Errorf("own item: %q", got.Body)
	}
	d.token = d.contoso.token
	if got := d.ask(t, "GET", "api", "/v1/documents/secret/plan.txt", "", ""); got.Body != "of Contoso" {
		t.Errorf("the other tenant's item became %q", got.Body)
	}
}

// twoTenants is one deployment with two tenants, each with vaults, a policy and items.
type twoTenants struct {
	node              *node
	server            *httptest.Server
	contoso, fabrikam oneTenant
	token             func(host string) string // of whoever asks
}

type oneTenant struct {
	id, alice, subscription string
	policy                  policy.Policy
	token                   func(host string) string
}

// admin is the path of the tenant's own admin endpoint.
func (o oneTenant) admin() string { return "/adminapi/beta/" + o.id + "/InvokeCommand" }

func newTwoTenants(t *testing.T, adjust ...func(*settings)) *twoTenants {
	t.Helper()
	dir := t.TempDir()
	folder, err := datafolder.Open(t.Context(), datafolder.Config{Path: filepath.Join(dir, "data"), Seals: filepath.Join(dir, "seals")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	s := settings{domain: "localhost", port: 8443, lease: time.Minute, recoveryLevel: "Recoverable+ProtectedSubscription"}
	for _, a := range adjust {
		a(&s)
	}
	n, err := openNode(t.Context(), s, folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.close(context.WithoutCancel(t.Context())) })
	d := &twoTenants{node: n, server: httptest.NewTLSServer(n.faces)}
	t.Cleanup(d.server.Close)
	d.contoso = d.addTenant(t, "contoso")
	d.fabrikam = d.addTenant(t, "fabrikam")
	for path, content := range map[string]string{
		"/v1/documents/secret/plan.txt": "of Contoso", "/v1/documents/shared/theirs.txt": "theirs", "/v1/teams/alice-and-bob/1": "hello",
	} {
		d.token = d.contoso.token
		if got := d.ask(t, "PUT", "api", path, content, ""); got.Status != 201 {
			t.Fatalf("writing %s: %d %s", path, got.Status, got.Body)
		}
	}
	d.token = d.contoso.token
	if got := d.ask(t, "POST", "api", "/v1/exchange/alice@contoso.example", "a letter", ""); got.Status != 201 {
		t.Fatalf("writing mail: %d %s", got.Status, got.Body)
	}
	d.token = d.fabrikam.token
	if got := d.ask(t, "PUT", "api", "/v1/documents/shared/ours.txt", "ours", ""); got.Status != 201 {
		t.Fatalf("writing: %d %s", got.Status, got.Body)
	}
	return d
}

// addTenant makes a tenant as the sample does: an administrator, Alice, two vaults, a policy.
func (d *twoTenants) addTenant(t *testing.T, name string) (o oneTenant) {
	t.Helper()
	n, ctx, domain := d.node, t.Context(), name+".example"
	system := directory.SystemCaller("", "test", uuid.NewString())
	tenant, err := n.directory.CreateTenant(ctx, system, name, domain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.setUp(ctx); err != nil {
		t.Fatal(err)
	}
	o.id, system.Tenant = tenant.ID, tenant.ID
	person := func(left string, roles ...directory.Role) directory.Person {
		p, err := n.directory.CreatePerson(ctx, system, directory.Person{Tenant: o.id, UPN: left + "@" + domain, DisplayName: left, Roles: roles}, "correct-horse-battery", false)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	o.alice = person("alice").ID
	boss := person("boss", directory.GlobalAdministrator, directory.MailboxImportExport)
	caller := directory.Caller{Tenant: o.id, ID: boss.ID, Kind: directory.User, Name: boss.UPN, Roles: boss.Roles, Request: uuid.NewString()}
	service, err := n.directory.ServicePrincipal(ctx, o.id, directory.MultiWorkloadApp)
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for i, side := range []string{"east", "west"} {
		plan := vaultPlan{
			tenant: o.id, owner: boss.ID, subscription: "keys " + side, name: name + "-" + side, location: side + "us", key: fmt.Sprintf("root%d", i+1),
			grants: []rights.Grant{
				{Object: boss.ID, Keys: []rights.Permission{"get", "list", "create"}},
				{Object: service.ID, Keys: []rights.Permission{"get", "wrapKey", "unwrapKey"}},
			},
		}
		if err := n.ensureVault(ctx, plan, caller); err != nil {
			t.Fatal(err)
		}
		uris = append(uris, n.url(plan.name+".vault")+"/keys/"+plan.key)
	}
	subscriptions, err := n.vaults.Subscriptions(ctx, caller)
	if err != nil || len(subscriptions) != 2 {
		t.Fatalf("%d subscriptions, %v", len(subscriptions), err)
	}
	o.subscription = subscriptions[0].ID
	if o.policy, err = n.policies.Create(ctx, caller, policy.Draft{Family: policy.MultiWorkload, Name: strings.ToUpper(name[:1]) + name[1:] + "_Global", KeyURIs: uris, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if err := n.policies.Assign(ctx, caller, o.policy.Name); err != nil {
		t.Fatal(err)
	}
	o.token = d.signIn(t, o.id, boss.UPN)
	return o
}

// signIn returns the person's tokens by face.
func (d *twoTenants) signIn(t *testing.T, tenant, upn string) func(host string) string {
	t.Helper()
	n, ctx := d.node, t.Context()
	from := directory.Origin{Address: "127.0.0.1", Request: "test"}
	scope := n.url("api") + "/.default"
	device, err := n.directory.StartDevice(ctx, tenant, directory.CommandLineApp, scope, from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.directory.ApproveDevice(ctx, directory.Approval{UserCode: device.UserCode, UPN: upn, Password: "correct-horse-battery", From: from}); err != nil {
		t.Fatal(err)
	}
	tokens, err := n.directory.RedeemDevice(ctx, tenant, directory.CommandLineApp, device.Code, scope, from)
	if err != nil {
		t.Fatal(err)
	}
	byFace := map[string]string{"api": tokens.Access}
	for _, face := range []string{"graph", "management", "outlook", "vault"} {
		if tokens, err = n.directory.Refresh(ctx, tenant, directory.Client{ID: directory.CommandLineApp}, tokens.Refresh, n.url(face)+"/.default", from); err != nil {
			t.Fatal(err)
		}
		byFace[face] = tokens.Access
	}
	return func(host string) string { return byFace[host[strings.LastIndex(host, ".")+1:]] }
}

// A reply is all that an answer tells, with the name that was asked for as *.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// ask sends a request in which name stands for *.
func (d *twoTenants) ask(t *testing.T, method, host, path, body, name string) reply {
	t.Helper()
	if name != "" {
		path, body = strings.ReplaceAll(path, "*", name), strings.ReplaceAll(body, "*", name)
	}
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, d.server.URL+path, content)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = d.node.host(host)
	req.Header.Set("Authorization", "Bearer "+d.token(host))
	if host != "api" && body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := d.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return tidy(reply{res.StatusCode, res.Header, got.String()}, name)
}

// tidy takes out what differs between any two answers: the name, the date, the request's number.
// A length that differs by the length of the name does not tell anything either.
func tidy(r reply, name string) reply {
	if name != "" {
		r.Body = strings.ReplaceAll(r.Body, name, "*")
		r.Header.Del("Content-Length")
	}
	for header, values := range r.Header {
		low := strings.ToLower(header)
		switch {
		case low == "date":
			r.Header.Set(header, "*")
		case strings.Contains(low, "request-id") || strings.Contains(low, "correlation"):
			for _, value := range values {
				r.Body = strings.ReplaceAll(r.Body, value, "REQUEST")
			}
			r.Header.Set(header, "REQUEST")
		case name != "":
			for i, value := range slices.Clone(values) {
				r.Header[header][i] = strings.ReplaceAll(value, name, "*")
			}
		}
	}
	return r
}

// invoke is the body of a request that runs a cmdlet.
func invoke(name string, parameters map[string]any) string {
	body, err := json.Marshal(map[string]any{"CmdletInput": map[string]any{"CmdletName": name, "Parameters": parameters}})
	if err != nil {
		panic(err)
	}
	return string(body)
}
