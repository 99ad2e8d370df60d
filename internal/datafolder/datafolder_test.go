package datafolder_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
)

func mustOpen(t *testing.T, path, seals string) *datafolder.Folder {
	t.Helper()
	f, err := datafolder.Open(path, seals)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustClose(t *testing.T, f *datafolder.Folder) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAgainFindsTheSameFolder(t *testing.T) {
	path, seals := filepath.Join(t.TempDir(), "data"), t.TempDir()
	first := mustOpen(t, path, seals)
	if !first.Fresh {
		t.Error("a new folder is not called fresh")
	}
	mustClose(t, first)
	second := mustOpen(t, path, seals)
	defer mustClose(t, second)
	if second.Fresh || second.ID != first.ID {
		t.Errorf("opened again: fresh %v, id %s; want the folder %s", second.Fresh, second.ID, first.ID)
	}
	if second.Seals.Service.Current() != first.Seals.Service.Current() || second.Seals.Vault.Current() != first.Seals.Vault.Current() || second.Seals.Availability.Current() != first.Seals.Availability.Current() {
		t.Error("the sealing keys changed")
	}
	if second.Seals.Service.Current() == second.Seals.Vault.Current() || second.Seals.Vault.Current() == second.Seals.Availability.Current() {
		t.Error("two databases share a sealing key")
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	path, seals := t.TempDir(), t.TempDir()
	f := mustOpen(t, path, seals)
	defer mustClose(t, f)
	if _, err := datafolder.Open(path, seals); !fault.Is(err, fault.Conflict) {
		t.Errorf("Open of a held folder: %v, want a conflict", err)
	}
}

func TestSealsAreApartAndPrivate(t *testing.T) {
	path, seals := t.TempDir(), t.TempDir()
	f := mustOpen(t, path, seals)
	defer mustClose(t, f)
	for _, name := range []string{"service.key", "vault.key", "availability.key"} {
		info, err := os.Stat(filepath.Join(seals, f.ID, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
	}
}

func TestWrongSealsAreRefusedAndNothingChanges(t *testing.T) {
	path, seals := t.TempDir(), t.TempDir()
	f := mustOpen(t, path, seals)
	mustClose(t, f)
	manifest, err := os.ReadFile(f.File("customerkey.json"))
	if err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, t.TempDir(), t.TempDir())
	mustClose(t, other)

	file := filepath.Join(seals, f.ID, "vault.key")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Fields(string(good))[3]
	for name, spoil := range map[string]func() error{
		"missing": func() error { return os.Remove(file) },
		"empty":   func() error { return os.WriteFile(file, nil, 0o600) },
		"of another name": func() error {
			return os.WriteFile(file, []byte(strings.Replace(string(good), " vault ", " service ", 1)), 0o600)
		},
		"changed": func() error {
			return os.WriteFile(file, []byte(strings.Replace(string(good), secret, "AAAA"+secret[4:], 1)), 0o600)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		_, err := datafolder.Open(path, seals)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Hint, "--seals") {
			t.Errorf("a sealing key that is %s: %v, want a refusal that names --seals", name, err)
		}
		if err != nil && strings.Contains(err.Error(), secret[4:]) {
			t.Errorf("a sealing key that is %s: the error shows key text", name)
		}
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if now, _ := os.ReadFile(f.File("customerkey.json")); string(now) != string(manifest) {
		t.Error("a refused start changed the manifest")
	}
	mustClose(t, mustOpen(t, path, seals))
}

func TestCrashWhileMakingLeavesNoHalfFolder(t *testing.T) {
	path, seals := t.TempDir(), t.TempDir()
	// What a crash before the manifest leaves: sealing keys of an id nobody knows.
	if err := os.MkdirAll(filepath.Join(seals, "00000000-0000-4000-8000-000000000000"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustClose(t, mustOpen(t, path, seals))
}

func TestDatabasesWithoutManifestAreNotTouched(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "service.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := datafolder.Open(path, t.TempDir()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open: %v, want a refusal", err)
	}
}

func TestSecretIsMadeOnceAndSealed(t *testing.T) {
	path, seals := t.TempDir(), t.TempDir()
	secret := []byte("a signing key, say")
	f := mustOpen(t, path, seals)
	if _, err := f.Secret("log", f.Seals.Vault, func() ([]byte, error) { return nil, errors.New("no entropy") }); err == nil {
		t.Error("a secret that could not be made was returned")
	}
	if _, err := f.Secret("log", f.Seals.Vault, func() ([]byte, error) { return secret, nil }); err != nil {
		t.Fatal(err)
	}
	mustClose(t, f)
	f = mustOpen(t, path, seals)
	defer mustClose(t, f)
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
}
