package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// The provider is the tenant of whoever runs this service: its operators sign in there, and
// its vaults hold the roots of the service-owned policies.
const (
	providerName   = "Service provider"
	providerDomain = "provider.customerkey"
	operatorUPN    = "operator@" + providerDomain
)

// setUp makes what every deployment has, as far as it is not there: see setUpService; and the
// operator. Each step finds out by itself whether it is done, so a start after a crash goes on
// where the last one ended. The password is a new one-time password of the operator, "" once he
// has chosen his own. He comes last: the password is shown nowhere else, so little may go wrong
// between here and there.
func (n *node) setUp(ctx context.Context) (password string, err error) {
	system := directory.SystemCaller("", "set-up", uuid.NewString())
	provider, err := n.setUpService(ctx, system)
	if err != nil {
		return "", err
	}
	if err := n.policies.RepeatPurges(ctx); err != nil {
		return "", fmt.Errorf("looking for what was purged: %w", err)
	}
	return n.ensureOperator(ctx, system, provider)
}

// setUpService makes the provider, its vaults, and for each tenant the policy that the service
// owns.
func (n *node) setUpService(ctx context.Context, system directory.Caller) (directory.Tenant, error) {
	provider, err := n.ensureTenant(ctx, system, providerName, providerDomain)
	if err != nil {
		return provider, err
	}
	roots, err := n.ensureServiceRoots(ctx, provider)
	if err != nil {
		return provider, err
	}
	return provider, n.ensureServicePolicies(ctx, roots)
}

func (n *node) ensureTenant(ctx context.Context, c directory.Caller, name, domain string) (directory.Tenant, error) {
	t, err := n.directory.Tenant(ctx, domain)
	if fault.Is(err, fault.NotFound) {
		return n.directory.CreateTenant(ctx, c, name, domain)
	}
	return t, err
}

// ensureOperator makes the operator. As long as nobody has signed in as him he gets another
// one-time password: that of an earlier start was never shown if the start did not get so far.
func (n *node) ensureOperator(ctx context.Context, c directory.Caller, provider directory.Tenant) (password string, err error) {
	c.Tenant = provider.ID
	operator, err := n.directory.Person(ctx, provider.ID, operatorUPN)
	switch {
	case err == nil && !operator.MustChangePassword:
		return "", nil
	case err == nil:
		password = directory.GeneratePassword()
		return password, n.directory.SetPassword(ctx, c, provider.ID, operatorUPN, password, true)
	case !fault.Is(err, fault.NotFound):
		return "", err
	}
	password = directory.GeneratePassword()
	_, err = n.directory.CreatePerson(ctx, c, directory.Person{
		Tenant: provider.ID, UPN: operatorUPN, DisplayName: "Operator", Roles: []directory.Role{directory.ServiceOperator},
	}, password, true)
	return password, err
}

// ensureServiceRoots makes the two vaults whose keys are the roots of every service-owned
// policy. They are ordinary vaults: the service reaches them as it reaches a customer's.
func (n *node) ensureServiceRoots(ctx context.Context, provider directory.Tenant) (refs [2]hierarchy.RootRef, err error) {
	service, err := n.directory.ServicePrincipal(ctx, provider.ID, directory.MultiWorkloadApp)
	if err != nil {
		return refs, err
	}
	for i, location := range []string{"eastus", "westus"} {
		v := vaultPlan{
			tenant: provider.ID, owner: service.ID, subscription: fmt.Sprintf("Service roots %d", i+1),
			name: fmt.Sprintf("customerkey-service-%d", i+1), location: location, key: "service-root",
			grants: []rights.Grant{{Object: service.ID, Keys: []rights.Permission{"get", "create", "wrapKey", "unwrapKey"}}},
		}
		creator := directory.Caller{Tenant: provider.ID, ID: service.ID, Kind: directory.App, Name: "set-up", App: service.AppID, Request: uuid.NewString()}
		if err := n.ensureVault(ctx, v, creator); err != nil {
			return refs, err
		}
		refs[i] = hierarchy.RootRef{Tenant: provider.ID, App: directory.MultiWorkloadApp, URI: n.url(v.name+".vault") + "/keys/" + v.key}
	}
	return refs, nil
}

