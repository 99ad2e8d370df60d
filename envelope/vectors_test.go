package envelope

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "seal testdata/vectors anew (they are published: think twice)")

// Our own vectors: what this version writes, every later one must open.
var vectors = []struct {
	name string
	size int
	p    params
}{
	{"empty", 0, content},
	{"short", 100, content},
	{"full-segment", 65504, content},
	{"two-segments", 65505, content},
	{"small-segments", 500, params{segment: 128, rotation: rotation}},
	{"wrapped-key", KeySize, wrapping},
}

const vectorsREADME = `# Vectors of the sealed format

What customerkey has written once, every later version must open. Each ` + "`NAME.sealed`" + ` is one FLOE
message (package envelope): AES-256-GCM, HKDF-Expand-SHA-384, IV 32 bytes, a new segment key
after 2^20 segments. Made by ` + "`go test ./envelope -run Vectors -update`" + `.

- Key: the 32 bytes 00 01 02 ... 1f.
- Associated data: Bind("vector 1", NAME), given in hex.
- Plaintext: byte i is i mod 251. For wrapped-key it is the key that was wrapped.

| name | plaintext | sealed | segment | associated data |
|---|---|---|---|---|
`

func vectorKey(t testing.TB) Key {
	raw := make([]byte, KeySize)
	for i := range raw {
		raw[i] = byte(i)
	}
	return mustKey(t, raw)
}

func vectorPlain(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

func TestVectors(t *testing.T) {
	k := vectorKey(t)
	readme := vectorsREADME
	for _, v := range vectors {
		plain, aad := vectorPlain(v.size), Bind("vector 1", v.name)
		file := filepath.Join("testdata", "vectors", v.name+".sealed")
		if *update {
			mustWrite(t, file, mustSeal(t, k, aad, plain, v.p))
		}
		sealed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wantOpens(t, k, aad, sealed, plain, rotation)
		wantCorrupt(t, "associated data of another vector", k, Bind("vector 1", "x"), sealed, plain, rotation)
		if got, err := reference(k.Expose(), aad, sealed, rotation); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: the reference does not open it: %v", v.name, err)
		}
		if v.p == wrapping {
			if got, err := UnwrapKey(k, sealed, aad); err != nil || !got.Equal(mustKey(t, plain)) {
				t.Errorf("%s: does not unwrap: %v", v.name, err)
			}
		}
		readme += fmt.Sprintf("| %s | %d | %d | %d | `%s` |\n", v.name, v.size, len(sealed), v.p.segment, hex.EncodeToString(aad))
	}
	file := filepath.Join("testdata", "vectors", "README.md")
	if *update {
		mustWrite(t, file, []byte(readme))
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != readme {
		t.Errorf("%s does not say what the vectors are; run with -update (%v)", file, err)
	}
	if files, _ := filepath.Glob("testdata/vectors/*.sealed"); len(files) != len(vectors) {
		t.Errorf("there are %d vectors, the table has %d: %s", len(files), len(vectors), strings.Join(files, " "))
	}
}

func mustWrite(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
