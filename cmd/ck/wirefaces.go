package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/certs"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/graph"
	"github.com/customerkey/customerkey/internal/directory/login"
	"github.com/customerkey/customerkey/internal/keyvault/arm"
	"github.com/customerkey/customerkey/internal/keyvault/rest"
	"github.com/customerkey/customerkey/internal/store"
)

// openFaces puts the HTTP faces over the services, and makes the certificate they show. Each
// face takes tokens for itself only, so what one is given cannot be used at another.
func (n *node) openFaces(ctx context.Context) error {
	if err := n.openCertificate(); err != nil {
		return err
	}
	domain := n.host("")
	if err := n.openVaultFace(ctx, domain); err != nil {
		return err
	}
	managementTokens, err := n.verifier(arm.Audiences(domain)...)
	if err != nil {
		return err
	}
	management, err := arm.New(arm.Config{Vaults: n.vaults, Verify: managementTokens.Verify, Domain: domain, Log: n.log, Events: n.tellEvent()})
	if err != nil {
		return err
	}
	signIn, err := login.New(login.Config{Directory: n.directory, Domain: domain, Passwords: n.tokens.passwords, Log: n.log})
	if err != nil {
		return err
	}
	graphTokens, err := n.verifier(n.url("graph"))
	if err != nil {
		return err
	}
	people, err := graph.New(graph.Config{Directory: n.directory, Verifier: graphTokens, Domain: domain, Log: n.log})
	if err != nil {
		return err
	}
	items, err := n.apiFace()
	if err != nil {
		return err
	}
	admin, err := n.exchangeFace()
	if err != nil {
		return err
	}
	n.faces.named = map[string]http.Handler{
		"management": management, "login": oneSlash(signIn), "graph": oneSlash(people), "api": items, "outlook": admin,
	}
	n.faces.home = http.HandlerFunc(n.home)
	return nil
}

func (n *node) apiFace() (http.Handler, error) {
	tokens, err := n.verifier(n.url("api"))
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Items: n.items, Logs: map[string]api.AuditLog{"service": n.serviceLog, "vault": n.vaultLog}, Recorder: n.serviceLog,
		Verify: tokens.Verify, Tenants: tenants{n}, Seals: seals{n}, Keys: n.health, Healthy: n.healthy, Warn: n.warnings, Log: n.log,
	})
}

// healthy reports whether all three databases answer.
func (n *node) healthy(ctx context.Context) error {
	nothing := func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, "SELECT 1").Scan(new(int))
	}
	for _, db := range []*store.DB{n.serviceDB, n.vaultDB, n.availabilityDB} {
		if err := db.Read(ctx, nothing); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) exchangeFace() (http.Handler, error) {
	tokens, err := n.verifier(n.url("outlook"), "https://outlook.office365.com")
	if err != nil {
		return nil, err
	}
	services, err := n.services()
	if err != nil {
		return nil, err
	}
	limits, err := n.exchange.throttle()
	if err != nil {
		return nil, err
	}
	return api.NewExchange(api.ExchangeConfig{
		Services: services, BaseURL: n.url("outlook"), Verify: tokens.Verify, Log: n.log, Throttle: limits,
		Tenant: func(ctx context.Context, idOrDomain string) (string, error) {
			t, err := n.directory.Tenant(ctx, idOrDomain)
			return t.ID, err
		},
	})
}

// services are what commands work on.
func (n *node) services() (service.Services, error) {
	acts, err := activity.New(activity.Config{Log: n.serviceLog, Server: n.host("outlook")})
	return service.Services{
		Tenant: n.tenantNamed, Policies: n.policies, Mailboxes: n.mailboxes, Items: n.items, Health: n.health, Requests: n.requests, Onboarding: n.onboarding,
		Foreseen: n.foreseen, Activity: acts,
	}, err
}

// tenantNamed finds a tenant by its id or domain.
func (n *node) tenantNamed(ctx context.Context, idOrDomain string) (id, domain string, err error) {
	t, err := n.directory.Tenant(ctx, idOrDomain)
	return t.ID, t.Domain, err
}

// openVaultFace opens the one face that may take tokens of an outside issuer too.
func (n *node) openVaultFace(ctx context.Context, domain string) error {
	outside, err := n.outsideIssuer(ctx)
	if err != nil {
		return err
	}
	tokens, err := n.verifierOf(outside, rest.Audiences(domain)...)
	if err != nil {
		return err
	}
	n.faces.vault, err = rest.New(rest.Config{
		Vaults: n.vaults, Verify: tokens.Verify, Domain: domain, Authority: n.authorities(), Log: n.log, Events: n.tellEvent(),
	})
	return err
}

// verifier returns what checks tokens meant for one face, by the directory's public keys.
func (n *node) verifier(audiences ...string) (*directory.Verifier, error) {
	return n.verifierOf(nil, audiences...)
}

func (n *node) verifierOf(outside []directory.OutsideIssuer, audiences ...string) (*directory.Verifier, error) {
	return directory.NewVerifier(directory.VerifierConfig{
		Keys: n.directory.Keys, Fresh: time.Second, // they are in the same process
		Issuer: n.directory.Issuer, Audiences: audiences, Outside: outside,
	})
}

// openCertificate opens the local authority, or makes it on the first start.
func (n *node) openCertificate() error {
	bundle, err := n.folder.Secret("ca", n.folder.Seals.Service, func() ([]byte, error) { return certs.NewAuthority(time.Now) })
	if err != nil {
		return err
	}
	names := []string{n.domain, "*.vault." + n.domain}
	for _, face := range []string{"login", "management", "graph", "outlook", "api"} {
		names = append(names, face+"."+n.domain)
	}
	if n.certs, err = certs.Load(bundle, append(names, "127.0.0.1", "::1"), time.Now); err != nil {
		return fmt.Errorf("opening the local authority: %w", err)
	}
	return n.folder.Write("ca.pem", n.certs.PEM())
}

// home answers for the bare domain.
func (n *node) home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		writeMisdirected(w, n.domain)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "customerkey\n\nsign-in     %s\nmanagement  %s\nkey vaults  %s\nitems       %s/v1/\nhealth      %s/healthz\n",
		n.url("login"), n.url("management"), n.url("{vault}.vault"), n.url("api"), n.url("api"))
}
