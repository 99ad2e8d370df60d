package keyvault

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// hsmSuffix ends the types of keys that a hardware module is to hold (section 4.2).
const hsmSuffix = "-HSM"

// premium is the SKU of the vaults that have such keys (KV-52).
const premium = "premium"

// splitType takes a type as clients name it apart: "RSA-HSM" is RSA, in hardware.
func splitType(name string) (t protect.Type, hsm bool) {
	base, hsm := strings.CutSuffix(name, hsmSuffix)
	return protect.Type(base), hsm
}

// KTY is the key's type as clients name it.
func (k Key) KTY() string {
	if k.HSM {
		return string(k.Type) + hsmSuffix
	}
	return string(k.Type)
}

// checkType refuses -HSM keys in vaults that have none.
func (v Vault) checkType(kty string) error {
	if _, hsm := splitType(kty); hsm && v.SKU != premium {
		return errKeyType(kty).WithHint("Keys of this type need a vault whose SKU is premium.")
	}
	return nil
}

// maker returns the protector that holds new keys. Where there is no hardware, -HSM is a label:
// Platform says so.
func (s *Service) maker(hsm bool) protect.Protector {
	if hsm && s.hardware != nil {
		return s.hardware
	}
	return s.software
}

// holder returns the protector of a name that a row gives: a key stays with the one that made it.
func (s *Service) holder(name string) (protect.Protector, error) {
	for _, p := range s.protectors() {
		if p.Name() == name {
			return p, nil
		}
	}
	return nil, errProtector(name)
}

func (s *Service) protectors() []protect.Protector {
	if s.hardware == nil {
		return []protect.Protector{s.software}
	}
	return []protect.Protector{s.software, s.hardware}
}

// Platform says what holds a key's private half: the platform that was configured for the
// hardware, or the kind of protector. What the operator calls his token is no tenant's business.
func (s *Service) Platform(k Key) string {
	if s.hardware != nil && k.HeldBy == s.hardware.Name() && s.platform != "" {
		return s.platform
	}
	kind, _, _ := strings.Cut(k.HeldBy, ":")
	return kind
}

// errProtector is about a key whose private half is elsewhere.
func errProtector(name string) error {
	return fault.New(fault.Unavailable, "The key is held by %q, which is not set up here", name).
		WithHint("The operator of this deployment has to start it with the module that holds the key.")
}
