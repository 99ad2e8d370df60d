package availability

import (
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// A Kind says whom a key serves, and with that what it is.
type Kind string

const (
	PerPolicy Kind = "policy" // AES-256: one policy (CK-24)
	PerTenant Kind = "tenant" // RSA-2048: the SharePoint policies of one tenant (CK-36)
	PerForest Kind = "forest" // RSA-2048: those of all tenants (CK-25)
)

// Valid reports whether k is one of the three.
func (k Kind) Valid() bool { return k == PerPolicy || k == PerTenant || k == PerForest }

// Shared reports whether keys of the kind serve more than one policy.
func (k Kind) Shared() bool { return k != PerPolicy }

// Algorithm returns what keys of the kind are: "AES-256" or "RSA-2048" (CK-17).
func (k Kind) Algorithm() string {
	if k.Shared() {
		return "RSA-2048"
	}
	return "AES-256"
}

// A Scope names the key that serves a policy. Tenant and Policy are those of the policy, whatever
// the kind. Only the key of a forest can be meant without a tenant: when the service rolls it.
type Scope struct {
	Kind           Kind
	Tenant, Policy string
}

// Home returns under which tenant and policy the keys of a scope are kept.
func (s Scope) Home() (tenant, policy string) {
	switch s.Kind {
	case PerPolicy:
		return s.Tenant, s.Policy
	case PerTenant:
		return s.Tenant, ""
	}
	return "", ""
}

func (s Scope) check() error {
	tenant, policy := s.Home()
	if s.Kind.Valid() && (s.Kind == PerForest || tenant != "") && (s.Kind != PerPolicy || policy != "") {
		return nil
	}
	return fault.New(fault.Internal, "an availability key was asked for nobody")
}

// Facts are what may be told of a key.
type Facts struct {
	ID             string // GUID
	Kind           Kind
	Tenant, Policy string // GUIDs; empty where the kind makes them so
	Number         int    // of the key in its scope, 1 for the first
	Created        time.Time
	Superseded     time.Time // when the next one of its scope was made; zero for the newest
	Destroyed      time.Time // zero while the key lives
}

// A Key is a stored availability key. Sealed is the key under the seal of the database: 155 bytes
// for AES (138 where it names no sealing key), PKCS #8 of about 1.3 KiB for RSA; empty once it is
// destroyed.
type Key struct {
	Facts
	Sealed []byte
}

// binding is what a sealed availability key is bound to: moved to another row it does not open.
func (f Facts) binding() []byte {
	if f.Kind.Shared() {
		return envelope.Bind("availability key RSA 1", string(f.Kind), f.Tenant, f.ID)
	}
	return envelope.Bind("availability key 1", f.Tenant, f.Policy, f.ID)
}

// Shelf returns the keys in rows, whose parts are kind, tenant, policy and id, for being
// re-sealed.
func Shelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("availability keys", rows, func(p []string) []byte {
		return Facts{Kind: Kind(p[0]), Tenant: p[1], Policy: p[2], ID: p[3]}.binding()
	})
}
