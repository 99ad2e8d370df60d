package purge

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Key is one version of a container's key. Version 0 stands for the container itself:
// nothing is written to it any more.
type Key struct {
	Container string // id of the container
	Version   int
	Older     bool // the version was destroyed before, and what it had held is under a later one; not stored
}

func (k Key) String() string { return k.Container + "/" + strconv.Itoa(k.Version) }

func parseKey(text string) (Key, error) {
	slash := strings.LastIndexByte(text, '/')
	if slash < 1 {
		return Key{}, errDamaged()
	}
	n, err := strconv.ParseUint(text[slash+1:], 10, 31)
	k := Key{Container: text[:slash], Version: int(n)}
	if err != nil || k.String() != text {
		return Key{}, errDamaged()
	}
	return k, nil
}

// An entry is one line of the ledger: base64 of an Ed25519 signature (64 bytes), a space, and
// JSON of one form. The signature covers linePurpose and the JSON. Four kinds, by part:
//
//	part 1 to N   keys that a purge destroys, up to keysInLine of them
//	part 0        the order: from here on it is in force. It is written behind its N parts
//	part -1       the signed record of what was done, once it is
//	part -2       a request that was called off; id is that of the request. It stands alone
//
// Parts without an order are those of an attempt that was given up; they mean nothing.
type entry struct {
	Version int        `json:"v"`
	ID      string     `json:"id"` // of the attempt, or of the request that was called off
	Tenant  string     `json:"tenant"`
	Policy  string     `json:"policy"`
	Part    int        `json:"part"`
	Keys    []string   `json:"keys,omitempty"`
	Order   *Order     `json:"order,omitempty"`
	Parts   int        `json:"parts,omitempty"`
	Record  string     `json:"record,omitempty"`
	At      *time.Time `json:"at,omitempty"`
}

// An Order says why a policy is purged.
type Order struct {
	Request string `json:"request"` // id of the request that was approved
	Family  string `json:"family"`
	Digest  string `json:"digest"` // of the plan that was approved

	AvailabilityKeys []string `json:"availabilityKeys"` // ids of those that go
}

const (
	entryVersion = 1
	linePurpose  = "customerkey purge ledger 1\n"
	keysInLine   = 500
	maxLine      = 256 << 10 // bytes; 500 keys take 20 kB, a record some kB
	recordPart   = -1
	calledOff    = -2
)

// encode returns the line of an entry, with its newline.
func (e entry) encode(key ed25519.PrivateKey) ([]byte, error) {
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	line := append(append(append(signed(key, text), ' '), text...), '\n')
	if len(line) > maxLine {
		return nil, fault.New(fault.Internal, "a line of the ledger of purges would have %d bytes", len(line))
	}
	return line, nil
}

// signed returns the signature of a line's JSON as it stands before it.
func signed(key ed25519.PrivateKey, text []byte) []byte {
	return base64.StdEncoding.AppendEncode(nil, ed25519.Sign(key, append([]byte(linePurpose), text...)))
}

func (e entry) text() ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(e); err != nil {
		return nil, fmt.Errorf("writing a line of the ledger of purges: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads a line without its newline, and accepts the one form that encode writes.
func decode(line []byte, key ed25519.PublicKey) (entry, error) {
	signature, text, found := bytes.Cut(line, []byte(" "))
	sig, err := base64.StdEncoding.Strict().DecodeString(string(signature))
	if !found || err != nil || len(line) >= maxLine || !ed25519.Verify(key, append([]byte(linePurpose), text...), sig) {
		return entry{}, errDamaged()
	}
	var e entry
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return entry{}, errDamaged()
	}
	again, err := e.text()
	if err != nil || !bytes.Equal(again, text) || !e.valid() {
		return entry{}, errDamaged()
	}
	return e, nil
}

// valid reports whether an entry is of one of the four kinds.
func (e entry) valid() bool {
	if e.Version != entryVersion || e.ID == "" || e.Tenant == "" || e.Policy == "" {
		return false
	}
	isOrder, isRecord := e.Part == 0, e.Part == recordPart
	for _, text := range e.Keys {
		if _, err := parseKey(text); err != nil {
			return false
		}
	}
	return e.Part >= calledOff && (e.Order != nil) == isOrder && (e.At != nil) == isOrder && (e.Record != "") == isRecord &&
		(len(e.Keys) > 0) == (e.Part > 0) && e.Parts >= 0 && (e.Parts == 0 || isOrder)
}

func errDamaged() *fault.Error {
	return fault.New(fault.Corrupt, "a line of the ledger of purges is damaged, or was not signed by this service")
}
