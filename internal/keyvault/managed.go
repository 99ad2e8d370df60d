package keyvault

// Actions of management.
const (
	PutSubscription   Action = "subscription.put"
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
)

// A managementRule says what an action at the door of management needs.
type managementRule struct {
	name   string // of the action as roles grant it and refusals name it
	object string // what the record is about until more is known
	// anyRole opens the door to whoever has a role anywhere in the subscription: he is shown
	// what he may read, or what is no secret to him.
	anyRole bool
}

// managementRules is the whole table of management, but for PutSubscription and
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
}
