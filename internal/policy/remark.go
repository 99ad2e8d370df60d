package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// VaultFacts are what is known of a vault beside its keys; empty fields are not known.
type VaultFacts struct {
	Subscription string // id, in one form of letters
	Location     string // "eastus"
}

// vault returns what is known of the vault of a root.
func (s *Service) vault(ctx context.Context, tenant string, r root) (VaultFacts, error) {
	if s.c.Vault == nil {
		return VaultFacts{}, nil
	}
	return s.c.Vault(ctx, tenant, r.vault)
}

// apart finds roots whose vaults lie in one subscription (CK-37, CK-165). A subscription that
// is not known, that of a vault elsewhere, says nothing.
func (s *Service) apart(ctx context.Context, tenant string, roots [2]root) (Findings, error) {
	var at [2]string
	for i, r := range roots {
		facts, err := s.vault(ctx, tenant, r)
		if err != nil {
			return nil, err
		}
		at[i] = facts.Subscription
	}
	if at[0] == "" || at[0] != at[1] || roots[0].vault == roots[1].vault {
		return nil, nil
	}
	return Findings{{
		Row: "CK-165", Key: roots[1].uri, code: fault.Conflict,
		Message: fmt.Sprintf("the vaults of %s and %s are in the same subscription", roots[0].short(), roots[1].short()),
		Hint:    "use a key in a vault of another subscription: whoever ends one must not end both",
	}}, nil
}

// Remarks says what is unwise about the roots of a policy, though nothing forbids it: both
// vaults in one region (CK-41), or a vault that another policy uses too (CK-39).
func (s *Service) Remarks(ctx context.Context, caller directory.Caller, f Family, identity string) ([]string, error) {
	p, err := s.enter(ctx, caller, f, Read, identity, nil)
	if err != nil {
		return nil, err
	}
	roots, facts, err := s.places(ctx, p)
	if err != nil {
		return nil, err
	}
	var remarks []string
	if at := facts[0].Location; at != "" && strings.EqualFold(at, facts[1].Location) {
		remarks = append(remarks, fmt.Sprintf("both vaults are in %s: an outage there takes both root keys away; better use two regions, best two that are no pair", at))
	}
	shared, err := s.shared(ctx, p, roots)
	return append(remarks, shared...), err
}

// places returns the roots of a policy and what is known of their vaults.
func (s *Service) places(ctx context.Context, p Policy) (roots [2]root, facts [2]VaultFacts, err error) {
	for i, ref := range p.Roots {
		uri, vault, err := s.c.Roots.Parse(ref.URI)
		if err != nil {
			return roots, facts, err
		}
		roots[i] = root{uri, vault}
		if facts[i], err = s.vault(ctx, p.Tenant, roots[i]); err != nil {
			return roots, facts, err
		}
	}
	return roots, facts, nil
}

// shared says which of a policy's vaults hold roots of the tenant's other policies too.
func (s *Service) shared(ctx context.Context, p Policy, roots [2]root) (remarks []string, err error) {
	users := map[string]string{} // vault -> another policy with a root in it
	for _, f := range []Family{MultiWorkload, Mailbox, SharePoint} {
		all, err := s.c.Store.Policies(ctx, p.Tenant, f, maxPolicies)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			for _, ref := range other.Roots {
				if _, vault, err := s.c.Roots.Parse(ref.URI); err == nil && other.ID != p.ID {
					users[vault] = other.Name
				}
			}
		}
	}
	for _, r := range roots {
		if name, ok := users[r.vault]; ok {
			remarks = append(remarks, fmt.Sprintf("the vault of %s also holds a root key of the policy %q: a pair of vaults for each policy keeps them apart", r.short(), name))
		}
	}
	return remarks, nil
}
