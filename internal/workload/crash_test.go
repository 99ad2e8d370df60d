package workload_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// A crashing store stops working at one method, and with it all that would come after, as
// the program does when it is killed there.
type crashingStore struct {
	workload.Store
	at   string
	dead bool
}

func (c *crashingStore) step(name string) error {
	if name == c.at {
		c.dead = true
	}
	if c.dead {
		return errInjected
	}
	return nil
}

func (c *crashingStore) Intend(ctx context.Context, i workload.Intent) error {
	if err := c.step("Intend"); err != nil {
		return err
	}
	return c.Store.Intend(ctx, i)
}

func (c *crashingStore) PutItem(ctx context.Context, row workload.Row, onlyNew bool) (workload.Row, bool, error) {
	if err := c.step("PutItem"); err != nil {
		return row, false, err
	}
	written, created, err := c.Store.PutItem(ctx, row, onlyNew)
	if after := c.step("after PutItem"); after != nil {
		return row, false, after
	}
	return written, created, err
}

func (c *crashingStore) Condemn(ctx context.Context, i workload.Intent) (bool, error) {
	if err := c.step("Condemn"); err != nil {
		return false, err
	}
	return c.Store.Condemn(ctx, i)
}

func (c *crashingStore) Settle(ctx context.Context, i workload.Intent) error {
	if err := c.step("Settle"); err != nil {
		return err
	}
	return c.Store.Settle(ctx, i)
}

// Wherever a write stops, the item is the old one or the new one, and a later Sweep leaves
// exactly the blob that the item needs.
func TestCrashDuringPut(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{"Intend": "old", "PutItem": "old", "after PutItem": "new"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			crash := &crashingStore{}
			w := wt.New(t, func(c *workload.Config) { crash.Store, c.Store = c.Store, crash })
			w.MustPut(t, wt.Alice, report, []byte("old"))
			crash.at = at
			_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, strings.NewReader("new"))
			if err == nil {
				t.Fatal("Put succeeded")
			}

			crash.at, crash.dead = "", false // the program starts again
			wantContent(t, w, wt.Alice, report, []byte(want))
			w.Clock.Add(2 * time.Hour)
			if _, err := w.Items.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantBlobs(t, w, 1)
			wantContent(t, w, wt.Alice, report, []byte(want))
		})
	}
}

func TestCrashDuringSweep(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"Condemn", "Settle"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			crash := &crashingStore{}
			w := wt.New(t, func(c *workload.Config) { crash.Store, c.Store = c.Store, crash })
			w.MustPut(t, wt.Alice, report, []byte("old"))
			w.MustPut(t, wt.Alice, report, []byte("new"))
			crash.at = at
			if _, err := w.Items.Sweep(t.Context()); err == nil {
				t.Fatal("Sweep succeeded")
			}
			crash.at, crash.dead = "", false
			if n, err := w.Items.Sweep(t.Context()); n != 1 || err != nil {
				t.Errorf("Sweep again = %d, %v, want 1", n, err)
			}
			if n, err := w.Items.Sweep(t.Context()); n != 0 || err != nil {
				t.Errorf("Sweep a third time = %d, %v, want 0", n, err)
			}
			wantBlobs(t, w, 1)
			wantContent(t, w, wt.Alice, report, []byte("new"))
		})
	}
}

// Sweep takes the blob of a write that stands still for too long, and that write then fails;
// one that goes on, however slowly, is left alone.
func TestSweepAndSlowWrites(t *testing.T) {
	t.Parallel()
	const size = 1_000_000
	for _, tt := range []struct {
		name  string
		pause time.Duration // before each 64 KiB
		want  fault.Code
	}{
		{"slow", 20 * time.Minute, ""},
		{"standing still", 2 * time.Hour, fault.Conflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := wt.New(t, nil)
			content := bytes.NewReader(wt.Content(size))
			body := readerFunc(func(p []byte) (int, error) {
				w.Clock.Add(tt.pause)
				if _, err := w.Items.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				return content.Read(p)
			})
			_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, body)
			if fault.CodeOf(err) != tt.want {
				t.Fatalf("Put = %v, want code %q", err, tt.want)
			}
			if err != nil {
				wantBlobs(t, w, 0)
				return
			}
			wantContent(t, w, wt.Alice, report, wt.Content(size))
		})
	}
}

