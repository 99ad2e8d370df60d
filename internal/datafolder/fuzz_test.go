package datafolder

import (
	"os"
	"path/filepath"
	"testing"
)

// seeds adds the file of that name of a folder that was just made.
func seeds(f *testing.F, name string) {
	f.Helper()
	dir := f.TempDir()
	folder, err := Open(f.Context(), Config{Path: filepath.Join(dir, "data"), Seals: filepath.Join(dir, "seals")})
	if err != nil {
		f.Fatal(err)
	}
	defer folder.Close() //nolint:errcheck // a lock on a folder that goes away
	for _, path := range []string{folder.File(name), filepath.Join(folder.sealDir, name)} {
		if raw, err := os.ReadFile(path); err == nil {
			f.Add(raw)
			return
		}
	}
	f.Fatalf("there is no %s", name)
}

// FuzzManifest: what is taken for a manifest has one current key for each database, and is the
// same after it was written and read again.
func FuzzManifest(f *testing.F) {
	seeds(f, "customerkey.json")
	f.Add([]byte(`{"format":2,"id":"x","seals":{"service":[],"vault":[],"availability":[]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			return
		}
		again, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := parseManifest(again); err != nil || !n.equal(m) || n.ID != m.ID {
			t.Errorf("%s is read as %s (%v)", raw, again, err)
		}
	})
}

// FuzzBook: what is taken for sealing keys is the same after it was written and read again.
func FuzzBook(f *testing.F) {
	seeds(f, bookFile)
	f.Add([]byte(`{"format":2,"folder":"x","holder":{"kind":"file"},"keys":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var said book
		_ = decode(raw, &said) // which folder it says that it is of
		b, err := parseBook(raw, said.Folder)
		if err != nil {
			return
		}
		again, err := encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := parseBook(again, b.Folder); err != nil || len(n.Keys) != len(b.Keys) || n.Holder.String() != b.Holder.String() {
			t.Errorf("%s is read as %s (%v)", raw, again, err)
		}
	})
}
