package profile

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/gofrs/flock"
)

const (
	largestFile = 1 << 20
	lockRetry   = 10 * time.Millisecond
	lockWait    = 30 * time.Second
)

// read returns what the file holds. A missing file is fault.Unauthenticated: nobody is
// signed in. A file that others can read is refused.
func read(path string) (Data, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Data{}, fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in with: ck login")
	}
	if err != nil {
		return Data{}, fault.Wrap(fault.Invalid, err, "the profile %s cannot be opened", path)
	}
	defer f.Close()
	if err := private(f, path); err != nil {
		return Data{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, largestFile))
	if err != nil {
		return Data{}, fault.Wrap(fault.Invalid, err, "the profile %s cannot be read", path)
	}
	return decode(text, path)
}

func decode(text []byte, path string) (Data, error) {
	var d Data
	if err := json.Unmarshal(text, &d); err != nil {
		return Data{}, damaged(path) // the cause could show a token
	}
	if d.Version != version {
		return Data{}, fault.New(fault.Invalid, "the profile %s has version %d, and this program reads version %d", path, d.Version, version).
			WithHint("sign in again with: ck login")
	}
	if d.Domain == "" || d.Tenant == "" {
		return Data{}, damaged(path)
	}
	return d, nil
}

func damaged(path string) error {
	return fault.New(fault.Invalid, "the profile %s is damaged", path).WithHint("remove it, then sign in with: ck login")
}

// private refuses a file that anyone but its owner can read or change.
func private(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the profile %s cannot be read", path)
	}
	if !info.Mode().IsRegular() {
		return fault.New(fault.Invalid, "the profile %s is not a file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fault.New(fault.Invalid, "the profile %s can be read or changed by others (mode %04o)", path, info.Mode().Perm()).
			WithHint("if you trust what it holds: chmod 600 %s; otherwise remove it and sign in again", path)
	}
	return nil
}

// A draft is a file that will replace the profile. It is opened before a refresh token is
// spent, so that a folder that cannot be written to is found out while nothing is lost. Its
// name is fixed, for there is one at a time: the caller holds the lock.
type draft struct {
	file *os.File
	path string
}

func newDraft(path string) (*draft, error) {
	_ = os.Remove(path + ".new") // of a command that was killed
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the profile %s cannot be saved", path).
			WithHint("see that its folder exists and can be written to")
	}
	return &draft{f, path}, nil
}

// commit writes d and makes it the profile, wholly or not at all.
func (w *draft) commit(d Data) error {
	if err := w.write(d); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the profile %s cannot be saved", w.path).
			WithHint("make room on the disk, then sign in again with: ck login")
	}
	return nil
}

func (w *draft) write(d Data) error {
	d.Version = version
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return errors.New("encoding the profile") // the cause could show a token
	}
	if _, err := w.file.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), w.path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(w.path))
}

// discard removes what commit has not used.
func (w *draft) discard() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

// syncFolder makes a rename durable where folders can be synced.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// save replaces the file at path.
func save(path string, d Data) error {
	w, err := newDraft(path)
	if err != nil {
		return err
	}
	defer w.discard()
	return w.commit(d)
}

// lock keeps other commands from changing the profile until unlock is called.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the folder of the profile cannot be made")
	}
	l := flock.New(path+".lock", flock.SetPermissions(0o600))
	wait, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if _, err := l.TryLockContext(wait, lockRetry); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.Wrap(fault.Unavailable, err, "the profile %s is in use", path).
			WithHint("see whether another ck hangs")
	}
	return func() { _ = l.Unlock() }, nil // the system lets go of it with the process at the latest
}
