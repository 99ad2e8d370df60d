package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// RotateKey adds a version of the same type and size that becomes the newest, with the newest's
// operations and tags (KV-78). It is enabled; its expiry is the rotation policy's, if any.
func (s *Service) RotateKey(ctx context.Context, c directory.Caller, vault, name string) (Key, error) {
	return through(ctx, s, c, RotateKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		p, err := s.rotation(ctx, v.key)
		if err != nil {
			return nil, err
		}
		if err := v.vault.checkType(v.key.KTY()); err != nil {
			return nil, err
		}
		k := v.key.successor(v.now)
		if p.expire(&k) {
			v.note("exp", k.Expires.Format(time.RFC3339))
		}
		v.entry.Object = v.objectOf(k)
		v.note("from", v.key.Version)
		return func() (Key, error) { return s.generate(ctx, k, v.key.spec()) }, nil
	})
}

// expire sets the expiry that the policy has for a version made by rotation, if any (KV-79).
func (p RotationPolicy) expire(k *Key) bool {
	d, ok := parseDuration(p.Expiry)
	if ok {
		k.Expires = d.after(k.Created)
	}
	return ok
}

// successor is the version after k, without its key pair.
func (k Key) successor(now time.Time) Key {
	k.Version, k.Enabled, k.Public, k.Ordinal = newVersion(), true, nil, 0
	k.NotBefore, k.Expires = time.Time{}, time.Time{}
	k.Created, k.Updated = now, now
	return k
}

func (k Key) spec() protect.Spec { return protect.Spec{Type: k.Type, Bits: k.Bits, Curve: k.Curve} }
