package rootkey

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

const maxWrapped = 1024 // bytes: RSA with 8192 bits; a root has 2048 to 4096

var errNoCredential = errors.New("there is no credential for the service principal")

// A Key is one root key, reached as one service principal. It is safe for concurrent use.
//
// Its errors are fault.Denied or fault.Unavailable as the table in classify.go has it, or the
// error of ctx if that has ended.
type Key struct {
	client *Client
	keys   *azkeys.Client
	uri    URI // its Version is that which wraps, the newest if ""
}

// URI returns the canonical URI of the key, without a version.
func (k *Key) URI() string { return k.uri.String() }

// Wrap wraps key by RSA-OAEP-256 (CK-19) with the version that the root is pinned to, or its
// newest, and returns the id of that version. The vault does it, so that its log has it and its rules apply.
func (k *Key) Wrap(ctx context.Context, key envelope.Key) (kid string, wrapped []byte, err error) {
	plain := key.Expose()
	defer clear(plain)
	var res azkeys.WrapKeyResponse
	err = k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.WrapKey(ctx, k.uri.Name, k.uri.Version, parameters(plain), nil)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if len(res.Result) == 0 || len(res.Result) > maxWrapped {
		return "", nil, classify(&badAnswer{"a wrapped key of a wrong length"}, k.uri)
	}
	v, err := k.version(res.KID)
	if err != nil {
		return "", nil, err
	}
	if k.uri.Version != "" && !strings.EqualFold(v.Version, k.uri.Version) {
		return "", nil, classify(&badAnswer{"the id of another version"}, k.uri)
	}
	return v.String() + "/" + v.Version, res.Result, nil
}

// Unwrap unwraps what Wrap made with the version kid. A root that has expired or is not valid
// yet is refused, although its vault would unwrap, unless Config says otherwise.
//
// An answer that is not a key is not a denial: the owner has taken nothing back, the vault is
// out of order. It is fault.Unavailable with Reason "BadAnswer".
func (k *Key) Unwrap(ctx context.Context, kid string, wrapped []byte) (envelope.Key, error) {
	v, err := k.client.Parse(kid)
	if err != nil {
		return envelope.Key{}, err
	}
	if !k.owns(v) {
		return envelope.Key{}, fault.New(fault.Invalid, "the key id %q is not one of %s", kid, k.uri.Short())
	}
	beside, cancel := context.WithCancel(ctx)
	window := k.checkWindow(beside, v.Version)
	defer func() {
		cancel()
		for range window { // closed when nothing runs any more
		}
	}()
	var res azkeys.UnwrapKeyResponse
	err = k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.UnwrapKey(ctx, k.uri.Name, v.Version, parameters(wrapped), nil)
		return err
	})
	defer clear(res.Result)
	if err != nil {
		return envelope.Key{}, err
	}
	if err := <-window; err != nil {
		return envelope.Key{}, err
	}
	if len(res.Result) != envelope.KeySize {
		return envelope.Key{}, classify(&badAnswer{"an unwrapped key of a wrong length"}, k.uri)
	}
	return envelope.KeyFromBytes(res.Result)
}

// checkWindow asks, beside the unwrap, when the version is valid. The channel gives an error if
// the root is outside that time, nil else, and is closed. Where the vault does not tell, its
// answer to the unwrap decides.
func (k *Key) checkWindow(ctx context.Context, version string) <-chan error {
	out := make(chan error, 1)
	if k.client.c.AllowExpired {
		close(out)
		return out
	}
	go func() {
		defer close(out)
		if f, err := k.facts(ctx, version); err == nil {
			out <- k.outside(f)
		}
	}()
	return out
}

// outside returns the denial of a version that is not valid now.
func (k *Key) outside(f Facts) error {
	now := k.client.c.Now()
	switch {
	case !f.Expires.IsZero() && !now.Before(f.Expires):
		return denied(k.uri, "KeyExpired")
	case now.Before(f.NotBefore):
		return denied(k.uri, "KeyNotYetValid")
	}
	return nil
}

// Facts is what a vault says about a version of a key.
type Facts struct {
	KeyID         string // with the version
	Type          string // "RSA", "RSA-HSM", "EC", ...
	Bits          int    // of the modulus; 0 for other types than RSA
	Enabled       bool
	NotBefore     time.Time // zero if not set
	Expires       time.Time // zero if not set
	Ops           []string  // "wrapKey", "unwrapKey", ...
	RecoveryLevel string    // "Recoverable+ProtectedSubscription", ...
}

// Inspect returns the facts about the version that the root is pinned to, or its newest.
func (k *Key) Inspect(ctx context.Context) (Facts, error) { return k.facts(ctx, k.uri.Version) }

func (k *Key) facts(ctx context.Context, version string) (Facts, error) {
	var res azkeys.GetKeyResponse
	err := k.call(ctx, func(ctx context.Context) (err error) {
		res, err = k.keys.GetKey(ctx, k.uri.Name, version, nil)
		return err
	})
	if err != nil {
		return Facts{}, err
	}
	if res.Key == nil || res.Attributes == nil {
		return Facts{}, classify(&badAnswer{"a key without its attributes"}, k.uri)
	}
	v, err := k.version(res.Key.KID)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{
		KeyID: v.String() + "/" + v.Version, Type: string(deref(res.Key.Kty)),
		Enabled: deref(res.Attributes.Enabled), NotBefore: deref(res.Attributes.NotBefore), Expires: deref(res.Attributes.Expires),
		RecoveryLevel: deref(res.Attributes.RecoveryLevel),
	}
	if strings.HasPrefix(f.Type, "RSA") {
		f.Bits = new(big.Int).SetBytes(res.Key.N).BitLen()
	}
	for _, op := range res.Key.KeyOps {
		f.Ops = append(f.Ops, string(deref(op)))
	}
	return f, nil
}

// version checks that an id which the vault gave is that of a version of this key.
func (k *Key) version(kid *azkeys.ID) (URI, error) {
	v, err := k.client.Parse(string(deref(kid)))
	if err != nil || !k.owns(v) {
		return URI{}, classify(&badAnswer{"the id of another key"}, k.uri)
	}
	return v, nil
}

// owns reports whether v names a version of this key. Vaults compare names in any case.
func (k *Key) owns(v URI) bool {
	return v.Version != "" && v.Host == k.uri.Host && strings.EqualFold(v.Name, k.uri.Name)
}

// call runs one operation of the official client within the time for one, and sorts its error.
func (k *Key) call(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, k.client.c.Timeout)
	defer cancel()
	if request := k.client.c.Request; request != nil {
		if id := request(ctx); isWord(id, 64, "-_") {
			limited = policy.WithHTTPHeader(limited, http.Header{"X-Ms-Client-Request-Id": {id}})
		}
	}
	err := do(limited)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // the caller left: nothing is known about the root
	}
	return classify(err, k.uri)
}

func parameters(value []byte) azkeys.KeyOperationParameters {
	alg := azkeys.EncryptionAlgorithmRSAOAEP256
	return azkeys.KeyOperationParameters{Algorithm: &alg, Value: value}
}

// deref returns what p points to, or nothing.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
