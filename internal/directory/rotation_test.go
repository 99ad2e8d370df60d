package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// states returns the kids of the issuer keys by state.
func (w *world) states() map[directory.KeyState][]string {
	w.t.Helper()
	list, err := w.ListIssuerKeys(context.Background(), system)
	if err != nil {
		w.t.Fatal(err)
	}
	states := map[directory.KeyState][]string{}
	for _, k := range list {
		states[k.State] = append(states[k.State], k.ID)
	}
	return states
}

func (w *world) sweep() {
	w.t.Helper()
	if err := w.SweepIssuerKeys(context.Background(), system); err != nil {
		w.t.Error(err)
	}
}

func (w *world) mustToken(tenant directory.Tenant) string {
	w.t.Helper()
	token, _, err := w.ServiceToken(context.Background(), tenant.ID, directory.MultiWorkloadApp, vaultAudience)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func TestIssuerKeysRotateByAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	w.sweep()
	s := w.states()
	if len(s[directory.CurrentKey]) != 1 || len(s[directory.NextKey]) != 1 || len(s[directory.RetiredKey]) != 0 {
		t.Fatalf("at first: %v", s)
	}
	first, next := s[directory.CurrentKey][0], s[directory.NextKey][0]
	w.pass(90*24*time.Hour - time.Second)
	w.sweep()
	if got := w.states()[directory.CurrentKey][0]; got != first {
		t.Errorf("rotated ahead of time")
	}
	old := w.mustToken(contoso)
	w.pass(time.Second)
	w.sweep()
	s = w.states()
	if s[directory.CurrentKey][0] != next || len(s[directory.NextKey]) != 1 || s[directory.RetiredKey][0] != first {
		t.Errorf("after 90 days: %v, want %s current and %s retired", s, next, first)
	}
	set, err := w.Keys(t.Context())
	if err != nil || len(set.Keys) != 3 {
		t.Errorf("published: %d keys, %v", len(set.Keys), err)
	}
	v := w.verifier(vaultAudience)
	w.pass(time.Hour - time.Second)
	w.sweep()
	if _, err := v.Verify(t.Context(), old); err != nil {
		t.Errorf("the last token of the retired key: %v", err)
	}
	w.pass(11 * time.Minute)
	w.sweep()
	if s := w.states(); len(s[directory.RetiredKey]) != 0 {
		t.Errorf("the retired key stays: %v", s)
	}
	w.pass(-200 * 24 * time.Hour) // a clock set back changes nothing
	before := w.states()
	w.sweep()
	if after := w.states(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("with the clock set back: %v, was %v", after, before)
	}
}

func TestRotationOnDemandAndRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	operator := directory.Caller{Tenant: contoso.ID, ID: "operator", Kind: directory.User, Roles: []directory.Role{directory.ServiceOperator}}
	w.sweep()
	if err := w.RotateIssuerKeys(t.Context(), operator); !fault.Is(err, fault.Conflict) {
		t.Errorf("by a key that nobody has read: %v, want %s", err, fault.Conflict)
	}
	w.pass(2 * time.Hour)
	v := w.verifier(vaultAudience)
	token := w.mustToken(contoso)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	before := w.states()
	if err := w.RotateIssuerKeys(t.Context(), operator); err != nil {
		t.Fatal(err)
	}
	if e := w.last(); e.tenant != contoso.ID || e.action != "issuerkey.rotate" || e.decision != "allow" {
		t.Errorf("recorded %+v", e)
	}
	fresh := w.mustToken(contoso)
	for name, token := range map[string]string{"old": token, "fresh": fresh} { // no time has passed
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("the %s token: %v", name, err)
		}
	}

	if err := w.RevokeIssuerKey(t.Context(), operator, before[directory.CurrentKey][0]); err != nil { // retired by now
		t.Fatal(err)
	}
	w.pass(time.Hour/2 + time.Second) // less than the token's life, more than what a verifier remembers by default would need
	v2 := w.verifier(vaultAudience)
	if _, err := v2.Verify(t.Context(), token); fault.As(err).Reason != directory.BadSignature {
		t.Errorf("a token of a revoked key: %v, want %s", err, directory.BadSignature)
	}
	current := w.states()[directory.CurrentKey][0]
	if err := w.RevokeIssuerKey(t.Context(), operator, current); err != nil {
		t.Fatal(err)
	}
	if s := w.states(); len(s[directory.CurrentKey]) != 1 || s[directory.CurrentKey][0] == current || len(s[directory.NextKey]) != 1 {
		t.Errorf("after the current key was revoked: %v", s)
	}
	if _, err := w.verifier(vaultAudience).Verify(t.Context(), w.mustToken(contoso)); err != nil {
		t.Errorf("by the key that took over: %v", err)
	}
	for _, c := range []directory.Caller{{Tenant: contoso.ID, ID: "admin", Kind: directory.User, Roles: []directory.Role{directory.GlobalAdministrator}}, {}} {
		_, list := w.ListIssuerKeys(t.Context(), c)
		for _, err := range []error{list, w.RotateIssuerKeys(t.Context(), c), w.RevokeIssuerKey(t.Context(), c, current)} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%v: %v, want %s", c.Roles, err, fault.Forbidden)
			}
		}
	}
	if err := w.RevokeIssuerKey(t.Context(), operator, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown key: %v", err)
	}
	w.setDeaf(true)
	if err := w.RevokeIssuerKey(t.Context(), operator, w.states()[directory.CurrentKey][0]); !fault.Is(err, fault.Unavailable) {
		t.Errorf("what cannot be recorded: %v", err)
	}
}

