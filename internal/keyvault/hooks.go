package keyvault

import (
	"cmp"
	"context"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A Courier reaches webhooks.
type Courier interface {
	// Check refuses an endpoint that must never be called, as fault.Invalid, without calling it.
	Check(e courier.Endpoint) error
	// Greet asks whoever is at the hook's endpoint whether he wants its events. The error is
	// fault.Invalid unless he says so; its message is safe to show to the hook's owner.
	Greet(ctx context.Context, h Hook) error
}

// PutHook makes or changes an event subscription of a vault, after its receiver has agreed. A
// new one is sent what happens from now on; a changed one keeps its secret, and goes on where
// it was.
func (s *Service) PutHook(ctx context.Context, c directory.Caller, spec HookSpec) (h Hook, created bool, err error) {
	h, err = atHook(ctx, s, c, PutHook, spec, func(d *desk, v Vault) (func() (Hook, error), error) {
		h, err := s.planHook(ctx, v, spec)
		if err != nil {
			return nil, err
		}
		d.entry.Detail["endpoint"], d.entry.Detail["schema"] = h.Endpoint.Base(), string(h.Schema)
		return func() (Hook, error) {
			if err := s.courier.Greet(ctx, h); err != nil {
				return Hook{}, err
			}
			created = h.Created.Equal(h.Updated)
			return s.storeHook(ctx, h)
		}, nil
	})
	return h, created, err
}

// planHook returns the hook to be.
func (s *Service) planHook(ctx context.Context, v Vault, spec HookSpec) (Hook, error) {
	if s.courier == nil {
		return Hook{}, fault.New(fault.Invalid, "This vault sends no events to webhooks").WithHint("Its operator can switch them on.")
	}
	endpoint, err := spec.check()
	if err != nil {
		return Hook{}, err
	}
	if err := s.courier.Check(endpoint); err != nil {
		return Hook{}, err
	}
	all, err := s.store.Hooks(ctx, v.Tenant, v.Name)
	if err != nil {
		return Hook{}, err
	}
	now := s.now()
	h := Hook{
		Tenant: v.Tenant, Subscription: v.Subscription, Group: v.Group, Vault: v.Name, VaultMade: v.Created, Name: spec.Name, Endpoint: endpoint,
		Schema: cmp.Or(spec.Schema, EventGridSchema), Types: spec.Types, Created: now, Updated: now,
	}
	for _, row := range all {
		if naming.Same(row.Name, h.Name) {
			old, err := s.openHook(row)
			h.Secret, h.Created, h.Updated = old.Secret, old.Created, later(now, old.Updated)
			return h, err
		}
	}
	if len(all) >= MaxHooks {
		return Hook{}, fault.New(fault.Conflict, "A vault has at most %d event subscriptions", MaxHooks)
	}
	h.Secret = envelope.NewKey()
	return h, nil
}

func (s *Service) storeHook(ctx context.Context, h Hook) (Hook, error) {
	sealed, err := s.sealHook(h)
	if err != nil {
		return Hook{}, err
	}
	row, err := s.store.PutHook(ctx, HookRow{Hook: h, Base: h.Endpoint.Base(), Sealed: sealed})
	if hasReason(err, ReasonVaultNotFound) { // deleted while its receiver was asked
		err = errNoVault(h.Group, h.Vault)
	}
	h.Created, h.Delivered, h.Dropped = row.Created, row.Delivered, row.Dropped
	return h, err
}

// Hook returns an event subscription without its secrets.
func (s *Service) Hook(ctx context.Context, c directory.Caller, spec HookSpec) (HookRow, error) {
	return atHook(ctx, s, c, GetHook, spec, func(_ *desk, v Vault) (func() (HookRow, error), error) {
		return func() (HookRow, error) { return s.hook(ctx, v, spec.Name) }, nil
	})
}

// HookSecrets returns an event subscription with its whole URL and the secret that its
// deliveries are signed with.
func (s *Service) HookSecrets(ctx context.Context, c directory.Caller, spec HookSpec) (Hook, error) {
	return atHook(ctx, s, c, ShowHook, spec, func(_ *desk, v Vault) (func() (Hook, error), error) {
		return func() (Hook, error) {
			row, err := s.hook(ctx, v, spec.Name)
			if err != nil {
				return Hook{}, err
			}
			return s.openHook(row)
		}, nil
	})
}

func (s *Service) hook(ctx context.Context, v Vault, name string) (HookRow, error) {
	row, err := s.store.Hook(ctx, v.Tenant, v.Name, name)
	if fault.Is(err, fault.NotFound) {
		err = errNoHook(name)
	}
	return row, err
}

// Hooks lists the event subscriptions of a vault by name, without their secrets.
func (s *Service) Hooks(ctx context.Context, c directory.Caller, spec HookSpec) ([]HookRow, error) {
	return atHook(ctx, s, c, GetHook, spec, func(_ *desk, v Vault) (func() ([]HookRow, error), error) {
		return func() ([]HookRow, error) { return s.store.Hooks(ctx, v.Tenant, v.Name) }, nil
	})
}

// DeleteHook takes an event subscription away; gone is false where there was none. What it was
// not sent yet is not sent.
func (s *Service) DeleteHook(ctx context.Context, c directory.Caller, spec HookSpec) (gone bool, err error) {
	return atHook(ctx, s, c, DeleteHook, spec, func(_ *desk, v Vault) (func() (bool, error), error) {
		return func() (bool, error) { return s.store.DeleteHook(ctx, v.Tenant, v.Name, spec.Name) }, nil
	})
}

// atHook is manage for what is done to the event subscriptions of a vault.
func atHook[T any](ctx context.Context, s *Service, c directory.Caller, a Action, spec HookSpec, decide func(*desk, Vault) (func() (T, error), error)) (T, error) {
	at := rights.Scope{Subscription: spec.Subscription, Group: spec.Group, Vault: spec.Vault}
	return manage(ctx, s, c, a, at, func(d *desk) (func() (T, error), error) {
		v, err := s.place(ctx, d, spec.Group, spec.Vault)
		if err != nil {
			return nil, err
		}
		d.entry.Object += "/eventSubscriptions"
		if hookName.MatchString(spec.Name) {
			d.entry.Object += "/" + spec.Name
		}
		return decide(d, v)
	})
}
