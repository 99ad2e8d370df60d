package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// DeleteKey moves a key with all its versions to the deleted state and returns the newest.
// Until its retention has passed it can be recovered, and its name is held (KV-62, KV-63).
func (s *Service) DeleteKey(ctx context.Context, c directory.Caller, vault, name string) (Key, error) {
	return through(ctx, s, c, DeleteKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		k := v.key
		k.Deletion = Deletion{Deleted: v.now, PurgeAt: v.now.AddDate(0, 0, v.vault.RetentionDays)}
		v.note("purge_at", k.PurgeAt.Format(time.RFC3339))
		return func() (Key, error) {
			told := eventOf(KeyDeleted, k, v.now)
			err := s.tell(s.store.DeleteKey(ctx, k.Tenant, k.Vault, k.Name, k.Deletion, told), told)
			if fault.Is(err, fault.NotFound) { // someone was faster
				return Key{}, errKeyNotFound(name, "")
			}
			return k, err
		}, nil
	})
}

// RecoverKey brings a deleted key back with all its versions as they were (KV-65).
func (s *Service) RecoverKey(ctx context.Context, c directory.Caller, vault, name string) (Key, error) {
	return through(ctx, s, c, RecoverKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		k := v.key
		k.Deletion = Deletion{}
		return func() (Key, error) {
			told := eventOf(KeyRecovered, k, v.now)
			err := s.tell(s.store.RecoverKey(ctx, k.Tenant, k.Vault, k.Name, told), told)
			if fault.Is(err, fault.NotFound) { // someone was faster
				return Key{}, errDeletedNotFound(name)
			}
			return k, err
		}, nil
	})
}

// PurgeKey destroys a deleted key and frees its name, unless the vault's recovery level
// forbids that to everybody (KV-61, KV-66): also one that came to be meanwhile.
func (s *Service) PurgeKey(ctx context.Context, c directory.Caller, vault, name string) error {
	_, err := again(func() (struct{}, error) {
		return through(ctx, s, c, PurgeKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (struct{}, error), error) {
			if !v.vault.purgeable() {
				return nil, errPurge(v.vault)
			}
			k := v.key
			return func() (struct{}, error) {
				err := s.destroy(ctx, Due{k.Tenant, k.Vault, k.Name, k.Deletion}, stillPurgeable)
				if fault.Is(err, fault.NotFound) { // recovered or purged meanwhile
					err = errDeletedNotFound(name)
				}
				if err == nil {
					_ = s.sweepLoose(ctx) // what is out of reach now the next Sweep destroys, and tells of
				}
				return struct{}{}, err
			}, nil
		})
	})
	return err
}

// stillPurgeable is ErrChanged once keys of a vault cannot be purged any more.
func stillPurgeable(v Vault) error {
	if v.IsDeleted() || !v.purgeable() {
		return ErrChanged()
	}
	return nil
}

// destroy removes a deleted key for ever, from the store and from memory, unless may is given and
// has something against it.
func (s *Service) destroy(ctx context.Context, d Due, may func(Vault) error) error {
	told := eventOf(KeyPurged, Key{Tenant: d.Tenant, Vault: d.Vault, Name: d.Name}, s.now())
	versions, err := s.store.PurgeKey(ctx, d, may, told)
	if err := s.tell(err, told); err != nil {
		return err
	}
	s.forget(d.Tenant, d.Vault, d.Name, versions)
	return nil
}

// forget takes destroyed versions out of memory.
func (s *Service) forget(tenant, vault, name string, versions []string) {
	for _, version := range versions {
		for _, p := range s.protectors() {
			p.Forget(Key{Tenant: tenant, Vault: vault, Name: name, Version: version}.id())
		}
	}
}
