package audit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	contoso  = "0b5c7f5e-3d39-4c8b-9d3f-0c7c1d1c0a01"
	fabrikam = "7d0e5f7c-54a1-4f0b-8a4e-2f5d0e6b9a02"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func entry() audit.Entry {
	return audit.Entry{
		Tenant: contoso,
		Time:   noon,
		Caller: directory.Caller{
			Tenant: contoso, ID: "5f0c", Kind: directory.User, Name: "alice@contoso.example",
			App: "fb78", Address: "127.0.0.1", Request: "r-1",
		},
		Action:   "key.unwrap",
		Object:   "https://contoso-east.vault.localhost:8443/keys/root1/abc",
		Decision: audit.Allow,
		Detail:   map[string]string{"why": "lease", "generation": "3"},
	}
}

func mustEncode(t testing.TB, e audit.Entry) []byte {
	t.Helper()
	leaf, err := audit.EncodeLeaf(e)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// The layout is written down in docs/formats.md; old logs are only as good as it is stable.
func TestLeafLayout(t *testing.T) {
	for name, e := range vectors() {
		path := filepath.Join("testdata", "leaf", name+".json")
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustEncode(t, e); !bytes.Equal(got, want) {
			t.Errorf("%s\n got %s\nwant %s", path, got, want)
		}
		got, err := audit.DecodeLeaf(want)
		if diff := cmp.Diff(e, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", path, err, diff)
		}
		if !json.Valid(want) {
			t.Errorf("%s is no JSON", path)
		}
	}
}

func vectors() map[string]audit.Entry {
	escapes := entry()
	escapes.Object = "\x00\x01\b\t\n\v\f\r\x1f \"\\/ <&> \u007f é \u2028 😀"
	bare := audit.Entry{Tenant: "t", Time: time.Unix(0, 0).UTC(), Action: "a", Decision: audit.Fail}
	return map[string]audit.Entry{"full": entry(), "escapes": escapes, "bare": bare}
}

func TestLeafRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { // any bytes, also such as are no UTF-8
			return string(rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, label))
		}
		e := entry()
		e.Time = time.UnixMicro(rapid.Int64Range(-62_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "time"))
		e.Caller.Name, e.Object, e.Action = text("name"), text("object"), "a"+text("action")
		e.Detail = rapid.MapOf(rapid.Custom(func(*rapid.T) string { return text("key") }), rapid.String()).Draw(t, "detail")
		leaf, err := audit.EncodeLeaf(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := audit.DecodeLeaf(leaf)
		if err != nil {
			t.Fatalf("%s: %v", leaf, err)
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		if got.Object != valid(e.Object) || got.Caller.Name != valid(e.Caller.Name) || !got.Time.Equal(e.Time) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	})
}

func TestLeafRefusals(t *testing.T) {
	for name, row := range map[string]struct {
		change func(e *audit.Entry)
		code   fault.Code
	}{
		"no tenant":       {func(e *audit.Entry) { e.Tenant = "" }, fault.Invalid},
		"tenant of lines": {func(e *audit.Entry) { e.Tenant = "a\nb" }, fault.Invalid},
		"no action":       {func(e *audit.Entry) { e.Action = "" }, fault.Internal},
		"no decision":     {func(e *audit.Entry) { e.Decision = "maybe" }, fault.Internal},
		"year 10000":      {func(e *audit.Entry) { e.Time = e.Time.AddDate(8000, 0, 0) }, fault.Internal},
		"too long":        {func(e *audit.Entry) { e.Object = strings.Repeat("x", audit.MaxLeaf) }, fault.TooLarge},
	} {
		e := entry()
		row.change(&e)
		if _, err := audit.EncodeLeaf(e); !fault.Is(err, row.code) {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
	}
}

func TestLeafHasOneForm(t *testing.T) {
	leaf := string(mustEncode(t, entry()))
	for name, other := range map[string]string{
		"space":           strings.Replace(leaf, `"time":`, `"time": `, 1),
		"other version":   strings.Replace(leaf, `"v":1`, `"v":2`, 1),
		"unknown member":  strings.Replace(leaf, `"v":1`, `"v":1,"x":1`, 1),
		"member twice":    strings.Replace(leaf, `"v":1`, `"v":1,"v":1`, 1),
		"other case":      strings.Replace(leaf, `"time"`, `"Time"`, 1),
		"needless escape": strings.Replace(leaf, "key.unwrap", `key\u002eunwrap`, 1),
		"time zone":       strings.Replace(leaf, "T12:00:00.000000Z", "T13:00:00.000000+01:00", 1),
		"order":           strings.Replace(leaf, `"generation":"3","why":"lease"`, `"why":"lease","generation":"3"`, 1),
		"cut off":         leaf[:len(leaf)-1],
		"goes on":         leaf + " ",
		"twice":           leaf + leaf,
		"nothing":         "",
	} {
		if other == leaf {
			t.Fatalf("%s: the test changes nothing", name)
		}
		if _, err := audit.DecodeLeaf([]byte(other)); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: got %v, want corrupt", name, err)
		}
	}
}

func FuzzDecodeLeaf(f *testing.F) {
	seeds, err := filepath.Glob("testdata/leaf/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range seeds {
		leaf, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(leaf)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := audit.DecodeLeaf(in)
		if err != nil {
			if !fault.Is(err, fault.Corrupt) {
				t.Errorf("got %v, want corrupt", err)
			}
			return
		}
		if again, err := audit.EncodeLeaf(e); err != nil || !bytes.Equal(again, in) {
			t.Errorf("one entry, two leaves: %q, %q, %v", in, again, err)
		}
	})
}
