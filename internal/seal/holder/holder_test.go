package holder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/seal/holder"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var bound = envelope.Bind("held sealing key 1", "folder", "vault", "id")

func mustHold(t *testing.T, h holder.Holder, key envelope.Key) holder.Held {
	t.Helper()
	held, err := h.Wrap(t.Context(), key, bound)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(held.Bytes, key.Expose()) {
		t.Fatal("the key is held in clear")
	}
	return held
}

func wantKey(t *testing.T, h holder.Holder, held holder.Held, want envelope.Key) {
	t.Helper()
	if got, err := h.Unwrap(t.Context(), held, bound); err != nil || !got.Equal(want) {
		t.Errorf("unwrapped: %v", err)
	}
}

// wantRefusal checks that what a holder answers says what to do.
func wantRefusal(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) || fault.As(err).Hint == "" {
		t.Errorf("%s: %v (%s, hint %q), want %s", what, err, fault.CodeOf(err), fault.As(err).Hint, code)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "holder.key")
	f := holder.NewFile(path)
	key := envelope.NewKey()
	held := mustHold(t, f, key)
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before it is saved")
	}
	if err := errors.Join(f.Save(), f.Save()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "over another file", holder.NewFile(path).Save(), fault.Conflict)
	wantRefusal(t, "in no folder", holder.NewFile(filepath.Join(path, "x")).Save(), fault.Unavailable)
	again, err := holder.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantKey(t, again, held, key)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	_, err = again.Unwrap(t.Context(), held, envelope.Bind("another place"))
	wantRefusal(t, "of another place", err, fault.Invalid)
	_, err = holder.NewFile(path).Unwrap(t.Context(), held, bound)
	wantRefusal(t, "another key", err, fault.Invalid)

	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string]string{
		"empty": "", "cut": string(good[:40]), "no line end": strings.TrimSpace(string(good)), "two lines": string(good) + string(good),
		"another header": strings.Replace(string(good), "-v1", "-v2", 1), "long": string(good) + strings.Repeat("x", 1<<20),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := holder.OpenFile(path)
		wantRefusal(t, what, err, fault.Invalid)
		if err != nil && strings.Contains(err.Error(), string(good[30:50])) {
			t.Errorf("%s: the error shows key text", what)
		}
	}
	_, err = holder.OpenFile(filepath.Join(t.TempDir(), "none"))
	wantRefusal(t, "missing", err, fault.Invalid)
	wantRefusal(t, "a folder", second(holder.OpenFile(t.TempDir())), fault.Invalid)
}

func second[T any](_ T, err error) error { return err }

func TestPassphrase(t *testing.T) {
	t.Parallel()
	s, words := holder.NewPassphraseSettings(), []byte("five words nobody would guess")
	p, err := holder.NewPassphrase(s, words)
	if err != nil {
		t.Fatal(err)
	}
	key := envelope.NewKey()
	held := mustHold(t, p, key)
	again, err := holder.NewPassphrase(s, words)
	if err != nil {
		t.Fatal(err)
	}
	wantKey(t, again, held, key)
	for what, open := range map[string]func() (*holder.Passphrase, error){
		"other words": func() (*holder.Passphrase, error) {
			return holder.NewPassphrase(s, []byte("five words somebody would guess"))
		},
		"other salt": func() (*holder.Passphrase, error) { return holder.NewPassphrase(holder.NewPassphraseSettings(), words) },
	} {
		other, err := open()
		if err != nil {
			t.Fatal(err)
		}
		_, err = other.Unwrap(t.Context(), held, bound)
		wantRefusal(t, what, err, fault.Invalid)
	}
	_, err = p.Unwrap(t.Context(), held, envelope.Bind("another place"))
	wantRefusal(t, "of another place", err, fault.Invalid)
	wantRefusal(t, "no words", second(holder.NewPassphrase(s, nil)), fault.Invalid)
	wantRefusal(t, "too many words", second(holder.NewPassphrase(s, make([]byte, 2000))), fault.Invalid)
	for what, change := range map[string]func(*holder.PassphraseSettings){
		"no time": func(s *holder.PassphraseSettings) { s.Time = 0 }, "much time": func(s *holder.PassphraseSettings) { s.Time = 1 << 30 },
		"little memory": func(s *holder.PassphraseSettings) { s.Memory = 8 }, "all memory": func(s *holder.PassphraseSettings) { s.Memory = 1 << 31 },
		"no threads": func(s *holder.PassphraseSettings) { s.Threads = 0 }, "short salt": func(s *holder.PassphraseSettings) { s.Salt = s.Salt[1:] },
	} {
		bad := s
		change(&bad)
		wantRefusal(t, what, second(holder.NewPassphrase(bad, words)), fault.Invalid)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if out := fmt.Sprintf(verb, p); strings.Contains(out, string(words)) {
			t.Errorf("%s prints the words", verb)
		}
	}
}

// A site is our own vault over TLS with a key for sealing, and who may use it.
type site struct {
	*keyvaulttest.World
	admin, ops directory.Caller
}

func mustSite(t *testing.T) *site {
	t.Helper()
	w := keyvaulttest.New(t, storetest.SQLite(t, store.VaultAreas()...))
	s := &site{World: w, admin: w.Person("admin@contoso.example"), ops: w.Person("the sealed server")}
	s.ops.Kind = directory.App
	w.MustVault("ops-seals", keyvaulttest.Can(s.admin, rights.All),
		keyvaulttest.Can(s.ops, rights.Get, rights.WrapKey, rights.UnwrapKey))
	s.mustRoll(t)
	return s
}

