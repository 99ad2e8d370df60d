package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// permit checks that the caller may do what the action's rule asks for: by the vault's access
// policy or by role assignments, whichever the vault goes by, and never by both (KV-103).
func (s *Service) permit(ctx context.Context, v *visit, r rule) error {
	if v.vault.RBAC {
		return s.permitByRole(ctx, v, r)
	}
	v.note("permission", string(r.permission))
	named, ok := v.vault.Access.Permits(v.caller, r.permission)
	if !ok && r.or != "" {
		_, ok = v.vault.Access.Permits(v.caller, r.or)
	}
	if !ok {
		return errPermission(v.caller, v.vault, r.permission, named)
	}
	return nil
}

// permitByRole looks for a role with the action at the key, its vault or above. The record
// names the assignment that was found.
func (s *Service) permitByRole(ctx context.Context, v *visit, r rule) error {
	action := r.permission.Action()
	v.note("permission", action)
	at := v.vault.scope()
	if naming.CheckKey(v.target.Name) == nil {
		at.Key = v.target.Name
	}
	list, err := s.store.AssignmentsAt(ctx, v.vault.Tenant, at, rights.Principals(v.caller))
	if err != nil {
		return err
	}
	a, ok := rights.Permitting(list, r.permission)
	if !ok {
		return errRole(v.caller, v.vault, action, at)
	}
	v.note("assignment", a.ID)
	return nil
}

// errRole is KV-91's text for vaults that go by roles.
func errRole(c directory.Caller, v Vault, action string, at rights.Scope) error {
	return fault.New(fault.Forbidden, "Caller is not authorized to perform action on resource.\r\n"+
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
		"Caller: appid=%s;oid=%s\r\nAction: '%s'\r\nResource: '%s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null\r\n"+
		"Vault: %s;location=%s", c.App, c.ID, action, naming.Fold(at.String()), v.Name, v.Location).WithReason(ReasonRBAC)
}
