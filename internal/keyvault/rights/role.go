package rights

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A Role is a set of actions that can be assigned to someone at a scope. Actions are named
// as the resource manager names them, in any case; "*" stands for any characters.
type Role struct {
	ID, Name, Description string   // ID is a GUID
	Actions, NotActions   []string // over resources; an action that NotActions name is not in the role
	DataActions           []string // over keys
}

// Ids of roles (KV-106, KV-128) as Azure publishes them.
const (
	Owner             = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	Contributor       = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	Reader            = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	RBACAdministrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
	AccessAdmin       = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	VaultAdmin        = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
	CryptoOfficer     = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
	CryptoUser        = "12338af0-0e69-4776-bea7-57ae8d297424"
	ServiceEncryption = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
	VaultReader       = "21090545-7ca7-4776-b22c-e363652d74d2"
	VaultContributor  = "f25e0fa2-a7c8-4377-a976-54943a77a395"
)

// seeVaults is what the roles over keys may do beside: find the vaults.
var seeVaults = []string{
	"Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read",
	"Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read",
	"Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read",
}

// roles is the whole table. There are no others, and none can be made.
var roles = []Role{
	{ID: Owner, Name: "Owner", Description: "Manages everything, and who may manage what. No right over keys.", Actions: []string{"*"}},
	{
		ID: Contributor, Name: "Contributor", Description: "Manages everything but role assignments. No right over keys.",
		Actions:    []string{"*"},
		NotActions: []string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action"},
	},
	{ID: Reader, Name: "Reader", Description: "Sees everything that is managed, and changes nothing.", Actions: []string{"*/read"}},
	{
		ID: RBACAdministrator, Name: "Role Based Access Control Administrator", Description: "Assigns roles, and sees everything that is managed.",
		Actions: []string{"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read"},
	},
	{
		ID: AccessAdmin, Name: "User Access Administrator", Description: "Manages who may do what, and sees everything that is managed.",
		Actions: []string{"*/read", "Microsoft.Authorization/*"},
	},
	{
		ID: VaultAdmin, Name: "Key Vault Administrator", Description: "Does everything with the keys of vaults that use roles. Manages neither vaults nor role assignments.",
		Actions: seeVaults, DataActions: []string{"Microsoft.KeyVault/vaults/*"},
	},
	{
		ID: CryptoOfficer, Name: "Key Vault Crypto Officer", Description: "Does everything with the keys of vaults that use roles, but manage who may.",
		Actions: seeVaults, DataActions: []string{"Microsoft.KeyVault/vaults/keys/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"},
	},
	{
		ID: CryptoUser, Name: "Key Vault Crypto User", Description: "Uses the keys of vaults that use roles.",
		DataActions: keyActions("read", "update/action", "backup/action", "encrypt/action", "decrypt/action", "wrap/action", "unwrap/action", "sign/action", "verify/action"),
	},
	{
		ID: ServiceEncryption, Name: "Key Vault Crypto Service Encryption User", Description: "Sees keys, wraps and unwraps with them, in vaults that use roles: for the service.",
		Actions:     []string{"Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read", "Microsoft.EventGrid/eventSubscriptions/delete"},
		DataActions: keyActions("read", "wrap/action", "unwrap/action"),
	},
	{
		ID: VaultReader, Name: "Key Vault Reader", Description: "Sees vaults and their keys, in vaults that use roles; uses none.",
		Actions: seeVaults, DataActions: []string{"Microsoft.KeyVault/vaults/*/read"},
	},
	{
		ID: VaultContributor, Name: "Key Vault Contributor", Description: "Manages vaults, but neither role assignments nor keys.",
		Actions:    []string{"Microsoft.Authorization/*/read", "Microsoft.KeyVault/*", "Microsoft.Resources/subscriptions/resourceGroups/read"},
		NotActions: []string{"Microsoft.KeyVault/locations/deletedVaults/purge/action"},
	},
}

func keyActions(names ...string) []string {
	for i, name := range names {
		names[i] = "Microsoft.KeyVault/vaults/keys/" + name
	}
	return names
}

// Roles returns every role there is.
func Roles() []Role { return slices.Clone(roles) }

// RoleOf returns the role of an id in any case.
func RoleOf(id string) (Role, bool) {
	i := slices.IndexFunc(roles, func(r Role) bool { return naming.Same(r.ID, id) })
	if i < 0 {
		return Role{}, false
	}
	return roles[i], true
}

// manages reports whether the role has an action over resources.
func (r Role) manages(action string) bool {
	return anyMatch(r.Actions, action) && !anyMatch(r.NotActions, action)
}

// permits reports whether the role gives a permission; any action on keys gives Any.
func (r Role) permits(p Permission) bool {
	if p != Any {
		return r.uses(dataActions[p])
	}
	for _, action := range dataActions {
		if r.uses(action) {
			return true
		}
	}
	return false
}

// uses reports whether the role has an action over keys.
func (r Role) uses(action string) bool { return anyMatch(r.DataActions, action) }

func anyMatch(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, action) })
}

// matches reports whether a pattern, in which "*" stands for any characters, is the action.
// Both are of the tables here, so that a pattern has two stars at most.
func matches(pattern, action string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return strings.EqualFold(pattern, action)
	}
	if len(action) < len(first) || !strings.EqualFold(action[:len(first)], first) {
		return false
	}
	for action = action[len(first):]; ; action = action[1:] {
		if matches(rest, action) {
			return true
		}
		if action == "" {
			return false
		}
	}
}
