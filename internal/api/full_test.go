package api_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/workload"
)

// patience is how long the stacks below wait for a vault: a busy machine is no dead vault.
const patience = 5 * time.Minute

// A stack is everything from the HTTP face down to the customer's vaults, wired as the server
// does it, with real parts only.
type stack struct {
	t        testing.TB
	vault    *keyvaulttest.World
	owner    directory.Caller // of the root keys
	admin    directory.Caller // of policies
	alice    directory.Caller
	policies *policy.Service
	client   *client.Client // alice's
	server   *httptest.Server
	ahead    atomic.Int64 // how far the clock of leases is ahead, in nanoseconds
}

// endLeases lets the leases of policy keys end: from here on the roots are asked.
func (s *stack) endLeases() { s.ahead.Add(int64(time.Hour)) }

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{t: t, vault: keyvaulttest.New(t, exchangeDB(t, "vault.db", store.VaultAreas()))}
	s.vault.SetProtected(true)
	s.owner, s.alice, s.admin = s.vault.Person("key owner"), s.vault.Person("alice"), s.vault.Person("admin")
	s.admin.Roles = []directory.Role{directory.ComplianceAdministrator}
	service := s.vault.Person("service principal")
	for _, name := range []string{"own-east", "own-west", "contoso-east", "contoso-west"} {
		s.vault.MustVault(name, keyvaulttest.Can(service, "get", "wrapKey", "unwrapKey"), keyvaulttest.Can(s.owner, "create", "update"))
		s.roll(name)
	}
	s.serve(service)
	return s
}

func (s *stack) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// roll makes a new version of the root key in a vault.
func (s *stack) roll(vault string) {
	s.t.Helper()
	_, err := s.vault.CreateKey(s.t.Context(), s.owner, vault, "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey", "unwrapKey"}})
	s.must(err)
}

// enable enables or disables the newest version of the root key in a vault.
func (s *stack) enable(vault string, enabled bool) {
	s.t.Helper()
	_, err := s.vault.UpdateKey(s.t.Context(), s.owner, vault, "root", "", keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &enabled}})
	s.must(err)
}

func (s *stack) uri(vault string) string { return s.vault.VaultURL(vault) + "/keys/root" }

func (s *stack) ref(vault string) hierarchy.RootRef {
	return hierarchy.RootRef{Tenant: s.vault.Tenant, App: directory.MultiWorkloadApp, URI: s.uri(vault)}
}

func (s *stack) auditLog(db *store.DB, name string) *audit.Log {
	s.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	s.must(err)
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: name})
	s.must(err)
	return log
}

// serve wires the service.
func (s *stack) serve(service directory.Caller) {
	s.t.Helper()
	db, spare := exchangeDB(s.t, "service.db", store.ServiceAreas()), exchangeDB(s.t, "availability.db", store.AvailabilityAreas())
	log := s.auditLog(db, "service")
	roots, err := rootkey.New(rootkey.Config{
		Suffixes:   []string{"vault." + s.vault.Domain()},
		Credential: func(string, string) azcore.TokenCredential { return s.vault.Credential(service) },
		Transport:  s.vault.Client(), AttemptTimeout: patience, Timeout: patience,
	})
	s.must(err)
	spares, err := availability.New(availability.Config{Store: store.NewAvailability(spare), Seal: seal.Of(envelope.NewKey()), Audit: s.auditLog(spare, "availability")})
	s.must(err)
	keys, err := hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(db), Availability: spares, Audit: log, Lease: 10 * time.Minute, Hold: time.Millisecond, Attempt: patience,
		Now:  func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Root: func(ref hierarchy.RootRef) (hierarchy.Root, error) { return roots.Key(ref.Tenant, ref.App, ref.URI) },
	})
	s.must(err)
	s.t.Cleanup(func() { _ = keys.Close(context.Background()) })
	var runner *operation.Runner
	s.policies, err = policy.New(policy.Config{
		Store: store.NewPolicy(db), Keys: keys, Roots: policy.RootsOf(roots), Availability: spares, Audit: log, Rule: rule, Operations: store.NewOperation(db),
		Wake: func() { runner.Wake() }, Settle: 10 * time.Millisecond,
	})
	s.must(err)
	runner, err = operation.New(operation.Config{Store: store.NewOperation(db), Handlers: s.policies.Handlers()})
	s.must(err)
	s.inBackground(runner.Run)
	_, err = s.policies.EnsureServicePolicy(s.t.Context(), s.vault.Tenant, [2]hierarchy.RootRef{s.ref("own-east"), s.ref("own-west")})
	s.must(err)

	folder, err := blob.OpenFolder(filepath.Join(s.t.TempDir(), "blobs"))
	s.must(err)
	s.t.Cleanup(func() { folder.Close() })
	items, err := workload.New(workload.Config{
		Store: store.NewWorkload(db), Blobs: store.NewBlobs(folder), Keys: keys, Policies: s.policies, Audit: log,
		People: func(context.Context, string, string) (string, error) { return s.alice.ID, nil },
	})
	s.must(err)
	face, err := api.New(api.Config{
		Items: items, Logs: map[string]api.AuditLog{"service": log}, Recorder: log, Log: discardLog(),
		Verify: func(context.Context, string) (directory.Caller, error) { return s.alice, nil },
	})
	s.must(err)
	s.server = httptest.NewTLSServer(face)
	s.t.Cleanup(s.server.Close)
	s.client, err = client.New(client.Config{
		BaseURL: s.server.URL, HTTP: s.server.Client(), Token: func(context.Context) (string, error) { return "alice", nil },
	})
	s.must(err)
}

