package datafolder_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// A place is a data folder and its sealing keys, closed between calls.
type place struct {
	t           *testing.T
	data, seals string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir := t.TempDir()
	return &place{t: t, data: filepath.Join(dir, "data"), seals: filepath.Join(dir, "seals")}
}

func (p *place) config() datafolder.Config { return datafolder.Config{Path: p.data, Seals: p.seals} }

func (p *place) mustOpen() *datafolder.Folder {
	p.t.Helper()
	f, err := datafolder.Open(p.t.Context(), p.config())
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

// in runs fn on the opened folder and closes it.
func (p *place) in(fn func(f *datafolder.Folder)) {
	p.t.Helper()
	f := p.mustOpen()
	defer mustClose(p.t, f)
	fn(f)
}

// snapshot returns every file of both folders with its bytes, but for locks, which have none.
func (p *place) snapshot() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	for _, root := range []string{p.data, p.seals} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || entry.Name() == "lock" {
				return err
			}
			content, err := os.ReadFile(path)
			all[path] = string(content)
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.t.Fatal(err)
		}
	}
	return all
}

func mustClose(t *testing.T, f *datafolder.Folder) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ids(f *datafolder.Folder) [3]seal.ID {
	return [3]seal.ID{f.Seals.Service.Current(), f.Seals.Vault.Current(), f.Seals.Availability.Current()}
}

func TestOpenAgainFindsTheSameFolder(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var first [3]seal.ID
	var id string
	p.in(func(f *datafolder.Folder) {
		if first, id = ids(f), f.ID; !f.Fresh {
			t.Error("a new folder is not called fresh")
		}
	})
	before := p.snapshot()
	p.in(func(f *datafolder.Folder) {
		if f.Fresh || f.ID != id || ids(f) != first {
			t.Errorf("opened again: fresh %v, id %s, keys %v; want %s, %v", f.Fresh, f.ID, ids(f), id, first)
		}
	})
	if first[0] == first[1] || first[1] == first[2] {
		t.Error("two databases share a sealing key")
	}
	if d := cmp.Diff(before, p.snapshot()); d != "" {
		t.Error("opening changes files: " + d)
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {
		if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Conflict) {
			t.Errorf("Open of a held folder: %v, want a conflict", err)
		}
	})
}

func TestSealsAreApartAndPrivate(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.in(func(*datafolder.Folder) {})
	seen := 0
	for path, content := range p.snapshot() {
		if !strings.HasPrefix(path, p.seals) {
			continue
		}
		seen++
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others (%v)", path, err)
		}
		if len(content) == 0 {
			t.Errorf("%s is empty", path)
		}
	}
	if seen != 2 {
		t.Errorf("%d files of sealing keys, want the keys and what holds them", seen)
	}
}

// book returns the path of the sealing keys, and that of their holder's key.
func (p *place) book() (book, key string) {
	p.t.Helper()
	books, err := filepath.Glob(filepath.Join(p.seals, "*", "seals.json"))
	must(p.t, err)
	keys, err := filepath.Glob(filepath.Join(p.seals, "*", "holder-*.key"))
	must(p.t, err)
	if len(books) != 1 || len(keys) != 1 {
		p.t.Fatalf("found %v and %v", books, keys)
	}
	return books[0], keys[0]
}

func replace(t *testing.T, path, old, fresh string) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	must(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(content), old, fresh)), 0o600))
}

