// Package datafolder keeps the one folder of a node that runs on the embedded default:
// who owns it, what is in it, and the sealing keys that lie apart from it.
//
//	DATA/customerkey.json   format, id, and the ids of the sealing keys
//	DATA/lock               held while a server runs; a second one is refused
//	DATA/ca.pem             the local authority's certificate, for clients
//	DATA/*.sealed           the authority's key, the logs' signing keys, the sample's password, sealed
//	DATA/service.db         tenants, people, policies, wrapped keys, items
//	DATA/vault.db           key vaults and their sealed private keys
//	DATA/availability.db    availability keys, sealed
//	DATA/blobs/             sealed content
//	DATA/purged.ledger      what was purged for ever; SEALS/ID/purged.ledger is a copy
//	SEALS/ID/lock           held while a server runs, so that none runs on a copy of DATA beside it
//	SEALS/ID/seals.json     the sealing keys of the three databases, each wrapped by their holder
//	SEALS/ID/holder-*.key   the holder's key, where the holder is a file and was not put elsewhere
//
// A copy of DATA alone opens nothing: the sealing keys lie elsewhere (row KV-3). Losing
// them, or what holds them, loses everything sealed under them, so they belong into a backup
// of their own.
//
// A sealing key is renewed while the server runs ([Folder.Renew], [Folder.Retire]; package seal
// moves what is sealed), and another holder takes the keys over while it does not
// ([Folder.Move]).
package datafolder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// Config says where a data folder and its sealing keys are.
type Config struct {
	Path    string           // required: DATA, made when it is absent
	Seals   string           // SEALS; customerkey/seals in the user's configuration folder if ""
	Holders Holders          // ways to what holds the sealing keys
	Now     func() time.Time // time.Now if nil
}

// Holders open what holds the sealing keys, and ask for the secrets that it takes. dir is where
// the sealing keys lie.
type Holders struct {
	// New chooses the holder of a new data folder; a file beside the sealing keys if nil.
	New func(ctx context.Context, dir string) (holder.Settings, holder.Holder, error)
	// Open opens the holder that the settings describe; files only if nil.
	Open func(ctx context.Context, dir string, s holder.Settings) (holder.Holder, error)
}

// A Folder is an opened, locked data folder.
type Folder struct {
	Path  string // DATA
	ID    string // GUID, made with the folder
	Seals Seals
	Fresh bool // made by this call to Open

	lock    *flock.Flock
	keyLock *flock.Flock // of the sealing keys, which a copy of the data folder has too; or nil
	sealDir string       // SEALS/ID
	holder  holder.Holder
	now     func() time.Time

	changing sync.Mutex // held while keys are renewed, retired or moved, which may take long
	mu       sync.Mutex // held to read and change what follows, and the files of Secret
	manifest *manifest
	book     *book
}

// Seals are three, one for each database, so that no one key opens two sides.
type Seals struct {
	Service, Vault, Availability *seal.Seal
}

// Open opens a data folder, making it when it is absent, and locks it until Close. The sealing
// keys are read from a folder of its id below Seals, and made there for a new data folder.
//
// It refuses, changing nothing, a folder that another server holds or whose sealing keys one that
// runs on a copy of it does (fault.Conflict), one
// that cannot be written (fault.Unavailable), and sealing keys that are missing, damaged or
// belong to another folder (fault.Invalid) or whose holder does not give them out (the
// holder's error).
func Open(ctx context.Context, c Config) (*Folder, error) {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	f := &Folder{Path: path, lock: flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600)), now: c.Now}
	if f.Fresh, err = isFresh(path); err != nil {
		return nil, err
	}
	if f.Fresh { // before anything is made: a holder may refuse
		if err := f.prepare(ctx, c); err != nil {
			return nil, errors.Join(err, closeHolder(f.holder))
		}
	}
	if err := f.take(); err != nil {
		return nil, errors.Join(err, closeHolder(f.holder))
	}
	if f.Fresh {
		err = f.create()
	} else {
		err = f.load(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// take makes the folder if need be and locks it.
func (f *Folder) take() error {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return unwritable(f.Path, err)
	}
	held, err := f.lock.TryLock()
	if err != nil {
		return unwritable(f.Path, err)
	}
	if !held {
		return fault.New(fault.Conflict, "another server is using the data folder %s", f.Path).
			WithHint("stop that server first, or give this one a folder of its own with --data DIR")
	}
	if err := f.probe(); err != nil {
		return errors.Join(err, f.lock.Unlock())
	}
	return nil
}

// probe finds out whether the folder can be written: the lock alone does not need that.
func (f *Folder) probe() error {
	file, err := os.CreateTemp(f.Path, ".probe.*")
	if err != nil {
		return unwritable(f.Path, err)
	}
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return unwritable(f.Path, err)
	}
	return nil
}

