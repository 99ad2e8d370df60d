package keyvault

import (
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A Vault holds keys.
type Vault struct {
	Tenant, Subscription, Group string
	Name                        string // as given; unique in the deployment in any case
	Location                    string
	SKU                         string // "standard" or "premium"
	RetentionDays               int    // 7 to 90: how long deleted keys can be recovered; fixed
	PurgeProtection             bool   // once true never false
	Protected                   bool   // its subscription is; set by the store
	Suspended                   bool   // its subscription is not Usable; set by the store
	RBAC                        bool   // role assignments decide over keys, and Access does not (KV-103)
	Access                      rights.AccessPolicy
	Network                     rights.Network
	EnabledFor                  EnabledFor
	Tags                        map[string]string
	Created, Updated            time.Time
	CreatedBy, UpdatedBy        Author
	Revision                    int64 // raised by every change

	Deletion // zero while the vault is live
}

// standardRetention is the retention that recovery levels do not call customized.
const standardRetention = 90

// Recovery returns the recovery level of every key in the vault and its retention in days.
// It is a function of the vault's and its subscription's facts, never stored (KV-60). Soft
// delete is on in every vault of ours.
func (v Vault) Recovery() (level string, days int) {
	level = "Recoverable"
	if v.RetentionDays < standardRetention {
		level = "CustomizedRecoverable"
	}
	switch {
	case v.Protected:
		level += "+ProtectedSubscription"
	case !v.PurgeProtection:
		level += "+Purgeable"
	}
	return level, v.RetentionDays
}

// purgeable reports whether keys may be destroyed before their retention has passed (KV-61).
func (v Vault) purgeable() bool { return !v.Protected && !v.PurgeProtection }

// scope is where a vault lies.
func (v Vault) scope() rights.Scope {
	return rights.Scope{Subscription: v.Subscription, Group: v.Group, Vault: v.Name}
}
