package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// permit checks that the caller may do what the action's rule asks for: by the vault's access
// policy or by role assignments, whichever the vault goes by, and never by both (KV-103).
func (s *Service) permit(ctx context.Context, v *visit, r rule) error {
	if v.vault.RBAC {
		return s.permitByRole(ctx, v, r)
	}
	v.note("permission", string(r.permission))
	named, ok := v.vault.permits(v.caller, r.permission)
	if !ok && r.or != "" {
		_, ok = v.vault.permits(v.caller, r.or)
	}
	if !ok {
		return errPermission(v.caller, v.vault, r.permission, named)
	}
	return nil
}

// permitByRole looks for a role with the action at the key, its vault or above. The record
// names the assignment that was found.
func (s *Service) permitByRole(ctx context.Context, v *visit, r rule) error {
	action := dataActions[r.permission]
	v.note("permission", action)
	at := v.vault.scope()
	if naming.CheckKey(v.target.Name) == nil {
		at.Key = v.target.Name
	}
	list, err := s.store.AssignmentsAt(ctx, v.vault.Tenant, at, principals(v.caller))
	if err != nil {
		return err
	}
	for _, a := range list {
		if role, ok := roleOf(a.Role); ok && role.permits(r.permission) {
			v.note("assignment", a.ID)
			return nil
		}
	}
	return errRole(v.caller, v.vault, action, at)
}

// dataActions is what roles call the permissions (KV-106).
var dataActions = map[Permission]string{
	PermitGet:               "Microsoft.KeyVault/vaults/keys/read",
	PermitList:              "Microsoft.KeyVault/vaults/keys/read",
	PermitUpdate:            "Microsoft.KeyVault/vaults/keys/update/action",
	PermitCreate:            "Microsoft.KeyVault/vaults/keys/create/action",
	PermitImport:            "Microsoft.KeyVault/vaults/keys/import/action",
	PermitDelete:            "Microsoft.KeyVault/vaults/keys/delete",
	PermitRecover:           "Microsoft.KeyVault/vaults/keys/recover/action",
	PermitPurge:             "Microsoft.KeyVault/vaults/keys/purge/action",
	PermitBackup:            "Microsoft.KeyVault/vaults/keys/backup/action",
	PermitRestore:           "Microsoft.KeyVault/vaults/keys/restore/action",
	PermitEncrypt:           "Microsoft.KeyVault/vaults/keys/encrypt/action",
	PermitDecrypt:           "Microsoft.KeyVault/vaults/keys/decrypt/action",
	PermitWrapKey:           "Microsoft.KeyVault/vaults/keys/wrap/action",
	PermitUnwrapKey:         "Microsoft.KeyVault/vaults/keys/unwrap/action",
	PermitSign:              "Microsoft.KeyVault/vaults/keys/sign/action",
	PermitVerify:            "Microsoft.KeyVault/vaults/keys/verify/action",
	PermitRelease:           "Microsoft.KeyVault/vaults/keys/release/action",
	PermitRotate:            "Microsoft.KeyVault/vaults/keys/rotate/action",
	PermitGetRotationPolicy: "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
	PermitSetRotationPolicy: "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
	permitAny:               "Microsoft.KeyVault/vaults/keys/rng/action",
}

// permits reports whether the role gives a permission; any action on keys gives permitAny.
func (r Role) permits(p Permission) bool {
	if p != permitAny {
		return r.uses(dataActions[p])
	}
	for _, action := range dataActions {
		if r.uses(action) {
			return true
		}
	}
	return false
}

// errRole is KV-91's text for vaults that go by roles.
func errRole(c directory.Caller, v Vault, action string, at Scope) error {
	return fault.New(fault.Forbidden, "Caller is not authorized to perform action on resource.\r\n"+
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
		"Caller: appid=%s;oid=%s\r\nAction: '%s'\r\nResource: '%s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null\r\n"+
		"Vault: %s;location=%s", c.App, c.ID, action, naming.Fold(at.String()), v.Name, v.Location).WithReason(ReasonRBAC)
}
