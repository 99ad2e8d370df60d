package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// RotateKey adds a version of the same type and size that becomes the newest, with the newest's
// operations and tags (KV-78). It is enabled; its expiry is the rotation policy's, if any. Where the
// newest version or the policy changes meanwhile it is begun anew: what was taken from a key, or the
// key itself, does not come back by it.
func (s *Service) RotateKey(ctx context.Context, c directory.Caller, vault, name string) (Key, error) {
	var made Stored // by the attempt before, which was overtaken
	return again(func() (Key, error) {
		return through(ctx, s, c, RotateKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
			l, err := s.lifetime(ctx, v.key)
			if err != nil {
				return nil, err
			}
			if err := v.vault.checkType(l.KTY()); err != nil {
				return nil, err
			}
			k := l.successor(v.now).in(v.vault)
			if made.Key.pairFits(k) {
				k.Version = made.Version
			}
			if l.Policy.expire(&k) {
				v.note("exp", k.Expires.Format(time.RFC3339))
			}
			v.entry.Object = v.objectOf(k)
			v.note("from", l.Version)
			return func() (Key, error) { return s.succeed(ctx, k, l, &made) }, nil
		})
	})
}

// lifetime reads the newest version of a live key and its rotation policy.
func (s *Service) lifetime(ctx context.Context, k Key) (Lifetime, error) {
	l, err := s.store.Lifetime(ctx, k.Tenant, k.Vault, k.Name)
	if fault.Is(err, fault.NotFound) {
		err = errKeyNotFound(k.Name, "")
	}
	return l, err
}

// succeed makes the key pair of a version, unless made is that version, and stores it if the key is
// still as in l.
func (s *Service) succeed(ctx context.Context, k Key, l Lifetime, made *Stored) (Key, error) {
	if made.Version != k.Version {
		p := s.maker(k.HSM)
		handle, pub, err := p.Generate(ctx, k.id(), k.spec())
		if err != nil {
			return Key{}, aside{err}
		}
		*made = Stored{k, Material{Protector: p.Name(), Handle: handle}}
		made.Public = pub
	}
	k.Public, k.HeldBy = made.Public, made.Protector
	told := eventOf(KeyNewVersionCreated, k, k.Created)
	err := s.tell(s.store.AddSuccessor(ctx, k, made.Material, l, told), told)
	if fault.Is(err, fault.NotFound) && !hasReason(err, ReasonVaultNotFound) { // deleted meanwhile
		err = errKeyNotFound(k.Name, "")
	}
	return k, err
}

// expire sets the expiry that the policy has for a version made by rotation, if any (KV-79).
func (p RotationPolicy) expire(k *Key) bool {
	d, ok := parseDuration(p.Expiry)
	if ok {
		k.Expires = d.after(k.Created)
	}
	return ok
}

// pairFits reports whether a key pair that was made for k does for another version to be of its key.
func (k Key) pairFits(other Key) bool {
	return k.Version != "" && k.spec() == other.spec() && k.HSM == other.HSM && k.VaultMade.Equal(other.VaultMade)
}

// successor is the version after k, without its key pair.
func (k Key) successor(now time.Time) Key {
	k.Version, k.Enabled, k.Public, k.Ordinal = newVersion(), true, nil, 0
	k.NotBefore, k.Expires = time.Time{}, time.Time{}
	k.Created, k.Updated = now, now
	return k
}

func (k Key) spec() protect.Spec { return protect.Spec{Type: k.Type, Bits: k.Bits, Curve: k.Curve} }
