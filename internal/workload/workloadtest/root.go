package workloadtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"

	"github.com/customerkey/customerkey/envelope"
)

// rootKey is shared by all roots: making one takes long.
var rootKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only tests come here
	}
	return key
})

// A Root is a root key in memory, RSA-OAEP-256.
type Root struct {
	uri string
	mu  sync.Mutex
	err error
}

// Fail has the root answer with err from now on; nil lets it work.
func (r *Root) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *Root) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// URI implements hierarchy.Root.
func (r *Root) URI() string { return r.uri }

// Wrap implements hierarchy.Root.
func (r *Root) Wrap(_ context.Context, key envelope.Key) (string, []byte, error) {
	if err := r.failure(); err != nil {
		return "", nil, err
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &rootKey().PublicKey, key.Expose(), nil)
	return r.uri + "/1", wrapped, err
}

// Unwrap implements hierarchy.Root.
func (r *Root) Unwrap(_ context.Context, _ string, wrapped []byte) (envelope.Key, error) {
	if err := r.failure(); err != nil {
		return envelope.Key{}, err
	}
	b, err := rsa.DecryptOAEP(sha256.New(), nil, rootKey(), wrapped, nil)
	if err != nil {
		return envelope.Key{}, err
	}
	return envelope.KeyFromBytes(b)
}
