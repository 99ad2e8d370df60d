package directory

import (
	"context"
	"time"
)

// A Store keeps the directory's rows. What is not there is fault.NotFound; a row whose id or
// unique name is taken is fault.Conflict. Every method is one transaction; after an error
// nothing has changed.
type Store interface {
	AddTenant(ctx context.Context, t Tenant, principals []ServicePrincipal) error
	Tenant(ctx context.Context, id string) (Tenant, error)
	TenantByDomain(ctx context.Context, domain string) (Tenant, error)
	Tenants(ctx context.Context, after string, limit int) ([]Tenant, error) // by id

	AddPerson(ctx context.Context, a Account) error // fault.Conflict also if a mailbox has the name
	Person(ctx context.Context, tenant, id string) (Account, error)
	PersonByUPN(ctx context.Context, tenant, upn string) (Account, error)
	// SetPassword replaces hash and flag, raises the epoch and deletes the person's grants;
	// fault.Conflict if the epoch is no longer a.Epoch.
	SetPassword(ctx context.Context, a Account, hash string, mustChange bool) error
	// SetDisabled sets the flag, raises the epoch and deletes the person's grants.
	SetDisabled(ctx context.Context, tenant, id string, disabled bool) error

	// SetLicences replaces the licences that a person had; fault.Conflict if they were others.
	SetLicences(ctx context.Context, a Account, was []Licence) error

	// AddFirstPerson is AddPerson for a tenant without people; fault.Conflict if it has any.
	AddFirstPerson(ctx context.Context, a Account) error

	AddApp(ctx context.Context, a Registration, s Secret, p ServicePrincipal) error
	AddPrincipal(ctx context.Context, p ServicePrincipal) error
	App(ctx context.Context, tenant, id string) (Registration, error)
	// AppHome returns the tenant in which an app is registered.
	AppHome(ctx context.Context, app string) (tenant string, err error)
	SetRedirects(ctx context.Context, tenant, app string, redirects []string) error
	// AddSecret and AddCertificate refuse with fault.Conflict if the app has limit of them.
	AddSecret(ctx context.Context, s Secret, limit int) error
	AddCertificate(ctx context.Context, c Certificate, limit int) error
	Secrets(ctx context.Context, tenant, app string) ([]Secret, error) // oldest first, also expired ones
	Certificates(ctx context.Context, tenant, app string) ([]Certificate, error)
	// DeleteCredential deletes the secret or the certificate with that id.
	DeleteCredential(ctx context.Context, tenant, app, id string) error
	// UseAssertion remembers a hash; fault.Conflict if it is remembered, or might have been: what
	// expired before forget is forgotten, and nothing that expires no later is taken ever after.
	UseAssertion(ctx context.Context, tenant, app string, hash []byte, expires, forget time.Time) error

	Principal(ctx context.Context, tenant, id string) (ServicePrincipal, error)
	PrincipalByApp(ctx context.Context, tenant, app string) (ServicePrincipal, error)

	People(ctx context.Context, tenant, after string, limit int) ([]Person, error) // by UPN

	// AddGroup adds an empty group; fault.Conflict if the tenant has limit of them.
	AddGroup(ctx context.Context, g Group, limit int) error
	Group(ctx context.Context, tenant, id string) (Group, error)
	GroupByName(ctx context.Context, tenant, name string) (Group, error)              // in any case
	Groups(ctx context.Context, tenant, afterName string, limit int) ([]Group, error) // by name in lower case
	DeleteGroup(ctx context.Context, tenant, id string) error                         // and its memberships
	// AddMember adds a membership, or leaves it as it is; fault.Conflict if a limit is reached.
	AddMember(ctx context.Context, g Group, member string, most GroupLimits) error
	DeleteMember(ctx context.Context, g Group, member string) error
	Members(ctx context.Context, g Group, after string, limit int) ([]Member, error) // by id
	// GroupsOf returns the ids of the groups that a person or an app is in, in order.
	GroupsOf(ctx context.Context, tenant, member string) ([]string, error)

	AddIssuerKey(ctx context.Context, k IssuerKey) error // fault.Conflict if there is a current one already
	IssuerKeys(ctx context.Context) ([]IssuerKey, error) // oldest first
	// ChangeIssuerKeys makes all of a change; fault.Conflict if a key is not in the state that
	// the change supposes.
	ChangeIssuerKeys(ctx context.Context, c KeyChange) error

	// AddDevice deletes codes that expired before stale, then adds d; fault.Throttled if
	// there are limit codes.
	AddDevice(ctx context.Context, d Device, stale time.Time, limit int) error
	Device(ctx context.Context, hash []byte) (Device, error)
	DeviceByUserCode(ctx context.Context, hash []byte) (Device, error)
	SetPolled(ctx context.Context, hash []byte, at time.Time) error
	// ApproveDevice binds a pending code to a person; fault.Conflict if it is not pending.
	ApproveDevice(ctx context.Context, hash []byte, a Account) error
	// RedeemDevice uses up an approved code and adds the grant with its first token;
	// fault.Conflict if it is not approved. The person's expired grants are deleted.
	RedeemDevice(ctx context.Context, hash []byte, g Grant, t RefreshToken) error

	// AddAuthCode deletes codes of the tenant that expired before stale, then adds c.
	AddAuthCode(ctx context.Context, c AuthCode, stale time.Time) error
	AuthCode(ctx context.Context, tenant string, hash []byte) (AuthCode, error)
	// RedeemAuthCode uses up a code and adds the grant with its first token; fault.Conflict if
	// it was used before.
	RedeemAuthCode(ctx context.Context, hash []byte, g Grant, t RefreshToken) error

	// AddGrant adds a grant with its first token. The person's expired grants are deleted.
	AddGrant(ctx context.Context, g Grant, t RefreshToken) error
	RefreshToken(ctx context.Context, tenant string, hash []byte) (Grant, RefreshToken, error)
	// Rotate marks old as used at the given time, unless it was used before, and adds next
	// to the same grant; fault.Conflict if the grant is gone.
	Rotate(ctx context.Context, g Grant, old []byte, used time.Time, next RefreshToken) error
	DeleteGrant(ctx context.Context, tenant, id string) error
}

