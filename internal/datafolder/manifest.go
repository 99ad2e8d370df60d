package datafolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// format of the manifest and of the sealing keys beside each other. Format 1 had one sealing key
// for each database, in a file of its own; see upgrade.go.
const format = 2

// maxFile bounds what is read of a small file, in bytes.
const maxFile = 1 << 20

// A state says what a sealing key is for.
//
//	next --(it is stored)--> current --(another is)--> former --(nothing is under it)--> spent
//
// Each step is written here before the next one is taken, so that a start after a crash knows
// what was meant: a next key that is stored becomes current, one that is not never was; a
// former key must be there; a spent one may be.
type state string

const (
	next    state = "next"
	current state = "current"
	former  state = "former"
	spent   state = "spent"
)

// manifest is customerkey.json. It is written last when a folder is made: a folder without it
// holds nothing yet. An id is a commitment to its key, so the manifest tells right keys from
// wrong ones without holding anything of them.
type manifest struct {
	Format int               `json:"format"`
	ID     string            `json:"id"`
	Seals  map[string][]mark `json:"seals"` // by database, oldest first
}

// A mark is what the manifest says of a sealing key.
type mark struct {
	ID    seal.ID   `json:"id"`
	State state     `json:"state"`
	Since time.Time `json:"since"` // when it was made
}

// names are the databases in the order in which they are told.
var names = []string{"service", "vault", "availability"}

// state returns the state of key id of a database, "" if it is not known.
func (m *manifest) state(name string, id seal.ID) state {
	for _, k := range m.Seals[name] {
		if k.ID == id {
			return k.State
		}
	}
	return ""
}

// edit returns a copy in which the marks of one database are what fn makes of them.
func (m *manifest) edit(name string, fn func([]mark) []mark) *manifest {
	c := &manifest{Format: m.Format, ID: m.ID, Seals: map[string][]mark{}}
	for n, marks := range m.Seals {
		c.Seals[n] = slices.Clone(marks)
	}
	c.Seals[name] = fn(c.Seals[name])
	return c
}

// parseManifest reads a manifest of this format: every database has exactly one current key, and
// no key stands twice.
func parseManifest(raw []byte) (*manifest, error) {
	var m manifest
	if err := decode(raw, &m); err != nil {
		return nil, err
	}
	if m.Format != format || m.ID == "" || len(m.Seals) != len(names) {
		return nil, fmt.Errorf("not of format %d", format)
	}
	seen := map[seal.ID]bool{}
	for _, name := range names {
		currents := 0
		for _, k := range m.Seals[name] {
			if seen[k.ID] || !k.ID.Valid() || !slices.Contains([]state{next, current, former, spent}, k.State) {
				return nil, errors.New("a sealing key in it makes no sense")
			}
			seen[k.ID] = true
			if k.State == current {
				currents++
			}
		}
		if currents != 1 {
			return nil, fmt.Errorf("the %s database has %d current sealing keys", name, currents)
		}
	}
	return &m, nil
}

// decode reads exactly one JSON value without unknown members.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the end")
	}
	return nil
}

func encode(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return append(raw, '\n'), err
}

// readSmall reads a file; of one larger than maxFile it gives nothing.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if len(raw) > maxFile {
		raw = nil // which nobody takes for the file
	}
	return raw, err
}

// manifestFormat says which format the manifest of the folder at path has, 0 if there is none.
func manifestFormat(path string) (raw []byte, version int, err error) {
	file := filepath.Join(path, "customerkey.json")
	raw, err = readSmall(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if info, failed := os.Stat(filepath.Dir(file)); err != nil && failed == nil && !info.IsDir() {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "the data folder %s is no folder", filepath.Dir(file)).WithHint("name another one with --data")
	}
	if err != nil {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "%s cannot be read", file).WithHint("make it readable for this user")
	}
	var m struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Format < 1 || m.Format > format {
		return nil, 0, strangeManifest(file, err)
	}
	return raw, m.Format, nil
}

func strangeManifest(file string, err error) error {
	return fault.Wrap(fault.Invalid, err, "%s is not one that this version understands (format %d)", file, format).
		WithHint("run the version of ck that made this folder, or restore the file from a backup")
}

// writeManifest makes m the manifest, on disk and then in memory.
func (f *Folder) writeManifest(m *manifest) error {
	raw, err := encode(m)
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	if err := durable.Write(f.File("customerkey.json"), raw); err != nil {
		return unwritable(f.Path, err)
	}
	f.manifest = m
	return nil
}
