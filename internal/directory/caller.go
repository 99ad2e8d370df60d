package directory

import "slices"

// A Kind tells people, programs and the service's own work apart. It comes from the
// verified token (or from inside the process), never from a header: what a root's
// denial means depends on it (rows CK-48 to CK-50).
type Kind string

const (
	User   Kind = "user"   // a person signed in
	App    Kind = "app"    // a program with its own credentials
	System Kind = "system" // work that the service itself started
)

// A Caller is who asks: the outcome of verifying a token, or the service itself.
// The zero Caller may do nothing.
type Caller struct {
	Tenant  string   // tenant id, a GUID
	ID      string   // object id of the person or service principal, a GUID
	Kind    Kind     //
	Name    string   // user principal name or the app's display name: for logs, never for decisions
	App     string   // app id the token was issued to
	Roles   []Role   // roles held in Tenant
	Groups  []string // object ids of groups
	Address string   // client address, for logs
	Request string   // request id, shared by every record that the request causes

	ClientRequest string // the id that the client gave the request, if any: for logs
}

// Has reports whether the caller holds at least one of roles.
func (c Caller) Has(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(c.Roles, r) })
}

// SystemCaller returns the caller for work that the service itself does in tenant;
// name says which work ("rewrap"), request ties its records together.
func SystemCaller(tenant, name, request string) Caller {
	return Caller{Tenant: tenant, ID: "system", Kind: System, Name: name, Request: request}
}
