// Package datafolder keeps the one folder of a node that runs on the embedded default:
// who owns it, what is in it, and the sealing keys that lie apart from it.
//
//	DATA/customerkey.json   format, id, and a commitment to each sealing key
//	DATA/lock               held while a server runs; a second one is refused
//	DATA/ca.pem             the local authority's certificate, for clients
//	DATA/*.sealed           the authority's key, the logs' signing keys, the sample's password, sealed
//	DATA/service.db         tenants, people, policies, wrapped keys, items
//	DATA/vault.db           key vaults and their sealed private keys
//	DATA/availability.db    availability keys, sealed
//	DATA/blobs/             sealed content
//	SEALS/ID/{service,vault,availability}.key   the three sealing keys
//
// A copy of DATA alone opens nothing: the sealing keys lie elsewhere (row KV-3). Losing
// them loses everything sealed under them, so they belong into a backup of their own.
package datafolder

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

const format = 1

// A Folder is an opened, locked data folder.
type Folder struct {
	Path  string // DATA
	ID    string // GUID, made with the folder
	Seals Seals
	Fresh bool // made by this call to Open

	lock *flock.Flock
}

// Seals are three, one for each database, so that no one key opens two sides.
type Seals struct {
	Service, Vault, Availability *seal.Seal
}

// manifest is customerkey.json. It is written last when a folder is made: a folder without
// it holds nothing yet.
type manifest struct {
	Format int               `json:"format"`
	ID     string            `json:"id"`
	Seals  map[string]string `json:"seals"` // name -> commitment to the sealing key, hex
}

// Open opens the data folder at path, making it when it is absent, and locks it until Close.
// The sealing keys are read from a folder of this id below seals, and made there for a new
// data folder; seals may be empty for customerkey/seals in the user's configuration folder.
//
// It refuses, changing nothing, a folder that another server holds (fault.Conflict), one
// that cannot be written (fault.Unavailable), and sealing keys that are missing or belong to
// another folder (fault.Invalid).
func Open(path, seals string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, unwritable(path, err)
	}
	f := &Folder{Path: path, lock: flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600))}
	held, err := f.lock.TryLock()
	if err != nil {
		return nil, unwritable(path, err)
	}
	if !held {
		return nil, fault.New(fault.Conflict, "another server is using the data folder %s", path).
			WithHint("stop that server first, or give this one a folder of its own with --data DIR")
	}
	err = f.probe()
	if err == nil {
		err = f.load(seals)
	}
	if err != nil {
		return nil, errors.Join(err, f.lock.Unlock())
	}
	return f, nil
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

// Close gives the folder up.
func (f *Folder) Close() error { return f.lock.Unlock() }

// File returns the path of a file in the folder.
func (f *Folder) File(name string) string { return filepath.Join(f.Path, name) }

// Write replaces a file in the folder; see WriteFile. The error is fault.Unavailable.
func (f *Folder) Write(name string, data []byte) error {
	if err := WriteFile(f.File(name), data); err != nil {
		return unwritable(f.Path, err)
	}
	return nil
}

func (f *Folder) load(seals string) error {
	raw, err := os.ReadFile(f.File("customerkey.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return f.create(seals)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the data folder %s cannot be read", f.Path)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Format != format {
		return fault.Wrap(fault.Invalid, err, "%s is not one that this version understands (format %d)", f.File("customerkey.json"), format).
			WithHint("run the version of ck that made this folder, or restore the file from a backup")
	}
	f.ID = m.ID
	keys, err := readSeals(sealFolder(seals, m.ID), m)
	if err != nil {
		return err
	}
	f.Seals = sealsOf(keys)
	return nil
}

// create makes a new folder: sealing keys first, the manifest last, each durable before the
// next, so that a crash leaves either no folder or a whole one.
func (f *Folder) create(seals string) error {
	if matches, _ := filepath.Glob(f.File("*.db")); len(matches) > 0 {
		return fault.New(fault.Invalid, "%s holds databases but no customerkey.json", f.Path).
			WithHint("restore customerkey.json from a backup, or give an empty folder with --data DIR")
	}
	f.ID, f.Fresh = uuid.NewString(), true
	dir := sealFolder(seals, f.ID)
	keys, err := makeSeals(dir, f.ID)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the sealing keys cannot be written to %s", dir).
			WithHint("make that folder writable, or name another with --seals DIR")
	}
	m := manifest{Format: format, ID: f.ID, Seals: map[string]string{}}
	for name, key := range keys {
		m.Seals[name] = hex.EncodeToString(commitment(key, f.ID, name))
	}
	f.Seals = sealsOf(keys)
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	return f.Write("customerkey.json", append(raw, '\n'))
}

// WriteFile replaces the file at path by data, readable by its owner only: after a crash the
// file is the old one or the new one, never a mixture.
func WriteFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // CreateTemp gives 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // no such call; NTFS logs its names
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
