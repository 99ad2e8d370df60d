package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const contosoDomain = "contoso.example"

// An exchange is the admin face over real policies, whose root keys lie in a real vault that
// is reached over TLS by the official client.
type exchange struct {
	t      testing.TB
	vault  *keyvaulttest.World
	log    *exchangeLog
	config api.ExchangeConfig
	face   http.Handler
	server *httptest.Server
	db     *store.DB // the service's

	service directory.Caller // as whom it asks vaults

	tenant string
	keys   []string // URIs of two root keys
	stall  bool     // set before use: commands that ask for the organization's name get no answer

	mu      sync.Mutex
	boxes   []int                       // mailboxes read from the store, for each time that it was asked for some
	callers map[string]directory.Caller // by token
}

// An exchangeLog is the real log, which can be told to fail.
type exchangeLog struct {
	*audit.Log
	mu   sync.Mutex
	deaf bool
	lost string // the action of which no entry can be written
	last []audit.Entry
}

func (l *exchangeLog) Record(ctx context.Context, e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf || e.Action == l.lost {
		return errors.New("the disk is full")
	}
	l.last = append(l.last, e)
	return l.Log.Record(ctx, e)
}

// wrote reports whether an entry of that decision and action was written since last asked.
func (l *exchangeLog) wrote(d audit.Decision, action string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.last = nil }()
	return slices.ContainsFunc(l.last, func(e audit.Entry) bool { return e.Decision == d && e.Action == action })
}

func (l *exchangeLog) lose(action string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = action
}

func (l *exchangeLog) setDeaf(deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = deaf
}

func newExchange(t testing.TB) *exchange {
	t.Helper()
	vaults := exchangeDB(t, "vault.db", store.VaultAreas())
	x := &exchange{t: t, vault: keyvaulttest.New(t, vaults), callers: map[string]directory.Caller{}}
	x.tenant = x.vault.Tenant
	x.vault.SetProtected(true)
	principal := x.vault.Person("service principal")
	x.service = principal
	x.rootKeys(principal)
	x.config = api.ExchangeConfig{
		Services: x.services(principal), BaseURL: "https://outlook.localhost:8443/",
		Verify: x.verify, Tenant: x.lookUp, Log: discardLog(),
	}
	x.start()
	return x
}

// start puts a server over the face as config has it now, in the place of one that is there.
func (x *exchange) start() {
	x.t.Helper()
	face, err := api.NewExchange(x.config)
	x.must(err)
	x.face, x.server = face, httptest.NewServer(face)
	x.t.Cleanup(x.server.Close)
}

func (x *exchange) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func exchangeDB(t testing.TB, name string, areas []store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(t, filepath.Join(t.TempDir(), name), areas...), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// rootKeys makes one key in each of two vaults, as the article says.
func (x *exchange) rootKeys(principal directory.Caller) {
	x.t.Helper()
	admin := x.vault.Person("key administrator")
	for _, name := range []string{"contoso-east", "contoso-west"} {
		x.vault.MustVault(name,
			keyvaulttest.Can(principal, "get", "wrapKey", "unwrapKey"), keyvaulttest.Can(admin, "create"))
		_, err := x.vault.CreateKey(x.t.Context(), admin, name, "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey", "unwrapKey"}})
		x.must(err)
		x.keys = append(x.keys, x.vault.VaultURL(name)+"/keys/root")
	}
}

// services are what the commands work on, over one database.
func (x *exchange) services(principal directory.Caller) service.Services {
	x.t.Helper()
	db := exchangeDB(x.t, "service.db", store.ServiceAreas())
	x.db = db
	s := x.policies(db, principal)
	s.Tenant = func(ctx context.Context, name string) (id, domain string, err error) {
		if x.stall {
			<-ctx.Done()
			return "", "", ctx.Err()
		}
		id, err = x.lookUp(ctx, name)
		return id, contosoDomain, err
	}
	var err error
	s.Requests, err = request.New(request.Config{
		Store: store.NewRequest(db), Audit: x.log, Log: discardLog(), Families: []string{"multi-workload", "mailbox", "sharepoint"},
		Person: func(_ context.Context, _, who string) (id, name string, err error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			for _, c := range x.callers {
				if c.ID == who {
					return c.ID, c.Name, nil
				}
			}
			return "", "", fault.New(fault.NotFound, "no such person")
		},
	})
	x.must(err)
	s.Foreseen = func() (service.Services, error) { return s, nil } // changes of policies have a view of their own
	return s
}

