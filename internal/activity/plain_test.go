package activity_test

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/activity"
)

// Secrets in addresses go, the rest of a text stays.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"Contoso_Global":          "Contoso_Global",
		"what? a#b, me:you@there": "what? a#b, me:you@there",
		"https://contoso-east.vault.localhost:8443/keys/root1/0ab1":       "https://contoso-east.vault.localhost:8443/keys/root1/0ab1",
		"https://me:secret@host/path?sig=secret#secret":                   "https://host/path",
		" HTTPS://host/a b?secret ":                                       "https://host/a%20b",
		"https://me:sec ret@host/":                                        "***",
		"https://%zz:secret@host":                                         "***",
		"https://host/x?a=secret;b=secret":                                "https://host/x",
		`the key URI "https://me:secret@host/k?secret" is wrong`:          `the key URI "https://host/k" is wrong`,
		"see https://a/x?secret and ftp://u:secret@b/ for more":           "see https://a/x and ftp://b/ for more",
		"https://a.example/keys/a;https://b.example/keys/b (joined once)": "https://a.example/keys/a;https://b.example/keys/b%20%28joined%20once%29",
	} {
		if got := activity.Plain(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// Whatever an address holds, no password of it comes out.
func FuzzPlain(f *testing.F) {
	f.Add("host/path", "x")
	f.Add("%zz", "")
	f.Add("a@b#c d", "\n")
	f.Fuzz(func(t *testing.T, host, after string) {
		const secret = "hunter2"
		text := "https://me:" + secret + "@" + host + "?" + secret + after
		if got := activity.Plain(text); strings.Count(text, secret) == 2 && strings.Contains(got, secret) {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
