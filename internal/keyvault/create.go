package keyvault

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// NewKey says what key to create. Zero members stand for the defaults of section 4.2.
type NewKey struct {
	Type          string // required: "RSA" or "EC", or with "-HSM" behind
	Bits          int    // RSA: 2048, 3072, 4096
	Curve         string // EC: P-256, P-384, P-521, P-256K
	Exponent      int    // RSA: 65537
	Ops           []string
	Attributes    Attributes
	Tags          map[string]string
	Exportable    bool // always refused (KV-53), as is a release policy
	ReleasePolicy bool
}

// CreateKey makes a key, or a new version of a live one, which is then the newest.
func (s *Service) CreateKey(ctx context.Context, c directory.Caller, vault, name string, n NewKey) (Key, error) {
	return through(ctx, s, c, CreateKey, Target{Vault: vault, Name: name, Type: n.Type}, func(v *visit) (func() (Key, error), error) {
		if err := v.vault.checkType(n.Type); err != nil {
			return nil, err
		}
		spec, err := n.spec()
		if err != nil {
			return nil, err
		}
		k, err := n.key(v, spec)
		if err != nil {
			return nil, err
		}
		v.describe(k)
		return func() (Key, error) {
			return s.generate(ctx, k, spec)
		}, nil
	})
}

// describe records which version is to be.
func (v *visit) describe(k Key) {
	v.entry.Object = v.objectOf(k)
	v.note("type", k.KTY())
	v.note("size", k.Curve)
	if k.Type == protect.RSA {
		v.note("size", strconv.Itoa(k.Bits))
	}
}

// generate adds a version with a key pair of its own.
func (s *Service) generate(ctx context.Context, k Key, spec protect.Spec) (Key, error) {
	return s.add(ctx, k, func(p protect.Protector) ([]byte, crypto.PublicKey, error) { return p.Generate(ctx, k.id(), spec) })
}

// add has a protector hold the key pair, and stores the version.
func (s *Service) add(ctx context.Context, k Key, hold func(protect.Protector) ([]byte, crypto.PublicKey, error)) (Key, error) {
	p := s.maker(k.HSM)
	handle, pub, err := hold(p)
	if err != nil {
		return Key{}, err
	}
	k.Public, k.HeldBy = pub, p.Name()
	return again(func() (Key, error) {
		told := eventOf(KeyNewVersionCreated, k, k.Created)
		err := s.tell(s.store.AddVersion(ctx, k, Material{Protector: p.Name(), Handle: handle}, told), told)
		if fault.Is(err, fault.Conflict) && !hasReason(err, ReasonChanged) {
			return Key{}, errNameHeld(k.Name)
		}
		return k, err
	})
}

// key returns the version to be, checked but for its key pair. A key keeps the spelling that
// its first version gave it.
func (n NewKey) key(v *visit, spec protect.Spec) (Key, error) {
	k := Key{
		Tenant: v.vault.Tenant, Vault: v.vault.Name, Name: v.target.Name, Version: newVersion(),
		Type: spec.Type, Bits: spec.Bits, Curve: spec.Curve,
		Ops: n.Ops, Enabled: true, Tags: n.Tags, Created: v.now, Updated: v.now,
	}
	_, k.HSM = splitType(n.Type)
	if v.key.Name != "" {
		k.Name = v.key.Name
	}
	if k.Ops == nil {
		k.Ops = defaultOps(spec.Type)
	}
	if n.Exportable && !n.ReleasePolicy {
		return Key{}, fault.New(fault.Invalid, "AKV.SKR.1004: Exportable keys must have release policy")
	}
	if n.ReleasePolicy && !n.Exportable {
		return Key{}, fault.New(fault.Invalid, "Non-exportable keys must not have release policy")
	}
	if n.Exportable {
		return Key{}, fault.New(fault.Invalid, "Exportable keys are not supported: a private key never leaves this vault")
	}
	if err := checkOps(k.Ops); err != nil {
		return Key{}, err
	}
	if err := naming.CheckTags(k.Tags); err != nil {
		return Key{}, err
	}
	if err := n.Attributes.apply(&k); err != nil {
		return Key{}, err
	}
	return k.in(v.vault), nil
}

// spec checks type and size (section 4.2) and fills in the defaults.
func (n NewKey) spec() (protect.Spec, error) {
	if n.Type == "" {
		return protect.Spec{}, naming.Invalid("kty")
	}
	switch t, _ := splitType(n.Type); t {
	case protect.RSA:
		return n.rsaSpec()
	case protect.EC:
		return n.ecSpec()
	}
	return protect.Spec{}, errKeyType(n.Type)
}

func (n NewKey) rsaSpec() (protect.Spec, error) {
	spec := protect.Spec{Type: protect.RSA, Bits: n.Bits}
	if spec.Bits == 0 {
		spec.Bits = 2048
	}
	switch {
	case spec.Bits != 2048 && spec.Bits != 3072 && spec.Bits != 4096:
		return spec, naming.Invalid("key_size")
	case n.Exponent != 0 && n.Exponent != 65537:
		return spec, naming.Invalid("public_exponent")
	case n.Curve != "":
		return spec, naming.Invalid("crv")
	}
	return spec, nil
}

func (n NewKey) ecSpec() (protect.Spec, error) {
	spec := protect.Spec{Type: protect.EC, Curve: n.Curve}
	if spec.Curve == "" {
		spec.Curve = "P-256"
	}
	sizes := map[string]int{"P-256": 256, "P-384": 384, "P-521": 521, protect.P256K: 256}
	size := sizes[spec.Curve]
	switch {
	case !protect.CurveAllowed(spec.Curve):
		return spec, naming.Invalid("crv")
	case n.Bits != 0 && n.Bits != size:
		return spec, naming.Invalid("key_size")
	case n.Exponent != 0:
		return spec, naming.Invalid("public_exponent")
	}
	return spec, nil
}

// defaultOps is KV-51.
func defaultOps(t protect.Type) []string {
	if t == protect.EC {
		return []string{"sign", "verify"}
	}
	return []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}
}

// checkOps accepts the known operations, each once. None at all is valid and allows nothing.
func checkOps(ops []string) error {
	known := []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import"}
	for i, op := range ops {
		if !slices.Contains(known, op) || slices.Contains(ops[:i], op) {
			return naming.Invalid("key_ops")
		}
	}
	return nil
}

func newVersion() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

func contains(ops []string, op string) bool { return slices.Contains(ops, op) }
