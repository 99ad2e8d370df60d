package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const theirs = "99999999-8888-4777-8666-555555555555" // a tenant at the outside issuer

// An abroad is an outside issuer behind real HTTPS.
type abroad struct {
	*mint
	server *httptest.Server
	asked  atomic.Int64
	away   atomic.Bool
	kid    atomic.Value
}

func newAbroad(t testing.TB) *abroad {
	t.Helper()
	a := &abroad{mint: newMint(t)}
	a.kid.Store("theirs-1")
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.asked.Add(1)
		if a.away.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		body, err := json.Marshal(map[string]any{"keys": []any{
			jose.JSONWebKey{Key: a.key.Public(), KeyID: a.kid.Load().(string), Use: "sig"},
			map[string]string{"kty": "unheard-of", "kid": "x"},
		}})
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(a.server.Close)
	return a
}

func (a *abroad) outside() directory.OutsideIssuer {
	a.t.Helper()
	keys, err := directory.RemoteKeys(a.server.Client(), a.server.URL)
	if err != nil {
		a.t.Fatal(err)
	}
	return directory.OutsideIssuer{Issuer: "https://sts.windows.net/{tenantid}/", Keys: keys, Tenants: map[string]string{theirs: tid}}
}

func (a *abroad) verifier(home *mint) *directory.Verifier {
	a.t.Helper()
	v, err := directory.NewVerifier(directory.VerifierConfig{
		Keys: home.keys, Issuer: func(tenant string) string { return "https://sts.localhost:8443/" + tenant + "/" },
		Audiences: []string{"https://vault.azure.net"}, Outside: []directory.OutsideIssuer{a.outside()}, Now: func() time.Time { return a.now },
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return v
}

// token is like one of Entra's, version 1, with changes.
func (a *abroad) token(kid string, change map[string]any) string {
	c := map[string]any{
		"aud": "https://vault.azure.net", "iss": "https://sts.windows.net/" + theirs + "/", "tid": theirs, "oid": oid,
		"appid": directory.CommandLineApp, "nbf": a.now.Unix(), "exp": a.now.Add(time.Hour).Unix(), "roles": []string{"Service Operator"}, "groups": []string{tid},
	}
	for k, v := range change {
		c[k] = v
	}
	return a.sign(jose.RS256, a.key, kid, c)
}

func TestOutsideIssuer(t *testing.T) {
	t.Parallel()
	a, home := newAbroad(t), newOtherMint(t)
	v := a.verifier(home)
	for _, tt := range []struct {
		name   string
		change map[string]any
		kind   directory.Kind
		who    string
	}{
		{"an app", nil, directory.App, ""},
		{"an app that says so", map[string]any{"idtyp": "app"}, directory.App, ""},
		{"a person", map[string]any{"scp": "user_impersonation", "upn": "alice@fabrikam.example"}, directory.User, "alice@fabrikam.example"},
	} {
		c, err := v.Verify(t.Context(), a.token("theirs-1", tt.change))
		if err != nil || c.Tenant != tid || c.ID != oid || c.Kind != tt.kind || c.Name != tt.who || len(c.Groups) != 1 {
			t.Errorf("%s: %+v, %v", tt.name, c, err)
		}
		if len(c.Roles) != 0 {
			t.Errorf("%s brought roles: %v", tt.name, c.Roles)
		}
	}
	if c, err := v.Verify(t.Context(), home.token(map[string]any{"aud": "https://vault.azure.net"})); err != nil || len(c.Roles) != 1 {
		t.Errorf("our own: %+v, %v", c, err)
	}
	for _, tt := range []struct{ name, token, reason string }{
		{"another of its tenants", a.token("theirs-1", map[string]any{"tid": oid, "iss": "https://sts.windows.net/" + oid + "/"}), directory.BadSignature},
		{"our tenant", a.token("theirs-1", map[string]any{"tid": tid}), directory.InvalidIssuer},
		{"our issuer", a.token("theirs-1", map[string]any{"tid": tid, "iss": "https://sts.localhost:8443/" + tid + "/"}), directory.BadSignature},
		{"signed by us", home.token(map[string]any{"tid": theirs, "iss": "https://sts.windows.net/" + theirs + "/"}), directory.BadSignature},
		{"its tenant with our issuer", home.token(map[string]any{"tid": theirs, "aud": "https://vault.azure.net"}), directory.InvalidIssuer},
		{"audience", a.token("theirs-1", map[string]any{"aud": "https://graph.microsoft.com"}), directory.InvalidAudience},
		{"expired", a.token("theirs-1", map[string]any{"exp": a.now.Add(-time.Minute).Unix()}), directory.TokenExpired},
	} {
		if _, err := v.Verify(t.Context(), tt.token); fault.As(err).Reason != tt.reason {
			t.Errorf("%s: %v (%s), want %s", tt.name, err, fault.As(err).Reason, tt.reason)
		}
	}
}

func TestOutsideKeysOutliveAnOutage(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	v := a.verifier(newOtherMint(t))
	verify := func(kid string) error {
		_, err := v.Verify(t.Context(), a.token(kid, map[string]any{"exp": a.now.Add(time.Hour).Unix()}))
		return err
	}
	if err := verify("theirs-1"); err != nil {
		t.Fatal(err)
	}
	a.away.Store(true)
	a.now = a.now.Add(23 * time.Hour)
	for range 5 {
		if err := verify("theirs-1"); err != nil {
			t.Errorf("while the issuer is away: %v", err)
		}
	}
	if n := a.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	a.now = a.now.Add(2 * time.Hour)
	if err := verify("theirs-1"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("after a day: %v, want %s", err, fault.Unavailable)
	}
	a.away.Store(false)
	a.kid.Store("theirs-2")
	a.now = a.now.Add(11 * time.Second)
	if err := verify("theirs-2"); err != nil {
		t.Errorf("a new key, when it is back: %v", err)
	}
	if err := verify("theirs-1"); fault.As(err).Reason != directory.BadSignature {
		t.Errorf("the old key: %v", err)
	}
}

// TestOneQuestionAtATime: while one caller waits for the issuer, those who need a new key wait
// for the same answer, and those whose key is known do not wait.
func TestOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	m, next := newMint(t), newOtherMint(t)
	var asked atomic.Int64
	var answering sync.WaitGroup
	v := m.verifier(func(ctx context.Context) (jose.JSONWebKeySet, error) {
		set, err := m.keys(ctx)
		if asked.Add(1) > 1 {
			answering.Wait()
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: next.key.Public(), KeyID: "k2"})
		}
		return set, err
	})
	if _, err := v.Verify(t.Context(), m.token(nil)); err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(time.Minute)
	fresh := m.sign(jose.RS256, next.key, "k2", m.claims(nil))
	answering.Add(1)
	var waiting sync.WaitGroup
	for range 8 {
		waiting.Go(func() {
			if _, err := v.Verify(context.Background(), fresh); err != nil {
				t.Errorf("a token of the new key: %v", err)
			}
		})
	}
	for asked.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := v.Verify(t.Context(), m.token(map[string]any{"uti": "other"})); err != nil { // would block for ever
		t.Errorf("a token of a known key: %v", err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := v.Verify(left, fresh); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has left: %v", err)
	}
	answering.Done()
	waiting.Wait()
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

func TestRemoteKeysRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://login.example/keys", "login.example", "", "https://", "https://user:pass@login.example/"} {
		if _, err := directory.RemoteKeys(http.DefaultClient, address); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, want %s", address, err, fault.Invalid)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"too long": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat(" ", 300<<10))) },
		"noise":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no keys":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		},
	} {
		server := httptest.NewTLSServer(answer)
		keys, err := directory.RemoteKeys(server.Client(), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys(t.Context()); err == nil {
			t.Errorf("%s was taken", name)
		}
		server.Close()
	}
}
