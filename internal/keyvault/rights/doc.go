// Package rights says who may do what with vaults and their keys, as values and as functions of
// them alone. It reads no store and records nothing: whoever stands at a door (package keyvault)
// finds what was granted, asks here whether it is enough, and words the refusal.
//
// Over keys there are two ways, and a vault goes by one of them: an AccessPolicy of Grants in the
// vault itself (access.go), or Assignments of Roles at Scopes (role.go, scope.go, assignment.go).
// Both give Permissions; a role calls them Actions (permission.go). Over resources there are
// roles alone (held.go). A Network says from where the keys can be reached at all (network.go).
package rights
