package datafolder

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// sealFolder returns where the sealing keys of the data folder id lie. The default is apart
// from the data, so that a copy of the data alone opens nothing.
func sealFolder(dir, id string) string {
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil { // no home at all: the working folder is as far from the data as we can get
			config = "."
		}
		dir = filepath.Join(config, "customerkey", "seals")
	}
	return filepath.Join(dir, id)
}

// NewFile is a Holders.New: a fresh key in a file beside the sealing keys.
func NewFile(_ context.Context, dir string) (holder.Settings, holder.Holder, error) {
	name := "holder-" + hex.EncodeToString(envelope.NewKey().Commit(nil)[:4]) + ".key"
	return holder.Settings{Kind: holder.KindFile, File: &holder.FileSettings{Path: name}}, holder.NewFile(filepath.Join(dir, name)), nil
}

// OpenFile is a Holders.Open that knows files.
func OpenFile(_ context.Context, dir string, s holder.Settings) (holder.Holder, error) {
	if s.Kind != holder.KindFile || s.File == nil {
		return nil, fault.New(fault.Invalid, "the sealing keys are not held by a file").WithHint("run the version of ck that wrote them")
	}
	return holder.OpenFile(keyFilePath(dir, *s.File))
}

func keyFilePath(dir string, s holder.FileSettings) string {
	if filepath.IsAbs(s.Path) {
		return s.Path
	}
	return filepath.Join(dir, s.Path)
}

// prepare makes the keys of a new folder in memory and has them held.
func (f *Folder) prepare(ctx context.Context, c Config) error {
	f.ID = uuid.NewString()
	f.sealDir = sealFolder(c.Seals, f.ID)
	f.manifest = &manifest{Format: format, ID: f.ID, Seals: map[string][]mark{}}
	choose := c.Holders.New
	if choose == nil {
		choose = NewFile
	}
	settings, h, err := choose(ctx, f.sealDir)
	if err != nil {
		return err
	}
	keys := map[string]envelope.Key{}
	for _, name := range names {
		keys[name] = envelope.NewKey()
	}
	return f.hold(ctx, settings, h, keys)
}

// hold makes manifest and book of one current key for each database, in memory.
func (f *Folder) hold(ctx context.Context, settings holder.Settings, h holder.Holder, keys map[string]envelope.Key) error {
	f.holder, f.book = h, &book{Format: format, Folder: f.ID, Holder: settings}
	found := map[seal.ID]envelope.Key{}
	for _, name := range names {
		k, err := hold(ctx, h, f.ID, name, keys[name])
		if err != nil {
			return err
		}
		found[k.ID] = keys[name]
		f.book = f.book.with(k)
		f.manifest.Seals[name] = []mark{{ID: k.ID, State: current, Since: f.now().UTC()}}
	}
	return f.open(found)
}

// create writes a new folder: what holds the keys first, then the keys, the manifest last, each
// durable before the next, so that a crash leaves either no folder or a whole one.
func (f *Folder) create() error {
	if fresh, err := isFresh(f.Path); err != nil || !fresh {
		return fault.Wrap(fault.Conflict, err, "another server has made the data folder %s just now", f.Path).WithHint("try again")
	}
	if err := os.MkdirAll(f.sealDir, 0o700); err != nil {
		return sealsUnwritable(f.sealDir, err)
	}
	if err := f.takeKeys(); err != nil {
		return err
	}
	if err := f.writeHeld(); err != nil {
		return err
	}
	return f.writeManifest(f.manifest)
}

// writeHeld writes holder and book.
func (f *Folder) writeHeld() error {
	if s, ok := f.holder.(holder.Saver); ok {
		if err := s.Save(); err != nil {
			return err
		}
	}
	if err := f.writeBook(f.book); err != nil {
		return err
	}
	if err := durable.SyncFolder(filepath.Dir(f.sealDir)); err != nil {
		return sealsUnwritable(f.sealDir, err)
	}
	return nil
}

// open makes the seals of the keys that were found.
func (f *Folder) open(found map[seal.ID]envelope.Key) error {
	seals, err := f.manifest.sealsOf(found)
	if err != nil {
		return err
	}
	f.Seals = Seals{Service: seals["service"], Vault: seals["vault"], Availability: seals["availability"]}
	return nil
}

// settle takes the step that a crash left out; see state. Every key was opened before.
func (f *Folder) settle() error {
	m := f.manifest
	for _, name := range names {
		m = m.edit(name, func(marks []mark) []mark { return settled(marks, f.book) })
	}
	gone := func(k heldKey) bool { return f.manifest.state(k.Seal, k.ID) == spent }
	if slices.ContainsFunc(f.book.Keys, gone) {
		if err := f.writeBook(f.book.without(gone)); err != nil {
			return err
		}
	}
	if !m.equal(f.manifest) {
		if err := f.writeManifest(m); err != nil {
			return err
		}
	}
	f.tidy()
	return nil
}

// settled drops spent keys, and next ones that were never stored; a next one that was becomes
// current.
func settled(marks []mark, b *book) (out []mark) {
	for _, k := range marks {
		stored := slices.ContainsFunc(b.Keys, func(h heldKey) bool { return h.ID == k.ID })
		switch {
		case k.State == spent || k.State == next && !stored:
			continue
		case k.State == next:
			for i := range out {
				out[i].State = former
			}
			k.State = current
		}
		out = append(out, k)
	}
	return out
}

// tidy removes keys of holders that hold nothing any more, and torn writes: what a crash left
// behind, and the files of format 1. A folder that cannot be written keeps them.
func (f *Folder) tidy() {
	stray, _ := filepath.Glob(filepath.Join(f.sealDir, "holder-????????.key")) // the pattern is right
	torn, _ := filepath.Glob(filepath.Join(f.sealDir, "."+bookFile+".*"))      // see durable.Write
	stray = append(stray, torn...)
	for _, name := range names {
		stray = append(stray, filepath.Join(f.sealDir, name+".key"))
	}
	for _, path := range stray {
		if !f.needs(path) {
			_ = durable.Remove(path)
		}
	}
}

// needs reports whether the file at path is the one that the sealing keys are said to be held by,
// or the one that does hold them, by whatever name: without it they are lost.
func (f *Folder) needs(path string) bool {
	var needed []string
	if f.book.Holder.Kind == holder.KindFile && f.book.Holder.File != nil {
		needed = append(needed, keyFilePath(f.sealDir, *f.book.Holder.File))
	}
	if used, ok := f.holder.(*holder.File); ok {
		needed = append(needed, used.Path())
	}
	this, err := os.Stat(path)
	if err != nil {
		return true // there is none, or nobody knows
	}
	return slices.ContainsFunc(needed, func(n string) bool {
		other, err := os.Stat(n)
		return n == path || err == nil && os.SameFile(this, other)
	})
}