// Whatever is wrong with the sealing keys is said with what to do, and every file stays as it is.
func TestWrongSealsAreRefusedAndNothingChanges(t *testing.T) {
	t.Parallel()
	other := newPlace(t)
	other.in(func(*datafolder.Folder) {})
	for name, spoil := range map[string]func(t *testing.T, p *place, book, key string){
		"missing":      func(t *testing.T, _ *place, book, _ string) { must(t, os.Remove(book)) },
		"empty":        func(t *testing.T, _ *place, book, _ string) { must(t, os.WriteFile(book, nil, 0o600)) },
		"too large":    func(t *testing.T, _ *place, book, _ string) { must(t, os.Truncate(book, 2<<20)) },
		"cut":          func(t *testing.T, _ *place, book, _ string) { must(t, os.Truncate(book, 300)) },
		"newer":        func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"format": 2`, `"format": 3`) },
		"other member": func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"folder"`, `"x": 1, "folder"`) },
		"swapped":      func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"seal": "vault"`, `"seal": "service"`) },
		"of another folder": func(t *testing.T, _ *place, book, _ string) {
			theirs, _ := other.book()
			content, err := os.ReadFile(theirs)
			must(t, err)
			must(t, os.WriteFile(book, content, 0o600))
		},
		"of another folder, changed": func(t *testing.T, p *place, book, key string) {
			theirs, theirKey := other.book()
			content, err := os.ReadFile(theirs)
			must(t, err)
			mine, err := os.ReadFile(book)
			must(t, err)
			folder := func(b []byte) string {
				var x struct {
					Folder string `json:"folder"`
				}
				must(t, json.Unmarshal(b, &x))
				return x.Folder
			}
			content = bytes.ReplaceAll(content, []byte(folder(content)), []byte(folder(mine)))
			content = bytes.ReplaceAll(content, []byte(filepath.Base(theirKey)), []byte(filepath.Base(key)))
			must(t, os.WriteFile(book, content, 0o600))
			k, err := os.ReadFile(theirKey)
			must(t, err)
			must(t, os.WriteFile(key, k, 0o600))
		},
		"holder gone":    func(t *testing.T, _ *place, _, key string) { must(t, os.Remove(key)) },
		"holder damaged": func(t *testing.T, _ *place, _, key string) { must(t, os.Truncate(key, 40)) },
		"holder renewed": func(t *testing.T, _ *place, _, key string) { must(t, os.WriteFile(key, keyLine(), 0o600)) },
		"unknown holder": func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"kind": "file"`, `"kind": "cloud"`) },
		"bytes changed": func(t *testing.T, _ *place, book, _ string) {
			replace(t, book, `"bytes": "AAAAAABA`, `"bytes": "AAAAAABB`)
		},
		"bytes cut":       func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"bytes": "AAAAAABA`, `"bytes": "`) },
		"no holder named": func(t *testing.T, _ *place, book, _ string) { replace(t, book, `"kind": "file"`, `"kind": "vault"`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.t = t
			p.in(func(f *datafolder.Folder) { must(t, f.Write("vault.db", []byte("a database"))) })
			book, key := p.book()
			spoil(t, p, book, key)
			before := p.snapshot()
			_, err := datafolder.Open(t.Context(), p.config())
			if !fault.Is(err, fault.Invalid) || !strings.HasSuffix(fault.As(err).Hint, "nothing was changed") {
				t.Errorf("%v, hint %q", err, fault.As(err).Hint)
			}
			if d := cmp.Diff(before, p.snapshot()); d != "" {
				t.Error("a refused start changes files: " + d)
			}
		})
	}
}

// keyLine is the content of another key file.
func keyLine() []byte {
	return []byte("customerkey-holder-v1 " + base64.StdEncoding.EncodeToString(envelope.NewKey().Expose()) + "\n")
}

// A manifest that is not ours, or makes no sense, is refused.
func TestStrangeManifests(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(m map[string]any){
		"newer":       func(m map[string]any) { m["format"] = 3 },
		"none":        func(m map[string]any) { m["format"] = 0 },
		"no id":       func(m map[string]any) { m["id"] = "" },
		"more":        func(m map[string]any) { m["more"] = 1 },
		"no seals":    func(m map[string]any) { m["seals"] = map[string]any{} },
		"other seals": func(m map[string]any) { m["seals"].(map[string]any)["x"] = []any{} },
		"no current":  func(m map[string]any) { m["seals"].(map[string]any)["vault"] = []any{} },
		"twice": func(m map[string]any) {
			s := m["seals"].(map[string]any)
			s["vault"] = s["service"]
		},
	} {
		p := newPlace(t)
		p.in(func(*datafolder.Folder) {})
		path := filepath.Join(p.data, "customerkey.json")
		raw, err := os.ReadFile(path)
		must(t, err)
		m := map[string]any{}
		must(t, json.Unmarshal(raw, &m))
		spoil(m)
		raw, err = json.Marshal(m)
		must(t, err)
		must(t, os.WriteFile(path, raw, 0o600))
		if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "customerkey.json") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCrashWhileMakingLeavesNoHalfFolder(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	// What a crash before the manifest leaves: sealing keys of an id nobody knows.
	must(t, os.MkdirAll(filepath.Join(p.seals, "00000000-0000-4000-8000-000000000000"), 0o700))
	p.in(func(*datafolder.Folder) {})
}

func TestDatabasesWithoutManifestAreNotTouched(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	must(t, os.Mkdir(p.data, 0o700))
	must(t, os.WriteFile(filepath.Join(p.data, "service.db"), []byte("x"), 0o600))
	if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open: %v, want a refusal", err)
	}
}

func TestSecretIsMadeOnceAndSealed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret := []byte("a signing key, say")
	p.in(func(f *datafolder.Folder) {
		if _, err := f.Secret("log", f.Seals.Vault, func() ([]byte, error) { return nil, errors.New("no entropy") }); err == nil {
			t.Error("a secret that could not be made was returned")
		}
		if _, err := f.Secret("log", f.Seals.Vault, func() ([]byte, error) { return secret, nil }); err != nil {
			t.Fatal(err)
		}
	})
	p.in(func(f *datafolder.Folder) {
		never := func() ([]byte, error) { t.Error("the secret was made again"); return nil, nil }
		again, err := f.Secret("log", f.Seals.Vault, never)
		if err != nil || !bytes.Equal(again, secret) {
			t.Errorf("read again: %q, %v", again, err)
		}
		onDisk, err := os.ReadFile(f.File("log.sealed"))
		if err != nil || bytes.Contains(onDisk, secret) {
			t.Errorf("the secret stands on disk in clear (%v)", err)
		}
		if _, err := f.Secret("log", f.Seals.Service, never); !fault.Is(err, fault.Corrupt) {
			t.Errorf("opened under another seal: %v, want corrupt", err)
		}
	})
}

// old makes a data folder as the first format had it, with one secret in it, and returns its keys.
func (p *place) old(id string) map[string]envelope.Key {
	p.t.Helper()
	keys, commitments := map[string]envelope.Key{}, map[string]string{}
	dir := filepath.Join(p.seals, id)
	must(p.t, os.MkdirAll(dir, 0o700))
	must(p.t, os.MkdirAll(p.data, 0o700))
	for _, name := range []string{"service", "vault", "availability"} {
		key := envelope.NewKey()
		keys[name] = key
		commitments[name] = hex.EncodeToString(key.Commit(envelope.Bind("data folder seal", id, name)))
		line := fmt.Sprintf("customerkey-seal-v1 %s %s %s\n", name, id, base64.StdEncoding.EncodeToString(key.Expose()))
		must(p.t, os.WriteFile(filepath.Join(dir, name+".key"), []byte(line), 0o600))
	}
	raw, err := json.Marshal(map[string]any{"format": 1, "id": id, "seals": commitments})
	must(p.t, err)
	must(p.t, os.WriteFile(filepath.Join(p.data, "customerkey.json"), raw, 0o600))
	sealed, err := envelope.Seal(nil, keys["vault"], envelope.Bind("data folder secret", id, "log"), []byte("a seed"))
	must(p.t, err)
	must(p.t, os.WriteFile(filepath.Join(p.data, "log.sealed"), sealed, 0o600))
	return keys
}

// A folder of the first format is brought to this one: the same keys, and no old file stays. Spoiled
// ones are refused as they are.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	const id = "7d9f1d6c-7f3a-4a59-9d0e-3f5f7a1c2b4d"
	p := newPlace(t)
	keys := p.old(id)
	vault := filepath.Join(p.seals, id, "vault.key")
	good, err := os.ReadFile(vault)
	must(t, err)
	for name, spoil := range map[string]func() error{
		"missing": func() error { return os.Remove(vault) },
		"cut":     func() error { return os.Truncate(vault, 60) },
		"renewed": func() error {
			f := strings.Fields(string(good))
			f[3] = base64.StdEncoding.EncodeToString(envelope.NewKey().Expose())
			return os.WriteFile(vault, []byte(strings.Join(f, " ")+"\n"), 0o600)
		},
	} {
		must(t, spoil())
		before := p.snapshot()
		if _, err := datafolder.Open(t.Context(), p.config()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		after := p.snapshot()
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		must(t, os.WriteFile(vault, good, 0o600))
	}
	for range 2 {
		p.in(func(f *datafolder.Folder) {
			if want := [3]seal.ID{seal.IDOf(keys["service"]), seal.IDOf(keys["vault"]), seal.IDOf(keys["availability"])}; f.ID != id || ids(f) != want {
				t.Errorf("%s: %v, want %v", f.ID, ids(f), want)
			}
			secret, err := f.Secret("log", f.Seals.Vault, nil)
			if err != nil || string(secret) != "a seed" {
				t.Errorf("the secret: %q, %v", secret, err)
			}
		})
	}
	if _, err := os.Stat(vault); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old key file: %v", err)
	}
}

// Nothing on disk shows the sealing keys themselves.
func TestNoKeyInClear(t *testing.T) {
	t.Parallel()
	const id = "7d9f1d6c-7f3a-4a59-9d0e-3f5f7a1c2b4d"
	p := newPlace(t)
	keys := p.old(id)
	p.in(func(*datafolder.Folder) {})
	all := p.snapshot()
	if len(all) < 4 {
		t.Fatalf("only %d files", len(all))
	}
	for path, content := range all {
		for name, key := range keys {
			raw := key.Expose()
			if strings.Contains(content, string(raw)) || strings.Contains(content, base64.StdEncoding.EncodeToString(raw)) || strings.Contains(content, hex.EncodeToString(raw)) {
				t.Errorf("%s shows the %s key", path, name)
			}
		}
	}
}

func TestOpenStops(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	config := p.config()
	config.Holders.New = func(context.Context, string) (s holder.Settings, h holder.Holder, err error) {
		return s, h, fault.New(fault.Unavailable, "the vault is away")
	}
	if _, err := datafolder.Open(t.Context(), config); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	if len(p.snapshot()) != 0 {
		t.Error("a refused first start leaves files")
	}
	if _, err := os.Stat(p.data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
}
