package main

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// coverage tells policies which data they cover, from the one table of workloads.
func coverage(name string) policy.Rule {
	w, err := workload.Find(name)
	if err != nil {
		return policy.Rule{}
	}
	family := policy.MultiWorkload
	switch {
	case w.Mailboxes:
		family = policy.Mailbox
	case w.Sites:
		family = policy.SharePoint
	}
	return policy.Rule{Family: family, NewDataOnly: w.NewDataOnly}
}

// vaultFacts tells policies where a tenant's vault is, if it is one of this server's.
func (n *node) vaultFacts(ctx context.Context, tenant, vault string) (policy.VaultFacts, error) {
	place, err := n.vaults.Locate(ctx, vault)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && place.Tenant != tenant:
		return policy.VaultFacts{}, nil
	case err != nil:
		return policy.VaultFacts{}, err
	}
	return policy.VaultFacts{Subscription: strings.ToLower(place.Subscription), Location: place.Location}, nil
}

// geos returns the names of a tenant's geos, that for new sites first.
func (n *node) geos(ctx context.Context, tenant string) (names []string, err error) {
	all, err := n.items.Geos(ctx, tenant)
	for _, g := range all {
		names = append(names, g.Name)
	}
	return names, err
}

// tenantDomain returns the domain of a tenant.
func (n *node) tenantDomain(ctx context.Context, tenant string) (string, error) {
	t, err := n.directory.Tenant(ctx, tenant)
	return t.Domain, err
}
