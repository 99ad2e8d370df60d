package keyvault

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// An EventType says what happened, spelt as receivers read it. The first four are Azure's; the
// rest follow their pattern, because Azure tells nothing of what they are about.
type EventType string

// Types of events. Each is told once for every change that took effect.
const (
	KeyNewVersionCreated     EventType = "Microsoft.KeyVault.KeyNewVersionCreated"
	KeyNearExpiry            EventType = "Microsoft.KeyVault.KeyNearExpiry" // of the newest version, once for each expiry it has
	KeyExpired               EventType = "Microsoft.KeyVault.KeyExpired"    // likewise
	VaultAccessPolicyChanged EventType = "Microsoft.KeyVault.VaultAccessPolicyChanged"

	KeyUpdated     EventType = "Microsoft.KeyVault.KeyUpdated" // enabled, operations or times of a version; not its tags
	KeyDeleted     EventType = "Microsoft.KeyVault.KeyDeleted"
	KeyRecovered   EventType = "Microsoft.KeyVault.KeyRecovered"
	KeyPurged      EventType = "Microsoft.KeyVault.KeyPurged"
	VaultDeleted   EventType = "Microsoft.KeyVault.VaultDeleted"
	VaultRecovered EventType = "Microsoft.KeyVault.VaultRecovered"
	VaultPurged    EventType = "Microsoft.KeyVault.VaultPurged"
)

// EventTypes returns every type there is.
func EventTypes() []EventType {
	return []EventType{
		KeyNewVersionCreated, KeyNearExpiry, KeyExpired, VaultAccessPolicyChanged, KeyUpdated, KeyDeleted,
		KeyRecovered, KeyPurged, VaultDeleted, VaultRecovered, VaultPurged,
	}
}

// Known reports whether there is such a type; letter case counts.
func (t EventType) Known() bool { return slices.Contains(EventTypes(), t) }

// An Event is something that happened in a vault. It is stored in the transaction of the
// change, and names no host: whoever renders it knows where the vault is reached (KV-4).
type Event struct {
	Seq           int64     // set by the store: the order within the tenant
	ID            string    // a GUID
	Type          EventType //
	Tenant, Vault string    // the vault's name; as given, but folded in what the retention ends
	Name, Version string    // of the key; "" in an event about the vault, Version also in one about all versions
	NotBefore     time.Time // of the version; zero if not set
	Expires       time.Time // of the version; zero if not set
	Time          time.Time // when the change was decided
}

// eventOf returns the event about a key, whose newest or only affected version is k.
func eventOf(t EventType, k Key, now time.Time) Event {
	return Event{
		ID: uuid.NewString(), Type: t, Tenant: k.Tenant, Vault: k.Vault, Name: k.Name, Version: k.Version,
		NotBefore: k.NotBefore, Expires: k.Expires, Time: now,
	}
}

// vaultEvent returns an event about a vault.
func vaultEvent(t EventType, v Vault, now time.Time) Event {
	return Event{ID: uuid.NewString(), Type: t, Tenant: v.Tenant, Vault: v.Name, Time: now}
}

// accessChanged returns the event of a change from old to v, if it may change who is let in.
func accessChanged(old, v Vault) []Event {
	if old.Access.Same(v.Access) && old.RBAC == v.RBAC && old.Network.Same(v.Network) {
		return nil
	}
	return []Event{vaultEvent(VaultAccessPolicyChanged, v, v.Updated)}
}

// usesChanged returns the event of a change from old to k, if it may change what k can be used
// for.
func usesChanged(old, k Key) []Event {
	if old.Enabled == k.Enabled && old.NotBefore.Equal(k.NotBefore) && old.Expires.Equal(k.Expires) && slices.Equal(old.Ops, k.Ops) {
		return nil
	}
	return []Event{eventOf(KeyUpdated, k, k.Updated)}
}

// tell hands events on inside the process once their change is kept: err is what became of it.
// A change of which nobody knows may be kept, too: who is told in vain only looks once more.
func (s *Service) tell(err error, events ...Event) error {
	if s.told != nil && (err == nil || undecided(err)) {
		for _, e := range events {
			s.told(e)
		}
	}
	return err
}
