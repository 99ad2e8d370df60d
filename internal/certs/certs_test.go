package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/certs"
)

var names = []string{"localhost", "login.localhost", "*.vault.localhost", "127.0.0.1", "::1"}

func newAuthority(t *testing.T, now func() time.Time) (*certs.Authority, *x509.CertPool) {
	t.Helper()
	bundle, err := certs.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := certs.Load(bundle, names, now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("the authority's PEM holds no certificate")
	}
	return a, pool
}

// TestClientsTrustEveryName: the names of the faces, and any vault's, in the form that all clients take (KV-151).
func TestClientsTrustEveryName(t *testing.T) {
	a, pool := newAuthority(t, time.Now)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", a.ServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = srv.Serve(listener) }()
	defer srv.Close()
	for _, name := range []string{"localhost", "login.localhost", "contoso-east.vault.localhost", "127.0.0.1", "::1"} {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("connecting as %s: %v", name, err)
			continue
		}
		conn.Close()
	}
	if conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com"}); err == nil {
		conn.Close()
		t.Error("a name outside the list was accepted")
	}
}

func TestCertificateRenewsItself(t *testing.T) {
	now := time.Now()
	a, _ := newAuthority(t, func() time.Time { return now })
	serial := func() string {
		t.Helper()
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			defer server.Close()
			_ = tls.Server(server, a.ServerConfig()).Handshake()
		}()
		conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true, Time: func() time.Time { return now }})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	if again := serial(); again != first {
		t.Error("a fresh certificate was made although the old one is young")
	}
	now = now.Add(70 * 24 * time.Hour)
	if renewed := serial(); renewed == first {
		t.Error("20 days before its end the certificate was not renewed")
	}
}

func TestLoadRefusesAForeignKey(t *testing.T) {
	var parts [2][]byte
	for i := range parts {
		bundle, err := certs.NewAuthority(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		cert, key, _ := strings.Cut(string(bundle), "-----BEGIN PRIVATE")
		parts[i] = []byte([]string{cert, "-----BEGIN PRIVATE" + key}[i])
	}
	if _, err := certs.Load(append(parts[0], parts[1]...), names, time.Now); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("Load with another authority's key: %v, want a refusal", err)
	}
	for _, bad := range [][]byte{nil, []byte("nonsense"), parts[0], parts[1]} {
		if _, err := certs.Load(bad, names, time.Now); err == nil {
			t.Errorf("Load took %.20q", bad)
		}
	}
}
