package rootkey

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// Try finds out whether the version kid still unwraps, without touching any key that protects
// something: a random key is wrapped here with the public part of that version, and the vault
// unwraps it. So nothing of value is unwrapped for a test, and the version is tried on which
// content depends, not the newest.
//
// Where the vault does not show the public part, it is asked to wrap the random key itself; where it
// does not do that either, it is asked to unwrap noise, which it can only refuse: as
// not permitted, or as no wrapped key. The error is that of Unwrap; nil if it unwraps.
func (k *Key) Try(ctx context.Context, kid string) error {
	v, err := k.client.Parse(kid)
	if err != nil {
		return err
	}
	if !k.owns(v) {
		return fault.New(fault.Invalid, "the key id %q is not one of %s", kid, k.uri.Short())
	}
	probe := envelope.NewKey()
	defer probe.Destroy()
	wrapped, err := k.wrapProbe(ctx, v.Version, probe)
	switch {
	case fault.As(err).Reason == "AccessDenied":
		return k.unwrapNoise(ctx, kid)
	case err != nil:
		return err
	}
	back, err := k.Unwrap(ctx, kid, wrapped)
	defer back.Destroy()
	if err == nil && !back.Equal(probe) {
		return classify(&badAnswer{"another key than the one that was wrapped"}, k.uri)
	}
	return err
}

// wrapProbe wraps a key with one version: here if its public part can be had, else in the vault.
func (k *Key) wrapProbe(ctx context.Context, version string, probe envelope.Key) ([]byte, error) {
	plain := probe.Expose()
	defer clear(plain)
	public, err := k.public(ctx, version)
	if err == nil {
		return rsa.EncryptOAEP(sha256.New(), rand.Reader, public, plain, nil)
	}
	if fault.As(err).Reason != "AccessDenied" {
		return nil, err
	}
	var res azkeys.WrapKeyResponse
	err = k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.WrapKey(ctx, k.uri.Name, version, parameters(plain), nil)
		return err
	})
	return res.Result, err
}

// public returns the public part of one version.
func (k *Key) public(ctx context.Context, version string) (*rsa.PublicKey, error) {
	var res azkeys.GetKeyResponse
	err := k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.GetKey(ctx, k.uri.Name, version, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	if res.Key == nil || len(res.Key.N) < 256 || len(res.Key.N) > maxWrapped || len(res.Key.E) == 0 || len(res.Key.E) > 4 {
		return nil, classify(&badAnswer{"a key without its public part"}, k.uri)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(res.Key.N), E: int(new(big.Int).SetBytes(res.Key.E).Int64())}, nil
}

// unwrapNoise asks the vault to unwrap what nobody has wrapped. That it says so is all that is
// wanted.
func (k *Key) unwrapNoise(ctx context.Context, kid string) error {
	noise := make([]byte, 256)
	rand.Read(noise)
	back, err := k.Unwrap(ctx, kid, noise)
	back.Destroy()
	if fault.As(err).Reason == "Refused" {
		return nil
	}
	return err
}

// Versions counts the versions of the key, up to most: it asks for no more pages then. It takes
// the permission list.
func (k *Key) Versions(ctx context.Context, most int) (n int, err error) {
	pages := k.keys.NewListKeyPropertiesVersionsPager(k.uri.Name, nil)
	for turns := 0; n < most && pages.More() && turns < most; turns++ {
		err := k.call(ctx, func(ctx context.Context) error {
			page, err := pages.NextPage(ctx)
			n += len(page.Value)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return min(n, most), nil
}

// Rotation returns the life that the key's rotation policy gives new versions, as the ISO 8601
// duration that the vault says, "" if it gives them none (CK-208).
func (k *Key) Rotation(ctx context.Context) (life string, err error) {
	var res azkeys.GetKeyRotationPolicyResponse
	err = k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.GetKeyRotationPolicy(ctx, k.uri.Name, nil)
		return err
	})
	if err != nil || res.Attributes == nil {
		return "", err
	}
	return deref(res.Attributes.ExpiryTime), nil
}
