package backup

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// Life is how long new backups are sealed under the same key. Old keys stay in the ring, and
// what is sealed under them restorable, for ever (KV-75).
const Life = 365 * 24 * time.Hour

const bits = 3072

// A Store keeps the ring. No key is ever removed.
type Store interface {
	// BackupKey returns a key, fault.NotFound if there is none by that id.
	BackupKey(ctx context.Context, id string) (Row, error)
	// NewestBackupKey returns the key made last, fault.NotFound if there is none.
	NewestBackupKey(ctx context.Context) (Row, error)
	AddBackupKey(ctx context.Context, r Row) error
}

// A Row is a key of the ring as it is stored. Sealed is
//
//	Seal.Seal(Bind("backup key 1", ID), secret, 32 bytes ‖ PKCS #8 DER)
type Row struct {
	ID      string // a GUID
	Created time.Time
	Sealed  []byte
}

// Config is what a Ring needs.
type Config struct {
	Store Store            // required: the vault database
	Seal  *seal.Seal       // required: its seal
	Now   func() time.Time // time.Now if nil
}

// A Ring holds the keys that backups are sealed under. It is safe for concurrent use and keeps
// nothing in memory.
type Ring struct {
	store Store
	seal  *seal.Seal
	now   func() time.Time
}

// New returns a Ring ready for use. Its first key is made when it is first needed.
func New(c Config) (*Ring, error) {
	if c.Store == nil || c.Seal == nil {
		return nil, errors.New("backup: Store and Seal are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Ring{store: c.Store, seal: c.Seal, now: c.Now}, nil
}

// A Key is one of the ring, opened. It does not print.
type Key struct {
	id      string
	private *rsa.PrivateKey
	secret  envelope.Key
}

// Format prints the id alone.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "backup key "+k.id) }

// Export is the key under which private halves leave a protector, and come back.
func (k *Key) Export() envelope.Key { return k.secret.Derive("private keys in backups 1") }

// Newest returns the key for new backups. It makes one where there is none or the newest is
// older than Life; two made at once both stay.
func (r *Ring) Newest(ctx context.Context) (*Key, error) {
	row, err := r.store.NewestBackupKey(ctx)
	if fault.Is(err, fault.NotFound) || err == nil && r.now().Sub(row.Created) >= Life {
		return r.add(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.unseal(row)
}

// Open returns the content of a blob and the key it was sealed under. The error is fault.Invalid,
// and the same, for every blob that no key of the ring made.
func (r *Ring) Open(ctx context.Context, blob []byte) (*Key, []byte, error) {
	id, jwe, ok := parse(blob)
	if !ok {
		return nil, nil, ErrBlob()
	}
	row, err := r.store.BackupKey(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil, ErrBlob()
	}
	if err != nil {
		return nil, nil, err
	}
	k, err := r.unseal(row)
	if err != nil {
		return nil, nil, err
	}
	content, ok := k.open(jwe)
	if !ok {
		return nil, nil, ErrBlob()
	}
	return k, content, nil
}

// ErrBlob is the one answer to every blob that cannot be restored here (KV-72).
func ErrBlob() error { return fault.New(fault.Invalid, "Cannot decrypt backup blob") }

func (r *Ring) add(ctx context.Context) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fault.New(fault.Internal, "the new backup key cannot be encoded")
	}
	k := &Key{id: uuid.NewString(), private: private, secret: envelope.NewKey()}
	secret := k.secret.Expose()
	plain := slices.Concat(secret, der)
	clear(secret)
	clear(der)
	defer clear(plain)
	row := Row{ID: k.id, Created: r.now().UTC()}
	if row.Sealed, err = r.seal.Seal(row.bind(), plain); err != nil {
		return nil, err
	}
	return k, r.store.AddBackupKey(ctx, row)
}

func (r *Ring) unseal(row Row) (*Key, error) {
	plain, err := r.seal.Open(row.bind(), row.Sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	bad := fault.New(fault.Corrupt, "a stored backup key cannot be read")
	if len(plain) < 32 {
		return nil, bad
	}
	k := &Key{id: row.ID}
	if k.secret, err = envelope.KeyFromBytes(plain[:32]); err != nil {
		return nil, bad
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain[32:])
	if err != nil { // the cause may quote key bytes
		return nil, bad
	}
	var ok bool
	if k.private, ok = parsed.(*rsa.PrivateKey); !ok {
		return nil, bad
	}
	return k, nil
}

func (r Row) bind() []byte { return envelope.Bind("backup key 1", r.ID) }

// Shelf returns the ring's keys in rows, whose part is their id, for being re-sealed. Backups
// stay as they are: what they are sealed under does not change.
func Shelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("backup keys", rows, func(p []string) []byte { return Row{ID: p[0]}.bind() })
}
