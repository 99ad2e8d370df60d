package workload

import (
	"context"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// secretAttempts bounds how often the secret may change hands under one call.
const secretAttempts = 4

// secret returns the container's fingerprint secret: made when it is first needed, and moved
// to the newest version of the container's key when it lies under an older one. The caller
// destroys it.
func (s *Service) secret(ctx context.Context, caller directory.Caller, c Container, newest *hierarchy.Opened) (envelope.Key, error) {
	for attempt := 1; ; attempt++ {
		secret, err := s.currentSecret(ctx, caller, c, newest)
		if isMissingKey(err) && attempt < secretAttempts { // moved and destroyed since the row was read
			if c, err = s.store.Container(ctx, c.Tenant, c.Workload, c.Name); err != nil {
				return envelope.Key{}, err
			}
			continue
		}
		if err != nil || c.SecretVersion >= newest.Version() {
			return secret, err
		}
		moved := c
		moved.SecretVersion = newest.Version()
		moved.Secret, err = wrapSecret(newest, c, secret)
		if err == nil {
			err = s.store.SetSecret(ctx, moved, c.SecretVersion)
		}
		if err == nil {
			return secret, nil
		}
		secret.Destroy() // someone else's counts, or none
		if !fault.Is(err, fault.Conflict) || attempt == secretAttempts {
			return envelope.Key{}, err
		}
		if c, err = s.store.Container(ctx, c.Tenant, c.Workload, c.Name); err != nil {
			return envelope.Key{}, err
		}
		if newest, err = s.sealing(ctx, caller, c); err != nil { // its version may be on its way out
			return envelope.Key{}, err
		}
		defer newest.Close() // at most secretAttempts of them
	}
}

// currentSecret opens the stored secret, or makes one if there is none.
func (s *Service) currentSecret(ctx context.Context, caller directory.Caller, c Container, newest *hierarchy.Opened) (envelope.Key, error) {
	switch c.SecretVersion {
	case 0:
		return envelope.NewKey(), nil
	case newest.Version():
		return unwrapSecret(newest, c)
	}
	keys, err := s.opening(ctx, caller, c, c.SecretVersion)
	if err != nil {
		return envelope.Key{}, err
	}
	defer keys.Close()
	return unwrapSecret(keys, c)
}

// A secret outlives versions of the container's key, which only wraps keys that it makes. So it
// is stored under a key of its own:
//
//	0    138  wrapping key, wrapped under the container's key
//	138  138  secret, wrapped under the wrapping key
func wrapSecret(keys *hierarchy.Opened, c Container, secret envelope.Key) ([]byte, error) {
	key, wrapped, err := keys.NewItemKey(bindSecret(c))
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	inner, err := envelope.WrapKey(key, secret, bindSecret(c))
	return append(wrapped, inner...), err
}

func unwrapSecret(keys *hierarchy.Opened, c Container) (envelope.Key, error) {
	if len(c.Secret) != 2*envelope.WrappedSize {
		return envelope.Key{}, damagedSecret(c, fault.New(fault.Corrupt, "the stored secret has %d bytes", len(c.Secret)))
	}
	key, err := keys.ItemKey(c.Secret[:envelope.WrappedSize], bindSecret(c))
	if err != nil {
		return envelope.Key{}, damagedSecret(c, err)
	}
	defer key.Destroy()
	secret, err := envelope.UnwrapKey(key, c.Secret[envelope.WrappedSize:], bindSecret(c))
	return secret, damagedSecret(c, err)
}

// damagedSecret names the container whose secret does not open; other errors pass.
func damagedSecret(c Container, err error) error {
	if !fault.Is(err, fault.Corrupt) {
		return err
	}
	return fault.Wrap(fault.Corrupt, err, "the fingerprint secret of container %s is damaged", c.ref("")).
		WithReason("DamagedSecret").
		WithHint("items can still be read, and written by name; put back the row of the container from your backup")
}
