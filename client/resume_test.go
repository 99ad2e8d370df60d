package client_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

// breaking serves content, but breaks each answer off after some bytes of it, once they have left.
func breaking(content, etag string, after int, rest http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rest != nil && r.Header.Get("Range") != "" {
			rest(w, r)
			return
		}
		w.Header().Set("ETag", `"`+etag+`"`)
		w.Header().Set("Repr-Digest", digestOf(content))
		http.ServeContent(&cutWriter{ResponseWriter: w, left: after}, r, "", time.Time{}, strings.NewReader(content))
	}
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func readAll(t *testing.T, c *client.Client) ([]byte, error) {
	t.Helper()
	content, err := c.Get(t.Context(), client.Ref{Workload: "documents", Container: "c", Item: "i"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	return io.ReadAll(content)
}

func TestGetGoesOnWhereItBrokeOff(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	got, err := readAll(t, newClient(t, breaking(content, "v1", 33_333, nil)))
	if err != nil || string(got) != content {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(content))
	}
}

// Where nothing comes any more, it ends.
func TestGetEndsWhereNothingComes(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	answers := 0
	got, err := readAll(t, newClient(t, breaking(content, "v1", 50_000, func(w http.ResponseWriter, r *http.Request) {
		answers++
		breaking(content, "v1", 0, nil)(w, r)
	})))
	if err == nil || answers > 1 || !bytes.HasPrefix([]byte(content), got) {
		t.Errorf("%v after %d bytes and %d answers", err, len(got), answers)
	}
}

func TestGetSaysWhyItBrokeOff(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	_, err := readAll(t, newClient(t, breaking(content, "v1", 50_000, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "bytes=50000-" {
			t.Errorf("asked for %s", r.Header.Get("Range"))
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":{"code":"corrupt","message":"item documents/c/i is damaged"}}`)
	})))
	if !client.IsCode(err, client.CodeCorrupt) {
		t.Errorf("got %v", err)
	}
}

// Two versions of an item never become one content.
func TestGetDoesNotMixVersions(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	got, err := readAll(t, newClient(t, breaking(content, "v1", 50_000, breaking(content, "v2", len(content), nil))))
	if err == nil || !strings.Contains(err.Error(), "replaced") || len(got) != 50_000 {
		t.Errorf("%v after %d bytes", err, len(got))
	}
}