// pausedBlobs runs something just before a blob is committed.
type pausedBlobs struct {
	workload.Blobs
	pause func()
}

func (p *pausedBlobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := p.Blobs.Create(ctx, id)
	return pausedWriter{w, p.pause}, err
}

type pausedWriter struct {
	workload.BlobWriter
	pause func()
}

func (p pausedWriter) Commit() error {
	p.pause()
	return p.BlobWriter.Commit()
}

// A Sweep that gives the blob up before it is even there leaves no blob behind.
func TestSweepBeforeCommit(t *testing.T) {
	t.Parallel()
	paused := &pausedBlobs{}
	w := wt.New(t, func(c *workload.Config) { paused.Blobs, c.Blobs = c.Blobs, paused })
	paused.pause = func() {
		w.Clock.Add(24 * time.Hour) // the machine slept
		if _, err := w.Items.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, strings.NewReader("late"))
	wantCode(t, "Put after its blob was given up", err, fault.Conflict)
	wantBlobs(t, w, 0)
	paused.pause = func() {}
	w.MustPut(t, wt.Alice, report, []byte("in time"))
}

// failingBlobs fails where it is told to.
type failingBlobs struct {
	workload.Blobs
	create, del bool
}

func (f *failingBlobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	if f.create {
		return nil, fault.New(fault.Unavailable, "the disk is full")
	}
	return f.Blobs.Create(ctx, id)
}

func (f *failingBlobs) Delete(ctx context.Context, id string) error {
	if f.del {
		return fault.New(fault.Unavailable, "the disk failed")
	}
	return f.Blobs.Delete(ctx, id)
}

func TestFailingStorage(t *testing.T) {
	t.Parallel()
	failing := &failingBlobs{}
	w := wt.New(t, func(c *workload.Config) { failing.Blobs, c.Blobs = c.Blobs, failing })
	failing.create = true
	_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, panicReader{})
	wantCode(t, "Put on a full disk", err, fault.Unavailable)
	failing.create, failing.del = false, true
	w.MustPut(t, wt.Alice, report, []byte("1"))
	w.MustPut(t, wt.Alice, report, []byte("2"))
	w.MustPut(t, wt.Alice, report, []byte("3"))
	n, err := w.Items.Sweep(t.Context())
	if n != 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("Sweep on a failing disk = %d, %v", n, err)
	}
	failing.del = false
	if n, err := w.Items.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v, want both old blobs removed", n, err)
	}
	wantContent(t, w, wt.Alice, report, []byte("3"))
}

// An item that is replaced between finding its row and opening its blob is read as it is then.
type replacingBlobs struct {
	workload.Blobs
	before func()
}

func (r *replacingBlobs) Open(ctx context.Context, id string) (workload.BlobReader, error) {
	if fn := r.before; fn != nil {
		r.before = nil
		fn()
	}
	return r.Blobs.Open(ctx, id)
}

func TestReplacedWhileOpening(t *testing.T) {
	t.Parallel()
	replacing := &replacingBlobs{}
	w := wt.New(t, func(c *workload.Config) { replacing.Blobs, c.Blobs = c.Blobs, replacing })
	w.MustPut(t, wt.Alice, report, []byte("old"))
	replacing.before = func() {
		w.MustPut(t, wt.Alice, report, []byte("new"))
		if n, err := w.Items.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("Sweep = %d, %v", n, err)
		}
	}
	wantContent(t, w, wt.Alice, report, []byte("new"))
	replacing.before = func() {
		if err := w.Items.Delete(t.Context(), wt.Alice, report); err != nil {
			t.Error(err)
		}
		if _, err := w.Items.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, err := read(t, w, wt.Alice, report)
	wantCode(t, "Open of an item deleted meanwhile", err, fault.NotFound)
}
