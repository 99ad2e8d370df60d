package availability

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Alive returns the ids of the keys that a policy has for itself and that are not destroyed.
func (s *Service) Alive(ctx context.Context, caller directory.Caller, tenant, policy string) (ids []string, err error) {
	if err := belongs(caller, tenant); err != nil {
		return nil, err
	}
	all, err := s.c.Store.KeysOf(ctx, tenant, policy)
	ids = []string{}
	for _, k := range all {
		if k.Destroyed.IsZero() {
			ids = append(ids, k.ID)
		}
	}
	return ids, err
}

// Shred overwrites keys for ever, each after it was recorded: all that a policy has for itself,
// and those named. It returns the ids of all of them, and may be called again.
func (s *Service) Shred(ctx context.Context, caller directory.Caller, tenant, policy string, named []string) (ids []string, err error) {
	if err := belongs(caller, tenant); err != nil {
		return nil, err
	}
	all, err := s.c.Store.KeysOf(ctx, tenant, policy)
	if err != nil {
		return nil, err
	}
	for _, id := range named {
		f, err := s.Facts(ctx, caller, tenant, id)
		if err != nil && !fault.Is(err, fault.NotFound) { // an older database may not have it yet
			return nil, err
		}
		if own := slices.ContainsFunc(all, func(k Facts) bool { return k.ID == id }); err == nil && !own {
			all = append(all, f)
		}
	}
	ids = []string{}
	for _, k := range all {
		ids = append(ids, k.ID)
		if !k.Destroyed.IsZero() {
			continue
		}
		if err := s.Destroy(ctx, caller, tenant, k.ID); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
