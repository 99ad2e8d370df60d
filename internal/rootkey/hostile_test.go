package rootkey

import (
	"context"
	"crypto/fips140"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/pipetest"
)

const (
	testURI   = "https://contoso-east.vault.example.com/keys/root1"
	testKID   = testURI + "/0123456789abcdef"
	challenge = `Bearer authorization="https://login.example.com/8a7f7c54-0000-4000-8000-000000000001", resource="https://vault.example.com"`
)

// token is a credential that always has a token, or never.
type token struct{ err error }

func (c token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, c.err
}

// patience is how long a vault is waited for that does answer: a busy machine is no dead vault.
const patience = 5 * time.Minute

// mustKey returns a root key in a vault that answers as handler says, over real TLS.
func mustKey(t *testing.T, handler http.HandlerFunc, edit func(*Config)) *Key {
	t.Helper()
	c := config(t, httptest.NewUnstartedServer(handler))
	c.Timeout, c.AttemptTimeout = patience, patience
	return mustKeyOf(t, c, edit)
}

// inBubble gives a test such a root key in virtual time, with the limits that are used if none are
// set: time passes only while everybody waits, however slow the machine.
func inBubble(t *testing.T, handler http.HandlerFunc, edit func(*Config), test func(*testing.T, *Key)) {
	t.Helper()
	t.Parallel()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, func(t *testing.T) {
		server, pipes := httptest.NewUnstartedServer(handler), pipetest.New()
		_ = server.Listener.Close()
		server.Listener = pipes
		c := config(t, server)
		transport := c.Transport.(*http.Client).Transport.(*http.Transport)
		transport.DialContext = pipes.Dial
		t.Cleanup(transport.CloseIdleConnections)
		test(t, mustKeyOf(t, c, edit))
	})
}

// config starts the server of a vault and says how to reach it.
func config(t *testing.T, server *httptest.Server) Config {
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	client := server.Client()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.ServerName = "example.com"
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return Config{
		Suffixes: []string{"vault.example.com"}, Transport: client, AllowExpired: true,
		Credential: func(string, string) azcore.TokenCredential { return token{} },
	}
}

func mustKeyOf(t *testing.T, c Config, edit func(*Config)) *Key {
	t.Helper()
	if edit != nil {
		edit(&c)
	}
	key, err := mustClient(t, c).Key("tenant", "app", testURI)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// challenged asks for a token first, as every vault does.
func challenged(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func result(kid string, value []byte) http.HandlerFunc {
	return challenged(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"kid":%q,"value":%q}`, kid, base64.RawURLEncoding.EncodeToString(value))
	})
}

func status(code int, header ...string) http.HandlerFunc {
	return challenged(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	})
}

// TestHostileVaults lets a vault do what none should. Nothing of it hangs, crashes or passes.
func TestHostileVaults(t *testing.T) {
	t.Parallel()
	challengeWith := func(c string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", c)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	for name, tt := range map[string]struct {
		vault  http.HandlerFunc
		reason string
	}{
		"key too short":                {result(testKID, make([]byte, 16)), "BadAnswer"},
		"key too long":                 {result(testKID, make([]byte, 33)), "BadAnswer"},
		"no key":                       {result(testKID, nil), "BadAnswer"},
		"no JSON":                      {challenged(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }), "BadAnswer"},
		"endless answer":               {challenged(endless), "BadAnswer"},
		"long answer with its length":  {result(testKID, make([]byte, 1<<20)), "BadAnswer"},
		"redirect 307":                 {status(307, "Location", "https://evil.example/"), "BadAnswer"},
		"redirect 302 to itself":       {status(302, "Location", testURI), "BadAnswer"},
		"no tenant in the challenge":   {challengeWith(`Bearer authorization="x", resource="https://vault.example.com"`), "BadAnswer"},
		"no resource in the challenge": {challengeWith(`Bearer authorization="https://login.example.com/t"`), "BadAnswer"},
		"another audience":             {challengeWith(strings.Replace(challenge, "vault.example.com", "graph.microsoft.com", 1)), "BadAnswer"},
		"a wider audience":             {challengeWith(strings.Replace(challenge, "vault.example.com", "example.com", 1)), "BadAnswer"},
		"garbage for a challenge":      {challengeWith(`Bearer ====,,, "`), "BadAnswer"},
		"no challenge":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "Unauthorized"},
		"token refused":                {challengeWith(challenge), "Unauthorized"},
		"throttled":                    {status(429), "Throttled"},
		"throttled for an hour":        {status(429, "Retry-After", "3600"), "Throttled"},
		"out of order":                 {status(503), "VaultFailed"},
		"connection closed":            {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "Unreachable"},
		"cut off":                      {challenged(cutOff), "Unreachable"},
		"silence":                      {silence, "Timeout"},
		"silence in the middle of JSON": {challenged(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"va`)
			w.(http.Flusher).Flush()
			silence(w, r)
		}), "Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, tt.vault, nil, func(t *testing.T, key *Key) {
				start := time.Now()
				_, err := key.Unwrap(t.Context(), testKID, []byte("wrapped"))
				if e := fault.As(err); e.Reason != tt.reason || e.Code != reasons[tt.reason].code {
					t.Errorf("%s %s: %v, want %s", e.Code, e.Reason, err, tt.reason)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("took %v", d)
				}
			})
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"value":"`)
	panic(http.ErrAbortHandler)
}

