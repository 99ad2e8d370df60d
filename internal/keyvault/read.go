package keyvault

import (
	"context"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// maxPage bounds what one call of a list returns; faces have lower limits of their own.
const maxPage = 100

// Key returns a version, the newest if version is "".
func (s *Service) Key(ctx context.Context, c directory.Caller, vault, name, version string) (Key, error) {
	return through(ctx, s, c, GetKey, at(vault, name, version), func(v *visit) (func() (Key, error), error) {
		v.entry.Object = v.objectOf(v.key)
		return func() (Key, error) { return v.key, nil }, nil
	})
}

// Keys lists the newest versions of a vault's live keys by name, at most limit of those after
// the named one.
func (s *Service) Keys(ctx context.Context, c directory.Caller, vault, after string, limit int) ([]Key, error) {
	return s.list(ctx, c, ListKeys, vault, after, limit)
}

// DeletedKeys lists the deleted keys in the same way.
func (s *Service) DeletedKeys(ctx context.Context, c directory.Caller, vault, after string, limit int) ([]Key, error) {
	return s.list(ctx, c, ListDeleted, vault, after, limit)
}

func (s *Service) list(ctx context.Context, c directory.Caller, a Action, vault, after string, limit int) ([]Key, error) {
	return through(ctx, s, c, a, Target{Vault: vault}, func(v *visit) (func() ([]Key, error), error) {
		if limit < 1 || limit > maxPage {
			return nil, naming.Invalid("maxresults")
		}
		if after != "" {
			if err := naming.CheckKey(after); err != nil {
				return nil, err
			}
			v.note("after", after)
		}
		return func() ([]Key, error) {
			keys, err := s.store.Keys(ctx, v.vault.Tenant, v.vault.Name, a == ListDeleted, after, limit)
			return allIn(v.vault, keys), err
		}, nil
	})
}

// Versions lists a live key's versions, oldest first, at most limit of those whose Ordinal is
// greater than after.
func (s *Service) Versions(ctx context.Context, c directory.Caller, vault, name string, after int64, limit int) ([]Key, error) {
	return through(ctx, s, c, ListVersions, Target{Vault: vault, Name: name}, func(v *visit) (func() ([]Key, error), error) {
		if limit < 1 || limit > maxPage {
			return nil, naming.Invalid("maxresults")
		}
		v.note("after", strconv.FormatInt(after, 10))
		return func() ([]Key, error) {
			keys, err := s.store.Versions(ctx, v.vault.Tenant, v.vault.Name, name, after, limit)
			return allIn(v.vault, keys), err
		}, nil
	})
}

// DeletedKey returns the newest version of a deleted key.
func (s *Service) DeletedKey(ctx context.Context, c directory.Caller, vault, name string) (Key, error) {
	return through(ctx, s, c, GetDeleted, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		return func() (Key, error) { return v.key, nil }, nil
	})
}

func allIn(v Vault, keys []Key) []Key {
	for i := range keys {
		keys[i] = keys[i].in(v)
	}
	return keys
}
