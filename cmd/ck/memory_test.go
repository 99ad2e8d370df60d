package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

// mostResident is what the server may have in memory, whatever the size of an object.
const mostResident = 100 << 20

// TestMemoryIsBounded writes one object and reads it back, a part of it and the whole, while
// it watches the memory of the server's process.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	measure(t, 256<<20)
}

// TestMemoryIsBoundedWhateverTheSize does so with 4 and 5 GiB, which takes a minute and 10 GiB
// of disk.
func TestMemoryIsBoundedWhateverTheSize(t *testing.T) {
	if os.Getenv("CK_BIG") == "" {
		t.Skip("set CK_BIG=1 to write and read objects of 4 and 5 GiB")
	}
	measure(t, 4<<30, 5<<30)
}

func measure(t *testing.T, sizes ...int64) {
	w := newWorld(t)
	for _, size := range sizes {
		memory := watch(t, w.server.cmd.Process.Pid)
		ref := client.Ref{Workload: "documents", Container: "big", Item: fmt.Sprint(size)}
		start := time.Now()
		item, created, err := w.items.Put(t.Context(), ref, client.PutOptions{}, &pattern{end: size})
		if err != nil || !created || item.Size != size && item.Size != 0 {
			t.Fatalf("writing %d bytes: %+v, %v", size, item, err)
		}
		wrote := time.Since(start)

		middle, length := size/2+12_345, int64(3<<20)
		part, err := w.items.GetRange(t.Context(), ref, middle, length)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, part, middle, middle+length)

		start = time.Now()
		whole, err := w.items.Get(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, whole, 0, size)
		peak, high := memory()
		t.Logf("%d MiB: written in %v, read in %v; resident at most %d MiB sampled, %d MiB by the system's count",
			size>>20, wrote.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), peak>>20, high>>20)
		if peak == 0 || max(peak, high) > mostResident && !raced {
			t.Errorf("%d bytes resident, at most %d are allowed", max(peak, high), mostResident)
		}
	}
}

// mustBe reads content to its end and compares it with the pattern.
func mustBe(t *testing.T, content io.ReadCloser, from, to int64) {
	t.Helper()
	defer content.Close()
	want := &pattern{at: from, end: to}
	got, expected := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(content, got)
		if m, _ := io.ReadFull(want, expected); m != n || string(got[:n]) != string(expected[:m]) {
			t.Fatalf("other bytes than were written, before offset %d (%v)", want.at, err)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && want.at == to {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A pattern is content that is made as it is read: no two pieces are alike, and each can be
// made again.
type pattern struct{ at, end int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.end {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.end-p.at)]
	for i := 0; i < len(b); {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], mix(uint64(p.at/8)))
		n := copy(b[i:], word[p.at%8:])
		i, p.at = i+n, p.at+int64(n)
	}
	return len(b), nil
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// watch samples the resident memory of a process until the function it returns is called, which
// gives the largest sample and the system's own high-water mark since the call, in bytes.
func watch(t *testing.T, pid int) func() (sampled, high int64) {
	t.Helper()
	if _, _, err := resident(pid); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this system has no /proc to read a process's memory from")
	}
	// Begin the system's mark anew: the start, with its password hashes, is not what is measured.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Logf("the high-water mark is that since the start: %v", err)
	}
	var most atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			if now, _, err := resident(pid); err == nil {
				most.Store(max(most.Load(), now))
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() (int64, int64) {
		t.Helper()
		close(stop)
		<-done
		_, high, err := resident(pid)
		if err != nil {
			t.Fatal(err)
		}
		return most.Load(), high
	}
}

// resident returns VmRSS and VmHWM of a process in bytes.
func resident(pid int) (now, high int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &now, "VmHWM": &high}[name]
		if into == nil {
			continue
		}
		if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%d kB", into); err != nil {
			return 0, 0, err
		}
		*into <<= 10
	}
	return now, high, nil
}
