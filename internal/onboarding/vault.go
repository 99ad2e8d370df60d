package onboarding

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// leastRetention is how many days a deleted vault must stay recoverable (row CK-223).
const leastRetention = 90

// checkVault looks at the vault of a key through the resource manager (rows CK-21, CK-37, CK-39,
// CK-155 and CK-223).
func (s *Service) checkVault(ctx context.Context, r *resourcemanager.Reader, tenant string, _ policy.Family, one *side) {
	if !isGUID(one.subscription) {
		return // said already
	}
	const row, name = "CK-165", "vault in its subscription"
	v, err := r.Vault(ctx, one.subscription, one.uri.Vault)
	switch {
	case err == nil && v.Host != one.uri.Host:
		one.fail(row, name, one.uri.Vault, fmt.Sprintf("the vault of that name there has the address %.100q, not %s", v.Host, one.uri.Host), "give the key's URI as its vault shows it")
		return
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden):
		s.findVault(ctx, r, one)
		return
	}
	one.failedBy(row, name, one.uri.Vault, err, "")
	if err != nil {
		return
	}
	one.vault = v
	foreign := ""
	if !strings.EqualFold(v.Tenant, tenant) {
		foreign = "the vault belongs to another directory"
	}
	one.fail("CK-38", "directory", v.Name, foreign, "use a vault of your own organization")
	s.checkProtection(one)
	s.checkUse(ctx, tenant, one)
}

// findVault says where a vault lies that is not in the subscription it was said to be in.
func (s *Service) findVault(ctx context.Context, r *resourcemanager.Reader, one *side) {
	message := fmt.Sprintf("the vault %s does not lie in the subscription %s, or the service cannot see it", one.uri.Vault, one.subscription)
	next := "Get-AzKeyVault -VaultName " + one.uri.Vault // says where it lies
	if at, err := r.Find(ctx, one.uri.Vault); err == nil {
		message = fmt.Sprintf("the vault %s lies in the subscription %s", one.uri.Vault, at)
		next = fmt.Sprintf("give -Subscription%d %s", one.number, at)
	}
	one.fail("CK-165", "vault in its subscription", one.uri.Vault, message, next)
}

// checkProtection judges what keeps the vault's keys from being destroyed.
func (s *Service) checkProtection(one *side) {
	v, message := one.vault, ""
	switch {
	case !v.SoftDelete:
		message = "soft delete is off: a deleted key is gone"
	case v.RetentionDays < leastRetention:
		message = fmt.Sprintf("what is deleted can be recovered for %d days, not %d", v.RetentionDays, leastRetention)
	}
	one.fail("CK-223", "soft delete for 90 days", v.Name, message, "the days are set when a vault is made: New-AzKeyVault -SoftDeleteRetentionInDays 90 -EnablePurgeProtection")
	message = ""
	if !v.PurgeProtection {
		message = "purge protection is off: what is deleted can be destroyed early"
	}
	one.fail("CK-155", "purge protection", v.Name, message, "az keyvault update --name "+v.Name+" --enable-purge-protection true")
	message = ""
	if v.SKU != "premium" {
		message = "its keys are software keys"
	}
	one.add("CK-21", "hardware", v.Name, rootcheck.Warn, message, "for production make a vault with -Sku Premium and keys with -Destination HSM")
}

// checkUse warns of a vault that serves a policy already: each policy should have a pair of its
// own (row CK-39).
func (s *Service) checkUse(ctx context.Context, tenant string, one *side) {
	used, err := s.c.Used(ctx, tenant, one.uri.Vault)
	if err != nil {
		return // advice only
	}
	message := ""
	if used {
		message = "a policy of the organization has a root in it"
	}
	one.add("CK-39", "a vault of its own", one.uri.Vault, rootcheck.Warn, message, "each policy should have a pair of vaults of its own")
}
