package policy_test

import (
	"context"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootkey"
)

const suffix = "vault.localhost:8443"

// private is the one RSA key behind every version of every root: the label keeps them apart.
var private = sync.OnceValue(func() *rsa.PrivateKey {
	bits := 1024 // a fifth of the time, in runs that unwrap some hundred thousand times
	if fips140.Enabled() {
		bits = 2048
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
})

// vaults are root keys in memory that wrap with real RSA-OAEP-256. URIs are parsed by the
// real client.
type vaults struct {
	parse policy.Roots

	mu    sync.Mutex
	keys  map[string]*vaultKey // by canonical URI
	asked int                  // calls that would have been connections
	pause time.Duration        // each call takes this long
}

type vaultKey struct {
	versions int
	facts    rootkey.Facts
	failed   error           // what every call gives; nil if all is well
	useOnly  error           // what wrapping and unwrapping give
	gone     map[string]bool // versions that were destroyed
	other    bool            // it gives back another key than it wrapped
}

func newVaults(t testing.TB) *vaults {
	t.Helper()
	c, err := rootkey.New(rootkey.Config{Suffixes: []string{suffix}, Credential: func(string, string) azcore.TokenCredential { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return &vaults{parse: policy.RootsOf(c), keys: map[string]*vaultKey{}}
}

// key makes a good root key, as row CK-168 and its neighbours want it, and returns its URI.
func (v *vaults) key(vault, name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	uri := "https://" + vault + "." + suffix + "/keys/" + name
	v.keys[uri] = &vaultKey{versions: 1, facts: rootkey.Facts{
		Type: "RSA", Bits: 2048, Enabled: true, Ops: []string{"wrapKey", "unwrapKey"}, RecoveryLevel: "Recoverable+ProtectedSubscription",
	}}
	return uri
}

// change alters a key.
func (v *vaults) change(uri string, fn func(k *vaultKey)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fn(v.keys[uri])
}

func (v *vaults) roll(uri string) { v.change(uri, func(k *vaultKey) { k.versions++ }) }

func (v *vaults) deny(uri string) {
	v.change(uri, func(k *vaultKey) {
		k.failed = fault.New(fault.Denied, "the service has no permission on %s", uri).WithReason("AccessDenied").WithHint("grant it")
	})
}

func (v *vaults) cut(uri string) {
	v.change(uri, func(k *vaultKey) {
		k.failed = fault.New(fault.Unavailable, "the vault of %s cannot be reached", uri).WithReason("Unreachable").WithHint("check the network")
	})
}

func (v *vaults) heal(uri string) {
	v.change(uri, func(k *vaultKey) { k.failed, k.useOnly = nil, nil })
}

func (v *vaults) calls() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

// call counts a call and gives the key, or the failure that is set.
func (v *vaults) call(ctx context.Context, uri string, use bool) (vaultKey, error) {
	if v.pause > 0 {
		select {
		case <-time.After(v.pause):
		case <-ctx.Done():
			return vaultKey{}, ctx.Err()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	k, ok := v.keys[uri]
	switch {
	case !ok:
		return vaultKey{}, fault.New(fault.Denied, "%s is not there", uri).WithReason("KeyNotFound").WithHint("check its name")
	case k.failed != nil:
		return vaultKey{}, k.failed
	case use && k.useOnly != nil:
		return vaultKey{}, k.useOnly
	}
	return *k, nil
}

func (v *vaults) Parse(uri string) (canonical, vault string, err error) { return v.parse.Parse(uri) }

func (v *vaults) URI(vault, name, version string) string { return v.parse.URI(vault, name, version) }

func (v *vaults) Inspect(ctx context.Context, tenant, app, uri string) (rootkey.Facts, error) {
	r := root{v, uri}
	k, err := v.call(ctx, r.URI(), false)
	if err != nil {
		return rootkey.Facts{}, err
	}
	k.facts.KeyID, err = r.wrapper(k)
	return k.facts, err
}

func kid(uri string, version int) string { return fmt.Sprintf("%s/%032x", uri, version) }

// root is one of the keys as package hierarchy wants it. Its uri may have a version.
type root struct {
	v   *vaults
	uri string
}

// wrapper returns the id of the version that wraps: the one that the root is pinned to, or the
// newest.
func (r root) wrapper(k vaultKey) (string, error) {
	if r.uri == r.URI() {
		return kid(r.uri, k.versions), nil
	}
	for n := 1; n <= k.versions; n++ {
		if id := kid(r.URI(), n); id == r.uri {
			return id, nil
		}
	}
	return "", fault.New(fault.Denied, "%s is not there", r.uri).WithReason("KeyNotFound").WithHint("check its version")
}

func (v *vaults) root(ref hierarchy.RootRef) (hierarchy.Root, error) { return root{v, ref.URI}, nil }

func (r root) URI() string { return hierarchy.RootRef{URI: r.uri}.Key() }

func (r root) Wrap(ctx context.Context, key envelope.Key) (string, []byte, error) {
	k, err := r.v.call(ctx, r.URI(), true)
	if err != nil {
		return "", nil, err
	}
	id, err := r.wrapper(k)
	if err != nil {
		return "", nil, err
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &private().PublicKey, key.Expose(), []byte(id))
	return id, wrapped, err
}

func (r root) Unwrap(ctx context.Context, id string, wrapped []byte) (envelope.Key, error) {
	k, err := r.v.call(ctx, r.URI(), true)
	if err != nil {
		return envelope.Key{}, err
	}
	if k.gone[id] {
		return envelope.Key{}, errGone(id)
	}
	if !strings.HasPrefix(id, r.URI()+"/") {
		return envelope.Key{}, fault.New(fault.Invalid, "%s is not a version of %s", id, r.uri)
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, private(), wrapped, []byte(id))
	if err != nil {
		return envelope.Key{}, fault.Wrap(fault.Unavailable, err, "the vault cannot unwrap")
	}
	if k.other {
		return envelope.NewKey(), nil
	}
	return envelope.KeyFromBytes(plain)
}
