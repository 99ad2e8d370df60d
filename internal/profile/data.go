package profile

import (
	"log/slog"
	"maps"
	"time"
)

// version is the layout of the file that this program writes and reads.
const version = 1

// Data is what a profile's file holds. It prints as who is signed in where, never as its tokens.
type Data struct {
	Version      int               `json:"version"`                        // set when written
	Domain       string            `json:"domain"`                         // required: "localhost:8443"
	Tenant       string            `json:"tenant"`                         // required: the organization's GUID
	Organization string            `json:"organization,omitempty"`         // its domain: "contoso.example"
	User         string            `json:"user"`                           // user principal name
	Subscription string            `json:"subscription,omitempty"`         // GUID of the one that commands mean; "": none was chosen
	Authority    string            `json:"certificateAuthority,omitempty"` // PEM; "": trust what the system trusts
	RefreshToken string            `json:"refreshToken"`
	AccessTokens map[string]Access `json:"accessTokens,omitempty"` // by audience
}

// An Access is an access token and when it was given.
type Access struct {
	Token    string    `json:"token"`
	Obtained time.Time `json:"obtained"`
	Expires  time.Time `json:"expires"`
}

// String says who is signed in where.
func (d Data) String() string { return d.User + " at " + d.Domain }

// GoString is String: no verb of package fmt prints a token.
func (d Data) GoString() string { return d.String() }

// LogValue is String.
func (d Data) LogValue() slog.Value { return slog.StringValue(d.String()) }

// String says that there is a token, not which.
func (a Access) String() string { return "access token until " + a.Expires.UTC().Format(time.RFC3339) }

// GoString is String.
func (a Access) GoString() string { return a.String() }

// margin is how long before its end an access token is no longer used: a request that
// starts with it should also finish with it.
const margin = 2 * time.Minute

// good reports whether the token can be used. A clock that was set back makes it not good:
// the service's clock did not follow.
func (a Access) good(now time.Time) bool {
	return a.Token != "" && now.Before(a.Expires.Add(-margin)) && now.After(a.Obtained.Add(-margin))
}

// copy returns data that shares nothing with d.
func (d Data) copy() Data {
	d.AccessTokens = maps.Clone(d.AccessTokens)
	return d
}

// Addresses are where the faces of a service are.
type Addresses struct {
	Login, API, Outlook, Management, Graph string // base URLs without a final slash; API and the others are also audiences
	VaultSuffix                            string // what follows the name of a vault and a dot
}

// AddressesOf returns the addresses of the service at a domain, such as "localhost:8443".
func AddressesOf(domain string) Addresses {
	at := func(name string) string { return "https://" + name + "." + domain }
	return Addresses{
		Login: at("login"), API: at("api"), Outlook: at("outlook"), Management: at("management"), Graph: at("graph"),
		VaultSuffix: "vault." + domain,
	}
}

// keep stores an access token and drops those that have ended.
func (d *Data) keep(audience string, a Access, now func() time.Time) {
	if d.AccessTokens == nil {
		d.AccessTokens = map[string]Access{}
	}
	maps.DeleteFunc(d.AccessTokens, func(_ string, old Access) bool { return !old.good(now()) })
	d.AccessTokens[audience] = a
}
