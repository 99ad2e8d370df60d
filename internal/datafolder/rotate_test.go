package datafolder_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// A key that was renewed is current after a restart, and the one before it still opens what it
// sealed until it is retired.
func TestRenewAndRetire(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	bound := envelope.Bind("thing 1")
	var old, fresh []byte
	var first seal.ID
	p.in(func(f *datafolder.Folder) {
		first = f.Seals.Vault.Current()
		var err error
		old, err = f.Seals.Vault.Seal(bound, []byte("old"))
		must(t, err)
		must(t, f.Renew(t.Context(), "vault"))
		fresh, err = f.Seals.Vault.Seal(bound, []byte("new"))
		must(t, err)
	})
	opens := func(f *datafolder.Folder, sealed []byte, want bool) {
		t.Helper()
		if _, err := f.Seals.Vault.Open(bound, sealed); (err == nil) != want {
			t.Errorf("opens: %v, want %v", err, want)
		}
	}
	p.in(func(f *datafolder.Folder) {
		opens(f, old, true)
		opens(f, fresh, true)
		if got := f.Seals.Vault.Former(); !slices.Equal(got, []seal.ID{first}) || len(f.Seals.Service.Former()) != 0 {
			t.Errorf("former keys %v", got)
		}
		must(t, f.Retire(t.Context(), "vault", []seal.ID{first, f.Seals.Vault.Current()})) // the current one stays
		opens(f, old, false)
		opens(f, fresh, true)
	})
	p.in(func(f *datafolder.Folder) {
		opens(f, old, false)
		opens(f, fresh, true)
		if r := f.Report(); len(r.Keys) != 3 {
			t.Errorf("left: %+v", r.Keys)
		}
		if err := f.Renew(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a seal that is not: %v", err)
		}
	})
}

// A walk through every state that a crash can leave: what was written up to some file counts, and
// each state opens.
func TestCrashWhileRenewing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var states []map[string]string // every file, after each write
	p.in(func(f *datafolder.Folder) {
		book, _ := p.book()
		manifest := filepath.Join(p.data, "customerkey.json")
		before := p.snapshot()
		first := f.Seals.Vault.Current()
		must(t, f.Renew(t.Context(), "vault"))
		renewed := p.snapshot()
		must(t, f.Retire(t.Context(), "vault", []seal.ID{first}))
		retired := p.snapshot()
		mix := func(base, manifestOf, bookOf map[string]string) map[string]string {
			m := map[string]string{}
			for path, content := range base {
				m[path] = content
			}
			m[manifest], m[book] = manifestOf[manifest], bookOf[book]
			return m
		}
		states = append(states, before,
			mix(before, asNext(t, renewed, manifest), before),  // announced, not stored
			mix(before, asNext(t, renewed, manifest), renewed), // stored, not current yet
			renewed,
			mix(before, asSpent(t, renewed, manifest), renewed), // announced as spent
			mix(before, asSpent(t, renewed, manifest), retired), // and gone
			retired)
	})
	for i, files := range states {
		for path, content := range files {
			must(t, os.WriteFile(path, []byte(content), 0o600))
		}
		var keys []string
		p.in(func(f *datafolder.Folder) {
			for _, k := range f.Report().Keys {
				if k.Seal == "vault" {
					keys = append(keys, k.State)
				}
			}
		})
		want := [][]string{{"current"}, {"current"}, {"former", "current"}, {"former", "current"}, {"current"}, {"current"}, {"current"}}[i]
		if d := cmp.Diff(want, keys); d != "" {
			t.Errorf("state %d: %s", i, d)
		}
		p.in(func(f *datafolder.Folder) { // it is settled, and can go on
			must(t, f.Renew(t.Context(), "vault"))
		})
	}
}

// asNext is the manifest of a renewed key one write earlier.
func asNext(t *testing.T, files map[string]string, manifest string) map[string]string {
	t.Helper()
	return edited(t, files[manifest], manifest, [2]string{`"current"`, `"next"`}, [2]string{`"former"`, `"current"`})
}

// asSpent is the manifest in which the former key is announced as spent.
func asSpent(t *testing.T, files map[string]string, manifest string) map[string]string {
	t.Helper()
	return edited(t, files[manifest], manifest, [2]string{`"former"`, `"spent"`})
}

