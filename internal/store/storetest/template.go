package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/store"
)

// Templates of this test binary. To run every migration for every test is much of the time of
// all tests, so each set of areas is migrated once, and its databases are copies.
var templates struct {
	mu       sync.Mutex
	sqlite   map[schema][]byte // whole files
	postgres map[schema]string // names of databases
}

// A schema names a set of areas by all that their migrations say.
type schema [sha256.Size]byte

func schemaOf(t testing.TB, areas []store.Area) schema {
	t.Helper()
	digest := sha256.New()
	for _, a := range areas {
		err := fs.WalkDir(a.Migrations, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(a.Migrations, path)
			fmt.Fprintf(digest, "%q %q %q\n", a.Name, path, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return schema(digest.Sum(nil))
}

// Seed puts a fresh database where store.OpenSQLite will look for it, with the tables of areas,
// unless a file is there already. It returns path.
func Seed(t testing.TB, path string, areas ...store.Area) string {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(path, sqliteTemplate(t, areas), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func sqliteTemplate(t testing.TB, areas []store.Area) []byte {
	t.Helper()
	of := schemaOf(t, areas)
	templates.mu.Lock()
	defer templates.mu.Unlock()
	if found := templates.sqlite[of]; found != nil {
		return found
	}
	path := filepath.Join(t.TempDir(), "template.db")
	db, err := store.OpenSQLite(t.Context(), path, areas...)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, db)
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Fatal("the template is not in one file")
	}
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if templates.sqlite == nil {
		templates.sqlite = map[schema][]byte{}
	}
	templates.sqlite[of] = made
	return made
}

// postgresTemplate returns the name of a database to copy.
func postgresTemplate(t testing.TB, areas []store.Area) string {
	t.Helper()
	of := schemaOf(t, areas)
	templates.mu.Lock()
	defer templates.mu.Unlock()
	if found := templates.postgres[of]; found != "" {
		return found
	}
	name := server.create(t, "template0")
	db, err := store.OpenPostgres(t.Context(), server.dsn(name), areas...)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, db)
	if templates.postgres == nil {
		templates.postgres = map[schema]string{}
	}
	templates.postgres[of] = name
	return name
}
