package graph_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/graph"
)

// FuzzPage: what a page begins behind can be asked of any database, and leads back to its token.
func FuzzPage(f *testing.F) {
	for _, seed := range [][2]string{{"", ""}, {"1", "YWxpY2U"}, {"999", "_w"}, {"1000", "AA"}, {"-1", "YWxpY2U="}, {"1e3", "YWxpY2V"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, top, token string) {
		page, err := graph.PageFrom(url.Values{"$top": {top}, "$skiptoken": {token}})
		if err != nil {
			return
		}
		after, n := page.Position()
		if n < 1 || n > directory.MaxPage || !utf8.ValidString(after) || strings.ContainsRune(after, 0) {
			t.Errorf("%q, %q: %d behind %q", top, token, n, after)
		}
		if again := base64.RawURLEncoding.EncodeToString([]byte(after)); again != strings.NewReplacer("\r", "", "\n", "").Replace(token) {
			t.Errorf("two tokens, %q and %q, for one place", token, again)
		}
	})
}

// FuzzRef: what is taken from a reference is a GUID that stands in it.
func FuzzRef(f *testing.F) {
	const id = "c066d759-24ae-40e7-a56f-027002b5d3e4"
	for _, seed := range []string{"https://graph.localhost:8443/v1.0/directoryObjects/" + id, "/users/" + strings.ToUpper(id), "x/groups/" + id + "/", id, "users/%63066d759-24ae-40e7-a56f-027002b5d3e4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		got, err := graph.RefID(ref)
		if err != nil {
			return
		}
		plain, err := url.PathUnescape(ref)
		if u, bad := uuid.Parse(got); bad != nil || u.String() != got || err == nil && !strings.Contains(strings.ToLower(plain), got) {
			t.Errorf("%q names %q", ref, got)
		}
	})
}

// FuzzGroupFilter: a filter for a name finds that name and no other.
func FuzzGroupFilter(f *testing.F) {
	for _, seed := range []string{"officers", "Al's", "''", "' or true", "x' eq '", "ä\n'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m := graph.GroupFilter.FindStringSubmatch("displayName eq '" + strings.ReplaceAll(name, "'", "''") + "'")
		if utf8.ValidString(name) && (m == nil || graph.Unquote(m[1]) != name) {
			t.Errorf("%q is read as %q", name, m)
		}
		if m := graph.GroupFilter.FindStringSubmatch(name); m != nil && strings.Contains(strings.ReplaceAll(m[1], "''", ""), "'") {
			t.Errorf("%q is read as %q", name, m[1])
		}
	})
}