// rule is how wiring turns the table of workloads into rules.
func rule(name string) policy.Rule {
	w, err := workload.Find(name)
	if err != nil {
		return policy.Rule{}
	}
	return policy.Rule{Family: policy.MultiWorkload, NewDataOnly: w.NewDataOnly}
}

// inBackground runs fn until the test ends.
func (s *stack) inBackground(fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			s.t.Errorf("background work: %v", err)
		}
	})
}

func (s *stack) put(ref client.Ref) {
	s.t.Helper()
	_, _, err := s.client.Put(s.t.Context(), ref, client.PutOptions{}, strings.NewReader("content of "+ref.String()))
	s.must(err)
}

func (s *stack) read(ref client.Ref) error {
	c, err := s.client.Get(s.t.Context(), ref)
	if err != nil {
		return err
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err == nil && string(b) != "content of "+ref.String() {
		err = errors.New("other content came back")
	}
	return err
}

// wait waits for the policy to be as done says.
func (s *stack) wait(what string, done func(policy.Status) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		status, err := s.policies.Status(s.t.Context(), s.admin, policy.MultiWorkload, "Contoso_Global")
		s.must(err)
		if done(status) {
			return
		}
	}
	s.t.Fatalf("waited in vain: %s", what)
}

// A customer's content from the default keys to its own, over a roll, to a denial and back.
func TestLifeOfContent(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	mail := client.Ref{Workload: "exchange", Container: "alice@contoso.example", Item: "mail"}
	chat := client.Ref{Workload: "teams", Container: "general", Item: "chat"}
	s.put(mail)
	s.put(chat)

	_, err := s.policies.Create(t.Context(), s.admin, policy.Draft{Family: policy.MultiWorkload, Name: "Contoso_Global", KeyURIs: []string{s.uri("contoso-east"), s.uri("contoso-west")}, Enabled: true})
	s.must(err)
	s.must(s.policies.Assign(t.Context(), s.admin, "Contoso_Global"))
	s.wait("the mailbox is under the policy", func(st policy.Status) bool { return st.Percent == 100 && st.Containers == 1 })
	newChat := chat
	newChat.Item = "new chat"
	s.put(newChat)
	s.wait("new chats are under the policy", func(st policy.Status) bool { return st.Containers == 2 })

	s.roll("contoso-east")
	_, err = s.policies.Refresh(t.Context(), s.admin, policy.MultiWorkload, "Contoso_Global")
	s.must(err)
	s.wait("the first generation is destroyed", func(st policy.Status) bool {
		return len(st.Generations) == 2 && st.Generations[0].State == hierarchy.Destroyed && st.Generations[1].Containers == 2
	})
	for _, ref := range []client.Ref{mail, chat, newChat} {
		s.must(s.read(ref))
	}

	s.enable("contoso-east", false)
	s.endLeases()
	s.must(s.read(mail))
	s.enable("contoso-west", false)
	s.endLeases()
	for _, ref := range []client.Ref{mail, newChat} {
		if err := s.read(ref); !client.IsCode(err, client.CodeDenied) || !strings.Contains(err.Error(), "are disabled by their owner") {
			t.Errorf("reading %s with both roots disabled: %v", ref, err)
		}
	}
	if _, _, err := s.client.Put(t.Context(), mail, client.PutOptions{}, strings.NewReader("x")); !client.IsCode(err, string(fault.Denied)) {
		t.Errorf("writing with both roots disabled: %v", err)
	}
	s.must(s.read(chat)) // old chats stay with the service's own policy
	s.enable("contoso-east", true)
	s.endLeases()
	for _, ref := range []client.Ref{mail, chat, newChat} {
		s.must(s.read(ref))
	}
}
