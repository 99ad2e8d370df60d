package rights

import "strings"

// A Permission is one right over the keys of a vault, spelt as in KV-104.
type Permission string

// Permissions of KV-104. All stands for every other one but Purge.
const (
	Get               Permission = "get"
	List              Permission = "list"
	Update            Permission = "update"
	Create            Permission = "create"
	Import            Permission = "import"
	Delete            Permission = "delete"
	Recover           Permission = "recover"
	Backup            Permission = "backup"
	Restore           Permission = "restore"
	Encrypt           Permission = "encrypt"
	Decrypt           Permission = "decrypt"
	WrapKey           Permission = "wrapKey"
	UnwrapKey         Permission = "unwrapKey"
	Sign              Permission = "sign"
	Verify            Permission = "verify"
	Purge             Permission = "purge"
	Release           Permission = "release"
	Rotate            Permission = "rotate"
	GetRotationPolicy Permission = "getrotationpolicy"
	SetRotationPolicy Permission = "setrotationpolicy"
	All               Permission = "all"
)

// Any is for what any permission allows (KV-40). No grant can name it.
const Any Permission = "any"

// Permissions returns every permission an access policy may name.
func Permissions() []Permission {
	return []Permission{
		Get, List, Update, Create, Import, Delete, Recover, Backup, Restore, Encrypt, Decrypt, WrapKey, UnwrapKey,
		Sign, Verify, Purge, Release, Rotate, GetRotationPolicy, SetRotationPolicy, All,
	}
}

// Is reports whether both name the same permission; letter case does not matter.
func (p Permission) Is(o Permission) bool { return strings.EqualFold(string(p), string(o)) }

// includes reports whether being granted p allows wanted.
func (p Permission) includes(wanted Permission) bool {
	return p.Is(wanted) || wanted == Any || p.Is(All) && !wanted.Is(Purge)
}

// Action is what roles call the permission.
func (p Permission) Action() string { return dataActions[p] }

// dataActions is what roles call the permissions (KV-106).
var dataActions = map[Permission]string{
	Get:               "Microsoft.KeyVault/vaults/keys/read",
	List:              "Microsoft.KeyVault/vaults/keys/read",
	Update:            "Microsoft.KeyVault/vaults/keys/update/action",
	Create:            "Microsoft.KeyVault/vaults/keys/create/action",
	Import:            "Microsoft.KeyVault/vaults/keys/import/action",
	Delete:            "Microsoft.KeyVault/vaults/keys/delete",
	Recover:           "Microsoft.KeyVault/vaults/keys/recover/action",
	Purge:             "Microsoft.KeyVault/vaults/keys/purge/action",
	Backup:            "Microsoft.KeyVault/vaults/keys/backup/action",
	Restore:           "Microsoft.KeyVault/vaults/keys/restore/action",
	Encrypt:           "Microsoft.KeyVault/vaults/keys/encrypt/action",
	Decrypt:           "Microsoft.KeyVault/vaults/keys/decrypt/action",
	WrapKey:           "Microsoft.KeyVault/vaults/keys/wrap/action",
	UnwrapKey:         "Microsoft.KeyVault/vaults/keys/unwrap/action",
	Sign:              "Microsoft.KeyVault/vaults/keys/sign/action",
	Verify:            "Microsoft.KeyVault/vaults/keys/verify/action",
	Release:           "Microsoft.KeyVault/vaults/keys/release/action",
	Rotate:            "Microsoft.KeyVault/vaults/keys/rotate/action",
	GetRotationPolicy: "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
	SetRotationPolicy: "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
	Any:               "Microsoft.KeyVault/vaults/keys/rng/action",
}
