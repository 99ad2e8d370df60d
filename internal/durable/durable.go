// Package durable writes small files that matter: keys, manifests, profiles of who holds what.
// After a crash at any point a file is as it was or as it was to be, never a mixture, and what a
// call has returned for is on the disk.
package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// Write replaces the file at path by data, readable by its owner only.
func Write(path string, data []byte) (err error) {
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
	return SyncFolder(dir)
}

// Create is Write for a file that must not be there: the error is fs.ErrExist if it is. A crash in
// the middle of it may leave a part of the file, which nothing depends on yet.
func Create(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return SyncFolder(filepath.Dir(path))
}

// Overwrite is Write for a file that holds keys: the bytes of the old file are then overwritten
// with zeros, unless the file has another name too (a backup, say). That is the best that can be
// done, not a promise: file systems that copy on write, snapshots and the disk's own firmware keep
// what they like. On Windows it is not done.
func Overwrite(path string, data []byte) error {
	wipe := wiper(path)
	if err := Write(path, data); err != nil {
		wipe(false)
		return err
	}
	wipe(true)
	return nil
}

// Remove overwrites a file that holds keys, as Overwrite does, and removes it.
func Remove(path string) error {
	wipe := wiper(path)
	if err := os.Remove(path); err != nil {
		wipe(false)
		return err
	}
	wipe(true)
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // no such call; NTFS logs its names
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
