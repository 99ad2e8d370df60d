package keyvault

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A Permission is one right over the keys of a vault, spelt as in KV-104.
type Permission string

// Permissions of KV-104. All stands for every other one but Purge.
const (
	PermitGet               Permission = "get"
	PermitList              Permission = "list"
	PermitUpdate            Permission = "update"
	PermitCreate            Permission = "create"
	PermitImport            Permission = "import"
	PermitDelete            Permission = "delete"
	PermitRecover           Permission = "recover"
	PermitBackup            Permission = "backup"
	PermitRestore           Permission = "restore"
	PermitEncrypt           Permission = "encrypt"
	PermitDecrypt           Permission = "decrypt"
	PermitWrapKey           Permission = "wrapKey"
	PermitUnwrapKey         Permission = "unwrapKey"
	PermitSign              Permission = "sign"
	PermitVerify            Permission = "verify"
	PermitPurge             Permission = "purge"
	PermitRelease           Permission = "release"
	PermitRotate            Permission = "rotate"
	PermitGetRotationPolicy Permission = "getrotationpolicy"
	PermitSetRotationPolicy Permission = "setrotationpolicy"
	PermitAll               Permission = "all"
)

// permitAny is for what any permission allows (KV-40). No grant can name it.
const permitAny Permission = "any"

// Permissions returns every permission an access policy may name.
func Permissions() []Permission {
	return []Permission{
		PermitGet, PermitList, PermitUpdate, PermitCreate, PermitImport, PermitDelete, PermitRecover,
		PermitBackup, PermitRestore, PermitEncrypt, PermitDecrypt, PermitWrapKey, PermitUnwrapKey,
		PermitSign, PermitVerify, PermitPurge, PermitRelease, PermitRotate, PermitGetRotationPolicy,
		PermitSetRotationPolicy, PermitAll,
	}
}

// Is reports whether both name the same permission; letter case does not matter.
func (p Permission) Is(o Permission) bool { return strings.EqualFold(string(p), string(o)) }

// includes reports whether being granted p allows wanted.
func (p Permission) includes(wanted Permission) bool {
	return p.Is(wanted) || wanted == permitAny || p.Is(PermitAll) && !wanted.Is(PermitPurge)
}

// A Grant is an entry of a vault's access policy: what one person, program or group of the
// vault's tenant may do with its keys.
type Grant struct {
	Object      string       // object id
	Application string       // if set, only in tokens issued to this app id
	Keys        []Permission // in any case; kept as given
}

// applies reports whether the grant is about the caller.
func (g Grant) applies(c directory.Caller) bool {
	if g.Application != "" && !strings.EqualFold(g.Application, c.App) {
		return false
	}
	is := func(id string) bool { return strings.EqualFold(id, g.Object) }
	return is(c.ID) || slices.ContainsFunc(c.Groups, is)
}

// permits reports whether the access policy gives the caller p, and whether it names him at all.
func (v Vault) permits(c directory.Caller, p Permission) (named, ok bool) {
	for _, g := range v.Access {
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

// checkAccess refuses unknown permissions, missing object ids and one principal named twice.
func checkAccess(access []Grant) error {
	if len(access) > maxGrants {
		return naming.Invalid("accessPolicies").WithHint("An access policy holds at most %d entries.", maxGrants)
	}
	seen := map[[2]string]bool{}
	for _, g := range access {
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

// equal reports whether both grant the same, spelt the same way.
func (g Grant) equal(o Grant) bool {
	return g.Object == o.Object && g.Application == o.Application && slices.Equal(g.Keys, o.Keys)
}

// principal is what no two entries of a policy share.
func (g Grant) principal() [2]string {
	return [2]string{naming.Fold(g.Object), naming.Fold(g.Application)}
}
