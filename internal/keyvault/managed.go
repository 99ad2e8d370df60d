package keyvault

import "strings"

// Actions of management.
const (
	PutSubscription   Action = "subscription.put"
	Subscribe         Action = "subscription.create"
	GetSubscription   Action = "subscription.get"
	ListSubscriptions Action = "subscription.list"
	PutGroup          Action = "group.put"
	GetGroup          Action = "group.get"
	ListGroups        Action = "group.list"
	PutVault          Action = "vault.put"
	GetVault          Action = "vault.get"
	ListVaults        Action = "vault.list"
	CheckVaultName    Action = "vault.check_name"
	SetAccess         Action = "vault.access"
	DeleteGroup       Action = "group.delete"
	DeleteVault       Action = "vault.delete"
	RecoverVault      Action = "vault.recover"
	PurgeVault        Action = "vault.purge"
	GetDeletedVault   Action = "vault.get_deleted"
	ListDeletedVaults Action = "vault.list_deleted"

	RegisterFeature    Action = "feature.register"
	UnregisterFeature  Action = "feature.unregister"
	RegisterProvider   Action = "provider.register"
	UnregisterProvider Action = "provider.unregister"
	CancelSubscription Action = "subscription.cancel"
	EnableSubscription Action = "subscription.enable"
	RenameSubscription Action = "subscription.rename"

	ListRoles       Action = "role.definitions"
	AssignRole      Action = "role.assign"
	UnassignRole    Action = "role.remove"
	GetAssignment   Action = "role.get"
	ListAssignments Action = "role.list"
)

// Actions of the service's operator.
const (
	ListRequests   Action = "retention.list"
	ApproveRequest Action = "retention.approve"
	DenyRequest    Action = "retention.deny"
	SetState       Action = "subscription.state"
)

// A managementRule says what an action at the door of management needs.
type managementRule struct {
	name   string // of the action as roles grant it and refusals name it
	object string // what the record is about until more is known
	// anyRole opens the door to whoever has a role anywhere in the subscription: he is shown
	// what he may read, or what is no secret to him.
	anyRole bool
	// anyState lets the action through where the subscription is read only; reading always is.
	anyState bool
}

// writes reports whether the action changes something, which a subscription that is not usable
// does not let through.
func (r managementRule) writes() bool { return !r.anyState && !strings.HasSuffix(r.name, "/read") }

// managementRules is the whole table of management, but for PutSubscription, Subscribe and
// ListSubscriptions, which happen in no subscription.
var managementRules = map[Action]managementRule{
	GetSubscription: {name: "Microsoft.Resources/subscriptions/read", object: "subscriptions", anyRole: true},
	PutGroup:        {name: "Microsoft.Resources/subscriptions/resourceGroups/write", object: "groups"},
	GetGroup:        {name: "Microsoft.Resources/subscriptions/resourceGroups/read", object: "groups"},
	ListGroups:      {name: "Microsoft.Resources/subscriptions/resourceGroups/read", object: "groups", anyRole: true},
	PutVault:        {name: "Microsoft.KeyVault/vaults/write", object: "vaults"},
	GetVault:        {name: "Microsoft.KeyVault/vaults/read", object: "vaults"},
	ListVaults:      {name: "Microsoft.KeyVault/vaults/read", object: "vaults", anyRole: true},
	CheckVaultName:  {name: "Microsoft.KeyVault/checkNameAvailability/read", object: "vaults", anyRole: true},
	SetAccess:       {name: "Microsoft.KeyVault/vaults/accessPolicies/write", object: "vaults"},

	// A deleted vault is in no group: rights over it are those over the subscription.
	DeleteGroup:       {name: "Microsoft.Resources/subscriptions/resourceGroups/delete", object: "groups"},
	DeleteVault:       {name: "Microsoft.KeyVault/vaults/delete", object: "vaults"},
	RecoverVault:      {name: "Microsoft.KeyVault/vaults/write", object: "vaults"},
	PurgeVault:        {name: "Microsoft.KeyVault/locations/deletedVaults/purge/action", object: "vaults"},
	GetDeletedVault:   {name: "Microsoft.KeyVault/locations/deletedVaults/read", object: "vaults"},
	ListDeletedVaults: {name: "Microsoft.KeyVault/deletedVaults/read", object: "vaults"},

	RegisterFeature:    {name: "Microsoft.Features/providers/features/register/action", object: "subscriptions"},
	UnregisterFeature:  {name: "Microsoft.Features/providers/features/unregister/action", object: "subscriptions"},
	RegisterProvider:   {name: "Microsoft.KeyVault/register/action", object: "subscriptions"},
	UnregisterProvider: {name: "Microsoft.KeyVault/unregister/action", object: "subscriptions"},
	CancelSubscription: {name: "Microsoft.Subscription/cancel/action", object: "subscriptions", anyState: true},
	EnableSubscription: {name: "Microsoft.Subscription/enable/action", object: "subscriptions", anyState: true},
	RenameSubscription: {name: "Microsoft.Subscription/rename/action", object: "subscriptions"},

	ListRoles:       {name: "Microsoft.Authorization/roleDefinitions/read", object: "roles", anyRole: true},
	AssignRole:      {name: "Microsoft.Authorization/roleAssignments/write", object: "roles"},
	UnassignRole:    {name: "Microsoft.Authorization/roleAssignments/delete", object: "roles"},
	GetAssignment:   {name: "Microsoft.Authorization/roleAssignments/read", object: "roles"},
	ListAssignments: {name: "Microsoft.Authorization/roleAssignments/read", object: "roles", anyRole: true},

	PutHook:    {name: "Microsoft.EventGrid/eventSubscriptions/write", object: "vaults"},
	GetHook:    {name: "Microsoft.EventGrid/eventSubscriptions/read", object: "vaults"},
	ShowHook:   {name: "Microsoft.EventGrid/eventSubscriptions/getFullUrl/action", object: "vaults"},
	DeleteHook: {name: "Microsoft.EventGrid/eventSubscriptions/delete", object: "vaults"},
}