// edited returns the manifest with the states of the two vault keys replaced; the other databases
// have one key each, which is current.
func edited(t *testing.T, content, manifest string, pairs ...[2]string) map[string]string {
	t.Helper()
	head, rest, ok := strings.Cut(content, `"vault"`)
	if !ok {
		t.Fatal("the manifest has no vault")
	}
	for _, pair := range pairs {
		if !strings.Contains(rest, pair[0]) {
			t.Fatalf("the manifest has no %s", pair[0])
		}
		rest = strings.Replace(rest, pair[0], pair[1], 1)
	}
	return map[string]string{manifest: head + `"vault"` + rest}
}

// Moving keeps the keys, changes their holder, and removes the old holder's file if it was ours.
func TestMove(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var keys [3]seal.ID
	p.in(func(f *datafolder.Folder) { keys = ids(f); must(t, f.Renew(t.Context(), "service")) })
	_, ours := p.book()
	elsewhere := filepath.Join(t.TempDir(), "stick.key")
	settings := holder.Settings{Kind: holder.KindFile, File: &holder.FileSettings{Path: elsewhere}}
	before := p.snapshot()
	refuse := fault.New(fault.Unavailable, "it is away")
	p.in(func(f *datafolder.Folder) {
		err := f.Move(t.Context(), func(context.Context, string) (holder.Settings, holder.Holder, error) {
			return settings, liar{holder.NewFile(elsewhere)}, nil
		})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("a holder that gives another key back: %v", err)
		}
		err = f.Move(t.Context(), func(context.Context, string) (holder.Settings, holder.Holder, error) { return settings, nil, refuse })
		if !errors.Is(err, refuse) {
			t.Errorf("a holder that is away: %v", err)
		}
	})
	if d := cmp.Diff(before, p.snapshot()); d != "" {
		t.Error("a refused move changes files: " + d)
	}
	p.in(func(f *datafolder.Folder) {
		must(t, f.Move(t.Context(), func(context.Context, string) (holder.Settings, holder.Holder, error) {
			return settings, holder.NewFile(elsewhere), nil
		}))
		must(t, f.Renew(t.Context(), "availability"))
	})
	if _, err := os.Stat(ours); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old holder's key: %v", err)
	}
	p.in(func(f *datafolder.Folder) {
		if now := ids(f); now[1] != keys[1] || !slices.Contains(f.Seals.Service.Former(), keys[0]) {
			t.Errorf("the keys changed: %v, %v", keys, now)
		}
		if f.Report().Holder.String() != "the file "+elsewhere {
			t.Errorf("held by %s", f.Report().Holder)
		}
	})
	must(t, os.Remove(elsewhere))
	if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Invalid) {
		t.Errorf("without the file: %v", err)
	}
}

// A liar gives a key back that it was not given.
type liar struct{ *holder.File }

func (l liar) Unwrap(context.Context, holder.Held, []byte) (envelope.Key, error) {
	return envelope.NewKey(), nil
}

// A crash between the write of the new holder's key and that of the sealing keys leaves the old
// holder, and the new one's key goes.
func TestCrashWhileMoving(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	book, key := p.book()
	before := p.snapshot()
	p.in(func(f *datafolder.Folder) { must(t, f.Move(t.Context(), datafolder.NewFile)) })
	_, fresh := p.book()
	if fresh == key {
		t.Fatal("the holder is the same")
	}
	after := p.snapshot()
	must(t, os.WriteFile(book, []byte(before[book]), 0o600)) // the new key is there, the book is the old one
	must(t, os.WriteFile(key, []byte(before[key]), 0o600))
	p.in(func(*datafolder.Folder) {})
	if _, now := p.book(); now != key {
		t.Errorf("the holder is %s", now)
	}
	must(t, os.WriteFile(book, []byte(after[book]), 0o600)) // the book is the new one, the old key is still there
	must(t, os.WriteFile(fresh, []byte(after[fresh]), 0o600))
	p.in(func(*datafolder.Folder) {})
	if _, now := p.book(); now != fresh {
		t.Errorf("the holder is %s", now)
	}
}

// Sealing keys older than the data are refused: what was sealed since would not open.
func TestOldSealsUnderNewData(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	book, _ := p.book()
	old := p.snapshot()[book]
	p.in(func(f *datafolder.Folder) { must(t, f.Renew(t.Context(), "vault")) })
	fresh := p.snapshot()[book]
	must(t, os.WriteFile(book, []byte(old), 0o600))
	before := p.snapshot()
	if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	if d := cmp.Diff(before, p.snapshot()); d != "" {
		t.Error(d)
	}
	must(t, os.WriteFile(book, []byte(fresh), 0o600))
	p.in(func(*datafolder.Folder) {})
}

