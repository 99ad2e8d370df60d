package audit

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Head says what a log holds: the first Size entries, whose tree has the root hash Root. Its
// Note is the same, signed: a C2SP tlog-checkpoint, which is text:
//
//	customerkey/<log>/<tenant>
//	<size, decimal>
//	<root hash, base64>
//	                                               (empty line)
//	— customerkey/<log>/<tenant> <base64 of 4 bytes key hash, 64 bytes Ed25519 signature>
//
// Ed25519 signatures are the same each time, so one state of a log has one note.
type Head struct {
	Log    string // "service", "vault", ...
	Tenant string
	Size   int64
	Root   tlog.Hash
	Note   []byte
}

const originPrefix = "customerkey/"

// Origin returns the first line of the note, which is also the name of the key.
func (h Head) Origin() string { return originPrefix + h.Log + "/" + h.Tenant }

func (h Head) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", h.Origin(), h.Size, h.Root)
}

// parseHead returns the head of a checkpoint's text, if it is in its one form.
func parseHead(text string) (Head, error) {
	lines := strings.Split(text, "\n")
	bad := fault.New(fault.Corrupt, "the head of the log cannot be understood")
	if len(lines) != 4 {
		return Head{}, bad
	}
	origin, ok := strings.CutPrefix(lines[0], originPrefix)
	log, tenant, ok2 := strings.Cut(origin, "/")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := tlog.ParseHash(lines[2])
	h := Head{Log: log, Tenant: tenant, Size: size, Root: root}
	if !ok || !ok2 || size < 0 || errors.Join(err, err2, checkTenant(tenant)) != nil || h.text() != text {
		return Head{}, bad
	}
	return h, nil
}

// checkTenant accepts what can stand in an origin: GUIDs, and no more than needed beside.
func checkTenant(id string) error {
	for _, c := range []byte(id) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return fault.New(fault.Invalid, "a tenant id has lower-case letters, digits and dashes only")
		}
	}
	if id == "" || len(id) > 64 {
		return fault.New(fault.Invalid, "a tenant id has 1 to 64 characters")
	}
	return nil
}

// A signer signs heads of one tenant's log. Each log has the same key under another name, so a
// signature says for which log it is good.
type signer struct {
	note.Verifier
	sign func(text []byte) ([]byte, error) // a closure, so that printing a signer shows no key
}

func (s signer) Sign(text []byte) ([]byte, error) { return s.sign(text) }

// newSigner returns the signer for the log that origin names.
func newSigner(origin string, key crypto.Signer) (signer, error) {
	vkey, err := verifierKey(origin, key)
	if err != nil {
		return signer{}, err
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return signer{}, err
	}
	return signer{v, func(text []byte) ([]byte, error) {
		return key.Sign(rand.Reader, text, crypto.Hash(0)) // Ed25519 hashes by itself
	}}, nil
}

// verifierKey returns the public half in note's text form.
func verifierKey(origin string, key crypto.Signer) (string, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", fault.New(fault.Internal, "the audit log needs an Ed25519 key")
	}
	return note.NewEd25519VerifierKey(origin, public)
}
