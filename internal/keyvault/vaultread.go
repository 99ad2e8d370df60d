package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Vault returns a vault.
func (s *Service) Vault(ctx context.Context, c directory.Caller, subscription, group, name string) (Vault, error) {
	return manage(ctx, s, c, GetVault, rights.Scope{Subscription: subscription, Group: group, Vault: name}, func(d *desk) (func() (Vault, error), error) {
		v, err := s.place(ctx, d, group, name)
		if err != nil {
			return nil, err
		}
		return func() (Vault, error) { return v, nil }, nil
	})
}

// FindVault returns the vault of a subscription that has a name, whatever its group, if the
// caller may read it.
func (s *Service) FindVault(ctx context.Context, c directory.Caller, subscription, name string) (Vault, error) {
	return manage(ctx, s, c, ListVaults, rights.Scope{Subscription: subscription}, func(d *desk) (func() (Vault, error), error) {
		v, err := s.vault(ctx, name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err != nil || v.Tenant != d.subscription.Tenant || v.Subscription != d.subscription.ID || !d.may(GetVault, v.scope()) {
			return nil, fault.New(fault.NotFound, "The vault '%.64s' was not found in the subscription", name).WithReason(ReasonNoResource)
		}
		d.entry.Object = "vaults/" + v.Name
		return func() (Vault, error) { return v, nil }, nil
	})
}

// Vaults lists by name the vaults of a subscription that the caller may read, at most limit of
// those after the named one.
func (s *Service) Vaults(ctx context.Context, c directory.Caller, subscription, after string, limit int) ([]Vault, error) {
	return manage(ctx, s, c, ListVaults, rights.Scope{Subscription: subscription}, func(d *desk) (func() ([]Vault, error), error) {
		if limit < 1 || limit > maxPage || after != "" && naming.CheckVault(after) != nil {
			return nil, naming.Invalid("$top")
		}
		return func() ([]Vault, error) {
			if !d.may(GetVault, rights.Scope{}) {
				return s.readable(ctx, d, naming.Fold(after), limit)
			}
			return s.store.Vaults(ctx, d.subscription.Tenant, d.subscription.ID, naming.Fold(after), limit)
		}, nil
	})
}

// NameAvailable reports whether a vault may be given a name (KV-120): the error is nil,
// ReasonVaultName or ReasonVaultTaken, or that of a request which was refused.
func (s *Service) NameAvailable(ctx context.Context, c directory.Caller, subscription, name string) error {
	_, err := manage(ctx, s, c, CheckVaultName, rights.Scope{Subscription: subscription}, func(d *desk) (func() (struct{}, error), error) {
		if err := naming.CheckVault(name); err != nil {
			return nil, err
		}
		d.entry.Object = "vaults/" + name
		taken, err := s.store.NameTaken(ctx, name)
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, errVaultTaken(name)
		}
		return func() (struct{}, error) { return struct{}{}, nil }, nil
	})
	return err
}