// policies are the services that reach root keys.
func (x *exchange) policies(db *store.DB, principal directory.Caller) service.Services {
	x.t.Helper()
	spare := exchangeDB(x.t, "availability.db", store.AvailabilityAreas())
	x.log = &exchangeLog{Log: x.auditLog(db, "service")}
	roots, err := rootkey.New(rootkey.Config{
		Suffixes:   []string{"vault." + x.vault.Domain()},
		Credential: func(string, string) azcore.TokenCredential { return x.vault.Credential(principal) },
		Transport:  x.vault.Client(), AttemptTimeout: patience, Timeout: patience,
	})
	x.must(err)
	keys, err := availability.New(availability.Config{Store: store.NewAvailability(spare), Seal: seal.Of(envelope.NewKey()), Audit: x.auditLog(spare, "availability")})
	x.must(err)
	keyring, err := hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(db), Availability: keys, Audit: x.log, Attempt: patience,
		Root: func(ref hierarchy.RootRef) (hierarchy.Root, error) { return roots.Key(ref.Tenant, ref.App, ref.URI) },
	})
	x.must(err)
	x.t.Cleanup(func() { _ = keyring.Close(context.Background()) })
	made, err := policy.New(policy.Config{
		Store: store.NewPolicy(db), Keys: keyring, Roots: policy.RootsOf(roots), Availability: keys, Audit: x.log,
		Rule: func(name string) policy.Rule {
			if name == mailbox.Workload {
				return policy.Rule{Family: policy.Mailbox}
			}
			return policy.Rule{Family: policy.MultiWorkload}
		},
		Operations: store.NewOperation(db),
	})
	x.must(err)
	_, err = made.EnsureServicePolicy(x.t.Context(), x.tenant, [2]hierarchy.RootRef{
		{Tenant: x.tenant, App: directory.MultiWorkloadApp, URI: x.keys[0]}, {Tenant: x.tenant, App: directory.MultiWorkloadApp, URI: x.keys[1]},
	})
	x.must(err)
	watch, err := health.New(health.Config{
		Store: store.NewHealth(db), Audit: x.log, Seal: seal.Of(envelope.NewKey()),
		Key: func(ref hierarchy.RootRef) (health.Key, error) { return roots.Key(ref.Tenant, ref.App, ref.URI) },
	})
	x.must(err)
	boxes, err := mailbox.New(mailbox.Config{
		Store: countedBoxes{store.NewMailbox(db), x}, Policies: made, Audit: x.log, Domain: func(context.Context, string) (string, error) { return contosoDomain, nil },
	})
	x.must(err)
	acts, err := activity.New(activity.Config{Log: x.log, Server: "outlook.localhost"})
	x.must(err)
	return service.Services{Policies: made, Mailboxes: boxes, Health: watch, Activity: acts}
}

func (x *exchange) auditLog(db *store.DB, name string) *audit.Log {
	x.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	x.must(err)
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: name})
	x.must(err)
	return log
}

// token returns a token of a new person with roles in a tenant.
func (x *exchange) token(tenant string, roles ...directory.Role) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	token := uuid.NewString()
	x.callers[token] = directory.Caller{Tenant: tenant, ID: uuid.NewString(), Kind: directory.User, Name: "someone@" + contosoDomain, Roles: roles}
	return token
}

func (x *exchange) verify(_ context.Context, bearer string) (directory.Caller, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	caller, ok := x.callers[bearer]
	if !ok {
		return caller, fault.New(fault.Unauthenticated, "the token is not right").WithHint("sign in again")
	}
	return caller, nil
}

// lookUp knows two organizations.
func (x *exchange) lookUp(_ context.Context, name string) (string, error) {
	switch strings.ToLower(name) {
	case x.tenant, contosoDomain:
		return x.tenant, nil
	case "fabrikam.example":
		return "99999999-2222-4333-8444-555555555555", nil
	}
	return "", fault.New(fault.NotFound, "no such tenant")
}

// An exchangeAnswer is a response of the face, read.
type exchangeAnswer struct {
	status int
	header http.Header
	text   string
	reply  cmdlet.Reply
	error  cmdlet.ErrorReply
}

// post sends a body to a path below the server, with headers given as "Name: value".
func (x *exchange) post(token, path, body string, headers ...string) exchangeAnswer {
	x.t.Helper()
	req, err := http.NewRequest(http.MethodPost, x.server.URL+path, strings.NewReader(body))
	x.must(err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	x.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	x.must(err)
	a := exchangeAnswer{status: res.StatusCode, header: res.Header, text: string(text)}
	if len(text) > 0 {
		into := any(&a.reply)
		if res.StatusCode != http.StatusOK {
			into = &a.error
		}
		if err := json.Unmarshal(text, into); err != nil {
			x.t.Fatalf("%d with a body that is no JSON: %s", res.StatusCode, text)
		}
	}
	return a
}

// run runs a command by its words as the article prints them, as JSON parameters.
func (x *exchange) run(token, name, params string, headers ...string) exchangeAnswer {
	x.t.Helper()
	return x.post(token, "/adminapi/beta/"+contosoDomain+"/InvokeCommand", command(name, params), headers...)
}

func command(name, params string) string {
	var b bytes.Buffer
	b.WriteString(`{"CmdletInput":{"CmdletName":"` + name + `"`)
	if params != "" {
		b.WriteString(`,"Parameters":` + params)
	}
	b.WriteString(`}}`)
	return b.String()
}

// mustCreate makes a policy.
func (x *exchange) mustCreate(token, name string) {
	x.t.Helper()
	keys, err := json.Marshal(x.keys)
	x.must(err)
	if a := x.run(token, "New-M365DataAtRestEncryptionPolicy", `{"Name":"`+name+`","AzureKeyIDs":`+string(keys)+`}`); a.status != http.StatusOK {
		x.t.Fatalf("creating %s: %d %s", name, a.status, a.text)
	}
}