// takeKeys locks the sealing keys, as far as their folder can be written: a rotation by a server on
// a copy of the data folder would destroy keys that this one needs.
func (f *Folder) takeKeys() error {
	lock := flock.New(filepath.Join(f.sealDir, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil //nolint:nilerr // missing, which is told later, or not to be written by anybody
	}
	if !held {
		return fault.New(fault.Conflict, "another server is using the sealing keys %s", f.sealDir).
			WithHint("it runs on a copy of the data folder, or this is one: give a copy a copy of the sealing keys, too, with --seals DIR; nothing was changed")
	}
	f.keyLock = lock
	return nil
}

// Close gives the folder up, and what holds its sealing keys.
func (f *Folder) Close() error {
	err := closeHolder(f.holder)
	if f.keyLock != nil {
		err = errors.Join(err, f.keyLock.Unlock())
	}
	return errors.Join(err, f.lock.Unlock())
}

func closeHolder(h holder.Holder) error {
	if c, ok := h.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// File returns the path of a file in the folder.
func (f *Folder) File(name string) string { return filepath.Join(f.Path, name) }

// SealFile returns the path of a file in the folder of the sealing keys, which lies apart.
func (f *Folder) SealFile(name string) string { return filepath.Join(f.sealDir, name) }

// Write replaces a file in the folder; see durable.Write. The error is fault.Unavailable.
func (f *Folder) Write(name string, data []byte) error {
	if err := durable.Write(f.File(name), data); err != nil {
		return unwritable(f.Path, err)
	}
	return nil
}

// isFresh reports whether there is no data folder at path.
func isFresh(path string) (bool, error) {
	_, version, err := manifestFormat(path)
	if err != nil || version != 0 {
		return false, err
	}
	if matches, _ := filepath.Glob(filepath.Join(path, "*.db")); len(matches) > 0 {
		return false, fault.New(fault.Invalid, "%s holds databases but no customerkey.json", path).
			WithHint("restore customerkey.json from a backup, or give an empty folder with --data DIR")
	}
	return true, nil
}

// load opens the sealing keys of a folder that is there. Everything is read and checked before
// anything is written.
func (f *Folder) load(ctx context.Context, c Config) error {
	raw, version, err := manifestFormat(f.Path)
	if err != nil {
		return err
	}
	if version == 1 {
		return f.upgrade(ctx, raw, c)
	}
	m, err := parseManifest(raw)
	if err != nil {
		return strangeManifest(f.File("customerkey.json"), err)
	}
	f.ID, f.sealDir = m.ID, sealFolder(c.Seals, m.ID)
	if err := f.takeKeys(); err != nil {
		return err
	}
	b, err := readBook(f.sealDir, m.ID)
	if err != nil {
		return err
	}
	open := c.Holders.Open
	if open == nil {
		open = OpenFile
	}
	if f.holder, err = open(ctx, f.sealDir, b.Holder); err != nil {
		return unchanged(err)
	}
	found, err := b.unwrap(ctx, f.holder, m)
	if err != nil {
		return err
	}
	f.manifest, f.book = m, b
	if err := f.settle(); err != nil {
		return err
	}
	return f.open(found)
}

func unwritable(path string, err error) error {
	return fault.Wrap(fault.Unavailable, err, "the data folder %s cannot be written", path).
		WithHint("make it writable for this user, free space on its disk, or give another one with --data DIR")
}

// DefaultPath is where the data folder lies when none is named: customerkey in the user's
// data folder ($XDG_DATA_HOME, ~/.local/share, or the platform's own).
func DefaultPath() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "customerkey"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "there is no home folder to keep data in").WithHint("name a data folder with --data DIR")
	}
	return filepath.Join(home, ".local", "share", "customerkey"), nil
}
