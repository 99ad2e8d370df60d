package datafolder

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// maxKeys bounds how many sealing keys a database may have at once. More than two are only
// there while something under an old one does not open.
const maxKeys = 8

// seal returns the seal of a database.
func (f *Folder) seal(name string) (*seal.Seal, error) {
	switch name {
	case "service":
		return f.Seals.Service, nil
	case "vault":
		return f.Seals.Vault, nil
	case "availability":
		return f.Seals.Availability, nil
	}
	return nil, fault.New(fault.NotFound, "there is no seal %.40q", name).WithHint("the seals are service, vault and availability")
}

// Renew gives a database another sealing key, which is current when Renew returns: what is new is
// sealed under it. After a crash the key is there and current, or never was. The key before it
// stays until Retire.
func (f *Folder) Renew(ctx context.Context, name string) error {
	s, err := f.seal(name)
	if err != nil {
		return err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	if len(s.Former()) >= maxKeys-1 {
		return fault.New(fault.Conflict, "the %s database has %d former sealing keys already", name, len(s.Former())).
			WithHint("something under them does not open; see the log of the server")
	}
	key := envelope.NewKey()
	k, err := hold(ctx, f.holder, f.ID, name, key)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	// What an attempt that failed half-way has left was never current here.
	left := func(k mark) bool { return k.State == next }
	unused := func(h heldKey) bool { return f.manifest.state(h.Seal, h.ID) == next && h.Seal == name }
	m := f.manifest.edit(name, func(marks []mark) []mark {
		return append(slices.DeleteFunc(marks, left), mark{ID: k.ID, State: next, Since: f.now().UTC()})
	})
	b := f.book.without(unused).with(k)
	if err := f.writeManifest(m); err != nil {
		return err
	}
	if err := f.writeBook(b); err != nil {
		return err
	}
	if err := f.writeManifest(m.edit(name, func(marks []mark) []mark { return settled(marks, b) })); err != nil {
		return err
	}
	s.Renew(key)
	return nil
}

// Retire destroys former sealing keys of a database, for ever: nothing may be sealed under them
// any more.
func (f *Folder) Retire(_ context.Context, name string, ids []seal.ID) error {
	s, err := f.seal(name)
	if err != nil {
		return err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	doomed := func(id seal.ID) bool { return slices.Contains(ids, id) && id != s.Current() }
	m := f.manifest.edit(name, func(marks []mark) []mark {
		for i, k := range marks {
			if k.State == former && doomed(k.ID) {
				marks[i].State = spent
			}
		}
		return marks
	})
	if err := f.writeManifest(m); err != nil {
		return err
	}
	if err := f.writeBook(f.book.without(func(k heldKey) bool { return m.state(k.Seal, k.ID) == spent })); err != nil {
		return err
	}
	for _, id := range ids {
		s.Retire(id)
	}
	return f.writeManifest(m.edit(name, func(marks []mark) []mark {
		return slices.DeleteFunc(marks, func(k mark) bool { return k.State == spent })
	}))
}

// Move gives the sealing keys, which stay what they are, to another holder. After a crash the old
// one has them or the new one. What the old one needs (a file elsewhere, a passphrase, a key in
// a vault or token) is left alone; a key file of our own is overwritten and removed.
func (f *Folder) Move(ctx context.Context, choose func(ctx context.Context, dir string) (holder.Settings, holder.Holder, error)) error {
	f.changing.Lock()
	defer f.changing.Unlock()
	settings, h, err := choose(ctx, f.sealDir)
	if err != nil {
		return err
	}
	moved := &book{Format: format, Folder: f.ID, Holder: settings}
	for _, k := range f.book.Keys {
		key, err := f.book.unwrapOne(ctx, f.holder, k)
		if err != nil {
			return err
		}
		held, err := hold(ctx, h, f.ID, k.Seal, key)
		key.Destroy()
		if err != nil {
			return err
		}
		moved = moved.with(held)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before, old := f.holder, f.book
	f.holder, f.book = h, moved
	if err := f.writeHeld(); err != nil {
		f.holder, f.book = before, old
		return err
	}
	f.tidy()
	return closeHolder(before)
}

// equal reports whether both say the same.
func (m *manifest) equal(o *manifest) bool {
	return maps.EqualFunc(m.Seals, o.Seals, func(a, b []mark) bool {
		return slices.EqualFunc(a, b, func(x, y mark) bool { return x.ID == y.ID && x.State == y.State })
	})
}

// A Report is what can be told of the sealing keys without opening them.
type Report struct {
	Folder string          `json:"folder"` // id of the data folder
	Holder holder.Settings `json:"holder"`
	Keys   []KeyReport     `json:"keys"` // by database, oldest first
}

// A KeyReport tells of one sealing key.
type KeyReport struct {
	Seal  string    `json:"seal"`
	ID    seal.ID   `json:"id"`
	State string    `json:"state"` // "current", "former"; "next" and "spent" for the moment of a change
	Since time.Time `json:"since"`
}

// Report tells of the sealing keys of an open folder.
func (f *Folder) Report() Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return report(f.manifest, f.book)
}

// Look tells of the sealing keys of the data folder at path, whether a server runs on it or not.
// It changes nothing and takes no secret.
func Look(path, seals string) (Report, error) {
	raw, version, err := manifestFormat(path)
	switch {
	case err != nil:
		return Report{}, err
	case version == 0:
		return Report{}, fault.New(fault.NotFound, "there is no data folder at %s", path).WithHint("name it with --data DIR")
	case version != format:
		return Report{}, fault.New(fault.Conflict, "%s is of format %d", path, version).WithHint("start ck serve once: it brings the folder to format %d", format)
	}
	m, err := parseManifest(raw)
	if err != nil {
		return Report{}, strangeManifest(filepath.Join(path, "customerkey.json"), err)
	}
	b, err := readBook(sealFolder(seals, m.ID), m.ID)
	if err != nil {
		return Report{}, err
	}
	return report(m, b), nil
}

func report(m *manifest, b *book) Report {
	r := Report{Folder: m.ID, Holder: b.Holder}
	for _, name := range names {
		for _, k := range m.Seals[name] {
			r.Keys = append(r.Keys, KeyReport{Seal: name, ID: k.ID, State: string(k.State), Since: k.Since})
		}
	}
	return r
}
