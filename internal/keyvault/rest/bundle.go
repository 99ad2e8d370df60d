package rest

import (
	"crypto/rsa"
	"math/big"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
)

// What clients get (section 4.1). Optional members that are absent are left out (KV-46).

type bundleOut struct {
	Key        jwkOut            `json:"key"`
	Attributes attributesOut     `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	*deletionOut
}

type itemOut struct {
	KID        string            `json:"kid"`
	Attributes attributesOut     `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	*deletionOut
}

type jwkOut struct {
	KID string   `json:"kid"`
	KTY string   `json:"kty"`
	Ops []string `json:"key_ops"`
	N   string   `json:"n,omitempty"`
	E   string   `json:"e,omitempty"`
	Crv string   `json:"crv,omitempty"`
	X   string   `json:"x,omitempty"`
	Y   string   `json:"y,omitempty"`
}

type attributesOut struct {
	Enabled         bool   `json:"enabled"`
	NotBefore       *int64 `json:"nbf,omitempty"`
	Expires         *int64 `json:"exp,omitempty"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel"`
	RecoverableDays int    `json:"recoverableDays"`
	Exportable      *bool  `json:"exportable,omitempty"`
	HSMPlatform     string `json:"hsmPlatform,omitempty"`
}

type deletionOut struct {
	RecoveryID string `json:"recoveryId"`
	Deleted    int64  `json:"deletedDate"`
	PurgeAt    int64  `json:"scheduledPurgeDate"`
}

type operationOut struct {
	KID   string `json:"kid"`
	Value string `json:"value"`
}

type verifyOut struct {
	Value bool `json:"value"`
}

type randomOut struct {
	Value string `json:"value"`
}

func (x *request) bundle(k keyvault.Key) bundleOut {
	return bundleOut{Key: x.jwk(k), Attributes: x.attributes(k), Tags: k.Tags, deletionOut: x.deletion(k)}
}

// jwk returns the public half as a JSON web key (RFC 7518 section 6).
func (x *request) jwk(k keyvault.Key) jwkOut {
	out := jwkOut{KID: x.kid(k), KTY: k.KTY(), Ops: append([]string{}, k.Ops...)}
	switch pub := k.Public.(type) {
	case *rsa.PublicKey:
		out.N = base64url(pub.N.Bytes())
		out.E = base64url(big.NewInt(int64(pub.E)).Bytes())
	case interface{ Bytes() ([]byte, error) }: // a point
		if point, err := pub.Bytes(); err == nil { // 4 || X || Y, each as long as the curve's field
			half := 1 + (len(point)-1)/2
			out.Crv, out.X, out.Y = k.Curve, base64url(point[1:half]), base64url(point[half:])
		}
	}
	return out
}

// attributes says of -HSM keys what holds them, and that they do not come out (KV-52, KV-53).
func (x *request) attributes(k keyvault.Key) attributesOut {
	out := attributesOut{
		Enabled: k.Enabled, NotBefore: seconds(k.NotBefore), Expires: seconds(k.Expires),
		Created: k.Created.Unix(), Updated: k.Updated.Unix(),
		RecoveryLevel: k.RecoveryLevel, RecoverableDays: k.RecoverableDays,
	}
	if k.HSM {
		out.Exportable, out.HSMPlatform = new(bool), x.vaults.Platform(k)
	}
	return out
}

func (x *request) deletion(k keyvault.Key) *deletionOut {
	if !k.IsDeleted() {
		return nil
	}
	return &deletionOut{x.base(k) + "/deletedkeys/" + k.Name, k.Deleted.Unix(), k.PurgeAt.Unix()}
}

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	s := t.Unix()
	return &s
}

// base is the vault's address by which the deployment is reached (KV-6).
func (x *request) base(k keyvault.Key) string {
	return "https://" + strings.ToLower(k.Vault) + ".vault." + x.domain
}

// kid is the id of a version.
func (x *request) kid(k keyvault.Key) string { return x.keyID(k) + "/" + k.Version }

// keyID is the id of a key without its version.
func (x *request) keyID(k keyvault.Key) string { return x.base(k) + "/keys/" + k.Name }
