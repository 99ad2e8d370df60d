package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/azure"
	"github.com/customerkey/customerkey/internal/cmdlet/operator"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// An actor is somebody who runs cmdlets somewhere. Its credential gives tokens for the services
// at its own addresses, and is used with its own HTTP client.
type actor struct {
	at           profile.Addresses // Outlook and API are empty where there are only vaults
	tenant       string
	organization string
	account      string // a person's name, or an app's id
	subscription string
	keep         func(ctx context.Context, subscription string) error // nil: a choice is not kept
	http         *http.Client                                         // nil: Azure's own
	credential   azcore.TokenCredential
	token        func(audience string) func(context.Context) (string, error)
}

// actorOf is the person who is signed in to a profile.
func actorOf(p *profile.Profile) *actor {
	d := p.Data()
	return &actor{
		at: p.Addresses(), tenant: d.Tenant, organization: d.Organization, account: d.User, subscription: d.Subscription,
		keep: p.Choose, http: p.HTTPClient(), credential: p.Credential(), token: p.TokenSource,
	}
}

// signing is a credential whose errors say that the signing in failed, not the vault that it was
// for.
type signing struct{ azcore.TokenCredential }

func (s signing) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t, err := s.TokenCredential.GetToken(ctx, o)
	if err != nil && ctx.Err() == nil {
		return t, refusedSignIn{fault.Wrap(fault.Unauthenticated, err, "signing in failed").WithHint("see that the id, the certificate and the organization are right")}
	}
	return t, err
}

// refusedSignIn is not tried again.
type refusedSignIn struct{ error }

func (r refusedSignIn) Unwrap() error { return r.error }

// NonRetriable marks the error for the pipeline's retry policy.
func (refusedSignIn) NonRetriable() {}

// tokensOf returns access tokens of a credential, by audience.
func tokensOf(credential azcore.TokenCredential) func(string) func(context.Context) (string, error) {
	return func(audience string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}})
			return t.Token, err
		}
	}
}

// runner returns what carries out the commands of a side as this actor.
func (a *actor) runner(side cmdlet.Side) (cmdlet.Runner, error) {
	switch {
	case side == cmdlet.Vault:
		return a.vaults()
	case a.at.Outlook == "":
		return nil, fault.New(fault.Invalid, "this is a cloud of Azure's: it has vaults and keys only")
	case side == cmdlet.Service:
		return service.Remote{BaseURL: a.at.Outlook, Tenant: a.tenant, HTTP: a.http, Token: a.token(a.at.Outlook)}, nil
	case side == cmdlet.Operator:
		return operator.New(operator.Config{Management: a.at.Management, HTTP: a.http, Token: a.token(a.at.Management)})
	}
	return nil, fault.New(fault.Invalid, "this command works in pipelines only").WithHint("put it behind another command in a script")
}

func (a *actor) vaults() (cmdlet.Runner, error) {
	c := azure.Config{
		Credential: a.credential, Tenant: a.tenant, VaultSuffix: a.at.VaultSuffix, Management: a.at.Management, Graph: a.at.Graph,
		Subscription: a.subscription, Keep: a.keep, Organization: a.organization, Account: a.account,
	}
	if a.http != nil {
		c.Transport = a.http
	}
	return azure.New(c)
}

// is reports whether a name means this actor; "" means whoever there is.
func (a *actor) is(name string) bool { return name == "" || strings.EqualFold(name, a.account) }
