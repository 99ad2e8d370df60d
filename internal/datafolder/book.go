package datafolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// bookFile lies in SEALS/ID.
const bookFile = "seals.json"

// A book is seals.json: what is stored of the sealing keys of one data folder. Each is held, that
// is of no use without its holder. It is replaced as a whole.
type book struct {
	Format int             `json:"format"`
	Folder string          `json:"folder"` // id of the data folder
	Holder holder.Settings `json:"holder"`
	Keys   []heldKey       `json:"keys"`
}

type heldKey struct {
	Seal string      `json:"seal"` // "service", "vault", "availability"
	ID   seal.ID     `json:"id"`
	Held holder.Held `json:"held"`
}

// heldBinding is what a held key is bound to: moved to another place it does not unwrap.
func heldBinding(folder, name string, id seal.ID) []byte {
	return envelope.Bind("held sealing key 1", folder, name, string(id))
}

func parseBook(raw []byte, folder string) (*book, error) {
	var b book
	if err := decode(raw, &b); err != nil {
		return nil, err
	}
	if b.Format != format {
		return nil, fmt.Errorf("not of format %d", format)
	}
	if b.Folder != folder {
		return nil, fault.New(fault.Invalid, "they are of another data folder, %.40q", b.Folder)
	}
	for i, k := range b.Keys {
		twice := slices.ContainsFunc(b.Keys[:i], func(o heldKey) bool { return o.ID == k.ID })
		if twice || !k.ID.Valid() || !slices.Contains(names, k.Seal) {
			return nil, errors.New("a sealing key in it makes no sense")
		}
	}
	return &b, nil
}

// readBook reads the sealing keys in dir as they are stored.
func readBook(dir, folder string) (*book, error) {
	path := filepath.Join(dir, bookFile)
	raw, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sealTrouble(err, folder, "the sealing keys %s are missing", path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the sealing keys %s cannot be read", path).WithHint("make the file readable for this user; nothing was changed")
	}
	b, err := parseBook(raw, folder)
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return nil, sealTrouble(err, folder, "the sealing keys %s cannot be used: %s", path, e.Message)
	case err != nil:
		return nil, sealTrouble(err, folder, "the sealing keys %s are damaged", path)
	}
	return b, nil
}

func sealTrouble(err error, folder, format string, args ...any) error {
	return fault.Wrap(fault.Invalid, err, format, args...).
		WithHint("bring them back from your backup, or say with --seals DIR where the sealing keys of data folder %s are; nothing was changed", folder)
}

// unwrap has every key unwrapped that the manifest calls for, and checks each against its id.
func (b *book) unwrap(ctx context.Context, h holder.Holder, m *manifest) (map[seal.ID]envelope.Key, error) {
	found := map[seal.ID]envelope.Key{}
	for _, k := range b.Keys {
		if s := m.state(k.Seal, k.ID); s == "" || s == spent {
			continue
		}
		key, err := b.unwrapOne(ctx, h, k)
		if err != nil {
			return nil, err
		}
		found[k.ID] = key
	}
	for _, name := range names {
		for _, k := range m.Seals[name] {
			if _, ok := found[k.ID]; !ok && (k.State == current || k.State == former) {
				return nil, sealTrouble(nil, m.ID, "the sealing key %s of the %s database is missing: the sealing keys are older than the data, or of another folder", k.ID, name)
			}
		}
	}
	return found, nil
}

func (b *book) unwrapOne(ctx context.Context, h holder.Holder, k heldKey) (envelope.Key, error) {
	key, err := h.Unwrap(ctx, k.Held, heldBinding(b.Folder, k.Seal, k.ID))
	if err != nil {
		return key, unchanged(err)
	}
	if seal.IDOf(key) != k.ID { // an RSA wrap says nothing about what is in it
		return key, sealTrouble(nil, b.Folder, "the sealing key %s of the %s database is another one", k.ID, k.Seal)
	}
	return key, nil
}

// unchanged adds to a refusal that it changed nothing.
func unchanged(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	return fault.Wrap(e.Code, err, "%s", e.Message).WithReason(e.Reason).WithHint("%s; nothing was changed", e.Hint)
}

// hold has a key wrapped, and unwrapped again before anything depends on it.
func hold(ctx context.Context, h holder.Holder, folder, name string, key envelope.Key) (heldKey, error) {
	id := seal.IDOf(key)
	held, err := h.Wrap(ctx, key, heldBinding(folder, name, id))
	if err != nil {
		return heldKey{}, unchanged(err)
	}
	back, err := h.Unwrap(ctx, held, heldBinding(folder, name, id))
	if err != nil {
		return heldKey{}, unchanged(err)
	}
	defer back.Destroy()
	if !back.Equal(key) {
		return heldKey{}, fault.New(fault.Unavailable, "what holds the sealing keys gives another key back than it was given").WithHint("choose another holder; nothing was changed")
	}
	return heldKey{Seal: name, ID: id, Held: held}, nil
}

// with returns a copy with another key, without returns one without some.
func (b *book) with(k heldKey) *book {
	c := *b
	c.Keys = append(slices.Clone(b.Keys), k)
	return &c
}

func (b *book) without(gone func(heldKey) bool) *book {
	c := *b
	c.Keys = slices.DeleteFunc(slices.Clone(b.Keys), gone)
	return &c
}

// writeBook makes b what is stored of the sealing keys, on disk and then in memory.
func (f *Folder) writeBook(b *book) error {
	raw, err := encode(b)
	if err != nil {
		return fmt.Errorf("encoding the sealing keys: %w", err)
	}
	if err := durable.Overwrite(filepath.Join(f.sealDir, bookFile), raw); err != nil {
		return sealsUnwritable(f.sealDir, err)
	}
	f.book = b
	return nil
}

func sealsUnwritable(dir string, err error) error {
	return fault.Wrap(fault.Unavailable, err, "the sealing keys cannot be written to %s", dir).
		WithHint("make that folder writable, or name another with --seals DIR")
}

// sealsOf makes the seals of keys that the manifest calls current and former.
func (m *manifest) sealsOf(found map[seal.ID]envelope.Key) (map[string]*seal.Seal, error) {
	seals := map[string]*seal.Seal{}
	for _, name := range names {
		var now envelope.Key
		var before []envelope.Key
		for _, k := range m.Seals[name] {
			switch k.State {
			case current:
				now = found[k.ID]
			case former:
				before = append(before, found[k.ID])
			}
		}
		s, err := seal.New(now, before...)
		if err != nil {
			return nil, err
		}
		seals[name] = s
	}
	return seals, nil
}