// ensureServicePolicies gives each tenant the policy that holds where the tenant has assigned
// none of its own.
func (n *node) ensureServicePolicies(ctx context.Context, roots [2]hierarchy.RootRef) error {
	for after := ""; ; {
		tenants, err := n.directory.Tenants(ctx, after, 100)
		if err != nil || len(tenants) == 0 {
			return err
		}
		for _, t := range tenants {
			if err := n.directory.EnsureServiceApps(ctx, directory.SystemCaller("", "set-up", uuid.NewString()), t.ID); err != nil {
				return fmt.Errorf("adding the service's own apps to tenant %s: %w", t.ID, err)
			}
			if _, err := n.policies.EnsureServicePolicy(ctx, t.ID, roots); err != nil {
				return fmt.Errorf("making the service-owned policy of tenant %s: %w", t.ID, err)
			}
			after = t.ID
		}
	}
}

// A vaultPlan is a vault in a subscription of its own, with one root key.
type vaultPlan struct {
	tenant, owner, subscription string // owner: object id; subscription: its display name
	name, location, key         string
	grants                      []rights.Grant
}

// ensureVault makes what is missing of plan; creator makes the key and needs the right to.
func (n *node) ensureVault(ctx context.Context, plan vaultPlan, creator directory.Caller) error {
	system := directory.SystemCaller(plan.tenant, "set-up", creator.Request)
	subscription, err := n.ensureSubscription(ctx, system, plan, creator)
	if err != nil {
		return err
	}
	const group = "customer-key"
	if _, err := n.vaults.Vault(ctx, system, subscription, group, plan.name); fault.Is(err, fault.NotFound) {
		if _, _, err = n.vaults.PutGroup(ctx, system, keyvault.Group{Tenant: plan.tenant, Subscription: subscription, Name: group, Location: plan.location}); err != nil {
			return err
		}
		_, _, err = n.vaults.PutVault(ctx, system, keyvault.VaultSpec{
			Subscription: subscription, Group: group, Name: plan.name, Location: plan.location,
			SKU: "standard", RetentionDays: 90, PurgeProtection: true, Access: plan.grants,
		})
		if err != nil {
			return fmt.Errorf("making the vault %s: %w", plan.name, err)
		}
	} else if err != nil {
		return err
	}
	_, err = n.vaults.Key(ctx, creator, plan.name, plan.key, "")
	if fault.Is(err, fault.Forbidden) {
		return nil // its owner has changed who may look, so he had it before
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = n.vaults.CreateKey(ctx, creator, plan.name, plan.key, keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey", "unwrapKey"}})
	return err
}

// ensureSubscription makes a subscription and registers it for mandatory retention: its owner
// asks, and the service approves in place of the operator.
func (n *node) ensureSubscription(ctx context.Context, system directory.Caller, plan vaultPlan, owner directory.Caller) (id string, err error) {
	sub, err := n.findSubscription(ctx, system, plan.subscription)
	if fault.Is(err, fault.NotFound) {
		sub = keyvault.Subscription{ID: uuid.NewString(), Tenant: plan.tenant, DisplayName: plan.subscription, Owner: plan.owner}
		if err = n.vaults.PutSubscription(ctx, system, sub); err == nil {
			sub, err = n.vaults.Subscription(ctx, system, sub.ID)
		}
	}
	if err == nil && sub.Retention.State == keyvault.NotRegistered {
		sub, err = n.vaults.RegisterRetention(ctx, owner, sub.ID)
	}
	if err == nil && sub.Retention.State == keyvault.Pending {
		sub, err = n.vaults.DecideRetention(ctx, system, sub.Tenant, sub.ID, true)
	}
	if err == nil && sub.Retention.State == keyvault.Registered && !sub.Protected() {
		sub, err = n.vaults.RegisterProvider(ctx, owner, sub.ID)
	}
	return sub.ID, err
}

// findSubscription returns the tenant's subscription of that display name; fault.NotFound.
func (n *node) findSubscription(ctx context.Context, system directory.Caller, name string) (keyvault.Subscription, error) {
	all, err := n.vaults.Subscriptions(ctx, system)
	if err != nil {
		return keyvault.Subscription{}, err
	}
	for _, sub := range all {
		if sub.DisplayName == name {
			return sub, nil
		}
	}
	return keyvault.Subscription{}, fault.New(fault.NotFound, "there is no subscription %q", name)
}
