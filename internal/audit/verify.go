package audit

import (
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/customerkey/customerkey/internal/fault"
)

// Everything in this file needs no server and no secret: it is how a tenant checks the log
// from outside, with leaves and heads that it kept or fetched.

// VerifyHead checks the signature of a head and returns what it says. verifierKey is what
// [Log.VerifierKey] returned when the verifier first came to trust the log. Any flaw is
// fault.Corrupt.
func VerifyHead(signedNote []byte, verifierKey string) (Head, error) {
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Head{}, fault.Wrap(fault.Invalid, err, "the key of the log cannot be understood")
	}
	n, err := note.Open(signedNote, note.VerifierList(v))
	if err != nil {
		return Head{}, fault.Wrap(fault.Corrupt, err, "the head of the log is not signed with the log's key")
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return Head{}, err
	}
	if h.Origin() != v.Name() {
		return Head{}, fault.New(fault.Corrupt, "the head is that of another log")
	}
	h.Note = signedNote
	return h, nil
}

// A Verifier reads one tenant's log from its first entry on and keeps the tree's hash. It holds
// a few hundred bytes, however long the log. Use it for one goroutine; make it with
// [NewVerifier].
type Verifier struct {
	tenant string
	tree   tree
}

// NewVerifier returns a Verifier that has read nothing of the tenant's log.
func NewVerifier(tenant string) *Verifier { return &Verifier{tenant: tenant} }

// Add reads the next entry. An index out of order, a leaf that does not decode, or one that
// belongs to another tenant is fault.Corrupt, and is not counted.
func (v *Verifier) Add(index int64, leaf []byte) (Entry, error) {
	if index != v.tree.size {
		return Entry{}, fault.New(fault.Corrupt, "entry %d of the log is missing: the next one is %d", v.tree.size, index)
	}
	e, err := DecodeLeaf(leaf)
	if err != nil {
		return Entry{}, fault.Wrap(fault.Corrupt, err, "entry %d of the log is damaged", index).
			WithHint("it was changed after it was recorded, or the file of entries was; keep the saved head as evidence")
	}
	if e.Tenant != v.tenant {
		return Entry{}, fault.New(fault.Corrupt, "entry %d belongs to the log of another tenant", index)
	}
	v.tree.add(leaf)
	return e, nil
}

// Size returns how many entries were read.
func (v *Verifier) Size() int64 { return v.tree.size }

// Root returns the hash of the tree of the entries read so far.
func (v *Verifier) Root() tlog.Hash { return v.tree.root() }

// Check compares the entries read so far with a head of the same size, from [VerifyHead]. It
// is fault.Corrupt if an entry differs from what was signed, fault.Invalid if the sizes differ.
func (v *Verifier) Check(h Head) error {
	switch {
	case h.Tenant != v.tenant:
		return fault.New(fault.Corrupt, "the head is that of another tenant's log")
	case h.Size != v.Size():
		return fault.New(fault.Invalid, "the head is about %d entries, %d were read", h.Size, v.Size())
	case h.Root != v.Root():
		return fault.New(fault.Corrupt, "the first %d entries of the log are not those that were signed", h.Size).
			WithHint("an entry was changed after it was recorded, or the head is from another copy of the log")
	}
	return nil
}
