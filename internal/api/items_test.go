package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

func TestPutGetDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const path = "/v1/documents/reports/2026/Gr%C3%BC%C3%9Fe%20%231.txt"
	res, _ := w.do(t, "alice", "PUT", path, strings.NewReader("hello"), "Content-Type", "text/plain", "Source-Modified", "2020-01-02T03:04:05.6Z", "Source-Name", "a%20b.txt")
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("PUT: %s", res.Status)
	}
	res, body := w.do(t, "alice", "GET", path, nil)
	for name, want := range map[string]string{
		"Content-Type": "text/plain", "Content-Length": "5", "Accept-Ranges": "bytes",
		"Repr-Digest":     "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
		"Source-Modified": "2020-01-02T03:04:05.6Z", "Source-Name": "a%20b.txt", "X-Content-Type-Options": "nosniff",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("GET: %s is %q, want %q", name, got, want)
		}
	}
	if res.StatusCode != 200 || string(body) != "hello" {
		t.Errorf("GET: %s %q", res.Status, body)
	}
	etag := res.Header.Get("ETag")
	head, body := w.do(t, "alice", "HEAD", path, nil, "Range", "bytes=1-2")
	if head.StatusCode != 200 || len(body) != 0 || head.Header.Get("ETag") != etag || head.ContentLength != 5 {
		t.Errorf("HEAD: %s %v", head.Status, head.Header)
	}
	if res, _ := w.do(t, "alice", "GET", path, nil, "If-None-Match", etag); res.StatusCode != http.StatusNotModified {
		t.Errorf("GET of what the client has: %s", res.Status)
	}
	res, body = w.do(t, "alice", "GET", path, nil, "If-Match", `"other"`)
	wantError(t, "GET of another version", res, body, http.StatusPreconditionFailed, fault.Conflict)
	res, body = w.do(t, "alice", "PUT", path, strings.NewReader("new"), "If-None-Match", "*")
	wantError(t, "PUT over an item", res, body, http.StatusPreconditionFailed, fault.Conflict)
	if res, _ := w.do(t, "alice", "PUT", path, http.NoBody); res.StatusCode != http.StatusNoContent || res.Header.Get("ETag") == etag {
		t.Errorf("PUT of nothing: %s", res.Status)
	}
	if res, body := w.do(t, "alice", "GET", path, nil, "Range", "bytes=0-0"); res.StatusCode != 200 || len(body) != 0 || res.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("GET of nothing: %s %q", res.Status, body)
	}
	if res, _ := w.do(t, "alice", "DELETE", path, nil); res.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE: %s", res.Status)
	}
	res, body = w.do(t, "alice", "GET", path, nil)
	wantError(t, "GET after DELETE", res, body, http.StatusNotFound, fault.NotFound)
}

func TestPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const mailbox = "/v1/exchange/alice@contoso.example"
	first, body := w.do(t, "alice", "POST", mailbox, strings.NewReader("Subject: hi"), "Content-Type", "message/rfc822")
	var item struct{ Item, Digest, ContentType string }
	if err := json.Unmarshal(body, &item); err != nil || first.StatusCode != http.StatusCreated {
		t.Fatalf("POST: %s %q %v", first.Status, body, err)
	}
	if first.Header.Get("Location") != mailbox+"/"+item.Item || item.ContentType != "message/rfc822" || !strings.HasPrefix(item.Digest, "sha-256=:") {
		t.Errorf("POST: %v %+v", first.Header, item)
	}
	again, _ := w.do(t, "alice", "POST", mailbox, strings.NewReader("Subject: hi"))
	if again.StatusCode != http.StatusOK || again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("POST again: %s %v", again.Status, again.Header)
	}
	if res, body := w.do(t, "alice", "GET", first.Header.Get("Location"), nil); string(body) != "Subject: hi" {
		t.Errorf("GET of the location: %s %q", res.Status, body)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *workload.Config) { c.MaxSize = 1000 })
	w.MustPut(t, wt.Alice, ref("c", "x"), []byte("content"))
	const x = "/v1/documents/c/x"
	for _, tt := range []struct {
		who, method, path string
		status            int
		code              fault.Code
		headers           []string
	}{
		{"", "GET", x, 401, fault.Unauthenticated, nil},
		{"expired", "GET", x, 401, fault.Unauthenticated, nil},
		{"bob", "GET", x, 403, fault.Forbidden, nil},
		{"operator", "GET", x, 403, fault.Forbidden, nil},
		{"mallory", "GET", x, 404, fault.NotFound, nil},
		{"mallory", "DELETE", x, 404, fault.NotFound, nil},
		{"mallory", "GET", "/v1/documents/c", 404, fault.NotFound, nil},
		{"alice", "GET", "/v1/sharepoint/c/x", 404, fault.NotFound, nil},
		{"alice", "GET", "/v1/exchange/nobody@contoso.example/x", 404, fault.NotFound, nil},
		{"alice", "GET", "/v1/documents/c/y", 404, fault.NotFound, nil},
		{"alice", "GET", "/", 404, fault.NotFound, nil},
		{"alice", "GET", "/v2/documents/c/x", 404, fault.NotFound, nil},
		{"alice", "GET", "/v1x", 404, fault.NotFound, nil},
		{"alice", "PATCH", x, 400 + 5, fault.Invalid, nil},
		{"alice", "PUT", "/v1/documents/c", 405, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/%2e%2e%2fy", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/..%2fy", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/../y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/%2e%2e/y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/./y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c//y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents//c/y", 400, fault.Invalid, nil},
		{"alice", "GET", "//v1/documents/c/y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/y/", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/a%5cb", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/a%00b", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c/a%ffb", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/a%2fb/y", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c?limit=0", 400, fault.Invalid, nil},
		{"alice", "GET", "/v1/documents/c?limit=x", 400, fault.Invalid, nil},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"If-Match", `"v"`}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"If-None-Match", `"v"`}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"Content-Range", "bytes 0-1/2"}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"Content-Encoding", "gzip"}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"Content-Type", "nothing at all"}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"Source-Modified", "yesterday"}},
		{"alice", "PUT", x, 400, fault.Invalid, []string{"Source-Name", "..%2fx"}},
		{"alice", "DELETE", x, 400, fault.Invalid, []string{"If-Match", `"v"`}},
		{"alice", "GET", x, 416, fault.BadRange, []string{"Range", "bytes=7-"}},
		{"alice", "GET", x, 416, fault.BadRange, []string{"Range", "bytes=5-2"}},
	} {
		what := fmt.Sprintf("%s %s %s %v", tt.who, tt.method, tt.path, tt.headers)
		res, body := w.do(t, tt.who, tt.method, tt.path, nil, tt.headers...)
		wantError(t, what, res, body, tt.status, tt.code)
		switch tt.status {
		case 401:
			if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: no challenge", what)
			}
		case 405:
			if res.Header.Get("Allow") == "" {
				t.Errorf("%s: the answer does not say what is allowed", what)
			}
		case 416:
			if res.Header.Get("Content-Range") != "bytes */7" {
				t.Errorf("%s: Content-Range %q", what, res.Header.Get("Content-Range"))
			}
		}
		if res.Header.Get("ETag") != "" || res.Header.Get("Repr-Digest") != "" {
			t.Errorf("%s: the error says something about an item: %v", what, res.Header)
		}
	}
	res, body := w.do(t, "alice", "PUT", x, bytes.NewReader(make([]byte, 1001)))
	wantError(t, "PUT that is announced too long", res, body, 413, fault.TooLarge)
	res, body = w.do(t, "alice", "PUT", x, io.MultiReader(bytes.NewReader(make([]byte, 1001))))
	wantError(t, "PUT that turns out too long", res, body, 413, fault.TooLarge)
	res, body = w.do(t, "alice", "GET", x, strings.NewReader("a body"))
	wantError(t, "GET with a body", res, body, 400, fault.Invalid)
	if w.log.contains("Bearer ") || w.log.contains("expired") {
		t.Error("the log holds a token")
	}
	w.Deny()
	res, body = w.do(t, "alice", "GET", x, nil)
	wantError(t, "GET of what the customer has closed", res, body, 403, fault.Denied)
	w.Restore()
	w.Audit.SetFailing(true)
	res, body = w.do(t, "bob", "GET", x, nil)
	w.Audit.SetFailing(false)
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("a log that cannot be written: %s %s", res.Status, body)
	}
}

