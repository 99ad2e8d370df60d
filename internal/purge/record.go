package purge

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Record says what a purge destroyed, when, and by whose order. On paper it is a signed note
// (golang.org/x/mod/sumdb/note, Ed25519): one line of JSON of this struct, an empty line, and
//
//	— customerkey/purge/<tenant> <base64 of 4 bytes key hash, 64 bytes signature>
type Record struct {
	Version  int       `json:"v"` // 1
	Tenant   string    `json:"tenant"`
	Policy   string    `json:"policy"`
	Name     string    `json:"name"`
	Family   string    `json:"family"`
	Request  string    `json:"request"`
	Reason   string    `json:"reason"`
	Contact  string    `json:"contact"`
	Forced   bool      `json:"forced"` // a root was not denied but gone: -Force
	AskedBy  Person    `json:"askedBy"`
	Approved []Person  `json:"approved"`
	Plan     Plan      `json:"plan"`   // what was approved
	Digest   string    `json:"digest"` // of the plan
	Ordered  time.Time `json:"ordered"`
	Finished time.Time `json:"finished"`
	Gone     Gone      `json:"destroyed"`
	Log      string    `json:"log"` // signed head of the tenant's log of decisions at the end
}

// A Person is one who asked for a purge, or approved it.
type Person struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	As   string    `json:"as"` // "officer", "operator"; "" for who asked
	At   time.Time `json:"at"`
}

// Gone counts what was destroyed.
type Gone struct {
	Generations      []string `json:"generations"`      // ids; their three wrapped copies and the commitment
	AvailabilityKeys []string `json:"availabilityKeys"` // ids
	ContainerKeys    int64    `json:"containerKeys"`
	Items            int64    `json:"items"` // with the only copies of their keys
	Bytes            int64    `json:"bytes"`
}

// recordVersion is that of the layout.
const recordVersion = 1

// origin is the name of the key that signs a tenant's records.
func origin(tenant string) string { return "customerkey/purge/" + tenant }

func verifierKey(tenant string, public ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(origin(tenant), public)
}

// A signer signs records of one tenant.
type signer struct {
	note.Verifier
	sign func(text []byte) ([]byte, error)
}

func (s signer) Sign(text []byte) ([]byte, error) { return s.sign(text) }

func signRecord(r Record, key ed25519.PrivateKey) (string, error) {
	r.Version = recordVersion
	text, err := r.text()
	if err != nil {
		return "", err
	}
	vkey, err := verifierKey(r.Tenant, key.Public().(ed25519.PublicKey))
	if err != nil {
		return "", err
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer{v, func(text []byte) ([]byte, error) {
		return key.Sign(rand.Reader, text, crypto.Hash(0)) // Ed25519 hashes by itself
	}})
	return string(signed), err
}

// text returns the one form of a record: JSON on one line, with its newline.
func (r Record) text() ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	err := w.Encode(r)
	return b.Bytes(), err
}

// VerifyRecord checks a signed record and returns what it says. verifierKey is what
// [Ledger.VerifierKey] returned; it needs no server. Any flaw is fault.Corrupt.
func VerifyRecord(signed []byte, verifierKey string) (Record, error) {
	v, err := note.NewVerifier(strings.TrimSpace(verifierKey))
	if err != nil {
		return Record{}, fault.Wrap(fault.Invalid, err, "the key cannot be understood").WithHint("give the VerifierKey that Get-CKPurge shows")
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Record{}, fault.Wrap(fault.Corrupt, err, "the record is not signed with this key, or was changed since")
	}
	r, err := parseRecord([]byte(n.Text))
	if err == nil && origin(r.Tenant) != v.Name() {
		err = fault.New(fault.Corrupt, "the record is about another organization than its signature")
	}
	return r, err
}

// parseRecord reads the one form of a record.
func parseRecord(text []byte) (Record, error) {
	bad := fault.New(fault.Corrupt, "the record cannot be understood")
	var r Record
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Version != recordVersion {
		return Record{}, bad
	}
	if again, err := r.text(); err != nil || !bytes.Equal(again, text) {
		return Record{}, bad
	}
	return r, nil
}
