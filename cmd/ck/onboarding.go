package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/store"
)

// onboardingSettings are what the flags of ck serve say about who may use families of policies.
type onboardingSettings struct{ gate, offers string }

func (o *onboardingSettings) flags(set *flag.FlagSet) {
	set.StringVar(&o.gate, "onboarding", string(onboarding.Open), "`WHO` lets organizations use a family of policies: open (nobody has to), rule (whoever passes all checks) or approval (an operator, after all checks)")
	set.StringVar(&o.offers, "onboarding-refuse-offers", strings.Join(onboarding.DefaultRefusedOffers, ","), "`LIST` of the beginnings of Azure offers that do not count as paid; add PayAsYouGo where only invoiced subscriptions shall do")
}

func (o *onboardingSettings) check() error {
	if _, err := onboarding.Rules(onboarding.Gate(o.gate)); err != nil { // "" comes of a variable that is not set: no reason to let everybody in
		return fault.New(fault.Invalid, "%q is no way to let organizations in", o.gate).WithHint("give open, rule or approval with --onboarding")
	}
	return nil
}

// who is the gate; open unless something else was given.
func (o *onboardingSettings) who() onboarding.Gate {
	return cmp.Or(onboarding.Gate(o.gate), onboarding.Open)
}

// refused returns the offers that do not count as paid; none is a list too.
func (o *onboardingSettings) refused() []string {
	list := []string{}
	for _, offer := range strings.Split(o.offers, ",") {
		if offer = strings.TrimSpace(offer); offer != "" {
			list = append(list, offer)
		}
	}
	return list
}

// openOnboarding wires the checks before a family is enabled. Subscriptions are asked about where
// everybody asks, at the resource manager's face, with the rights that their owners have given.
func (n *node) openOnboarding(context.Context) error {
	places, err := resourcemanager.New(resourcemanager.Config{
		Endpoint: n.url("management"),
		Credential: func(tenant string) azcore.TokenCredential {
			return n.serviceCredential(tenant, directory.OnboardingApp)
		},
		Transport: &local{domain: n.domain, handler: n.faces, network: http.DefaultTransport},
	})
	if err != nil {
		return err
	}
	n.wired.onboarding = onboarding.Config{
		Store: store.NewOnboarding(n.serviceDB), Audit: n.serviceLog, Requests: n.requests, Places: places, Roots: n.roots,
		Gate: n.onboarded.who(), RefusedOffers: n.onboarded.refused(), RecoveryLevel: n.recoveryLevel, Roles: n.roles,
		Tenant: func(ctx context.Context, idOrDomain string) (string, error) {
			t, err := n.directory.Tenant(ctx, idOrDomain)
			return t.ID, err
		},
		Licensed: n.licensed(),
		Used: func(ctx context.Context, tenant, vault string) (bool, error) {
			return n.policies.UsesVaults(ctx, tenant, []string{vault})
		},
	}
	n.onboarding, err = onboarding.New(n.wired.onboarding)
	return err
}

// licensed finds out whether anybody in a tenant is licensed; nil where nobody needs to be.
func (n *node) licensed() func(ctx context.Context, tenant string) (bool, error) {
	if n.noLicences {
		return nil
	}
	return func(ctx context.Context, tenant string) (bool, error) {
		system := directory.SystemCaller(tenant, "onboarding", uuid.NewString())
		for after := ""; ; {
			people, err := n.directory.ListPeople(ctx, system, after, directory.MaxPage)
			if err != nil || len(people) == 0 {
				return false, err
			}
			for _, p := range people {
				if directory.Licensed(p.Licences) {
					return true, nil
				}
				after = p.UPN
			}
		}
	}
}

// enableFamilies lets a tenant that is made here use all families: nobody is there to ask.
func (n *node) enableFamilies(ctx context.Context, system directory.Caller) error {
	for _, scenario := range onboarding.Scenarios {
		f, err := scenario.Family()
		if err != nil {
			return err
		}
		enabled, err := n.onboarding.Enabled(ctx, system.Tenant, f)
		if err == nil && !enabled {
			err = n.onboarding.Grant(ctx, system, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// letOnboardingLook gives the onboarding service the role Reader in a subscription, as its owner.
func (n *node) letOnboardingLook(ctx context.Context, owner directory.Caller, subscription string) error {
	app, err := n.directory.ServicePrincipal(ctx, owner.Tenant, directory.OnboardingApp)
	if err != nil {
		return err
	}
	return n.letLook(ctx, owner, subscription, "onboarding", app.ID, rights.ServicePrincipal)
}

// letLook gives somebody the role Reader in the subscription of that display name, as its owner. what
// tells such assignments apart: doing it again changes nothing.
func (n *node) letLook(ctx context.Context, owner directory.Caller, subscription, what, principal string, kind rights.PrincipalKind) error {
	sub, err := n.findSubscription(ctx, owner, subscription)
	if err != nil {
		return err
	}
	_, _, err = n.vaults.AssignRole(ctx, owner, rights.Assignment{
		ID: uuid.NewHash(sha256.New(), uuid.Nil, []byte(what+" "+sub.ID), 8).String(), Scope: rights.Scope{Subscription: sub.ID},
		Role: rights.Reader, Principal: principal, Kind: kind,
	})
	return err
}

// enabled tells policies which families a tenant may use.
func (n *node) enabled(ctx context.Context, tenant string, f policy.Family) (bool, error) {
	return n.onboarding.Enabled(ctx, tenant, f)
}
