// Package blobtest is the suite that every blob.Store passes.
package blobtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto/rand"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store/blob"
)

// Run runs the suite; open returns an empty store, closed by a cleanup of its test.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, test := range map[string]func(*testing.T, blob.Store){
		"round trip":      roundTrip,
		"create only":     createOnly,
		"racing creators": racingCreators,
		"invisible":       invisible,
		"abort":           abort,
		"cancelled":       cancelled,
		"absent":          absent,
		"delete":          remove,
		"list":            list,
		"bad ids":         badIDs,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// NewID returns a random id.
func NewID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// MustPut creates the blob id with the given bytes.
func MustPut(t testing.TB, s blob.Store, id string, data []byte) {
	t.Helper()
	if err := Put(t.Context(), s, id, data); err != nil {
		t.Fatalf("creating %s: %v", id, err)
	}
}

// Put creates the blob id with the given bytes.
func Put(ctx context.Context, s blob.Store, id string, data []byte) error {
	w, err := s.Create(ctx, id)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// MustGet returns the bytes of the blob id.
func MustGet(t testing.TB, s blob.Store, id string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatalf("opening %s: %v", id, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		t.Fatalf("reading %s: %v", id, err)
	}
	return data
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("got error %v with code %q, want %q", err, fault.CodeOf(err), code)
	}
}

func roundTrip(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 1, 4096, 5_000_001} {
		id, data := NewID(), make([]byte, size)
		rand.Read(data)
		w, err := s.Create(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for chunk := range slices.Chunk(data, 1_000_000) {
			if n, err := w.Write(chunk); n != len(chunk) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		w.Abort() // does nothing
		if !bytes.Equal(MustGet(t, s, id), data) {
			t.Errorf("%d bytes came back changed", size)
		}
		readAt(t, s, id, data)
	}
}

// readAt reads at the edges, where io.ReaderAt is easy to get wrong.
func readAt(t *testing.T, s blob.Store, id string, data []byte) {
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	size := r.Size()
	for _, off := range []int64{0, size / 2, size - 1, size, size + 7} {
		if off < 0 {
			continue
		}
		got := make([]byte, 10)
		n, err := r.ReadAt(got, off)
		want := data[min(off, size):min(off+10, size)]
		if !bytes.Equal(got[:n], want) || (n < len(got)) != errors.Is(err, io.EOF) {
			t.Errorf("ReadAt %d of %d: %d bytes, %v", off, size, n, err)
		}
	}
}

func createOnly(t *testing.T, s blob.Store) {
	id := NewID()
	MustPut(t, s, id, []byte("first"))
	wantCode(t, Put(t.Context(), s, id, []byte("second")), fault.Conflict)
	if got := MustGet(t, s, id); string(got) != "first" {
		t.Errorf("the blob became %q", got)
	}
}

func racingCreators(t *testing.T, s blob.Store) {
	for range 10 {
		id := NewID()
		var won atomic.Int64
		winner := make([]byte, 1)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				err := Put(t.Context(), s, id, []byte{byte(i)})
				if err == nil {
					won.Add(1)
					winner[0] = byte(i) // a second winner is a race that -race sees, and is counted
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := MustGet(t, s, id); won.Load() != 1 || !bytes.Equal(got, winner) {
			t.Errorf("%d winners, blob of %v, want that of %v", won.Load(), got, winner)
		}
	}
}

func invisible(t *testing.T, s blob.Store) {
	id := NewID()
	w, err := s.Create(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Open(t.Context(), id)
	wantCode(t, err, fault.NotFound)
	if page, err := s.List(t.Context(), "", 10); len(page) != 0 || err != nil {
		t.Errorf("listed %v, %v", page, err)
	}
}

func abort(t *testing.T, s blob.Store) {
	id := NewID()
	w, err := s.Create(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if err := w.Commit(); err == nil {
		t.Error("Commit after Abort passed")
	}
	_, err = s.Open(t.Context(), id)
	wantCode(t, err, fault.NotFound)
	MustPut(t, s, id, []byte("again"))
}

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	id := NewID()
	w, err := s.Create(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	cancel()
	if err := w.Commit(); err == nil {
		t.Error("Commit passed after the context ended")
	}
	_, err = s.Open(t.Context(), id)
	wantCode(t, err, fault.NotFound)
}

func absent(t *testing.T, s blob.Store) {
	_, err := s.Open(t.Context(), NewID())
	wantCode(t, err, fault.NotFound)
	if err := s.Delete(t.Context(), NewID()); err != nil {
		t.Errorf("deleting an absent blob: %v", err)
	}
}

func remove(t *testing.T, s blob.Store) {
	id := NewID()
	MustPut(t, s, id, []byte("x"))
	if err := s.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	_, err := s.Open(t.Context(), id)
	wantCode(t, err, fault.NotFound)
	MustPut(t, s, id, []byte("y"))
}

func list(t *testing.T, s blob.Store) {
	want := map[string]int64{}
	for i := range 60 {
		id := NewID()
		if i%2 == 0 {
			id = fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a%04x", i*7) // as UUIDv7: alike in front
		}
		want[id] = int64(i)
		MustPut(t, s, id, make([]byte, i))
	}
	for _, limit := range []int{1, 7, 60, 100_000} {
		got := map[string]int64{}
		after := ""
		for {
			page, err := s.List(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			if len(page) > limit {
				t.Fatalf("a page of %d, limit %d", len(page), limit)
			}
			for _, info := range page {
				if _, twice := got[info.ID]; twice {
					t.Fatalf("%s listed twice", info.ID)
				}
				if age := time.Since(info.Modified); age < -time.Minute || age > time.Hour {
					t.Errorf("%s modified %v ago", info.ID, age)
				}
				got[info.ID] = info.Size
			}
			after = page[len(page)-1].ID
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("limit %d: %d blobs listed, want %d", limit, len(got), len(want))
		}
	}
	_, err := s.List(t.Context(), "", 0)
	wantCode(t, err, fault.Invalid)
	_, err = s.List(t.Context(), "../../etc", 1)
	wantCode(t, err, fault.Invalid)
}

func badIDs(t *testing.T, s blob.Store) {
	for _, id := range []string{"", "ab", "ABCDEF0123", "../../../../etc/passwd", "0123456789/..", "abcdef01\x00", "abcdef0-", "-abcdef0", "abcdefgh", "tmp/abcdef", string(bytes.Repeat([]byte("a"), 65))} {
		_, err := s.Create(t.Context(), id)
		wantCode(t, err, fault.Invalid)
		_, err = s.Open(t.Context(), id)
		wantCode(t, err, fault.Invalid)
		wantCode(t, s.Delete(t.Context(), id), fault.Invalid)
	}
}
