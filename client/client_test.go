package client_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

var item = client.Ref{Workload: "documents", Container: "c", Item: "a/b c"}

// newClient returns a client of a server that answers with fn.
func newClient(t *testing.T, fn http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(fn)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{
		BaseURL: server.URL, HTTP: server.Client(), Pause: time.Millisecond,
		Token: func(context.Context) (string, error) { return "token", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// stored answers a write of content.
func stored(w http.ResponseWriter, content string) {
	w.Header().Set("ETag", `"v1"`)
	w.Header().Set("Repr-Digest", digestOf(content))
	w.WriteHeader(http.StatusCreated)
}

func unavailable(w http.ResponseWriter) {
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"error":{"code":"unavailable","message":"the database cannot be reached","hint":"try again","requestId":"r1"}}`)
}

func TestPutTriesAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if calls++; calls < 3 {
			unavailable(w)
			return
		}
		if string(body) != "content" || r.URL.EscapedPath() != "/v1/documents/c/a/b%20c" || r.Header.Get("Authorization") != "Bearer token" {
			t.Errorf("%s %q %v", r.URL.EscapedPath(), body, r.Header)
		}
		stored(w, string(body))
	})
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("skipped content"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Seek(8, io.SeekStart) // the body is what comes after
	got, created, err := c.Put(t.Context(), item, client.PutOptions{}, f)
	if err != nil || !created || got.Size != 7 || got.ETag != "v1" || calls != 3 {
		t.Errorf("Put = %+v, %v, %v after %d calls", got, created, err, calls)
	}
	if _, err := f.Stat(); err != nil {
		t.Errorf("the body was closed: %v", err)
	}
}

func TestPutOfAStreamIsSentOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		io.Copy(io.Discard, r.Body)
		unavailable(w)
	})
	_, _, err := c.Put(t.Context(), item, client.PutOptions{}, io.MultiReader(strings.NewReader("content")))
	var e *client.Error
	if !errors.As(err, &e) || calls != 1 || e.Status != 503 || e.Hint != "try again" || !client.IsCode(err, client.CodeUnavailable) {
		t.Errorf("Put = %v after %d calls", err, calls)
	}
}

func TestWhatIsFinalIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 412, 413, 416, 500} {
		calls := 0
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(status)
		})
		_, err := c.Head(t.Context(), item)
		var e *client.Error
		if !errors.As(err, &e) || e.Status != status || calls != 1 {
			t.Errorf("%d: %v after %d calls", status, err, calls)
		}
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	calls := 0
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) { calls++; unavailable(w) })
	if err := c.Delete(t.Context(), item); !client.IsCode(err, client.CodeUnavailable) || calls != 4 {
		t.Errorf("Delete = %v after %d calls, want 4", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Delete(ctx, item); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v, want context.Canceled", err)
	}
}

func TestUnreadableBodyIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	broken := &brokenReader{}
	_, _, err := c.Put(t.Context(), item, client.PutOptions{}, broken)
	if !errors.Is(err, errBroken) || broken.reads != 1 {
		t.Errorf("Put = %v after %d reads, want the error of the body after 1", err, broken.reads)
	}
}

var errBroken = errors.New("the disk is broken")

type brokenReader struct{ reads int }

func (b *brokenReader) Read([]byte) (int, error) { b.reads++; return 0, errBroken }

func (b *brokenReader) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		return 10, nil
	}
	return offset, nil
}

func TestGetChecksTheDigest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		digest, content string
		length          int
		fine            bool
	}{
		"as stored": {digestOf("content"), "content", 7, true},
		"changed":   {digestOf("content"), "c0ntent", 7, false},
		"cut off":   {digestOf("content"), "cont", 7, false},
		"shorter":   {digestOf("content"), "cont", 4, false},
		"no digest": {"", "content", 7, false},
	} {
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Repr-Digest", tt.digest)
			w.Header().Set("Content-Length", fmt.Sprint(tt.length))
			io.WriteString(w, tt.content)
		})
		content, err := c.Get(t.Context(), item)
		if err == nil {
			_, err = io.ReadAll(content)
			content.Close()
		}
		if (err == nil) != tt.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPutChecksTheDigest(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		stored(w, "something else")
	})
	if _, _, err := c.Put(t.Context(), item, client.PutOptions{}, strings.NewReader("content")); err == nil {
		t.Error("the service stored other content, and Put did not notice")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	token := func(context.Context) (string, error) { return "", nil }
	for _, bad := range []client.Config{{}, {BaseURL: "https://h"}, {Token: token}, {BaseURL: "api.localhost:8443", Token: token}, {BaseURL: "ftp://h", Token: token}} {
		if _, err := client.New(bad); err == nil {
			t.Errorf("New(%q) succeeded", bad.BaseURL)
		}
	}
	c := newClient(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	if _, err := c.Get(t.Context(), client.Ref{Workload: "documents", Container: "c"}); err == nil {
		t.Error("Get without an item succeeded")
	}
	if _, err := c.GetRange(t.Context(), item, 0, 0); err == nil {
		t.Error("GetRange of nothing succeeded")
	}
}
