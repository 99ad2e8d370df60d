package profile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

const refreshSecret = "refresh-secret"

func sampleData() profile.Data {
	return profile.Data{
		Domain: "localhost:8443", Tenant: "11111111-2222-4333-8444-555555555555", Organization: "contoso.example",
		User: "alice@contoso.example", RefreshToken: refreshSecret,
	}
}

func config(t *testing.T) profile.Config {
	t.Helper()
	return profile.Config{Path: filepath.Join(t.TempDir(), "folder", "profile.json")}
}

func mustSave(t *testing.T, c profile.Config, d profile.Data) *profile.Profile {
	t.Helper()
	p, err := profile.Save(t.Context(), c, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantFault(t *testing.T, err error, code fault.Code, message string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Message, message) {
		t.Errorf("got %v, want %s with %q", err, code, message)
	}
}

func TestSaveAndOpen(t *testing.T) {
	t.Parallel()
	c := config(t)
	mustSave(t, c, sampleData())
	p, err := profile.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	want := sampleData()
	want.Version = 1
	if diff := cmp.Diff(want, p.Data()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if runtime.GOOS != "windows" {
		for path, mode := range map[string]os.FileMode{c.Path: 0o600, filepath.Dir(c.Path): 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v; want mode %o", path, info.Mode(), err, mode)
			}
		}
	}
	if err := profile.Remove(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, err = profile.Open(c)
	wantFault(t, err, fault.Unauthenticated, "nobody is signed in")
	if err := profile.Remove(t.Context(), c); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

func TestOpenRefusesWhatOthersCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing on Windows")
	}
	c := config(t)
	mustSave(t, c, sampleData())
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(c.Path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := profile.Open(c)
		wantFault(t, err, fault.Invalid, "by others")
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		"":   "damaged",
		"{}": "version 0",
		`{"version":2,"domain":"d","tenant":"t"}`: "version 2",
		`{"version":1}`: "damaged",
		`{"version":1,"domain":"d","tenant":"t","refreshToken":"secret"`:     "damaged",
		`{"version":1,"domain":"d","tenant":"t","certificateAuthority":"x"}`: "certificate authority",
	} {
		c := profile.Config{Path: filepath.Join(t.TempDir(), "profile.json")}
		if err := os.WriteFile(c.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := profile.Open(c)
		wantFault(t, err, fault.Invalid, message)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows what is in the file: %v", err)
		}
	}
	_, err := profile.Open(profile.Config{Path: t.TempDir()})
	wantFault(t, err, fault.Invalid, "is not a file")
}

func TestSaveIntoNowhere(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := profile.Save(t.Context(), profile.Config{Path: filepath.Join(file, "profile.json")}, sampleData())
	wantFault(t, err, fault.Unavailable, "folder of the profile")
}

func TestNothingPrintsAToken(t *testing.T) {
	t.Parallel()
	d := sampleData()
	d.AccessTokens = map[string]profile.Access{"a": {Token: "access-secret", Expires: time.Now()}}
	p := mustSave(t, config(t), d)
	for _, v := range []any{d, &d, p, d.AccessTokens["a"], d.LogValue()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "secret") {
				t.Errorf("%s of %T shows a token: %s", verb, v, text)
			}
		}
	}
}

func TestPath(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/config")
	t.Setenv("HOME", "/home")
	t.Setenv(profile.PathVariable, "")
	if runtime.GOOS == "linux" {
		for name, want := range map[string]string{"": "/config/customerkey/profile.json", "work": "/config/customerkey/work.json"} {
			if got, err := profile.Path(name); got != want || err != nil {
				t.Errorf("Path(%q) = %s, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"../x", "a/b", ".hidden", strings.Repeat("x", 65), "a b", `a\b`} {
		_, err := profile.Path(name)
		wantFault(t, err, fault.Invalid, "cannot be the name of a profile")
	}
	t.Setenv(profile.PathVariable, "/elsewhere/p.json")
	if got, err := profile.Path(""); got != "/elsewhere/p.json" || err != nil {
		t.Errorf("%s does not decide: %s, %v", profile.PathVariable, got, err)
	}
	if got, _ := profile.Path("work"); strings.HasPrefix(got, "/elsewhere") {
		t.Errorf("a name given on the command line gives way to the environment: %s", got)
	}
}

// A folder that cannot be written to is found out before the refresh token is spent. What
// is in the way here, a folder where the new file goes, stops even root.
func TestFailedSaveCostsNoToken(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := config(t)
	p := s.mustSignIn(c)
	if err := os.MkdirAll(filepath.Join(c.Path+".new", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := len(s.spent())
	_, err := p.TokenSource("https://graph." + s.domain)(t.Context())
	wantFault(t, err, fault.Unavailable, "cannot be saved")
	if after := len(s.spent()); after != before {
		t.Errorf("%d refresh tokens were spent", after-before)
	}
}

func TestTokensOfTheFileAreUsed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tt := range map[string]struct {
		access profile.Access
		good   bool
	}{
		"fresh":                {profile.Access{Token: "x", Obtained: now, Expires: now.Add(time.Hour)}, true},
		"about to end":         {profile.Access{Token: "x", Obtained: now.Add(-time.Hour), Expires: now.Add(time.Minute)}, false},
		"given in the future":  {profile.Access{Token: "x", Obtained: now.Add(time.Hour), Expires: now.Add(2 * time.Hour)}, false},
		"of another's service": {profile.Access{}, false},
	} {
		d := sampleData()
		d.Domain = "localhost:1" // nobody is there to give another
		d.AccessTokens = map[string]profile.Access{"a": tt.access}
		c := config(t)
		c.Now = func() time.Time { return now }
		token, err := mustSave(t, c, d).TokenSource("a")(t.Context())
		if tt.good != (err == nil && token == "x") {
			t.Errorf("%s: %q, %v", name, token, err)
		}
		if !tt.good {
			wantFault(t, err, fault.Unavailable, "cannot be reached")
		}
	}
}

func TestFileHoldsNoUnknownMember(t *testing.T) {
	t.Parallel()
	c := config(t)
	mustSave(t, c, sampleData())
	text, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"version": 1.0, "domain": "localhost:8443", "tenant": "11111111-2222-4333-8444-555555555555", "organization": "contoso.example",
		"user": "alice@contoso.example", "refreshToken": refreshSecret,
	}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Errorf("the file's layout changed: -want +got\n%s", diff)
	}
}

func TestCancelledWhileLocked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := sampleData()
	p := mustSave(t, config(t), d)
	if _, err := p.TokenSource("a")(ctx); err == nil {
		t.Error("a cancelled request got a token")
	}
}