// Secrets are on the shelf of the seal that they are under, named or not, and move with it.
func TestSecretsShelf(t *testing.T) {
	t.Parallel()
	const id = "7d9f1d6c-7f3a-4a59-9d0e-3f5f7a1c2b4d"
	p := newPlace(t)
	p.old(id) // with the secret "log" under the vault's seal, which names no key
	p.in(func(f *datafolder.Folder) {
		_, err := f.Secret("ca", f.Seals.Service, func() ([]byte, error) { return []byte("a key"), nil })
		must(t, err)
		var gate seal.Gate
		r, err := seal.NewRotator(seal.RotatorConfig{
			Areas: []seal.Area{
				{Name: "service", Seal: f.Seals.Service, Shelves: []seal.Shelf{f.Secrets(f.Seals.Service)}},
				{Name: "vault", Seal: f.Seals.Vault, Shelves: []seal.Shelf{f.Secrets(f.Seals.Vault)}},
			},
			Keeper: f, Gate: &gate,
			Record: func(context.Context, string, []seal.ID) error { return nil },
		})
		must(t, err)
		must(t, r.Rotate(t.Context(), "vault"))
		must(t, r.Rotate(t.Context(), "service"))
		mustFinish(t, r)
		if len(f.Seals.Vault.Former())+len(f.Seals.Service.Former()) != 0 {
			t.Error("former keys are left")
		}
	})
	p.in(func(f *datafolder.Folder) {
		for name, s := range map[string]*seal.Seal{"log": f.Seals.Vault, "ca": f.Seals.Service} {
			if got, err := f.Secret(name, s, nil); err != nil || len(got) == 0 {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			if raw, err := os.ReadFile(f.File(name + ".sealed")); err != nil || !s.Fresh(raw) {
				t.Errorf("%s is not under the new key (%v)", name, err)
			}
		}
	})
}

// mustFinish runs r until nothing is left to do.
func mustFinish(t *testing.T, r *seal.Rotator) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for t.Context().Err() == nil {
		busy := slices.ContainsFunc(r.Progress(), func(p seal.Progress) bool { return p.Stage != seal.Idle && p.Stage != seal.Stuck })
		if !busy {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// The file that holds the sealing keys stays, also where it lies beside them under another name
// than the one that was written down: somebody brought it back from a backup so.
func TestKeyFileOfAnotherName(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	found, err := filepath.Glob(filepath.Join(p.seals, "*", "holder-*.key"))
	if err != nil || len(found) != 1 {
		t.Fatalf("key files %v, %v", found, err)
	}
	other := filepath.Join(filepath.Dir(found[0]), "holder-00000000.key")
	must(t, os.Rename(found[0], other))
	c := p.config()
	c.Holders.Open = func(ctx context.Context, dir string, s holder.Settings) (holder.Holder, error) {
		s.File = &holder.FileSettings{Path: other}
		return datafolder.OpenFile(ctx, dir, s)
	}
	for range 2 {
		f, err := datafolder.Open(t.Context(), c)
		must(t, err)
		mustClose(t, f)
	}
}

// A copy of a data folder has the same sealing keys. While one of the two is open the other is
// refused: a rotation of the copy would destroy the key that the original still needs.
func TestCopyBesideTheOriginal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	copied := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(copied, os.DirFS(p.data)))
	p.in(func(*datafolder.Folder) {
		f, err := datafolder.Open(t.Context(), datafolder.Config{Path: copied, Seals: p.seals})
		if err == nil {
			mustClose(t, f)
		}
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("both are open: %v", err)
		}
	})
	f, err := datafolder.Open(t.Context(), datafolder.Config{Path: copied, Seals: p.seals})
	must(t, err)
	mustClose(t, f)
}

// What a kill in the middle of a write has left of the sealing keys goes with the next start:
// else a key that is retired later would be there for ever.
func TestTornWriteGoes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	book, content := p.book()
	torn := filepath.Join(filepath.Dir(book), "."+filepath.Base(book)+".1234567890")
	must(t, os.WriteFile(torn, []byte(content), 0o600))
	p.in(func(*datafolder.Folder) {})
	if _, err := os.Stat(torn); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there still: %v", err)
	}
}
