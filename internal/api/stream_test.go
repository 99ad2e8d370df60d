package api_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/customerkey/customerkey/client"
)

// Content of any length passes in a few segments of memory, both ways, server and client
// together. What is in use is looked at on the way; garbage does not count, of which a busy
// machine leaves more.
func TestMemoryIsBounded(t *testing.T) { // not parallel: it looks at the memory of the whole process
	const size, bound = 32 << 20, 12 << 20
	w := newWorld(t, nil)
	c := w.client(t, "alice")
	ref := client.Ref{Workload: "documents", Container: "c", Item: "large"}
	start, peak := inUse(), uint64(0)
	look := func() { peak = max(peak, inUse()) }
	put, _, err := c.Put(t.Context(), ref, client.PutOptions{}, &passing{io.LimitReader(zeros{}, size), 0, look})
	if err != nil {
		t.Fatal(err)
	}
	content, err := c.Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, &passing{content, 0, look})
	content.Close()
	if n != size || err != nil || put.Size != size {
		t.Fatalf("%d bytes came back, %v", n, err)
	}
	if grown := max(peak, start) - start; grown > bound {
		t.Errorf("%d MiB more are in use for an object of %d MiB", grown>>20, size>>20)
	}
}

// inUse returns how many bytes of the heap are in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools hold takes two
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// passing calls look whenever 4 MiB more have passed.
type passing struct {
	io.Reader
	passed int
	look   func()
}

func (p *passing) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if (p.passed+n)>>22 > p.passed>>22 {
		p.look()
	}
	p.passed += n
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
