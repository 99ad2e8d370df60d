package audit

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what a Log needs.
type Config struct {
	Store Store            // required: where the rows live
	Key   crypto.Signer    // required: an Ed25519 key; signs the heads of every tenant
	Name  string           // required: which log, lower-case letters: "service", "vault"
	Now   func() time.Time // time.Now if nil
}

// A Log takes entries and answers questions about them. It is safe for concurrent use, and
// several nodes may append to the same logs with the same key.
type Log struct {
	store Store
	key   func() crypto.Signer // a closure, so that printing a Log shows no key
	name  string
	now   func() time.Time

	turn  chan struct{} // holds one token while someone writes a batch
	mu    sync.Mutex
	queue []*request        // waiting to be written
	ours  map[string]Latest // by tenant: the end of its log that was signed or verified last
}

// New returns a Log ready for use. It reads nothing and starts no goroutine.
func New(c Config) (*Log, error) {
	if c.Store == nil || c.Key == nil {
		return nil, errors.New("audit: Store and Key are required")
	}
	if c.Name == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz") != "" {
		return nil, errors.New("audit: Name must be lower-case letters")
	}
	if _, err := verifierKey(originPrefix+c.Name, c.Key); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Log{
		store: c.Store,
		key:   func() crypto.Signer { return c.Key },
		name:  c.Name,
		now:   c.Now,
		turn:  make(chan struct{}, 1),
		ours:  map[string]Latest{},
	}, nil
}

func (l *Log) origin(tenant string) string { return originPrefix + l.name + "/" + tenant }

// VerifierKey returns the public key to check the tenant's heads with, in the text form of
// package note ("customerkey/service/<tenant>+<key hash>+<base64>"). It is not secret.
func (l *Log) VerifierKey(tenant string) (string, error) {
	if err := checkTenant(tenant); err != nil {
		return "", err
	}
	return verifierKey(l.origin(tenant), l.key())
}

// Head returns the newest signed head of the tenant's log. A tenant without entries has a head
// of size 0, so nothing tells whether the tenant exists.
func (l *Log) Head(ctx context.Context, tenant string) (Head, error) {
	if err := checkTenant(tenant); err != nil {
		return Head{}, err
	}
	latest, err := l.store.Latest(ctx, tenant)
	if err != nil {
		return Head{}, err
	}
	t, err := l.open(tenant, latest)
	if err != nil {
		return Head{}, err
	}
	return l.seal(tenant, t)
}

// maxOurs bounds how many ends are remembered, of up to 3 KiB each.
const maxOurs = 4096

// isOurs reports whether a stored end is the very one that was signed or verified last: then
// nothing changed it behind our back, and its signature need not be checked again.
func (l *Log) isOurs(tenant string, latest Latest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.ours[tenant]
	return ok && o.Size == latest.Size && o.Note == latest.Note && bytes.Equal(o.Edge, latest.Edge)
}

func (l *Log) remember(tenant string, latest Latest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.ours[tenant]; !ok && len(l.ours) == maxOurs {
		clear(l.ours)
	}
	l.ours[tenant] = latest
}

// open returns the tree of a stored head, after checking that the signature is ours and stands
// for the same tree: what was changed behind our back is found here, before it is built upon.
func (l *Log) open(tenant string, latest Latest) (*tree, error) {
	if latest.Size == 0 && latest.Note == "" {
		return &tree{}, nil
	}
	if l.isOurs(tenant, latest) {
		return newTree(latest.Size, latest.Edge)
	}
	vkey, err := l.VerifierKey(tenant)
	if err != nil {
		return nil, err
	}
	h, err := VerifyHead([]byte(latest.Note), vkey)
	if err != nil {
		return nil, err
	}
	t, err := newTree(latest.Size, latest.Edge)
	if err != nil {
		return nil, err
	}
	if h.Size != t.size || h.Root != t.root() {
		return nil, fault.New(fault.Corrupt, "the stored tree differs from its signed head")
	}
	l.remember(tenant, latest)
	return t, nil
}

// seal returns the signed head of t.
func (l *Log) seal(tenant string, t *tree) (Head, error) {
	h := Head{Log: l.name, Tenant: tenant, Size: t.size, Root: t.root()}
	s, err := newSigner(h.Origin(), l.key())
	if err != nil {
		return Head{}, err
	}
	h.Note, err = note.Sign(&note.Note{Text: h.text()}, s)
	return h, err
}
