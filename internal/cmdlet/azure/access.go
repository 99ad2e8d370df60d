package azure

import (
	"context"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// setAccess replaces the rights on keys of one principal; those on other kinds of objects
// and those of others stay (row CK-192).
func (e *Environment) setAccess(ctx context.Context, call *cmdlet.Call) error {
	vault, at, err := e.vault(ctx, call)
	if err != nil {
		return err
	}
	object, err := e.principal(ctx, call)
	if err != nil {
		return err
	}
	if vault.Properties != nil && deref(vault.Properties.EnableRbacAuthorization) {
		call.Warn("the vault %s goes by roles: its access policy is kept, and does not count", at.name)
	}
	rights := call.Args.List("PermissionsToKeys")
	entry, has := entryOf(vault, object)
	if proceed, err := e.proceed(ctx, call, "Set the access of "+object+" to "+"{"+strings.Join(rights, ", ")+"}", at.name, ofAccess(entry, rights)); err != nil || !proceed {
		return err
	}
	if len(rights) == 0 {
		if has {
			err = e.update(ctx, at, armkeyvault.AccessPolicyUpdateKindRemove, onlyKeys(entry))
		}
		return e.passAccess(ctx, call, err)
	}
	next := e.entry(object, rights)
	if has {
		next.ApplicationID = entry.ApplicationID
		next.Permissions.Certificates, next.Permissions.Secrets, next.Permissions.Storage =
			entry.Permissions.Certificates, entry.Permissions.Secrets, entry.Permissions.Storage
	}
	return e.passAccess(ctx, call, e.update(ctx, at, armkeyvault.AccessPolicyUpdateKindReplace, next))
}

// removeAccess takes all rights from one principal (row CK-193).
func (e *Environment) removeAccess(ctx context.Context, call *cmdlet.Call) error {
	vault, at, err := e.vault(ctx, call)
	if err != nil {
		return err
	}
	object, err := e.principal(ctx, call)
	if err != nil {
		return err
	}
	entry, has := entryOf(vault, object)
	if !has {
		call.Warn("%s has no access to the vault %s", object, at.name)
		return e.passAccess(ctx, call, nil)
	}
	if proceed, err := e.proceed(ctx, call, "Remove all access of "+object, at.name, ofAccess(entry, nil)); err != nil || !proceed {
		return err
	}
	return e.passAccess(ctx, call, e.update(ctx, at, armkeyvault.AccessPolicyUpdateKindRemove, entry))
}

func (e *Environment) update(ctx context.Context, at location, kind armkeyvault.AccessPolicyUpdateKind, entry *armkeyvault.AccessPolicyEntry) error {
	client, err := e.vaults(at.subscription)
	if err != nil {
		return err
	}
	_, err = client.UpdateAccessPolicy(ctx, at.group, at.name, kind, armkeyvault.VaultAccessPolicyParameters{
		Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{entry}},
	}, nil)
	return err
}

// passAccess shows the vault as it is now, if -PassThru asks for it.
func (e *Environment) passAccess(ctx context.Context, call *cmdlet.Call, err error) error {
	if err != nil || !call.Args.On("PassThru") {
		return err
	}
	vault, _, err := e.vault(ctx, call)
	if err != nil {
		return err
	}
	return call.Host.Object(e.vaultObject(ctx, vault))
}

// entry grants rights on keys to one principal.
func (e *Environment) entry(object string, rights []string) *armkeyvault.AccessPolicyEntry {
	keys := make([]*armkeyvault.KeyPermissions, len(rights))
	for i, r := range rights {
		keys[i] = to.Ptr(armkeyvault.KeyPermissions(r))
	}
	return &armkeyvault.AccessPolicyEntry{ObjectID: &object, TenantID: &e.c.Tenant, Permissions: &armkeyvault.Permissions{Keys: keys}}
}

// entryOf returns the vault's entry for a principal.
func entryOf(v *armkeyvault.Vault, object string) (*armkeyvault.AccessPolicyEntry, bool) {
	if v.Properties == nil {
		return nil, false
	}
	for _, a := range v.Properties.AccessPolicies {
		if strings.EqualFold(deref(a.ObjectID), object) && a.Permissions != nil {
			return a, true
		}
	}
	return nil, false
}

// onlyKeys is the part of an entry that is about keys.
func onlyKeys(a *armkeyvault.AccessPolicyEntry) *armkeyvault.AccessPolicyEntry {
	return &armkeyvault.AccessPolicyEntry{
		ObjectID: a.ObjectID, TenantID: a.TenantID, ApplicationID: a.ApplicationID,
		Permissions: &armkeyvault.Permissions{Keys: a.Permissions.Keys},
	}
}

// principal returns the object id that a call names, looked up in the directory (KV-138).
func (e *Environment) principal(ctx context.Context, call *cmdlet.Call) (string, error) {
	if upn := call.Args.Text("UserPrincipalName"); upn != "" {
		return e.user(ctx, upn)
	}
	if mail := call.Args.Text("EmailAddress"); mail != "" {
		return e.first(ctx, "users", "mail eq "+literal(mail), mail)
	}
	if spn := call.Args.Text("ServicePrincipalName"); spn != "" {
		return e.servicePrincipal(ctx, spn)
	}
	id := strings.ToLower(call.Args.Text("ObjectId"))
	if !guid.MatchString(id) {
		return "", fault.New(fault.Invalid, "%q is no object id", id).WithHint("give a GUID, or use -UserPrincipalName or -ServicePrincipalName")
	}
	if call.Args.On("BypassObjectIdValidation") || call.Cmdlet.Name == "Remove-AzKeyVaultAccessPolicy" {
		return id, nil // whoever left the directory must still be removable
	}
	if _, err := e.object(ctx, id); err != nil {
		return "", err
	}
	return id, nil
}
