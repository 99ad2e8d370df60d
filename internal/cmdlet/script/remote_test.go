package script

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/fault"
)

// A pager is a server with many mailboxes, as the client meets it on the wire: pages of the size
// asked for.
type pager struct {
	all    int
	asked  atomic.Int64       // pages
	before func(at int) error // called before the page that begins with a mailbox; an error breaks the connection
	url    string
}

func newPager(t *testing.T, all int) *pager {
	p := &pager{all: all, before: func(int) error { return nil }}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or a client that goes away is not noticed
	p.asked.Add(1)
	at, _ := strconv.Atoi(r.URL.Query().Get("at")) // 0 on the first page
	size, err := strconv.Atoi(strings.TrimPrefix(r.Header.Get("Prefer"), "odata.maxpagesize="))
	if err != nil {
		http.Error(w, "no size of a page is asked for", http.StatusBadRequest)
		return
	}
	if p.before(at) != nil {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	end := min(at+size, p.all)
	fmt.Fprint(w, `{"value":[`)
	for i := at; i < end; i++ {
		if i > at {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, `{"Name":"user%06d@contoso.example","DisplayName":"User %d","RecipientTypeDetails":"UserMailbox","DataEncryptionPolicy":null}`, i, i)
	}
	fmt.Fprint(w, `]`)
	if end < p.all {
		fmt.Fprintf(w, `,"@odata.nextLink":"%s/next?at=%d"`, p.url, end)
	}
	fmt.Fprint(w, `}`)
}

// open returns a session of the real client at the server, whose output goes to out.
func (p *pager) open(t *testing.T, out io.Writer) *Session {
	t.Helper()
	remote := service.Remote{BaseURL: p.url, Tenant: "contoso.example", Token: func(context.Context) (string, error) { return "token", nil }}
	s, err := New(Config{Runner: func(cmdlet.Side) (cmdlet.Runner, error) { return remote, nil }, Out: out, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const unassigned = "Get-Mailbox | Where-Object DataEncryptionPolicy -eq $null | Format-Table Name"

// The rows of the first page are there while the server has not answered for the second one.
// A server that then goes away leaves them, and an error.
func TestFirstPageIsPrintedBeforeTheSecondComes(t *testing.T) {
	t.Parallel()
	p := newPager(t, 5000)
	seen := make(chan struct{})
	p.before = func(at int) error {
		if at == 0 {
			return nil
		}
		<-seen
		return io.ErrUnexpectedEOF
	}
	read, write := io.Pipe()
	s, done := p.open(t, write), make(chan error, 1)
	parsed := mustParse(t, unassigned)
	go func() {
		done <- s.Run(context.Background(), parsed)
		_ = write.Close()
	}()
	rows := bufio.NewScanner(read)
	for n := 0; n < 100 && rows.Scan(); {
		if strings.HasPrefix(rows.Text(), "user") {
			n++
		}
	}
	if got := rows.Text(); got != "user000099@contoso.example" {
		t.Errorf("the last row of the first page is %q", got)
	}
	close(seen)
	for rows.Scan() { // to the end of what is written
		if strings.HasPrefix(rows.Text(), "user") {
			t.Errorf("%s is of a page that never came", rows.Text())
		}
	}
	if err := <-done; !fault.Is(err, fault.Unavailable) {
		t.Errorf("the script ends with %v", err)
	}
}

// Who has enough asks for no second page.
func TestEnoughStopsTheServer(t *testing.T) {
	t.Parallel()
	p := newPager(t, 50_000)
	var out strings.Builder
	err := p.open(t, &out).Run(t.Context(), mustParse(t, "Get-Mailbox | Select-Object -First 10 | Format-Table Name"))
	if strings.Count(out.String(), "user") != 10 || err != nil || p.asked.Load() != 1 {
		t.Errorf("%d pages, %v:\n%s", p.asked.Load(), err, out.String())
	}
}

// What is in memory when the last page is asked for does not grow with the number of pages
// before it: 15,000 mailboxes more would be several MiB.
func TestMemoryDoesNotGrowWithPages(t *testing.T) {
	live := func(all int) int64 {
		p := newPager(t, all)
		var before, last runtime.MemStats
		p.before = func(at int) error {
			into := &before
			if at > 0 {
				into = &last
			}
			if at == 0 || at+1000 >= all {
				runtime.GC()
				runtime.ReadMemStats(into)
			}
			return nil
		}
		var rows lines
		if err := p.open(t, &rows).Run(t.Context(), mustParse(t, unassigned)); err != nil || int(rows) < all {
			t.Fatalf("%d lines of %d mailboxes: %v", rows, all, err)
		}
		return int64(last.HeapAlloc) - int64(before.HeapAlloc)
	}
	few, many := live(2_000), live(17_000)
	t.Logf("live behind 2,000 mailboxes %d KiB, behind 17,000 %d KiB", few>>10, many>>10)
	if many-few > 1<<20 {
		t.Errorf("%d KiB more are in memory behind 15,000 mailboxes more", (many-few)>>10)
	}
}

// lines counts the lines written.
type lines int

func (l *lines) Write(p []byte) (int, error) {
	*l += lines(strings.Count(string(p), "\n"))
	return len(p), nil
}
