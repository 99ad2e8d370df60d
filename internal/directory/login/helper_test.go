package login_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/login"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const (
	domain   = "localhost:8443"
	base     = "https://login." + domain
	vault    = "https://vault." + domain
	password = "correct horse battery"
)

// A server is the face over real TLS, with a real directory behind it. Its client believes
// that every host is there.
type server struct {
	t         testing.TB
	directory *directory.Service
	client    *http.Client
	handler   http.Handler
	contoso   directory.Tenant
	alice     directory.Person

	mu    sync.Mutex
	shift time.Duration // of the clock
}

func (s *server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.shift)
}

func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shift += d
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t}
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(t, filepath.Join(t.TempDir(), "service.db"), store.ServiceAreas()...), store.ServiceAreas()...)
	s.must(err)
	t.Cleanup(func() { db.Close() })
	s.directory, err = directory.New(directory.Config{
		Store: store.NewDirectory(db), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(), Issuer: "https://sts." + domain + "/", Login: base,
		Record: func(context.Context, string, directory.Caller, string, string, string, map[string]string) error {
			return nil
		},
		Audiences: []string{vault, "https://management." + domain, "https://api." + domain}, Poll: time.Second, Now: s.now,
	})
	s.must(err)
	system := directory.SystemCaller("", "test", "r")
	s.contoso, err = s.directory.CreateTenant(context.Background(), system, "Contoso", "contoso.example")
	s.must(err)
	s.alice, err = s.directory.CreatePerson(context.Background(), system,
		directory.Person{Tenant: s.contoso.ID, UPN: "alice@contoso.example", DisplayName: "Alice <b>", Roles: []directory.Role{directory.GlobalReader}}, password, false)
	s.must(err)
	s.handler, err = login.New(login.Config{Directory: s.directory, Domain: domain, Now: s.now})
	s.must(err)
	s.listen()
	return s
}

// listen serves TLS. The client dials the listener whatever host it wants to reach, and
// checks the certificate for the name that is in it.
func (s *server) listen() {
	s.t.Helper()
	web := httptest.NewTLSServer(s.handler)
	s.t.Cleanup(web.Close)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport}
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (s *server) do(r *http.Request) answer {
	s.t.Helper()
	res, err := s.client.Do(r)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	a := answer{status: res.StatusCode, header: res.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.json) // pages are no JSON
	return a
}

func (s *server) get(path string) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+path, nil)
	s.must(err)
	return s.do(r)
}

// post sends a form, given as name=value pairs, with headers given as "Name: value".
func (s *server) post(path string, form url.Values, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(form.Encode()))
	s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return s.do(r)
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}
