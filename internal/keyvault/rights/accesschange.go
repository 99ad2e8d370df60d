package rights

import "slices"

// An AccessChange says what to do with entries that are handed in for an access policy (KV-119).
type AccessChange string

// Changes of an access policy.
const (
	AddAccess     AccessChange = "add"     // merge permissions into the principal's entry
	ReplaceAccess AccessChange = "replace" // set the principal's entry
	RemoveAccess  AccessChange = "remove"  // take the listed permissions away; an entry without any goes
)

// Known reports whether there is such a change.
func (c AccessChange) Known() bool { return c == AddAccess || c == ReplaceAccess || c == RemoveAccess }

// Changed returns the access policy with the change made; the old one stays as it was.
func (a AccessPolicy) Changed(how AccessChange, grants []Grant) AccessPolicy {
	access := slices.Clone(a)
	for _, g := range grants {
		i := slices.IndexFunc(access, func(o Grant) bool { return o.principal() == g.principal() })
		switch {
		case i < 0 && how != RemoveAccess:
			access = append(access, g)
		case i < 0:
		case how == ReplaceAccess:
			access[i] = g
		case how == AddAccess:
			access[i].Keys = append(without(access[i].Keys, g.Keys), g.Keys...)
		default:
			access[i].Keys = taken(access[i].Keys, g.Keys)
			if len(access[i].Keys) == 0 {
				access = slices.Delete(access, i, i+1)
			}
		}
	}
	return access
}

// taken returns what is left of the permissions once those in gone are taken away, however they
// were given: of All the others stay, written out, and All takes what it stands for.
func taken(keys, gone []Permission) []Permission {
	covers := func(list []Permission, p Permission) bool {
		return slices.ContainsFunc(list, func(has Permission) bool { return has.includes(p) })
	}
	if slices.ContainsFunc(keys, All.Is) && slices.ContainsFunc(gone, All.includes) {
		keys = slices.DeleteFunc(Permissions(), func(p Permission) bool { return p == All || !covers(keys, p) })
	}
	return slices.DeleteFunc(slices.Clone(keys), func(p Permission) bool { return covers(gone, p) })
}

// without returns the permissions that are not in gone.
func without(keys, gone []Permission) []Permission {
	var left []Permission
	for _, p := range keys {
		if !slices.ContainsFunc(gone, p.Is) {
			left = append(left, p)
		}
	}
	return left
}
