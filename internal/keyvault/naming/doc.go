// Package naming says what things of a key vault may be called, and when two names mean the
// same: names of vaults, keys, versions and groups, object ids, locations, tags. All names
// compare in any case. It knows of no thing that bears them, and keeps nothing.
//
// Names are those of section 2 of the key vault requirements. Longer vault names and "_" go
// beyond the documented rules, because the articles' own examples need them.
package naming
