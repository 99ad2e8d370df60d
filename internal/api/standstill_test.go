package api_test

import (
	"bufio"
	"context"
	"crypto/fips140"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/pipetest"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// idle is how long a server of these tests waits for a client that stands still.
const idle = time.Minute

// inBubble runs a test in virtual time, in which the server of its world is reached through pipes:
// time passes only while everybody waits, however slow the machine.
func inBubble(t *testing.T, change func(*workload.Config), test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{World: wt.New(t, change), log: &lockedBuffer{}}
		pipes := pipetest.New()
		w.serve(t, pipes, idle)
		transport := w.http.Transport.(*http.Transport)
		transport.DialContext = pipes.Dial
		t.Cleanup(transport.CloseIdleConnections)
		test(t, w)
	})
}

// dial connects to the server, beside its HTTP client.
func (w *world) dial(t *testing.T) *tls.Conn {
	t.Helper()
	transport := w.http.Transport.(*http.Transport)
	conn, err := transport.DialContext(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return tls.Client(conn, &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com"})
}

// A client that asks for content and then takes nothing is cut off.
func TestStalledReader(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.MustPut(t, wt.Alice, ref("c", "large"), make([]byte, 1<<20))
		w.useHTTP1(t)
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.URL+"/v1/documents/c/large", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer alice")
		res, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		time.Sleep(idle - time.Second)
		if w.busy.Load() != 1 {
			t.Error("the client was given up before its time")
		}
		time.Sleep(10 * time.Second)
		if w.busy.Load() != 0 {
			t.Error("the server waits on")
		}
		if n, err := io.Copy(io.Discard, res.Body); err == nil {
			t.Errorf("%d bytes arrived although the client had stopped reading", n)
		}
	})
}

// Two requests on one connection: the deadline of the first does not end the second.
func TestWriteDeadlineEndsWithItsRequest(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.MustPut(t, wt.Alice, ref("c", "x"), []byte("content"))
		conn := w.dial(t)
		answers := bufio.NewReader(conn)
		for _, path := range []string{"/v1/documents/c/x", "/healthz"} {
			if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * idle)
		}
	})
}

// slowBlobs takes longer to save a blob than a client may stop sending.
type slowBlobs struct{ workload.Blobs }

func (s slowBlobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := s.Blobs.Create(ctx, id)
	return slowWriter{w}, err
}

type slowWriter struct{ workload.BlobWriter }

func (s slowWriter) Commit() error {
	time.Sleep(2 * idle)
	return s.BlobWriter.Commit()
}

// The wait for a body ends with the body: saving it may take longer.
func TestReadDeadlineEndsWithTheBody(t *testing.T) {
	slow := func(c *workload.Config) { c.Blobs = slowBlobs{c.Blobs} }
	inBubble(t, slow, func(t *testing.T, w *world) {
		for range 2 { // HTTP/2, then HTTP/1.1
			for _, body := range []io.Reader{strings.NewReader("content"), io.MultiReader(strings.NewReader("in chunks"))} {
				if res, b := w.do(t, "alice", "PUT", "/v1/documents/c/x", body); res.StatusCode/100 != 2 {
					t.Errorf("PUT: %s %s", res.Status, b)
				}
			}
			w.useHTTP1(t)
		}
	})
}

// A body that ends early, or stops coming, stores nothing.
func TestBrokenBodies(t *testing.T) {
	const start = "PUT /v1/documents/c/x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\n"
	for name, tt := range map[string]struct {
		request string
		hangUp  bool
		status  int // 0: nobody may be left to be told
	}{
		"length not reached":          {start + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 70_000), true, 0},
		"chunks without an end":       {start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, 0},
		"broken chunk":                {start + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", false, 400},
		"standing still":              {start + "Content-Length: 100000\r\n\r\nx", false, 408},
		"refused, and standing still": {strings.Replace(start, "alice", "bob", 1) + "Content-Length: 100000\r\n\r\nx", false, 403},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				w.MustPut(t, wt.Alice, ref("c", "x"), []byte("before"))
				conn := w.dial(t)
				if _, err := io.WriteString(conn, tt.request); err != nil {
					t.Fatal(err)
				}
				if tt.hangUp {
					_ = conn.CloseWrite()
				}
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err == nil && res.StatusCode/100 != 4 {
					t.Error(res.Status)
				}
				if tt.status != 0 && (err != nil || res.StatusCode != tt.status) {
					t.Errorf("%v %v, want status %d", res, err, tt.status)
				}
				_ = conn.Close()
				synctest.Wait()
				if files := w.BlobFiles(t); len(files) != 1 {
					t.Errorf("%d blob files are left, want 1", len(files))
				}
				if _, body := w.do(t, "alice", "GET", "/v1/documents/c/x", nil); string(body) != "before" {
					t.Errorf("the item is now %q", body)
				}
			})
		})
	}
}
