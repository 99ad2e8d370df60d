package azure_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/azure"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/graph"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A world is a real vault with both its faces, and a real directory beside it.
type world struct {
	t         testing.TB
	vault     *keyvaulttest.World
	directory *directory.Service
	graph     http.Handler
	contoso   directory.Tenant
	owner     directory.Person // of the subscription
	ownerSign string           // token for the directory
}

const password = "correct horse battery"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, vault: keyvaulttest.New(t, openDB(t, "vault.db", store.VaultAreas()))}
	base := "https://graph." + w.vault.Domain()
	var err error
	w.directory, err = directory.New(directory.Config{
		Store: store.NewDirectory(openDB(t, "service.db", store.ServiceAreas())), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(),
		Issuer: "https://sts.localhost/", Login: "https://login.localhost", Audiences: []string{base}, Poll: time.Millisecond,
		Record: func(context.Context, string, directory.Caller, string, string, string, map[string]string) error {
			return nil
		},
	})
	w.must(err)
	verifier, err := directory.NewVerifier(directory.VerifierConfig{Keys: w.directory.Keys, Issuer: w.directory.Issuer, Audiences: []string{base}})
	w.must(err)
	w.graph, err = graph.New(graph.Config{Directory: w.directory, Verifier: verifier, Domain: w.vault.Domain()})
	w.must(err)
	w.contoso, err = w.directory.CreateTenant(t.Context(), directory.SystemCaller("", "test", "r"), "Contoso", "contoso.example")
	w.must(err)
	w.owner = w.person("owner@contoso.example")
	w.ownerSign = w.signIn("owner@contoso.example", base)
	w.own()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func openDB(t testing.TB, name string, areas []store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(t, filepath.Join(t.TempDir(), name), areas...), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (w *world) person(upn string) directory.Person {
	w.t.Helper()
	p, err := w.directory.CreatePerson(w.t.Context(), directory.SystemCaller("", "test", "r"),
		directory.Person{Tenant: w.contoso.ID, UPN: upn, DisplayName: "Name of " + upn}, password, false)
	w.must(err)
	return p
}

func (w *world) signIn(upn, resource string) string {
	w.t.Helper()
	from := directory.Origin{Address: "127.0.0.1", Request: "r"}
	device, err := w.directory.StartDevice(w.t.Context(), w.contoso.ID, directory.CommandLineApp, resource+"/.default", from)
	w.must(err)
	_, err = w.directory.ApproveDevice(w.t.Context(), directory.Approval{UserCode: device.UserCode, UPN: upn, Password: password, From: from})
	w.must(err)
	tokens, err := w.directory.RedeemDevice(w.t.Context(), w.contoso.ID, directory.CommandLineApp, device.Code, resource+"/.default", from)
	w.must(err)
	return tokens.Access
}

// own makes the owner's person the owner of the subscription.
func (w *world) own() {
	w.t.Helper()
	w.vault.Subscription.Owner = w.owner.ID
	w.must(w.vault.PutSubscription(w.t.Context(), w.operator(), w.vault.Subscription))
}

func (w *world) operator() directory.Caller {
	return directory.Caller{Tenant: uuid.NewString(), ID: uuid.NewString(), Kind: directory.User, Roles: []directory.Role{directory.ServiceOperator}}
}

// caller is a person of the directory as the vault knows it.
func (w *world) caller(p directory.Person) directory.Caller {
	return directory.Caller{Tenant: w.vault.Tenant, ID: p.ID, Kind: directory.User, Name: p.UPN, App: directory.CommandLineApp}
}

// credential gives the vault's and the resource manager's tokens to a caller; for the
// directory everyone is the owner.
type credential struct {
	w      *world
	caller directory.Caller
}

func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if strings.HasPrefix(o.Scopes[0], "https://graph.") {
		return azcore.AccessToken{Token: c.w.ownerSign, ExpiresOn: time.Now().Add(time.Hour)}, nil
	}
	return c.w.vault.Credential(c.caller).GetToken(ctx, o)
}

// Do sends requests for the directory to its face, and all others over TLS to the vault's.
func (w *world) Do(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, "graph.") {
		answer := httptest.NewRecorder()
		w.graph.ServeHTTP(answer, r)
		return answer.Result(), nil
	}
	return w.vault.Client().Do(r)
}

func (w *world) environment(caller directory.Caller) *azure.Environment {
	w.t.Helper()
	domain := w.vault.Domain()
	e, err := azure.New(azure.Config{
		Credential: credential{w, caller}, Tenant: w.vault.Tenant, Transport: w,
		VaultSuffix: "vault." + domain, Management: "https://management." + domain, Graph: "https://graph." + domain,
	})
	w.must(err)
	return e
}

// A result is what a command printed, as the command line would.
type result struct {
	out, errs string
	err       error
}

// ck runs a command line of words as a caller. Words are split at spaces.
func (w *world) ck(caller directory.Caller, line string) result {
	w.t.Helper()
	return w.ckIn(w.environment(caller), line)
}

// ckIn is ck in an environment that is there already, as in a shell.
func (w *world) ckIn(e cmdlet.Runner, line string) result {
	w.t.Helper()
	var out, errs bytes.Buffer
	cli := show.CLI{Out: &out, Err: &errs, Runner: func(side cmdlet.Side) (cmdlet.Runner, error) {
		if side != cmdlet.Vault {
			w.t.Errorf("%s runs on side %s", line, side)
		}
		return e, nil
	}}
	words := strings.Fields(line)
	err := cli.Run(w.t.Context(), words[0], words[1:])
	return result{out.String(), errs.String(), err}
}

// mustCK runs a command that has to succeed, and returns what it printed.
func (w *world) mustCK(caller directory.Caller, line string) string {
	w.t.Helper()
	r := w.ck(caller, line)
	if r.err != nil {
		w.t.Fatalf("%s: %v", line, r.err)
	}
	return r.out
}

// vaultFor makes a vault in which a new person has rights on keys, and returns the person.
func (w *world) vaultFor(name string, may ...rights.Permission) directory.Caller {
	w.t.Helper()
	admin := w.caller(w.person(name + "-admin@contoso.example"))
	_, _, err := w.vault.PutVault(w.t.Context(), w.caller(w.owner), keyvault.VaultSpec{
		Subscription: w.vault.Subscription.ID, Group: "keys", Location: keyvaulttest.Location, SKU: "standard", Name: name,
		Access: []rights.Grant{keyvaulttest.Can(admin, may...)},
	})
	w.must(err)
	return admin
}
