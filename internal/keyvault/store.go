package keyvault

import (
	"context"
	"time"
)

// A Store keeps subscriptions, groups, vaults and keys. Each method is one transaction. Names
// are found in any case and come back as they were given. What is not there is
// fault.NotFound; the rest of the errors is said with each method. The events handed to a
// change are kept with it or not at all. What a read returns may be shared with others: nobody
// changes its maps and slices.
type Store interface {
	Outbox

	RoleStore

	Subscription(ctx context.Context, tenant, id string) (Subscription, error)
	Subscriptions(ctx context.Context, tenant string) ([]Subscription, error) // by id
	// AddSubscription makes a subscription, with its provider registered; created is false, and
	// nothing changed, if it is there already.
	AddSubscription(ctx context.Context, s Subscription) (created bool, err error)
	// PutSubscription makes a subscription, with its provider registered, or changes the
	// DisplayName and Owner of the one that is there.
	PutSubscription(ctx context.Context, s Subscription) error
	// SetSubscription replaces DisplayName, State, Retention and Provider and raises the
	// Revision, if that is still s.Revision; else ErrChanged.
	SetSubscription(ctx context.Context, s Subscription, events ...Event) error
	// Waiting lists the subscriptions of all tenants whose feature waits for the operator, by
	// tenant and id, those after the given one.
	Waiting(ctx context.Context, after Subscription, limit int) ([]Subscription, error)
	// Cancelled lists in the same way those that are Disabled since before, or longer.
	Cancelled(ctx context.Context, before time.Time, after Subscription, limit int) ([]Subscription, error)

	Group(ctx context.Context, tenant, subscription, name string) (Group, error)
	Groups(ctx context.Context, tenant, subscription string) ([]Group, error) // by name
	// PutGroup makes a group, without the role assignments of one that had the name before, or
	// replaces its Tags.
	PutGroup(ctx context.Context, g Group) (created bool, err error)
	// TagGroup replaces the Tags of the group that was made at g.Created.
	TagGroup(ctx context.Context, g Group) error
	// RemoveGroup removes a group in which no vault is live; else removed is false.
	RemoveGroup(ctx context.Context, g Group) (removed bool, err error)

	// Vault finds a live vault of any tenant, with Protected, Suspended and Access filled in.
	Vault(ctx context.Context, name string) (Vault, error)
	// Vaults lists a subscription's by name, those after the named one. Names are folded.
	Vaults(ctx context.Context, tenant, subscription, after string, limit int) ([]Vault, error)
	// AddVault also takes the name; fault.Conflict if anyone has it, fault.NotFound if there
	// is no such group. It begins without the role assignments of one that had the name before.
	AddVault(ctx context.Context, v Vault) error
	// SetVault replaces what may change of a live vault (SKU, PurgeProtection, RBAC, Network,
	// Access, Tags, EnabledFor, Updated, UpdatedBy) and raises its Revision, if that is still v.Revision and it is the
	// vault that was made at v.Created; else ErrChanged.
	SetVault(ctx context.Context, v Vault, events ...Event) error

	// NameTaken reports whether anyone has a vault of that name, also a deleted one.
	NameTaken(ctx context.Context, name string) (bool, error)
	// DeletedVault is Vault for deleted ones. One that is condemned is not there any more.
	DeletedVault(ctx context.Context, name string) (Vault, error)
	DeletedVaults(ctx context.Context, tenant, subscription, after string, limit int) ([]Vault, error) // as Vaults
	// DeleteVault moves the live vault that was made at v.Created to the deleted state, as v.Deletion
	// says; fault.NotFound if it is not live.
	DeleteVault(ctx context.Context, v Vault, events ...Event) error
	// RecoverVault undoes the deletion that v has, if its group is there.
	RecoverVault(ctx context.Context, v Vault, events ...Event) error
	// CondemnVault makes sure that a vault which was deleted at that time comes back no more. may, if it
	// is given, sees the vault in the same transaction, and its error ends it.
	CondemnVault(ctx context.Context, tenant, name string, deleted time.Time, may func(Vault) error, events ...Event) error
	// PurgeKeys overwrites and removes keys of a condemned vault, live and deleted, at most
	// limit: none are left if it returns fewer.
	PurgeKeys(ctx context.Context, tenant, vault string, limit int) ([]Purged, error)
	// RemoveVault removes a condemned vault without keys and the role assignments over it, and
	// frees its name.
	RemoveVault(ctx context.Context, tenant, name string) error
	// DueVaults lists vaults of all tenants that are condemned or whose retention has passed,
	// those after the given one.
	DueVaults(ctx context.Context, now time.Time, after DueVault, limit int) ([]DueVault, error)

	// Key returns a version, the newest for "", with what protects it. A deleted key is
	// returned too: its Deletion says so.
	Key(ctx context.Context, tenant, vault, name, version string) (Key, Material, error)
	// AddVersion makes the key where there is none, and the version; k.Ordinal is ignored.
	// fault.NotFound if no vault is live that was made at k.VaultMade (zero: at any time), fault.Conflict if the key is deleted, or ErrChanged if two made it at once.
	// A version whose Material lies outside takes over its Loose, or the error is ErrGivenUp.
	AddVersion(ctx context.Context, k Key, m Material, events ...Event) error
	// SetVersion replaces Ops, Enabled, NotBefore, Expires, Tags and Updated of a version of
	// a live key, if its Updated is still was; else ErrChanged.
	SetVersion(ctx context.Context, k Key, was time.Time, events ...Event) error
	// Keys lists the newest versions of the live keys, or of the deleted ones, by name, after
	// the named one.
	Keys(ctx context.Context, tenant, vault string, deleted bool, after string, limit int) ([]Key, error)
	// Versions lists a live key's by Ordinal, those after one.
	Versions(ctx context.Context, tenant, vault, name string, after int64, limit int) ([]Key, error)
	// Whole returns all versions of a live key by Ordinal, as of one moment and at most limit,
	// and its rotation policy. None if the key is not live.
	Whole(ctx context.Context, tenant, vault, name string, limit int) ([]Stored, RotationPolicy, error)
	// Restore makes a key of versions, oldest first; fault.Conflict if the name is there,
	// live or deleted. Material outside, and a vault that is not live, are as with AddVersion.
	Restore(ctx context.Context, versions []Stored, p RotationPolicy, events ...Event) error
	// Rotation returns a live key's rotation policy, the zero one if none was set.
	Rotation(ctx context.Context, tenant, vault, name string) (RotationPolicy, error)
	// SetRotation replaces it, if its Updated is still was; else ErrChanged.
	SetRotation(ctx context.Context, tenant, vault, name string, p RotationPolicy, was time.Time) error
	// DeleteKey moves a live key to the deleted state; fault.NotFound if it is not live.
	DeleteKey(ctx context.Context, tenant, vault, name string, d Deletion, events ...Event) error
	// RecoverKey undoes DeleteKey; fault.NotFound if it is not deleted.
	RecoverKey(ctx context.Context, tenant, vault, name string, events ...Event) error
	// PurgeKey overwrites and removes all versions of a key that was deleted at that time,
	// and returns their ids; fault.NotFound if it is not, or was deleted at another time. Unless nil,
	// may is asked in the same transaction whether the vault, as it is then, has nothing against it.
	// Material outside becomes a Loose that is due.
	PurgeKey(ctx context.Context, d Due, may func(Vault) error, events ...Event) (versions []string, err error)
	// Aging lists live keys of all tenants to which something is due, by time and then
	// identity, those after the given one.
	Aging(ctx context.Context, now time.Time, after Aging, limit int) ([]Aging, error)
	// NextDue returns the earliest time that any later call of Aging lists a key by.
	NextDue(ctx context.Context) (time.Time, error)
	// Lifetime returns a live key's. Whatever changes the key sets its Due to what Next returns.
	Lifetime(ctx context.Context, tenant, vault, name string) (Lifetime, error)
	// SetLifetime replaces both marks if neither the newest version nor Due have changed since l
	// was read; else ErrChanged.
	SetLifetime(ctx context.Context, l Lifetime, events ...Event) error
	// AddSuccessor is AddVersion on the same condition.
	AddSuccessor(ctx context.Context, k Key, m Material, l Lifetime, events ...Event) error
	// AddLoose keeps a key pair that no version owns yet.
	AddLoose(ctx context.Context, l Loose) error
	// Loose lists those that are due, by time and then identity, those after the given one.
	Loose(ctx context.Context, now time.Time, after Loose, limit int) ([]Loose, error)
	// CondemnLoose keeps versions from owning it; false if it is there no more.
	CondemnLoose(ctx context.Context, l Loose) (doomed bool, err error)
	// RemoveLoose forgets one that was destroyed.
	RemoveLoose(ctx context.Context, l Loose) error
	// Due lists deleted keys of all tenants whose retention has passed, by time and then
	// identity, those after the given one.
	Due(ctx context.Context, now time.Time, after Due, limit int) ([]Due, error)
}

// A Due is a deleted key whose retention has passed.
type Due struct {
	Tenant, Vault, Name string // Vault and Name folded
	Deletion
}

// A DueVault is a deleted vault to be destroyed.
type DueVault struct {
	Tenant, Name string // Name folded
	Condemned    bool   // this was recorded, and has begun
	Deletion
}

// Purged is a key that is no more.
type Purged struct {
	Name     string // folded
	Versions []string
}

// Material is what a protector needs to use a private key. It is not secret by itself, and
// still never leaves this package's Store.
type Material struct {
	Protector string // Protector.Name of the one that made it
	Handle    []byte
}

// Stored is a version with what protects it.
type Stored struct {
	Key
	Material
}
