package keyvault

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// SetAccess changes entries of a vault's access policy and returns the vault. It takes effect
// for the next request (KV-59). Each entry is named in the log.
func (s *Service) SetAccess(ctx context.Context, c directory.Caller, subscription, group, name string, how rights.AccessChange, grants []rights.Grant) (Vault, error) {
	return again(func() (Vault, error) {
		return manage(ctx, s, c, SetAccess, rights.Scope{Subscription: subscription, Group: group, Vault: name}, func(d *desk) (func() (Vault, error), error) {
			v, err := s.place(ctx, d, group, name)
			if err != nil {
				return nil, err
			}
			if !how.Known() {
				return nil, fault.New(fault.Invalid, "An access policy is changed by add, replace or remove")
			}
			if err := rights.AccessPolicy(grants).Check(); err != nil {
				return nil, err
			}
			old := v
			v.Access = v.Access.Changed(how, grants)
			if err := v.Access.Check(); err != nil {
				return nil, err
			}
			act := s.setVault(ctx, d, old, v)
			d.entry.Detail["change"] = string(how)
			d.describeGrants(grants)
			return act, nil
		})
	})
}

// maxDescribed bounds how many grants one record spells out.
const maxDescribed = 16

func (d *desk) describeGrants(grants []rights.Grant) {
	for _, g := range grants[:min(len(grants), maxDescribed)] {
		names := make([]string, len(g.Keys))
		for i, p := range g.Keys {
			names[i] = string(p)
		}
		d.entry.Detail["grant "+naming.Fold(g.Object)] = strings.Join(names, " ")
	}
}