// Every Range header is answered as net/http answers it over plain bytes.
func TestRanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const size = 140_000 // three segments
	content := wt.Content(size)
	item := w.MustPut(t, wt.Alice, ref("c", "x"), content)
	reference := func(headers ...string) *http.Response {
		req := httptest.NewRequest("GET", "/", nil)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		rec := httptest.NewRecorder()
		rec.Header().Set("ETag", `"`+item.Version+`"`)
		rec.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(rec, req, "", item.Modified, bytes.NewReader(content))
		return rec.Result()
	}
	lastModified := item.Modified.Format(http.TimeFormat)
	for _, headers := range [][]string{
		{"Range", "bytes=0-0"},
		{"Range", "bytes=0-"},
		{"Range", "bytes=-1"},
		{"Range", "bytes=-200000"},
		{"Range", "bytes=65503-65504"},
		{"Range", "bytes=65504-131007"},
		{"Range", "bytes=139999-"},
		{"Range", "bytes=139999-999999"},
		{"Range", "bytes=140000-"},
		{"Range", "bytes=-0"},
		{"Range", "bytes=2-1"},
		{"Range", "bytes=x-"},
		{"Range", "bytes="},
		{"Range", "bytes=0-1,5-6"},
		{"Range", "bytes=0-1, 65500-65600, -3"},
		{"Range", "bytes=0-1,140000-"},
		{"Range", "bytes=140000-,150000-"},
		{"Range", "bytes=0-,0-,0-"}, // more than the whole: the whole
		{"Range", "bytes=0-4", "If-Range", `"` + item.Version + `"`},
		{"Range", "bytes=0-4", "If-Range", `"other"`},
		{"Range", "bytes=0-4", "If-Range", lastModified},
		{"Range", "bytes=0-4", "If-Range", "Thu, 01 Jan 1970 00:00:00 GMT"},
		{"Range", "bytes=0-4", "If-Match", `"` + item.Version + `"`},
		{"If-Modified-Since", lastModified},
		{"If-Unmodified-Since", lastModified},
		{"If-None-Match", "*"},
	} {
		res, got := w.do(t, "alice", "GET", "/v1/documents/c/x", nil, headers...)
		want := reference(headers...)
		if res.StatusCode != want.StatusCode {
			t.Errorf("%v: %s, net/http says %s", headers, res.Status, want.Status)
			continue
		}
		if want.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			wantError(t, strings.Join(headers, " "), res, got, 416, fault.BadRange)
			continue
		}
		for _, name := range []string{"Content-Range", "Content-Length", "ETag", "Last-Modified", "Accept-Ranges"} {
			if res.Header.Get(name) != want.Header.Get(name) && !strings.HasPrefix(want.Header.Get("Content-Type"), "multipart/") {
				t.Errorf("%v: %s %q, net/http says %q", headers, name, res.Header.Get(name), want.Header.Get(name))
			}
		}
		wantBody, _ := io.ReadAll(want.Body)
		if a, b := normal(res, got), normal(want, wantBody); !bytes.Equal(a, b) {
			t.Errorf("%v: %d bytes differ from the %d of net/http", headers, len(a), len(b))
		}
	}
	for _, headers := range [][]string{
		{"Range", "lines=1-2"},
		{"Range", "bytes=" + strings.Repeat("0-0,", 20) + "1-1"},
	} {
		if res, got := w.do(t, "alice", "GET", "/v1/documents/c/x", nil, headers...); res.StatusCode != 200 || !bytes.Equal(got, content) {
			t.Errorf("%v: %s, want the whole content", headers, res.Status)
		}
	}
}

// normal replaces the random boundary of a multipart body.
func normal(res *http.Response, body []byte) []byte {
	if _, boundary, ok := strings.Cut(res.Header.Get("Content-Type"), "boundary="); ok {
		return bytes.ReplaceAll(body, []byte(boundary), []byte("boundary"))
	}
	return body
}

// Damage in what is sent first is a proper error; damage further on breaks the connection.
func TestDamagedContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	content := wt.Content(300_000)
	for _, item := range []string{"early", "late", "fine"} {
		w.MustPut(t, wt.Alice, ref("c", item), content)
	}
	wt.FlipByte(t, w.BlobPath(t, wt.Contoso, ref("c", "early")), 1000)
	wt.FlipByte(t, w.BlobPath(t, wt.Contoso, ref("c", "late")), 150_000)

	res, body := w.do(t, "alice", "GET", "/v1/documents/c/early", nil)
	wantError(t, "damage at the start", res, body, 500, fault.Corrupt)
	if !bytes.Contains(body, []byte("documents/c/early")) {
		t.Errorf("the error does not name the item: %s", body)
	}
	for _, ranges := range []string{"bytes=10-20", "bytes=10-20,30-40"} {
		res, body := w.do(t, "alice", "GET", "/v1/documents/c/early", nil, "Range", ranges)
		wantError(t, "damage in "+ranges, res, body, 500, fault.Corrupt)
	}
	if res, _ := w.do(t, "alice", "GET", "/v1/documents/c/early", nil, "Range", "bytes=-100"); res.StatusCode != 206 {
		t.Errorf("a range beside the damage: %s", res.Status)
	}
	for _, ranges := range []string{"bytes=0-", "bytes=10-20,150000-150010"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", w.URL+"/v1/documents/c/late", nil)
		req.Header = http.Header{"Authorization": {"Bearer alice"}, "Range": {ranges}}
		res, err := w.http.Do(req)
		if err != nil { // broken off before the status line had left
			continue
		}
		if b, err := io.ReadAll(res.Body); err == nil {
			t.Errorf("%s: %d bytes of damaged content ended well", ranges, len(b))
		}
		res.Body.Close()
	}
	if !w.log.contains("cut off") {
		t.Error("the log does not tell of the answer that was cut off")
	}
	if res, body := w.do(t, "alice", "GET", "/v1/documents/c/fine", nil); res.StatusCode != 200 || !bytes.Equal(body, content) {
		t.Errorf("the item beside them: %s", res.Status)
	}
}

func TestRoutesTellThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var table struct {
		Routes []struct{ Method, Path, Does string }
	}
	_, body := w.do(t, "", "GET", "/v1", nil)
	mustUnmarshal(t, body, &table)
	if len(table.Routes) < 10 {
		t.Errorf("GET /v1 tells of %d routes", len(table.Routes))
	}
	for _, row := range table.Routes {
		if row.Method == "" || !strings.HasPrefix(row.Path, "/") || row.Does == "" {
			t.Errorf("%+v", row)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if res, body := w.do(t, "", "GET", "/healthz", nil); res.StatusCode != 200 || !bytes.Contains(body, []byte("ok")) {
		t.Errorf("/healthz: %s %s", res.Status, body)
	}
}