// An Account is a person with what signing in needs.
type Account struct {
	Person
	Password string // "$argon2id$..."
	Epoch    int64  // raised by whatever ends all sign-ins of the person
}

// A Secret is a password of an app: 256 random bits, kept as SHA-256.
type Secret struct {
	Tenant, App      string // of the registration
	ID, Name         string // a GUID, and what people call it
	Hash             []byte
	Created, Expires time.Time
}

// A Certificate is a key that an app signs assertions with; we hold the public half only.
type Certificate struct {
	Tenant, App      string // of the registration
	ID, Name         string // a GUID, and what people call it
	DER              []byte // X.509
	Created, Expires time.Time
}

// A DeviceState is how far a device code has come.
type DeviceState string

const (
	DevicePending  DeviceState = "pending"
	DeviceApproved DeviceState = "approved"
	DeviceRedeemed DeviceState = "redeemed"
)

// A Device is a sign-in that waits for a person on another screen (RFC 8628).
type Device struct {
	Hash             []byte // SHA-256 of the device code
	UserHash         []byte // keyed hash of the user code
	Authority        string // a tenant id, "common" or "organizations"
	Client, Scope    string
	State            DeviceState
	Tenant, Person   string // who approved
	Epoch            int64  // of that person when approving
	Polled           time.Time
	Created, Expires time.Time
}

// An AuthCode is a sign-in in a browser that its client has not fetched yet (RFC 6749 section
// 4.1, RFC 7636). It is bound to everything that stands in it.
type AuthCode struct {
	Tenant           string
	Hash             []byte // SHA-256 of the code
	Client, Redirect string
	Challenge        string // base64url of the SHA-256 of the verifier
	Scope, Nonce     string
	Person           string
	Epoch            int64  // of that person when signing in
	Grant            string // id of the grant that it gave, "" before
	Created, Expires time.Time
}

// A Grant is one signed-in client of a person; its refresh tokens form a chain, of which
// the youngest is good.
type Grant struct {
	Tenant, ID       string
	Person, Client   string
	Scope            string // as first asked for
	Epoch            int64  // of the person when signing in
	Created, Expires time.Time
}

// A RefreshToken is one link of a grant's chain.
type RefreshToken struct {
	Hash    []byte    // SHA-256
	Expires time.Time //
	Used    time.Time // first exchange for a younger one; zero before
}
