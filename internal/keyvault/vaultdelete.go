package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// DeleteVault moves a vault with all its keys to the deleted state and returns it. At once its
// data plane is that of an unknown vault; its name stays taken. Until its retention has passed
// it can be recovered (KV-126).
func (s *Service) DeleteVault(ctx context.Context, c directory.Caller, subscription, group, name string) (Vault, error) {
	return manage(ctx, s, c, DeleteVault, rights.Scope{Subscription: subscription, Group: group, Vault: name}, func(d *desk) (func() (Vault, error), error) {
		v, err := s.place(ctx, d, group, name)
		if err != nil {
			return nil, err
		}
		now := s.now()
		v.Deletion = Deletion{Deleted: now, PurgeAt: now.AddDate(0, 0, v.RetentionDays)}
		d.describe(v)
		d.entry.Detail["purge_at"] = v.PurgeAt.Format(time.RFC3339)
		gone := vaultEvent(VaultDeleted, v, now)
		return func() (Vault, error) {
			err := s.store.DeleteVault(ctx, v, gone)
			if fault.Is(err, fault.NotFound) { // someone was faster
				err = errNoVault(group, name)
			}
			return v, s.tell(err, gone)
		}, nil
	})
}

// RecoverVault takes a deleted vault back, unchanged: its settings, its keys, and those of them
// that are deleted, as they were (KV-124). Its group must be there. A location may be given to
// be checked.
func (s *Service) RecoverVault(ctx context.Context, c directory.Caller, subscription, group, name, location string) (Vault, error) {
	return manage(ctx, s, c, RecoverVault, rights.Scope{Subscription: subscription, Group: group, Vault: name}, func(d *desk) (func() (Vault, error), error) {
		if _, err := s.place(ctx, d, group, name); !hasReason(err, ReasonNoResource) {
			if err == nil {
				err = errNotDeleted(name)
			}
			return nil, err
		}
		v, err := s.deleted(ctx, d, location, name)
		if err != nil {
			return nil, err
		}
		if !naming.Same(v.Group, group) {
			return nil, errNoDeletedVault(name)
		}
		d.describe(v)
		back := vaultEvent(VaultRecovered, v, s.now())
		return func() (Vault, error) {
			err := s.store.RecoverVault(ctx, v, back)
			if fault.Is(err, fault.NotFound) { // recovered or purged meanwhile
				return Vault{}, errNoDeletedVault(name)
			}
			v.Deletion, v.Revision = Deletion{}, v.Revision+1
			return v, s.tell(err, back)
		}, nil
	})
}

// PurgeVault destroys a deleted vault with all its keys and frees its name, unless its recovery
// level forbids that to everybody (KV-126), also one that came to be meanwhile. Once it has returned without an error the vault is
// gone for everybody; where the removal of a large one is interrupted, Sweep ends it.
func (s *Service) PurgeVault(ctx context.Context, c directory.Caller, subscription, location, name string) error {
	_, err := again(func() (struct{}, error) {
		return manage(ctx, s, c, PurgeVault, rights.Scope{Subscription: subscription}, func(d *desk) (func() (struct{}, error), error) {
			v, err := s.deleted(ctx, d, location, name)
			if err != nil {
				return nil, err
			}
			d.describe(v)
			if !v.purgeable() {
				return nil, errVaultPurge()
			}
			return func() (struct{}, error) { return struct{}{}, s.purge(ctx, v) }, nil
		})
	})
	return err
}

// purge destroys a deleted vault; ErrChanged where it cannot be purged any more.
func (s *Service) purge(ctx context.Context, v Vault) error {
	gone := vaultEvent(VaultPurged, v, s.now())
	err := s.tell(s.store.CondemnVault(ctx, v.Tenant, v.Name, v.Deleted, func(v Vault) error {
		if !v.purgeable() {
			return ErrChanged()
		}
		return nil
	}, gone), gone)
	if fault.Is(err, fault.NotFound) { // recovered or purged meanwhile
		return errNoDeletedVault(v.Name)
	}
	if err == nil {
		_ = s.clearVault(ctx, v.Tenant, v.Name) // what is left is Sweep's
	}
	return err
}

// DeletedVault returns a deleted vault of a subscription.
func (s *Service) DeletedVault(ctx context.Context, c directory.Caller, subscription, location, name string) (Vault, error) {
	return manage(ctx, s, c, GetDeletedVault, rights.Scope{Subscription: subscription}, func(d *desk) (func() (Vault, error), error) {
		v, err := s.deleted(ctx, d, location, name)
		if err != nil {
			return nil, err
		}
		return func() (Vault, error) { return v, nil }, nil
	})
}

// DeletedVaults lists a subscription's deleted vaults by name, at most limit of those after the
// named one.
func (s *Service) DeletedVaults(ctx context.Context, c directory.Caller, subscription, after string, limit int) ([]Vault, error) {
	return manage(ctx, s, c, ListDeletedVaults, rights.Scope{Subscription: subscription}, func(d *desk) (func() ([]Vault, error), error) {
		if limit < 1 || limit > maxPage || after != "" && naming.CheckVault(after) != nil {
			return nil, naming.Invalid("$top")
		}
		return func() ([]Vault, error) {
			return s.store.DeletedVaults(ctx, d.subscription.Tenant, d.subscription.ID, naming.Fold(after), limit)
		}, nil
	})
}

// deleted finds a deleted vault of the subscription; one that is elsewhere, with anyone, is not
// there. An empty location is that of the vault.
func (s *Service) deleted(ctx context.Context, d *desk, location, name string) (Vault, error) {
	if naming.CheckVault(name) != nil {
		return Vault{}, errNoDeletedVault(name)
	}
	d.entry.Object = "vaults/" + name
	v, err := s.store.DeletedVault(ctx, name)
	switch {
	case fault.Is(err, fault.NotFound):
		return Vault{}, errNoDeletedVault(name)
	case err != nil:
		return Vault{}, err
	case v.Tenant != d.subscription.Tenant || v.Subscription != d.subscription.ID,
		location != "" && !naming.SameLocation(location, v.Location):
		return Vault{}, errNoDeletedVault(name)
	}
	return v, nil
}

// purgeBatch is how many keys one transaction destroys.
const purgeBatch = 25

// clearVault destroys what is left of a condemned vault: first its keys, some at a time, and
// last its name. It may be stopped and begun again at any point.
func (s *Service) clearVault(ctx context.Context, tenant, vault string) error {
	for {
		gone, err := s.store.PurgeKeys(ctx, tenant, vault, purgeBatch)
		if err != nil {
			return err
		}
		for _, k := range gone {
			s.forget(tenant, vault, k.Name, k.Versions)
		}
		if len(gone) < purgeBatch {
			return s.store.RemoveVault(ctx, tenant, vault)
		}
	}
}
