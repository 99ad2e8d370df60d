package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// Secret returns the secret kept in the file name.sealed, sealed under a seal. The first call
// asks create for it and keeps it before returning it, so what was once used is never lost.
func (f *Folder) Secret(name string, under *seal.Seal, create func() ([]byte, error)) ([]byte, error) {
	path := f.File(name + ".sealed")
	binding := envelope.Bind("data folder secret", f.ID, name)
	sealed, err := os.ReadFile(path)
	if err == nil {
		secret, err := under.Open(binding, sealed)
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
	if sealed, err = under.Seal(binding, secret); err != nil {
		return nil, fmt.Errorf("sealing %s: %w", name, err)
	}
	if err := f.Write(name+".sealed", sealed); err != nil {
		return nil, err
	}
	return secret, nil
}