// TestRememberedTokenOfARevokedKey: a verifier that has taken a token before refuses it when it
// has read the keys again.
func TestRememberedTokenOfARevokedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	w.sweep()
	v, err := directory.NewVerifier(directory.VerifierConfig{
		Keys: w.Keys, Issuer: w.Issuer, Audiences: []string{vaultAudience}, Fresh: time.Second, Now: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	token := w.mustToken(contoso)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeIssuerKey(t.Context(), system, w.states()[directory.CurrentKey][0]); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	if _, err := v.Verify(t.Context(), token); fault.As(err).Reason != directory.BadSignature {
		t.Errorf("%v, want %s", err, directory.BadSignature)
	}
}

// TestNoRequestFailsWhileKeysRotate has two nodes on one database, of which each signs, and
// clients that use each token for most of its life, while a year passes: in one leap where
// nothing is due, in steps of twenty minutes around each rotation.
func TestNoRequestFailsWhileKeysRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	w.sweep()
	nodes := []*directory.Service{w.Service}
	w.start() // a second one on the same database
	nodes = append(nodes, w.Service)
	outside := newOutsideVerifier(t, w, contoso)

	var still sync.RWMutex // time stands still while a client is at work
	var served atomic.Int64
	var wg sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		c := &rotationClient{world: w, node: nodes[i%2], ours: w.verifier(vaultAudience), outside: outside, tenant: contoso.ID}
		wg.Go(func() {
			for !isClosed(done) && !t.Failed() {
				still.RLock()
				if err := c.request(w.clock()); err != nil {
					t.Errorf("at %v: %v", w.clock(), err)
				}
				still.RUnlock()
				served.Add(1)
			}
		})
	}
	signed := map[string]bool{w.states()[directory.CurrentKey][0]: true}
	for step := range 4 * 20 {
		still.Lock()
		w.pass(passing(step))
		if err := nodes[step%2].SweepIssuerKeys(context.Background(), system); err != nil {
			t.Error(err)
		}
		target := served.Load() + 6
		still.Unlock()
		signed[w.states()[directory.CurrentKey][0]] = true
		for served.Load() < target && !t.Failed() {
			runtime.Gosched()
		}
	}
	close(done)
	wg.Wait()
	if len(signed) != 5 {
		t.Errorf("%d keys signed in a year, want 5", len(signed))
	}
}

func passing(step int) time.Duration {
	if step%20 == 0 {
		return 90*24*time.Hour - 130*time.Minute // so that the key changes in the middle of tokens' lives
	}
	return 20 * time.Minute
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A rotationClient shows its token to three verifiers, of which one has just started, and takes
// a new token when its own is nearly over.
type rotationClient struct {
	*world
	node    *directory.Service
	ours    *directory.Verifier
	outside func(token string) error
	tenant  string

	token string
	until time.Time
}

func (c *rotationClient) request(now time.Time) (err error) {
	if now.After(c.until.Add(-5 * time.Minute)) {
		if c.token, c.until, err = c.node.ServiceToken(context.Background(), c.tenant, directory.MultiWorkloadApp, vaultAudience); err != nil {
			return err
		}
	}
	for _, v := range []*directory.Verifier{c.ours, c.verifier(vaultAudience)} {
		if _, err := v.Verify(context.Background(), c.token); err != nil {
			return err
		}
	}
	return c.outside(c.token)
}

// newOutsideVerifier returns the check that a program of others makes: go-oidc against our
// published keys.
func newOutsideVerifier(t *testing.T, w *world, tenant directory.Tenant) func(token string) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		set, err := w.Keys(r.Context())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(rw).Encode(set)
	}))
	t.Cleanup(server.Close)
	v := oidc.NewVerifier(w.Issuer(tenant.ID), oidc.NewRemoteKeySet(t.Context(), server.URL), &oidc.Config{ClientID: vaultAudience, Now: w.clock})
	return func(token string) error {
		_, err := v.Verify(context.Background(), token)
		return err
	}
}

// TestNodesRotateAtOnce: many nodes that find the same thing due, the first key to begin with, do
// it once.
func TestNodesRotateAtOnce(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t)
	nodes := []*directory.Service{w.Service}
	for range 3 {
		w.start()
		nodes = append(nodes, w.Service)
	}
	for range 3 {
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() {
				if err := n.SweepIssuerKeys(context.Background(), system); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s := w.states(); len(s[directory.CurrentKey]) != 1 || len(s[directory.NextKey]) != 1 || len(s[directory.RetiredKey]) > 1 {
			t.Errorf("%v", s)
		}
		w.pass(91 * 24 * time.Hour)
	}
}
