package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// Sign signs a digest under a version, the newest if version is "". alg is one of RFC 7518
// (section 4.2); the digest has exactly its hash's length, and an EC signature is r || s
// (KV-50).
func (s *Service) Sign(ctx context.Context, c directory.Caller, vault, name, version, alg string, digest []byte) (Result, error) {
	return through(ctx, s, c, Sign, at(vault, name, version), func(v *visit) (func() (Result, error), error) {
		if err := s.prepareSignature(v, alg, "value", digest); err != nil {
			return nil, err
		}
		return func() (Result, error) {
			signature, err := v.holder.Sign(ctx, v.key.id(), v.material.Handle, protect.SignatureAlgorithm(alg), digest)
			return Result{v.key, signature}, err
		}, nil
	})
}

// Verify reports whether signature is one of digest. An expired version still verifies.
func (s *Service) Verify(ctx context.Context, c directory.Caller, vault, name, version, alg string, digest, signature []byte) (bool, error) {
	return through(ctx, s, c, Verify, at(vault, name, version), func(v *visit) (func() (bool, error), error) {
		if err := s.prepareSignature(v, alg, "digest", digest); err != nil {
			return nil, err
		}
		if len(signature) == 0 {
			return nil, naming.Invalid("value")
		}
		return func() (bool, error) { // the public half as the protector knows it, as for sealing
			pub, err := v.holder.Public(ctx, v.key.id(), v.material.Handle)
			if err != nil {
				return false, err
			}
			valid, err := protect.Verify(pub, protect.SignatureAlgorithm(alg), digest, signature)
			if err != nil { // the row's type was checked
				return false, errType()
			}
			return valid, nil
		}, nil
	})
}

// prepareSignature checks the parameters of Sign and Verify and notes them; member is where
// the protocol has the digest.
func (s *Service) prepareSignature(v *visit, alg, member string, digest []byte) error {
	v.entry.Object = v.objectOf(v.key)
	a := protect.SignatureAlgorithm(alg)
	if !a.Known() {
		return naming.Invalid("alg")
	}
	v.note("alg", alg)
	if !a.Fits(v.key.Type, v.key.Curve) {
		return fault.New(fault.Invalid, "Algorithm %s does not fit this key, whose type is %s", alg, v.key.kind())
	}
	if len(digest) != a.DigestSize() {
		return naming.Invalid(member).WithHint("%s signs a digest of %d bytes.", alg, a.DigestSize())
	}
	if v.key.Curve != "" && !protect.CurveAllowed(v.key.Curve) {
		return fault.New(fault.Invalid, "Algorithm %s is not allowed by this deployment", alg)
	}
	return s.held(v)
}

// kind is a key's type, and for EC its curve, in words.
func (k Key) kind() string {
	if k.Curve == "" {
		return string(k.Type)
	}
	return string(k.Type) + " " + k.Curve
}
