package onboarding

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// serviceRole is the role that stands for get, wrapKey and unwrapKey where a vault goes by roles
// (row CK-222).
const serviceRole = "Key Vault Crypto Service Encryption User"

// checkKey looks at a key in its vault, as the family's principal: by what the vault says about it,
// and by wrapping a key with it and unwrapping that again (rows CK-155, CK-166 to CK-170).
func (s *Service) checkKey(ctx context.Context, tenant string, f policy.Family, one *side) {
	key, err := s.c.Roots.Key(tenant, f.App(), one.uri.String())
	if err != nil {
		one.failedBy("CK-85", "key URI", one.short(), err, fault.As(err).Hint)
		return
	}
	facts, err := key.Inspect(ctx)
	s.answer(one, f, "get", err)
	if err == nil {
		s.judge(one, facts)
	}
	if code := fault.CodeOf(err); code == fault.Unavailable {
		return // it would only take time
	}
	s.prove(ctx, one, f, key, facts.KeyID)
}

// judge applies the table of conditions that policies are made by.
func (s *Service) judge(one *side, facts rootkey.Facts) {
	for _, v := range rootcheck.Judge(rootcheck.Sight{Key: one.short(), Facts: &facts, Level: s.c.RecoveryLevel, Now: s.c.Now()}) {
		if v.Outcome == rootcheck.Unknown {
			continue
		}
		outcome := rootcheck.Warn
		if v.Refused != "" {
			outcome = rootcheck.Fail
		}
		one.add(v.Row, "key "+v.Check, one.short(), outcome, v.Message, v.Hint)
	}
}

// prove wraps a random key and unwraps it again. Where wrapping is refused, unwrapping is tried
// all the same, so that everything that is missing is told at once.
func (s *Service) prove(ctx context.Context, one *side, f policy.Family, key *rootkey.Key, newest string) {
	probe := envelope.NewKey()
	defer probe.Destroy()
	kid, wrapped, err := key.Wrap(ctx, probe)
	s.answer(one, f, "wrapKey", err)
	switch {
	case err == nil:
		back, err := key.Unwrap(ctx, kid, wrapped)
		defer back.Destroy()
		if err == nil && !back.Equal(probe) {
			err = fault.New(fault.Unavailable, "the vault unwraps to another key than the one that was wrapped")
		}
		s.answer(one, f, "unwrapKey", err)
	case newest != "" && fault.Is(err, fault.Denied):
		s.answer(one, f, "unwrapKey", key.Try(ctx, newest))
	}
}

// answer notes what a vault's answer says about a permission.
func (s *Service) answer(one *side, f policy.Family, permission string, err error) {
	name := "permission " + permission
	v := rootcheck.Answer(permission, one.short(), err)
	if err != nil && fault.As(err).Reason == "AccessDenied" { // row CK-169; CK-63 and CK-321: it may come late
		v.Message += "; if it was given just now, try again in a few minutes"
		v.Hint = s.permit(one, f)
	}
	if v.Outcome == rootcheck.Pass {
		one.fail(v.Row, name, one.short(), "", "")
		return
	}
	one.fail(v.Row, name, one.short(), v.Message, v.Hint)
	one.checks[len(one.checks)-1].outage = v.Refused == fault.Unavailable
}

// permit is what to type to give the family's principal its permissions.
func (s *Service) permit(one *side, f policy.Family) string {
	if v := one.vault; v.RBAC {
		return grant(f.App(), serviceRole, fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.KeyVault/vaults/%s", v.Subscription, v.Group, v.Name))
	}
	return fmt.Sprintf("Set-AzKeyVaultAccessPolicy -VaultName %s -ServicePrincipalName %s -PermissionsToKeys get,wrapKey,unwrapKey", one.uri.Vault, f.App())
}
