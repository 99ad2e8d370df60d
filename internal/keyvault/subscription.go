package keyvault

import (
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A Subscription is what vaults are paid with and owned through. It belongs to one tenant.
type Subscription struct {
	ID          string // a GUID
	Tenant      string
	DisplayName string
	Owner       string // object id of the person who manages its vaults
	State       SubscriptionState
	StateSince  time.Time
	Retention   Registration // of the feature RetentionFeature
	Provider    Registration // of the provider ProviderNamespace
	Created     time.Time
	Revision    int64 // raised by every change
}

// A SubscriptionState says what a subscription's vaults may be used for.
type SubscriptionState string

const (
	Enabled  SubscriptionState = "Enabled"
	Warned   SubscriptionState = "Warned"   // payment is late: everything works
	Disabled SubscriptionState = "Disabled" // cancelled by its owner: vaults refuse, settings are read only
	Stopped  SubscriptionState = "Stopped"  // the same, by the operator of the service; clients are shown Disabled
	Deleted  SubscriptionState = "Deleted"  // cancelled for good, and empty
)

// Usable reports whether the subscription's vaults serve and its settings may change.
func (s Subscription) Usable() bool { return s.State == Enabled || s.State == Warned }

// The feature and the provider whose registrations protect a subscription (KV-127).
const (
	RetentionNamespace = "Microsoft.Resources"
	RetentionFeature   = "mandatoryRetentionPeriodEnabled"
	ProviderNamespace  = "Microsoft.KeyVault"
)

// A RegistrationState is where a registration is in its life (KV-112).
type RegistrationState string

const (
	NotRegistered RegistrationState = "NotRegistered"
	Pending       RegistrationState = "Pending" // asked for, and waiting for the operator
	Registered    RegistrationState = "Registered"
	Unregistering RegistrationState = "Unregistering" // asked to be taken back, and waiting for the operator; still in force
	Unregistered  RegistrationState = "Unregistered"
)

// A Registration is that of a feature or of a provider with one subscription.
type Registration struct {
	State RegistrationState
	Since time.Time // when it came into the state
	// Order counts the subscription's registrations: the later one has the higher. It is
	// what decides, for clocks are set back. 0 if it never was registered.
	Order int64

	// Of a feature: who asked for the state that it waits for, or waited for last. AskedBy is
	// an object id, AskedName for people to read.
	AskedBy, AskedName string
	Asked              time.Time
}

// inForce reports whether what the registration promises holds.
func (r Registration) inForce() bool { return r.State == Registered || r.State == Unregistering }

// Protected reports whether the subscription's keys can be destroyed by nobody before their
// retention has passed: the feature is registered, and the provider was registered after that
// (KV-127).
func (s Subscription) Protected() bool {
	return s.Retention.inForce() && s.Provider.State == Registered && s.Provider.Order > s.Retention.Order
}

// A Group is a resource group: a name under which a subscription's vaults are sorted.
type Group struct {
	Tenant, Subscription, Name string
	Location                   string
	Tags                       map[string]string
	Created                    time.Time
}

// scope is where a group lies.
func (g Group) scope() rights.Scope { return rights.Scope{Subscription: g.Subscription, Group: g.Name} }
