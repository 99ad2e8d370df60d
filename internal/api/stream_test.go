package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// Content of any length passes in a few segments of memory, both ways, server and client
// together.
func TestMemoryIsBounded(t *testing.T) {
	const size, bound = 64 << 20, 24 << 20
	w := newWorld(t, nil)
	c := w.client(t, "alice")
	peak := watchHeap(t)
	ref := client.Ref{Workload: "documents", Container: "c", Item: "large"}
	put, _, err := c.Put(t.Context(), ref, client.PutOptions{}, io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	content, err := c.Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, content)
	content.Close()
	if n != size || err != nil || put.Size != size {
		t.Fatalf("%d bytes came back, %v", n, err)
	}
	if grown := peak(); grown > bound {
		t.Errorf("the heap grew by %d MiB for an object of %d MiB", grown>>20, size>>20)
	}
}

// watchHeap returns a function that says by how much the heap had grown at most.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	start := m.HeapAlloc
	var highest atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest.Store(max(highest.Load(), m.HeapAlloc))
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() uint64 {
		stop()
		<-done
		return max(highest.Load(), start) - start
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A client that asks for content and then takes nothing is cut off.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	w := startWorld(t, hasty, nil)
	w.MustPut(t, wt.Alice, ref("c", "large"), make([]byte, 32<<20))
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
	for deadline := time.Now().Add(5 * time.Minute); w.busy.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond) // until the server has given up
	}
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("%d bytes arrived although the client had stopped reading", n)
	}
}

// Two requests on one connection: the deadline of the first does not end the second.
func TestWriteDeadlineEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	w := startWorld(t, hasty, nil)
	w.MustPut(t, wt.Alice, ref("c", "x"), []byte("content"))
	conn, err := tls.Dial("tcp", strings.TrimPrefix(w.URL, "https://"), w.http.Transport.(*http.Transport).TLSClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
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
		time.Sleep(700 * time.Millisecond) // longer than the idle time of the server
	}
}

// slowBlobs takes longer to save a blob than a client may stop sending.
type slowBlobs struct{ workload.Blobs }

func (s slowBlobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := s.Blobs.Create(ctx, id)
	return slowWriter{w}, err
}

type slowWriter struct{ workload.BlobWriter }

func (s slowWriter) Commit() error {
	time.Sleep(time.Second)
	return s.BlobWriter.Commit()
}

// The wait for a body ends with the body: saving it may take longer.
func TestReadDeadlineEndsWithTheBody(t *testing.T) {
	t.Parallel()
	w := startWorld(t, hasty, func(c *workload.Config) { c.Blobs = slowBlobs{c.Blobs} })
	for range 2 { // HTTP/2, then HTTP/1.1
		for _, body := range []io.Reader{strings.NewReader("content"), io.MultiReader(strings.NewReader("in chunks"))} {
			if res, b := w.do(t, "alice", "PUT", "/v1/documents/c/x", body); res.StatusCode/100 != 2 {
				t.Errorf("PUT: %s %s", res.Status, b)
			}
		}
		w.useHTTP1(t)
	}
}
