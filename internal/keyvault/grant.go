package keyvault

import (
	"context"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// An AccessChange says what to do with the entries handed to SetAccess (KV-119).
type AccessChange string

const (
	AddAccess     AccessChange = "add"     // merge permissions into the principal's entry
	ReplaceAccess AccessChange = "replace" // set the principal's entry
	RemoveAccess  AccessChange = "remove"  // take the listed permissions away; an entry without any goes
)

// SetAccess changes entries of a vault's access policy and returns the vault. It takes effect
// for the next request (KV-59). Each entry is named in the log.
func (s *Service) SetAccess(ctx context.Context, c directory.Caller, subscription, group, name string, how AccessChange, grants []Grant) (Vault, error) {
	return again(func() (Vault, error) {
		return manage(ctx, s, c, SetAccess, Scope{Subscription: subscription, Group: group, Vault: name}, func(d *desk) (func() (Vault, error), error) {
			v, err := s.place(ctx, d, group, name)
			if err != nil {
				return nil, err
			}
			if how != AddAccess && how != ReplaceAccess && how != RemoveAccess {
				return nil, fault.New(fault.Invalid, "An access policy is changed by add, replace or remove")
			}
			if err := checkAccess(grants); err != nil {
				return nil, err
			}
			old := v
			v.Access = changed(v.Access, how, grants)
			if err := checkAccess(v.Access); err != nil {
				return nil, err
			}
			act := s.setVault(ctx, d, old, v)
			d.entry.Detail["change"] = string(how)
			d.describeGrants(grants)
			return act, nil
		})
	})
}

// changed returns the access policy with the change made; the old one stays as it was.
func changed(access []Grant, how AccessChange, grants []Grant) []Grant {
	access = slices.Clone(access)
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
	if slices.ContainsFunc(keys, PermitAll.Is) && slices.ContainsFunc(gone, PermitAll.includes) {
		keys = slices.DeleteFunc(Permissions(), func(p Permission) bool { return p == PermitAll || !covers(keys, p) })
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

// maxDescribed bounds how many grants one record spells out.
const maxDescribed = 16

func (d *desk) describeGrants(grants []Grant) {
	for _, g := range grants[:min(len(grants), maxDescribed)] {
		names := make([]string, len(g.Keys))
		for i, p := range g.Keys {
			names[i] = string(p)
		}
		d.entry.Detail["grant "+naming.Fold(g.Object)] = strings.Join(names, " ")
	}
}
