package keyvaulttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/customerkey/customerkey/internal/certs"
	"github.com/customerkey/customerkey/internal/keyvault/arm"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/rest"
)

// An endpoint is a listener that shows both faces.
type endpoint struct {
	domain  string
	client  *http.Client
	handler atomic.Pointer[http.Handler] // of the service that was opened last
}

// Domain starts the listener when first asked, and returns host and port by which the World
// is reached.
func (w *World) Domain() string { return w.serve().domain }

// Client returns a client for which every host is the World's listener, and its authority
// the only one that is trusted.
func (w *World) Client() *http.Client { return w.serve().client }

// Audience returns what tokens for the vaults are meant for.
func (w *World) Audience() string { return "https://vault." + w.Domain() }

// VaultURL returns the address of a vault.
func (w *World) VaultURL(name string) string {
	return "https://" + strings.ToLower(name) + ".vault." + w.Domain()
}

func (w *World) serve() *endpoint {
	w.t.Helper()
	if w.endpoint != nil {
		return w.endpoint
	}
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.endpoint = &endpoint{domain: "localhost:" + port}
	w.endpoint.show(w.handler(w.endpoint.domain))
	server.Config.Handler = w.endpoint
	pool := w.secure(server)
	server.StartTLS()
	w.t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool},
		MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	w.endpoint.client = &http.Client{Transport: transport}
	return w.endpoint
}

func (e *endpoint) show(h http.Handler) { e.handler.Store(&h) }

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*e.handler.Load()).ServeHTTP(w, r)
}

// handler tells the faces apart by host.
func (w *World) handler(domain string) http.Handler {
	vaults, err := rest.New(rest.Config{
		Vaults: w.Service, Verify: w.verify(rest.Audiences(domain)), Domain: domain, Log: slog.New(slog.DiscardHandler), Events: w.listener(), Now: w.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	management, err := arm.New(arm.Config{
		Vaults: w.Service, Verify: w.verify(arm.Audiences(domain)), Domain: domain, Log: slog.New(slog.DiscardHandler), Events: w.listener(), Now: w.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if face.Host(r) == "management.localhost" {
			management.ServeHTTP(rw, r)
			return
		}
		vaults.ServeHTTP(rw, r)
	})
}

// secure gives the server a certificate of a fresh authority and returns who trusts that one.
func (w *World) secure(server *httptest.Server) *x509.CertPool {
	bundle, err := certs.NewAuthority(time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	authority, err := certs.Load(bundle, []string{"management.localhost", "*.vault.localhost"}, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	server.TLS = authority.ServerConfig()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority.PEM()) {
		w.t.Fatal("the authority's certificate cannot be read")
	}
	return pool
}
