package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/api"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

func escapeQuery(s string) string { return url.QueryEscape(s) }

// newHandler returns the API without a network.
func newHandler(t testing.TB) (*wt.World, http.Handler) {
	t.Helper()
	w := wt.New(t, nil)
	s, err := api.New(api.Config{Items: w.Items, Logs: map[string]api.AuditLog{}, Recorder: w.Audit, Verify: verify, Log: discardLog()})
	if err != nil {
		t.Fatal(err)
	}
	return w, s
}

// Whatever the path, what is written under it is read back under it, is one item, and is
// listed under a name that is one path below its container.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"a", "a/b", "%2e%2e%2fx", "..%2f..", "%252e%252e", "a%2fb", "%c0%ae%c0%ae/", "a//b", "./a", "a%00", "%", "%zz", "é", "a?b", "a;b=c"} {
		f.Add(path)
	}
	w, h := newHandler(f)
	f.Fuzz(func(t *testing.T, path string) {
		if len(path) > 4000 {
			return
		}
		u, err := url.Parse("https://api.localhost/v1/documents/c/" + path)
		if err != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
			return
		}
		request := func(method string, body io.Reader) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "/", body)
			r.URL, r.RequestURI = u, u.RequestURI()
			r.Header.Set("Authorization", "Bearer alice")
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			return rec
		}
		put := request("PUT", strings.NewReader(path))
		if put.Code == http.StatusBadRequest {
			return
		}
		if put.Code != http.StatusCreated && put.Code != http.StatusNoContent {
			t.Fatalf("PUT %q: %d %s", path, put.Code, put.Body)
		}
		if get := request("GET", nil); get.Code != http.StatusOK || get.Body.String() != path {
			t.Fatalf("GET %q: %d %q", path, get.Code, get.Body)
		}
		items, err := w.Items.List(t.Context(), wt.Alice, "documents", "c", "", 0)
		if err != nil || len(items) != 1 {
			t.Fatalf("%q made %d items, %v", path, len(items), err)
		}
		for segment := range strings.SplitSeq(items[0].Item, "/") {
			if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "\\\x00") {
				t.Fatalf("%q became the item %q", path, items[0].Item)
			}
		}
		if del := request("DELETE", nil); del.Code != http.StatusNoContent {
			t.Fatalf("DELETE %q: %d %s", path, del.Code, del.Body)
		}
	})
}

// Whatever the Range, the answer is the whole content, a part of it, or 416.
func FuzzRange(f *testing.F) {
	for _, text := range []string{"bytes=0-1", "bytes=-1", "bytes=1-", "bytes=0-1,3-4", "bytes=9-9", "bytes=,", "bytes=1-0", "bytes= 1 - 2", "x=1-2", "bytes=99999999999999999999-"} {
		f.Add(text)
	}
	w, h := newHandler(f)
	content := wt.Content(140_000)
	w.MustPut(f, wt.Alice, ref("c", "x"), content)
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest("GET", "/v1/documents/c/x", nil)
		r.Header = http.Header{"Authorization": {"Bearer alice"}, "Range": {text}}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		switch {
		case rec.Code == http.StatusOK && bytes.Equal(body, content):
		case rec.Code == http.StatusPartialContent && strings.HasPrefix(rec.Header().Get("Content-Type"), "multipart/"):
		case rec.Code == http.StatusPartialContent && bytes.Contains(content, body):
		case rec.Code == http.StatusRequestedRangeNotSatisfiable && rec.Header().Get("Content-Range") == "bytes */140000":
		default:
			t.Errorf("Range %q: %d, %d bytes, %v", text, rec.Code, len(body), rec.Header())
		}
	})
}
