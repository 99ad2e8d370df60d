package hierarchy_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A trouble is what stands between the service and a vault.
type trouble string

const (
	none      trouble = "nothing"
	slow      trouble = "latency"         // 150 ms before each answer
	reset     trouble = "reset"           // the connection is reset as soon as it is there
	cut       trouble = "cut"             // it is reset in the middle of the answer
	silent    trouble = "silence"         // a connection, and nothing comes
	trickle   trouble = "slow loris"      // an answer, a byte at a time
	throttled trouble = "429"             //
	broken    trouble = "500"             //
	away      trouble = "503"             //
	stranger  trouble = "certificate"     // of nobody that is trusted
	nameless  trouble = "no such host"    //
	refused   trouble = "refused"         // nobody listens
	nonsense  trouble = "nonsense"        // 200, and no answer of a vault
	elsewhere trouble = "redirect"        //
	policy403 trouble = "403 by policy"   // CK-57
	fire403   trouble = "403 by firewall" // CK-58
	gone404   trouble = "404"             // CK-60
)

// outages are troubles in which a vault cannot answer, denials those in which its owner says no.
var (
	outages = []trouble{reset, cut, silent, trickle, throttled, broken, away, stranger, nameless, refused, nonsense, elsewhere}
	denials = []trouble{policy403, fire403, gone404}
)

// A proxy is the way to one vault: TLS on both sides, with trouble in the middle.
type proxy struct {
	trouble atomic.Value // trouble
	server  *httptest.Server
	bad     *httptest.Server // shows a certificate that nobody trusts
	closed  string           // an address where nobody listens
	calls   atomic.Int64     // requests that came to this side
}

func newProxy(t testing.TB, vaults *http.Client) *proxy {
	p := &proxy{}
	p.trouble.Store(none)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, vaults) })
	p.server, p.bad = quietServer(handler), quietServer(handler)
	p.server.StartTLS()
	p.bad.TLS = &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12} //nolint:gosec // nobody talks over it
	p.bad.StartTLS()
	t.Cleanup(p.server.Close)
	t.Cleanup(p.bad.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.closed = l.Addr().String()
	l.Close()
	return p
}

func quietServer(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// dial connects to the proxy, as far as its trouble lets it.
func (p *proxy) dial(ctx context.Context, network string) (net.Conn, error) {
	address := p.server.Listener.Addr().String()
	switch p.trouble.Load() {
	case nameless:
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	case refused:
		address = p.closed
	case stranger:
		address = p.bad.Listener.Addr().String()
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && p.trouble.Load() == reset {
		err = errors.Join(c.(*net.TCPConn).SetLinger(0), c.Close(), errors.New("connection reset by peer"))
	}
	return c, err
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, vaults *http.Client) {
	p.calls.Add(1)
	fail := func(status int, code, inner string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%q,"message":"trouble","innererror":{"code":%q}}}`, code, inner)
	}
	switch p.trouble.Load() {
	case silent:
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client leaves
		<-r.Context().Done()
	case trickle:
		w.Header().Set("Content-Type", "application/json")
		for {
			_, err := w.Write([]byte(" "))
			if errors.Join(err, http.NewResponseController(w).Flush()) != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	case cut:
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"value":"`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case throttled:
		w.Header().Set("Retry-After", "1")
		fail(429, "Throttled", "")
	case broken:
		fail(500, "InternalServerError", "")
	case away:
		fail(503, "ServiceUnavailable", "")
	case nonsense:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"key":{"kid":"https://evil.example/keys/a/b"},"value":"AAAA"}`)
	case elsewhere:
		http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
	case policy403:
		fail(403, "Forbidden", "ForbiddenByPolicy")
	case fire403:
		fail(403, "Forbidden", "ForbiddenByFirewall")
	case gone404:
		fail(404, "KeyNotFound", "")
	case slow:
		time.Sleep(150 * time.Millisecond)
		forward(w, r, vaults)
	default:
		forward(w, r, vaults)
	}
}

// forward passes a request on to the vault and its answer back.
func forward(w http.ResponseWriter, r *http.Request, vaults *http.Client) {
	out := r.Clone(r.Context())
	out.URL = &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	out.RequestURI = ""
	res, err := vaults.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

// throughProxies makes the service of a stack reach each of its two vaults through a proxy.
func throughProxies(t testing.TB, s *stack) (east, west *proxy) {
	t.Helper()
	east, west = newProxy(t, s.vaults.Client()), newProxy(t, s.vaults.Client())
	pool := x509.NewCertPool()
	pool.AddCert(east.server.Certificate())
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS13}, // what the proxies' certificate says
		DisableKeepAlives: true,                                                                                // each call meets the trouble of its moment
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "contoso-east.") {
				return east.dial(ctx, network)
			}
			return west.dial(ctx, network)
		},
	}
	s.hopeless = func(uri string) bool {
		p := west
		if strings.HasPrefix(uri, "https://contoso-east.") {
			p = east
		}
		how := p.trouble.Load()
		return how == silent || how == trickle
	}
	s.way = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return east, west
}
