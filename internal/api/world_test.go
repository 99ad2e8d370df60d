package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// callers are the tokens that the test server knows.
var callers = map[string]directory.Caller{
	"alice": wt.Alice, "bob": wt.Bob, "exporter": wt.Exporter, "operator": wt.Operator, "mallory": wt.Mallory,
	"reader": {Tenant: wt.Contoso, ID: "0ead0000-0000-4000-8000-000000000007", Kind: directory.User, Roles: []directory.Role{directory.GlobalReader}},
}

func verify(_ context.Context, bearer string) (directory.Caller, error) {
	if c, ok := callers[bearer]; ok {
		return c, nil
	}
	return directory.Caller{}, fault.New(fault.Unauthenticated, "the token cannot be used").WithHint("sign in again")
}

// A world is the API over real parts, behind TLS.
type world struct {
	*wt.World
	URL  string
	http *http.Client
	log  *lockedBuffer
	busy atomic.Int64 // requests that are being answered
}

// newWorld starts a server. change may alter the parts of the service below it.
func newWorld(t testing.TB, change func(*workload.Config)) *world {
	t.Helper()
	w := &world{World: wt.New(t, change), log: &lockedBuffer{}}
	w.serve(t, nil, 5*time.Minute) // a busy machine is no client that stands still
	return w
}

// serve starts the server, on a listener of its own if l is nil.
func (w *world) serve(t testing.TB, l net.Listener, idle time.Duration) {
	t.Helper()
	s, err := api.New(api.Config{
		Items: w.Items, Logs: map[string]api.AuditLog{"service": w.Log}, Recorder: w.Audit, Verify: verify,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Idle: idle,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.busy.Add(1)
		defer w.busy.Add(-1)
		s.ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(w.log, nil), slog.LevelError)
	server.EnableHTTP2 = true
	if l != nil {
		_ = server.Listener.Close()
		server.Listener = l
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	w.URL, w.http = server.URL, server.Client()
}

func (w *world) client(t testing.TB, who string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{
		BaseURL: w.URL, HTTP: w.http, Pause: time.Millisecond,
		Token: func(context.Context) (string, error) { return who, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// useHTTP1 has the test's own client speak HTTP/1.1.
func (w *world) useHTTP1(t testing.TB) {
	t.Helper()
	transport := w.http.Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	t.Cleanup(transport.CloseIdleConnections)
	w.http = &http.Client{Transport: transport}
}

// do sends one request and returns the answer with its body read.
func (w *world) do(t testing.TB, who, method, path string, body io.Reader, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

// wantError checks that an answer is an error with that status and code, told in full.
func wantError(t *testing.T, what string, res *http.Response, body []byte, status int, code fault.Code) {
	t.Helper()
	var got struct {
		Error struct{ Code, Message, Hint, RequestID string }
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Errorf("%s: %s with a body that is no error: %.200q", what, res.Status, body)
		return
	}
	e := got.Error
	if res.StatusCode != status || e.Code != string(code) || e.Message == "" || e.RequestID == "" || e.RequestID != res.Header.Get("Request-Id") {
		t.Errorf("%s: %s %+v, want %d %s", what, res.Status, e, status, code)
	}
	if e.Hint == "" && code != fault.Internal {
		t.Errorf("%s: no hint in %+v", what, e)
	}
}

func ref(container, item string) workload.Ref {
	return workload.Ref{Workload: "documents", Container: container, Item: item}
}

// A lockedBuffer is written by the server while the test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), s)
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
