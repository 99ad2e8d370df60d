package rights

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A Grant is an entry of a vault's access policy: what one person, program or group of the
// vault's tenant may do with its keys.
type Grant struct {
	Object      string       // object id
	Application string       // if set, only in tokens issued to this app id
	Keys        []Permission // in any case; kept as given
}

// An AccessPolicy says what its principals may do with the keys of a vault; no two of its entries
// are for the same one.
type AccessPolicy []Grant

// applies reports whether the grant is about the caller.
func (g Grant) applies(c directory.Caller) bool {
	if g.Application != "" && !strings.EqualFold(g.Application, c.App) {
		return false
	}
	is := func(id string) bool { return strings.EqualFold(id, g.Object) }
	return is(c.ID) || slices.ContainsFunc(c.Groups, is)
}

// Permits reports whether the access policy gives the caller p, and whether it names him at all.
func (a AccessPolicy) Permits(c directory.Caller, p Permission) (named, ok bool) {
	for _, g := range a {
		if !g.applies(c) {
			continue
		}
		named = true
		if slices.ContainsFunc(g.Keys, func(has Permission) bool { return has.includes(p) }) {
			return true, true
		}
	}
	return named, false
}

// maxGrants is how many entries an access policy holds (KV-104).
const maxGrants = 1024

// Check refuses unknown permissions, missing object ids and one principal named twice.
func (a AccessPolicy) Check() error {
	if len(a) > maxGrants {
		return naming.Invalid("accessPolicies").WithHint("An access policy holds at most %d entries.", maxGrants)
	}
	seen := map[[2]string]bool{}
	for _, g := range a {
		if !naming.IsGUID(g.Object) || g.Application != "" && !naming.IsGUID(g.Application) || seen[g.principal()] {
			return naming.Invalid("accessPolicies.objectId").WithHint("Each entry names one object id of the vault's tenant, no two the same.")
		}
		seen[g.principal()] = true
		for _, p := range g.Keys {
			if !slices.ContainsFunc(Permissions(), p.Is) {
				return naming.Invalid("accessPolicies.permissions.keys")
			}
		}
		if len(g.Keys) > len(Permissions()) {
			return naming.Invalid("accessPolicies.permissions.keys")
		}
	}
	return nil
}

// Same reports whether both grant the same, spelt the same way and in the same order.
func (a AccessPolicy) Same(o AccessPolicy) bool { return slices.EqualFunc(a, o, Grant.same) }

func (g Grant) same(o Grant) bool {
	return g.Object == o.Object && g.Application == o.Application && slices.Equal(g.Keys, o.Keys)
}

// principal is what no two entries of a policy share.
func (g Grant) principal() [2]string {
	return [2]string{naming.Fold(g.Object), naming.Fold(g.Application)}
}
