package backup_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	seals "github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const prefix = "&AzureKeyVaultKeyBackupV1.customerkey"

type stage struct {
	*backup.Ring
	t    *testing.T
	db   *store.DB
	seal envelope.Key
	now  time.Time
}

func newStage(t *testing.T, db *store.DB) *stage {
	t.Helper()
	s := &stage{t: t, db: db, seal: envelope.NewKey(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s.Ring = s.mustRing(s.seal)
	return s
}

func (s *stage) mustRing(seal envelope.Key) *backup.Ring {
	s.t.Helper()
	r, err := backup.New(backup.Config{Store: store.NewKeyVault(s.db), Seal: seals.Of(seal), Now: func() time.Time { return s.now }})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stage) mustNewest() *backup.Key {
	s.t.Helper()
	k, err := s.Newest(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

func (s *stage) mustSeal(content string) []byte {
	s.t.Helper()
	blob, err := s.mustNewest().Seal([]byte(content))
	if err != nil {
		s.t.Fatal(err)
	}
	return blob
}

// TestRing: a key serves for its life, then a new one does; what is sealed under old ones opens
// after a restart too (KV-75).
func TestRing(t *testing.T) {
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		first := s.mustSeal("one")
		id := fmt.Sprint(s.mustNewest())
		s.now = s.now.Add(backup.Life - time.Second)
		if got := fmt.Sprint(s.mustNewest()); got != id {
			t.Errorf("a new key before its time: %s after %s", got, id)
		}
		s.now = s.now.Add(time.Second)
		second := s.mustSeal("two")
		if got := fmt.Sprint(s.mustNewest()); got == id {
			t.Error("the key outlived its life")
		}
		again := s.mustRing(s.seal)
		for want, blob := range map[string][]byte{"one": first, "two": second} {
			k, content, err := again.Open(t.Context(), blob)
			if err != nil || string(content) != want {
				t.Errorf("%s: %q, %v", want, content, err)
			}
			if newest := s.mustNewest(); k != nil && k.Export().Equal(newest.Export()) != (want == "two") {
				t.Errorf("%s came with the export key of another", want)
			}
		}
		if _, _, err := s.mustRing(envelope.NewKey()).Open(t.Context(), first); !fault.Is(err, fault.Corrupt) {
			t.Errorf("under another seal: %v", err)
		}
	})
}

// TestTampered: of a blob that was changed in any way there is one answer (KV-72).
func TestTampered(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	other := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	blob := s.mustSeal("content")
	text := string(blob[len(prefix):])
	if !strings.HasPrefix(string(blob), prefix+"eyJ") || strings.Count(text, ".") != 4 {
		t.Fatalf("KV-71: blob begins %.60q", blob)
	}
	parts := strings.Split(text, ".")
	with := func(i int, part string) string {
		p := append([]string{}, parts...)
		p[i] = part
		return prefix + strings.Join(p, ".")
	}
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	header := func(old, new string) string {
		t.Helper()
		if !bytes.Contains(head, []byte(old)) {
			t.Fatalf("header %s has no %s", head, old)
		}
		return with(0, base64.RawURLEncoding.EncodeToString(bytes.Replace(head, []byte(old), []byte(new), 1)))
	}
	cases := map[string]string{
		"empty": "", "prefix alone": prefix, "nothing of ours": "AAAA", "text": prefix + "hello", "no prefix": text,
		"issuer":    strings.Replace(string(blob), "customerkey", "microsoft.com", 1),
		"issuer id": strings.Replace(string(blob), "customerkey", "customerkez", 1),
		"version":   strings.Replace(string(blob), "V1.", "V2.", 1),
		"alg":       header("RSA-OAEP-256", "RSA-OAEP"), "alg none": header("RSA-OAEP-256", "none"), "alg dir": header("RSA-OAEP-256", "dir"),
		"enc": header("A256CBC-HS512", "A256GCM"), "zip": header(`{`, `{"zip":"DEF",`), "kid": header(`"kid":"`, `"kid":"0`),
		"crit": header(`{`, `{"crit":["x"],`), "spaces": header(`{`, `{ `), "kid twice": header(`{`, `{"kid":"x",`),
		"one part less": prefix + strings.Join(parts[:4], "."), "one part more": string(blob) + ".AAAA",
		"newline": string(blob) + "\n", "padding": string(blob) + "=", "end": string(blob[:len(blob)-1]), "more": string(blob) + "A",
		"another deployment": string(other.mustSeal("content")), "too long": string(blob) + strings.Repeat("A", backup.MaxBlob),
	}
	for i, part := range parts {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(raw) / 2, len(raw) - 1} {
			changed := bytes.Clone(raw)
			changed[at] ^= 1
			cases[fmt.Sprintf("byte %d of part %d", at, i)] = with(i, base64.RawURLEncoding.EncodeToString(changed))
		}
		cases[fmt.Sprintf("part %d empty", i)] = with(i, "")
		cases[fmt.Sprintf("part %d short", i)] = with(i, base64.RawURLEncoding.EncodeToString(raw[1:]))
	}
	for name, blob := range cases {
		if _, content, err := s.Open(t.Context(), []byte(blob)); err == nil || err.Error() != backup.ErrBlob().Error() {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

// TestPrinting: an opened key shows its id and no number.
func TestPrinting(t *testing.T) {
	t.Parallel()
	k := newStage(t, storetest.SQLite(t, store.VaultAreas()...)).mustNewest()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got := fmt.Sprintf(verb, k); len(got) != len("backup key ")+36 {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	k := newStage(t, storetest.SQLite(t, store.VaultAreas()...)).mustNewest()
	if blob, err := k.Seal(make([]byte, 580<<10)); err != nil || len(blob) > backup.MaxBlob {
		t.Errorf("%d bytes, %v", len(blob), err)
	}
	if _, err := k.Seal(make([]byte, 600<<10)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too long: %v", err)
	}
}