func silence(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler) // without the mark that ends an answer
}

// A wrap is believed only with the id of a version of the key that was asked.
func TestWrapAnswers(t *testing.T) {
	t.Parallel()
	for name, vault := range map[string]http.HandlerFunc{
		"another key":     result(strings.Replace(testKID, "root1", "root2", 1), []byte("wrapped")),
		"another vault":   result(strings.Replace(testKID, "east", "west", 1), []byte("wrapped")),
		"a foreign vault": result("https://evil.example/keys/root1/0123", []byte("wrapped")),
		"no version":      result(testURI, []byte("wrapped")),
		"no id":           result("", []byte("wrapped")),
		"nothing wrapped": result(testKID, nil),
		"too much":        result(testKID, make([]byte, maxWrapped+1)),
	} {
		_, _, err := mustKey(t, vault, nil).Wrap(t.Context(), envelope.NewKey())
		if fault.As(err).Reason != "BadAnswer" {
			t.Errorf("%s: %v", name, err)
		}
	}
	kid, wrapped, err := mustKey(t, result(testKID, []byte("wrapped")), nil).Wrap(t.Context(), envelope.NewKey())
	if err != nil || kid != testKID || string(wrapped) != "wrapped" {
		t.Errorf("%q, %q, %v", kid, wrapped, err)
	}
}

// The id of another key is refused before anything is sent.
func TestUnwrapOfAnotherKey(t *testing.T) {
	t.Parallel()
	key := mustKey(t, nil, func(c *Config) { c.Transport = noNetwork{t} })
	for _, kid := range []string{strings.Replace(testKID, "root1", "root2", 1), strings.Replace(testKID, "east", "west", 1), testURI, "", "https://evil.example/keys/root1/1"} {
		if _, err := key.Unwrap(t.Context(), kid, []byte("wrapped")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", kid, err)
		}
	}
}

