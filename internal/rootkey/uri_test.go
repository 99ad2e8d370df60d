package rootkey

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/customerkey/customerkey/internal/fault"
)

// noNetwork fails the test if anything is sent.
type noNetwork struct{ t testing.TB }

func (n noNetwork) Do(r *http.Request) (*http.Response, error) {
	n.t.Errorf("a request went out to %s", r.URL.Host)
	return nil, http.ErrServerClosed
}

func mustClient(t testing.TB, c Config) *Client {
	t.Helper()
	if c.Credential == nil {
		c.Credential = func(string, string) azcore.TokenCredential { return nil }
	}
	if c.Suffixes == nil {
		c.Suffixes = []string{"vault.localhost:8443", "vault.azure.net"}
	}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestParse(t *testing.T) {
	t.Parallel()
	c := mustClient(t, Config{Transport: noNetwork{t}})
	const azure, local = "https://contoso-east.vault.azure.net/keys/root1", "https://contoso-east.vault.localhost:8443/keys/root1"
	const version = "0123456789abcdef0123456789abcdef"
	for uri, want := range map[string]URI{
		azure:                       {Name: "root1"},
		azure + "/":                 {Name: "root1"},
		azure + "/" + version:       {Name: "root1", Version: version},
		azure + "/" + version + "/": {Name: "root1", Version: version},
		"https://contoso-east.vault.azure.net:443/keys/root1":                  {Name: "root1"},
		"https://contoso-east.vault.azure.net:443/keys/root1/" + version + "/": {Name: "root1", Version: version},
		"HTTPS://CONTOSO-East.Vault.AZURE.net/keys/root1":                      {Name: "root1"},
		"https://contoso-east.vault.azure.net/keys/Contoso_Root-1":             {Name: "Contoso_Root-1"},
		local:                 {Name: "root1"},
		local + "/" + version: {Name: "root1", Version: version},
	} {
		got, err := c.Parse(uri)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		host := "contoso-east.vault.azure.net"
		if strings.Contains(uri, "8443") {
			host = "contoso-east.vault.localhost:8443"
		}
		if got.Vault != "contoso-east" || got.Host != host || got.Name != want.Name || got.Version != want.Version {
			t.Errorf("%s: %+v", uri, got)
		}
		if s := got.String(); s != "https://"+host+"/keys/"+want.Name {
			t.Errorf("%s: canonical %s", uri, s)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	c := mustClient(t, Config{Transport: noNetwork{t}})
	const foreign, bad = "ForeignHost", "BadKeyURI"
	for uri, reason := range map[string]string{
		"https://evil.example/keys/root1":                                    foreign,
		"https://vault.azure.net/keys/root1":                                 foreign, // no label in front
		"https://.vault.azure.net/keys/root1":                                foreign,
		"https://a.b.vault.azure.net/keys/root1":                             foreign, // two labels
		"https://a.evilvault.azure.net/keys/root1":                           foreign, // not at a label's border
		"https://avault.azure.net/keys/root1":                                foreign,
		"https://a.vault.azure.net.evil.example/keys/root1":                  foreign,
		"https://a.vault.azure.net./keys/root1":                              foreign,
		"https://a.vault.azure.net:8443/keys/root1":                          foreign, // the other suffix's port
		"https://a.vault.azure.net:/keys/root1":                              foreign,
		"https://a.vault.azure.net:443:443/keys/root1":                       foreign,
		"https://a.vault.azure.net:0443/keys/root1":                          foreign,
		"https://a.vault.localhost/keys/root1":                               foreign,
		"https://a.vault.localhost:443/keys/root1":                           foreign,
		"https://-a.vault.azure.net/keys/root1":                              foreign,
		"https://" + strings.Repeat("a", 64) + ".vault.azure.net/keys/root1": foreign,
		"https://127.0.0.1:8443/keys/root1":                                  foreign,
		"https://[::1]:8443/keys/root1":                                      foreign,
		"https:///keys/root1":                                                foreign,
		"https://user@a.vault.azure.net/keys/root1":                          bad,
		"https://a.vault.azure.net@evil.example/keys/root1":                  bad,
		"http://a.vault.azure.net/keys/root1":                                bad,
		"//a.vault.azure.net/keys/root1":                                     bad,
		"a.vault.azure.net/keys/root1":                                       bad,
		"https://a.vault.azure.net/keys/root1?x=1":                           bad,
		"https://a.vault.azure.net/keys/root1#x":                             bad,
		"https://a.vault.azure.net\\@evil.example/keys/root1":                bad,
		"https://a.vault.azure.net/keys/../secrets/root1":                    bad,
		"https://a.vault.azure.net/keys/%2e%2e/root1":                        bad,
		"https://a.vault.azure.net/keys//root1":                              bad,
		"https://a.vault.azure.net//keys/root1":                              bad,
		"https://a.vault.azure.net/keys/root1/v/more":                        bad,
		"https://a.vault.azure.net/keys/root1//":                             bad,
		"https://a.vault.azure.net/keys/":                                    bad,
		"https://a.vault.azure.net/keys":                                     bad,
		"https://a.vault.azure.net":                                          bad,
		"https://a.vault.azure.net/secrets/root1":                            bad,
		"https://a.vault.azure.net/keys/" + strings.Repeat("n", 128):         bad,
		"https://a.vault.azure.net/keys/" + strings.Repeat("n", 1<<20):       bad,
		"https://a.vault.\u0430zure.net/keys/root1":                          bad, // a Cyrillic letter
		"https://a.vault.azure\u3002net/keys/root1":                          bad, // an ideographic full stop
		"https://a.vault.a\uff5aure.net/keys/root1":                          bad, // a full-width letter
		"https://a.vault.azure.net/keys/root\u00001":                         bad,
		"https://a.vault.azure.net/keys/root1 ":                              bad,
		"https://a.vault.azure.net/keys/root1\r\nHost: evil.example":         bad,
		"": bad,
	} {
		_, err := c.Parse(uri)
		if !fault.Is(err, fault.Invalid) || fault.As(err).Reason != reason {
			t.Errorf("%.80q: %v, want %s", uri, err, reason)
		}
		if _, err := c.Key("tenant", "app", uri); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.80q: a key was made: %v", uri, err)
		}
		if err != nil && (fault.As(err).Hint == "" || len(fault.As(err).Message) > 4*maxURI) {
			t.Errorf("%.80q: message %q, hint %q", uri, fault.As(err).Message, fault.As(err).Hint)
		}
	}
}

func TestSuffixes(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", ".", "vault..net", "vault.net:", "vault.net:x", "vault.net/x", "https://vault.net", "*.vault.net", "v\u0430ult.net"} {
		if _, err := New(Config{Suffixes: []string{bad}, Credential: func(string, string) azcore.TokenCredential { return nil }}); err == nil {
			t.Errorf("suffix %q was taken", bad)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a client for every host")
	}
	u, err := mustClient(t, Config{Suffixes: []string{"Vault.Azure.NET:443"}}).Parse("https://a.vault.azure.net/keys/k")
	if err != nil || u.Host != "a.vault.azure.net" {
		t.Errorf("%+v, %v", u, err)
	}
}

// What Parse accepts means the same to the URL parser that sends the request.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"https://a.vault.azure.net/keys/root1", "https://a.vault.azure.net:443/keys/root1/0123/", "https://A.vault.localhost:8443/keys/r",
		"https://a.vault.azure.net@evil/keys/r", "https://a.vault.azure.net\\.evil/keys/r", "https://a.vault.azure.net:443@evil/keys/r",
	} {
		f.Add(seed)
	}
	c := mustClient(f, Config{Transport: noNetwork{f}})
	f.Fuzz(func(t *testing.T, in string) {
		got, err := c.Parse(in)
		if err != nil {
			return
		}
		u, err := url.Parse(got.String() + "/" + got.Version)
		if err != nil || u.Host != got.Host || u.User != nil || u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q became %q", in, got)
		}
		if !strings.HasSuffix(got.Host, ".vault.azure.net") && !strings.HasSuffix(got.Host, ".vault.localhost:8443") {
			t.Fatalf("%q leads to %q", in, got.Host)
		}
		if direct, err := url.Parse(in); err != nil || !strings.EqualFold(strings.TrimSuffix(direct.Host, ":443"), got.Host) {
			t.Fatalf("%q: this parser sees host %q, another %v", in, got.Host, direct)
		}
		if again, err := c.Parse(got.String()); err != nil || again.String() != got.String() {
			t.Fatalf("%q: %q does not come back: %v", in, got, err)
		}
	})
}