func (s *site) mustRoll(t *testing.T) {
	t.Helper()
	if _, err := s.CreateKey(t.Context(), s.admin, "ops-seals", "seal", keyvault.NewKey{Type: "RSA", Bits: 2048}); err != nil {
		t.Fatal(err)
	}
}

func (s *site) mustVaultHolder(t *testing.T, edit func(*holder.VaultConfig)) *holder.Vault {
	t.Helper()
	c := holder.VaultConfig{Key: s.VaultURL("ops-seals") + "/keys/seal", Credential: s.Credential(s.ops), Transport: s.Client()}
	if edit != nil {
		edit(&c)
	}
	v, err := holder.NewVault(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A key in a vault holds; versions that are not the newest, and expired ones, still open; what
// the vault's owner takes back does not.
func TestVault(t *testing.T) {
	t.Parallel()
	s := mustSite(t)
	v, key := s.mustVaultHolder(t, nil), envelope.NewKey()
	held := mustHold(t, v, key)
	if !strings.HasPrefix(held.Under, s.VaultURL("ops-seals")+"/keys/seal/") {
		t.Errorf("held under %s", held.Under)
	}
	s.mustRoll(t)
	wantKey(t, s.mustVaultHolder(t, nil), held, key)
	if newer := mustHold(t, v, key); newer.Under == held.Under {
		t.Error("the newest version was not taken")
	}
	past, version := s.Now().Add(-time.Hour), held.Under[strings.LastIndex(held.Under, "/")+1:]
	change := func(c keyvault.KeyChange) {
		t.Helper()
		if _, err := s.UpdateKey(t.Context(), s.admin, "ops-seals", "seal", version, c); err != nil {
			t.Fatal(err)
		}
	}
	change(keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &past}})
	wantKey(t, v, held, key)
	no, yes := false, true
	change(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}})
	_, err := v.Unwrap(t.Context(), held, bound)
	wantRefusal(t, "disabled", err, fault.Denied)
	change(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &yes}})
	wantKey(t, v, held, key)

	elsewhere := held
	elsewhere.Under = strings.Replace(held.Under, "/seal/", "/other/", 1)
	_, err = v.Unwrap(t.Context(), elsewhere, bound)
	wantRefusal(t, "under another key", err, fault.Invalid)
	elsewhere.Under = "https://evil.example/keys/seal/" + version
	_, err = v.Unwrap(t.Context(), elsewhere, bound)
	wantRefusal(t, "in another vault", err, fault.Invalid)
	_, err = s.mustVaultHolder(t, func(c *holder.VaultConfig) { c.Key = s.VaultURL("ops-seals") + "/keys/none" }).Wrap(t.Context(), key, bound)
	wantRefusal(t, "no such key", err, fault.Denied)
	stranger := s.Person("stranger")
	_, err = s.mustVaultHolder(t, func(c *holder.VaultConfig) { c.Credential = s.Credential(stranger) }).Unwrap(t.Context(), held, bound)
	wantRefusal(t, "by somebody else", err, fault.Denied)
}

// A vault that is away is told from one that refuses.
func TestVaultAway(t *testing.T) {
	t.Parallel()
	s := mustSite(t)
	held := mustHold(t, s.mustVaultHolder(t, nil), envelope.NewKey())
	away := s.mustVaultHolder(t, func(c *holder.VaultConfig) { c.Transport = broken{} })
	_, err := away.Unwrap(t.Context(), held, bound)
	wantRefusal(t, "away", err, fault.Unavailable)
	_, err = away.Wrap(t.Context(), envelope.NewKey(), bound)
	wantRefusal(t, "away", err, fault.Unavailable)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.mustVaultHolder(t, nil).Unwrap(gone, held, bound); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

type broken struct{}

func (broken) Do(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }

func TestBadVaultKeys(t *testing.T) {
	t.Parallel()
	var nobody azcore.TokenCredential
	for _, uri := range []string{
		"", "seal", "http://ops.vault.azure.net/keys/seal", "https://localhost/keys/seal", "https://ops.vault.azure.net/secrets/seal",
		"https://ops.vault.azure.net/keys/", "https://ops.vault.azure.net@evil.example/keys/seal", "https://.vault.azure.net/keys/seal", "https://ops./keys/seal", "://",
	} {
		_, err := holder.NewVault(holder.VaultConfig{Key: uri, Credential: nobody})
		wantRefusal(t, fmt.Sprintf("%q", uri), err, fault.Invalid)
	}
}

func TestSettingsSayWhere(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]holder.Settings{
		"the file a.key":                          {Kind: holder.KindFile, File: &holder.FileSettings{Path: "a.key"}},
		"a passphrase":                            {Kind: holder.KindPassphrase},
		"the key https://v.example/keys/k":        {Kind: holder.KindVault, Vault: &holder.VaultSettings{Key: "https://v.example/keys/k"}},
		"the key seal in the token the ops token": {Kind: holder.KindToken, Token: &holder.TokenSettings{Key: "seal", Token: "the ops token"}},
		"nothing known":                           {Kind: "cloud"},
	} {
		if s.String() != want {
			t.Errorf("%q, want %q", s, want)
		}
	}
}