// A throttled vault is asked again within the budget, and no more often than configured.
func TestRetries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		failing, attempts int32
		ok                bool
	}{
		"recovers":         {2, 3, true},
		"does not":         {9, 3, false},
		"single attempt":   {1, 1, false},
		"without failures": {0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			vault := challenged(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= tt.failing {
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				result(testKID, make([]byte, 32))(w, r)
			})
			inBubble(t, vault, func(c *Config) { c.Attempts = int(tt.attempts) }, func(t *testing.T, key *Key) {
				_, err := key.Unwrap(t.Context(), testKID, []byte("wrapped"))
				if (err == nil) != tt.ok {
					t.Error(err)
				}
				if n := asked.Load(); n > tt.attempts || tt.ok && n != tt.failing+1 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

// Whoever leaves gets the error of their own context: it says nothing about the vault.
func TestCallerLeaves(t *testing.T) {
	inBubble(t, silence, func(c *Config) { c.AllowExpired = false }, func(t *testing.T, key *Key) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := key.Unwrap(ctx, testKID, []byte("wrapped")); err != context.DeadlineExceeded {
			t.Errorf("deadline of the caller: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := key.Inspect(ctx); err != context.Canceled {
			t.Errorf("cancelled by the caller: %v", err)
		}
	})
}

// A token source that fails is our outage, not the customer's denial (CK-52).
func TestTokenSourceFails(t *testing.T) {
	t.Parallel()
	for name, credential := range map[string]azcore.TokenCredential{"fails": token{errors.New("directory down")}, "is missing": nil} {
		key := mustKey(t, status(200), func(c *Config) {
			c.Credential = func(string, string) azcore.TokenCredential { return credential }
		})
		if _, err := key.Inspect(t.Context()); fault.As(err).Reason != "NoToken" {
			t.Errorf("token source %s: %v", name, err)
		}
	}
}

// Real failures of the network, as the client of this machine reports them.
func TestNetworkFailures(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	own := func(address string) policy.Transporter { // a client without the test's authority
		return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}}
	}
	plain := httptest.NewServer(status(200))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(status(200))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for reason, transport := range map[string]policy.Transporter{
		"Unreachable":  own(closed.Addr().String()),
		"TLSFailed":    own(secure.Listener.Addr().String()),
		"HostNotFound": own("no-such-host.invalid:443"),
	} {
		key := mustKey(t, status(200), func(c *Config) { c.Transport, c.Attempts = transport, 1 })
		if _, err := key.Inspect(t.Context()); fault.As(err).Reason != reason {
			t.Errorf("%v, want %s", err, reason)
		}
	}
	key := mustKey(t, status(200), func(c *Config) { c.Transport, c.Attempts = own(plain.Listener.Addr().String()), 1 })
	if _, err := key.Inspect(t.Context()); fault.As(err).Reason != "TLSFailed" {
		t.Errorf("a server without TLS: %v", err)
	}
}

// The transport that a Client makes itself reaches nothing on a machine without such a vault.
func TestOwnTransport(t *testing.T) {
	t.Parallel()
	key := mustKey(t, status(200), func(c *Config) {
		c.Transport, c.Attempts = nil, 1
		c.Suffixes = []string{"vault.example.com", "vault.invalid"}
	})
	other, err := key.client.Key("tenant", "app", "https://east.vault.invalid/keys/root1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Inspect(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a host that does not exist: %v", err)
	}
}

// The clients that are kept are bounded, whatever URIs tenants try.
func TestClientsAreBounded(t *testing.T) {
	t.Parallel()
	c := mustClient(t, Config{Transport: noNetwork{t}})
	for i := range maxClients + 100 {
		if _, err := c.Key("tenant", "app", fmt.Sprintf("https://vault%d.vault.azure.net/keys/k", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.clients) > maxClients {
		t.Errorf("%d clients are kept", len(c.clients))
	}
}

// The vault's log names the request that caused the call (CK-377).
func TestRequestIDIsSent(t *testing.T) {
	t.Parallel()
	type key struct{}
	var seen atomic.Value
	k := mustKey(t, challenged(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Get("X-Ms-Client-Request-Id"))
		result(testKID, make([]byte, 32))(w, r)
	}), func(c *Config) {
		c.Request = func(ctx context.Context) string { id, _ := ctx.Value(key{}).(string); return id }
	})
	for id, want := range map[string]bool{"0d6f-42": true, "evil\r\nX-Other: 1": false, "with a space": false} {
		if _, err := k.Unwrap(context.WithValue(t.Context(), key{}, id), testKID, []byte("wrapped")); err != nil {
			t.Fatal(err)
		}
		if got := seen.Load(); (got == id) != want || !want && got != "" {
			t.Errorf("request %q was sent as %q", id, got)
		}
	}
}
