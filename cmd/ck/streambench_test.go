package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/store"
)

// BenchmarkMailboxes shows all mailboxes without a policy in a table, with a client and a server
// in processes of their own: when the first row is there, how many come in a second, and what
// the client has in memory and takes of the processors. CK_MAILBOXES=50000 for so many.
func BenchmarkMailboxes(b *testing.B) {
	all := 2000
	if text := os.Getenv("CK_MAILBOXES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		all = n
	}
	w := newWorldOf(b, built(b))
	w.addMailboxes(all)
	var firsts, wholes, enough measured
	var most int64
	for b.Loop() {
		s := w.stream("Get-Mailbox | Where-Object DataEncryptionPolicy -eq $null | Format-Table Name")
		if s.lines < all {
			b.Fatalf("%d lines of %d mailboxes", s.lines, all)
		}
		firsts.add(s.first, 0)
		wholes.add(s.whole, s.cpu)
		most = max(most, s.resident)
		enough.add(w.timed("-c", "Get-Mailbox | Select-Object -First 10"))
	}
	b.ReportMetric(firsts.wall(), "first-row-ms")
	b.ReportMetric(float64(all)/wholes.wall()*1000, "mailboxes/s")
	b.ReportMetric(wholes.processor(), "client-cpu-ms")
	b.ReportMetric(float64(most)/(1<<20), "client-MiB")
	b.ReportMetric(enough.wall(), "first-ten-ms")
}

// addMailboxes puts rooms into the sample's organization while the server is down.
func (w *world) addMailboxes(n int) {
	w.tb.Helper()
	err := w.server.end(syscall.SIGTERM)
	if err == nil {
		err = writeMailboxes(w.tb.Context(), filepath.Join(w.dir, "data", "service.db"), n)
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	w.start()
}

func writeMailboxes(ctx context.Context, path string, n int) error {
	db, err := store.OpenSQLite(ctx, path, store.ServiceAreas()...)
	if err != nil {
		return err
	}
	err = db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < $1)
			INSERT INTO directory_mailboxes (tenant_id, name, id, kind, display_name, created)
			SELECT tenant_id, printf('room%06d@contoso.example', i), printf('%08x-0000-4000-8000-000000000000', i), 'RoomMailbox', 'Room ' || i, created
			FROM counted, directory_people WHERE upn = 'admin@contoso.example'`, n)
		return err
	})
	return errors.Join(err, db.Close())
}

// A streamed is what was seen of a ck -c whose output was read as it came.
type streamed struct {
	first, whole, cpu time.Duration // first: until the first output
	lines             int
	resident          int64 // at most, in bytes, by the system's count; 0 where it has none
}

func (w *world) stream(text string) (s streamed) {
	w.tb.Helper()
	cmd := exec.CommandContext(w.tb.Context(), w.ck, "-c", text)
	cmd.Dir, cmd.Env, cmd.Stderr = w.dir, w.env, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.tb.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		w.tb.Fatal(err)
	}
	for buffer := make([]byte, 64<<10); ; {
		n, err := out.Read(buffer)
		if s.first == 0 {
			s.first = time.Since(start)
		}
		s.lines += bytes.Count(buffer[:n], []byte("\n"))
		if _, high, gone := resident(cmd.Process.Pid); gone == nil {
			s.resident = max(s.resident, high)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrClosed) {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		w.tb.Fatal(fmt.Errorf("ck -c %q: %w", text, err))
	}
	s.whole, s.cpu = time.Since(start), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	return s
}
