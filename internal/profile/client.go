package profile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Client returns an HTTP client for a service. With authority, a PEM certificate, it trusts
// that authority and no other; with "" it trusts what the system trusts.
//
// Names under localhost are dialled on loopback, which most resolvers do not do (row
// KV-150), and never through a proxy. Redirects are not followed: a request carries a password
// or a token, and nobody it was not meant for shall get it. Connections are kept; HTTP/2 is off, because many
// streams on one connection share its window and big uploads suffer.
func Client(authority string) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(authority)) {
			return nil, fault.New(fault.Invalid, "the certificate authority of the profile cannot be read").
				WithHint("sign in again with: ck login")
		}
	}
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{CheckRedirect: stay, Transport: &http.Transport{
		Proxy:                 proxy,
		DialContext:           func(ctx context.Context, network, addr string) (net.Conn, error) { return dial(ctx, d, network, addr) },
		TLSClientConfig:       config,
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{}, // not nil: no HTTP/2
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 16 * time.Minute, // just over the longest command (row CK-344)
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
	}}, nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// isLocal reports whether host is localhost or under it.
func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func proxy(r *http.Request) (*url.URL, error) {
	if isLocal(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

func dial(ctx context.Context, d *net.Dialer, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isLocal(host) {
		return d.DialContext(ctx, network, addr)
	}
	conn, err := d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err != nil && ctx.Err() == nil {
		if six, err6 := d.DialContext(ctx, network, net.JoinHostPort("::1", port)); err6 == nil {
			return six, nil
		}
	}
	return conn, err
}
