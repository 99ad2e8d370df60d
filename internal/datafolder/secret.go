package datafolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

const secretSuffix = ".sealed"

// secretBinding is what the secret of a name is bound to.
func (f *Folder) secretBinding(name string) []byte {
	return envelope.Bind("data folder secret", f.ID, name)
}

// Secret returns the secret kept in the file name.sealed, sealed under a seal. The first call
// asks create for it and keeps it before returning it, so what was once used is never lost.
func (f *Folder) Secret(name string, under *seal.Seal, create func() ([]byte, error)) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := f.File(name + secretSuffix)
	sealed, err := os.ReadFile(path)
	if err == nil {
		secret, err := under.Open(f.secretBinding(name), sealed)
		if err != nil {
			return nil, fault.Wrap(fault.Corrupt, err, "%s is damaged or belongs to another data folder", path).
				WithHint("restore it from a backup of the data folder")
		}
		return secret, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be read", path)
	}
	secret, err := create()
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	if sealed, err = under.Seal(f.secretBinding(name), secret); err != nil {
		return nil, fmt.Errorf("sealing %s: %w", name, err)
	}
	if err := f.Write(name+secretSuffix, sealed); err != nil {
		return nil, err
	}
	return secret, nil
}

// Secrets is the shelf of the files *.sealed that are under a seal of this folder.
func (f *Folder) Secrets(under *seal.Seal) seal.Shelf {
	return seal.NewShelf("files", secretRows{f, under}, func(parts []string) []byte { return f.secretBinding(parts[0]) })
}

// secretRows are the secrets under one seal; a file says by its key which seal that is.
type secretRows struct {
	f     *Folder
	under *seal.Seal
}

// Count implements seal.Rows.
func (s secretRows) Count(context.Context) (int64, error) {
	rows, err := s.all()
	return int64(len(rows)), err
}

// List implements seal.Rows.
func (s secretRows) List(_ context.Context, after string, limit int) ([]seal.Row, error) {
	rows, err := s.all()
	from := slices.IndexFunc(rows, func(r seal.Row) bool { return r.Place > after })
	if err != nil || from < 0 {
		return nil, err
	}
	return rows[from:min(from+limit, len(rows))], nil
}

// Swap implements seal.Rows.
func (s secretRows) Swap(_ context.Context, swaps []seal.Swap) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	for _, swap := range swaps {
		sealed, err := os.ReadFile(s.f.File(swap.Place + secretSuffix))
		if err != nil || string(sealed) != string(swap.Old) {
			continue // somebody was faster; the next pass sees what is there
		}
		if err := s.f.Write(swap.Place+secretSuffix, swap.New); err != nil {
			return err
		}
	}
	return nil
}

func (s secretRows) all() (rows []seal.Row, err error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	paths, err := filepath.Glob(filepath.Join(s.f.Path, "*"+secretSuffix)) // sorted
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), secretSuffix)
		sealed, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be read", path)
		}
		if s.ours(name, sealed) {
			rows = append(rows, seal.Row{Place: name, Parts: []string{name}, Sealed: sealed})
		}
	}
	return rows, nil
}

// ours reports whether a secret is under the seal. One that names no key has to be opened to tell.
func (s secretRows) ours(name string, sealed []byte) bool {
	if id, named := seal.Under(sealed); named {
		return id == s.under.Current() || slices.Contains(s.under.Former(), id)
	}
	plain, err := s.under.Open(s.f.secretBinding(name), sealed)
	clear(plain)
	return err == nil
}
