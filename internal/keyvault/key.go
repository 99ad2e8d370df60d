package keyvault

import (
	"crypto"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A Key is one version of a key. Attributes belong to the version (KV-56), deletion to the
// whole key. In lists Public is nil.
type Key struct {
	Tenant  string
	Vault   string // as given to the vault
	Name    string // as given to the key's first version
	Version string // 32 lower-case hex digits

	Type   protect.Type
	HSM    bool   // of a type that hardware holds: see KTY
	HeldBy string // the protector's name, see Platform
	Bits   int    // RSA
	Curve  string // EC
	Public crypto.PublicKey

	Ops       []string // what it may be used for, as given
	Enabled   bool
	NotBefore time.Time // zero if not set
	Expires   time.Time // zero if not set
	Tags      map[string]string
	Created   time.Time
	Updated   time.Time
	Ordinal   int64 // counts the versions of the key, oldest first

	Deletion // zero while the key is live

	RecoveryLevel   string // the vault's, computed (KV-60)
	RecoverableDays int

	VaultMade time.Time // when the vault that was asked was made; zero from a Store
}

// A Deletion says when a key was deleted and when it will be destroyed. The zero Deletion
// means that it was not deleted.
type Deletion struct {
	Deleted, PurgeAt time.Time
}

// IsDeleted reports whether the key is in the deleted state.
func (d Deletion) IsDeleted() bool { return !d.Deleted.IsZero() }

// id names the version for the protector; letter case does not matter there.
func (k Key) id() protect.ID {
	return protect.ID{Tenant: k.Tenant, Vault: naming.Fold(k.Vault), Key: naming.Fold(k.Name), Version: k.Version}
}

// in returns k as an answer from v: with the vault's name, age and recovery level.
func (k Key) in(v Vault) Key {
	k.Vault, k.VaultMade = v.Name, v.Created
	k.RecoveryLevel, k.RecoverableDays = v.Recovery()
	return k
}
