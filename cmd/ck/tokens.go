package main

import (
	"context"
	"flag"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/identity"
	"github.com/customerkey/customerkey/internal/fault"
)

// tokenSettings are what the flags of ck serve say about tokens.
type tokenSettings struct {
	keyLife   time.Duration // of a key that signs tokens
	passwords bool          // programs may send names and passwords to /adfs

	issuer, issuerKeys, issuerLogin, issuerTenants string // an outside issuer that vaults trust

	identityListen, identityApps string // managed identities
	imds                         bool
}

// flags adds the flags to those of ck serve.
func (t *tokenSettings) flags(set *flag.FlagSet) {
	set.DurationVar(&t.keyLife, "token-key-life", 90*24*time.Hour, "how long a key signs tokens before the next takes over")
	set.BoolVar(&t.passwords, "adfs-passwords", false, "let old clients send names and passwords to the AD FS form of the token service")
	set.StringVar(&t.issuer, "trust-issuer", "", "`ISSUER` whose tokens key vaults take too, such as https://sts.windows.net/{tenantid}/")
	set.StringVar(&t.issuerKeys, "trust-keys", "", "`URL` of that issuer's public keys")
	set.StringVar(&t.issuerTenants, "trust-tenants", "", "`TENANTS` of that issuer, as THEIR-ID=OURS with commas between; ours by id or domain")
	set.StringVar(&t.issuerLogin, "trust-login", "", "`URL` where clients of those tenants' vaults sign in, such as https://login.microsoftonline.com (default: here)")
	set.StringVar(&t.identityListen, "managed-identity", "", "`ADDRESS` on loopback, such as 127.0.0.1:8444, where programs of this machine get tokens without a secret of their own")
	set.StringVar(&t.identityApps, "managed-identity-apps", "", "`APPS` that they may be, as TENANT/APP-ID[=RESOURCE-ID] with commas between; the first is the machine's own")
	set.BoolVar(&t.imds, "managed-identity-imds", false, "answer there as machines of Azure do too, to every program of this machine")
}

func (t *tokenSettings) check() error {
	switch {
	case t.keyLife < 24*time.Hour:
		return fault.New(fault.Invalid, "a key that signs tokens for %v is changed too often", t.keyLife).WithHint("give 24h or more with --token-key-life")
	case (t.issuer == "") != (t.issuerKeys == "") || (t.issuer == "") != (t.issuerTenants == ""):
		return fault.New(fault.Invalid, "an outside issuer is named by its issuer, its keys and its tenants").
			WithHint("give --trust-issuer, --trust-keys and --trust-tenants together")
	case t.issuer != "" && !strings.HasPrefix(t.issuer, "https://"), t.issuerLogin != "" && !strings.HasPrefix(t.issuerLogin, "https://"):
		return fault.New(fault.Invalid, "an outside issuer is named by an https:// address")
	case (t.identityListen == "") != (t.identityApps == "") || t.imds && t.identityListen == "":
		return fault.New(fault.Invalid, "managed identities take an address and the apps").WithHint("give --managed-identity and --managed-identity-apps together")
	case t.identityListen == "":
		return nil
	}
	if _, err := t.identities(); err != nil {
		return err
	}
	return identity.Loopback(t.identityListen)
}

// identities reads --managed-identity-apps. Whether there are such apps is for identityFace.
func (t *tokenSettings) identities() (list []identity.Identity, err error) {
	for _, text := range strings.Split(t.identityApps, ",") {
		name, resource, _ := strings.Cut(strings.TrimSpace(text), "=")
		tenant, app, ok := strings.Cut(name, "/")
		if _, err := uuid.Parse(app); !ok || tenant == "" || err != nil {
			return nil, fault.New(fault.Invalid, "%q is no app of a tenant", name).WithHint("give it as contoso.example/APP-ID")
		}
		list = append(list, identity.Identity{Tenant: tenant, App: app, Resource: resource})
	}
	return list, nil
}

// outsideIssuer returns what vaults trust beside this deployment. Nothing if no flag names one.
func (n *node) outsideIssuer(ctx context.Context) ([]directory.OutsideIssuer, error) {
	t := n.tokens
	if t.issuer == "" {
		return nil, nil
	}
	keys, err := directory.RemoteKeys(&http.Client{Transport: http.DefaultTransport}, t.issuerKeys)
	if err != nil {
		return nil, err
	}
	o := directory.OutsideIssuer{Issuer: t.issuer, Keys: keys, Tenants: map[string]string{}}
	n.elsewhere = map[string]string{}
	for _, pair := range strings.Split(t.issuerTenants, ",") {
		theirs, name, _ := strings.Cut(strings.TrimSpace(pair), "=")
		id, err := uuid.Parse(theirs)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%q names no tenant of the outside issuer", pair).WithHint("give --trust-tenants THEIR-ID=contoso.example")
		}
		ours, err := n.directory.Tenant(ctx, name)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "there is no tenant %q here to which %s could be mapped", name, theirs)
		}
		o.Tenants[id.String()] = ours.ID
		if t.issuerLogin != "" {
			n.elsewhere[ours.ID] = id.String()
		}
	}
	return []directory.OutsideIssuer{o}, nil
}

// authorities returns where clients of tenants' vaults sign in, if that is not here.
func (n *node) authorities() map[string]string {
	at := map[string]string{}
	for ours, theirs := range n.elsewhere {
		at[ours] = strings.TrimSuffix(n.tokens.issuerLogin, "/") + "/" + theirs
	}
	return at
}

// sweepTokenKeys lets the keys that sign tokens grow old and change. The provider's log tells.
func (n *node) sweepTokenKeys(ctx context.Context) error {
	provider, err := n.directory.Tenant(ctx, providerDomain)
	if err != nil {
		return err
	}
	return n.directory.SweepIssuerKeys(ctx, directory.SystemCaller(provider.ID, "token keys", uuid.NewString()))
}
