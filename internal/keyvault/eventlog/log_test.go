package eventlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A clock is time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func mustOpen(t *testing.T, c Config) *Log {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustClose(t *testing.T, l *Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func record(tenant, vault string, status int) Record {
	r := Record{Tenant: tenant, Time: noon, Resource: VaultID("0f0e-sub", "keys", vault), Operation: "KeyUnwrap", Version: "7.4"}
	r.Outcome(status, "", 3*time.Millisecond)
	return r
}

// written reads all files of a folder: how many records each has.
func written(t *testing.T, dir string) map[string]int {
	t.Helper()
	got := map[string]int{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() != fileName {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		var file struct{ Records []map[string]any }
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		got[name] = len(file.Records)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const east = "/insights-logs-auditevent/resourceId=/SUBSCRIPTIONS/0F0E-SUB/RESOURCEGROUPS/KEYS/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/CONTOSO-EAST/"

// TestLayout holds CK-374: a file for each vault and hour, which goes on after a restart; no
// two tenants share one, whatever their vaults are called.
func TestLayout(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), &clock{now: noon.Add(59 * time.Minute)}
	for range 2 {
		l := mustOpen(t, Config{Folder: dir, Now: at.Now})
		l.Write(record("contoso", "contoso-east", 200))
		l.Write(record("fabrikam", "contoso-east", 200))
		mustClose(t, l)
	}
	at.pass(time.Minute)
	l := mustOpen(t, Config{Folder: dir, Now: at.Now})
	l.Write(record("contoso", "contoso-east", 404))
	mustClose(t, l)
	want := map[string]int{
		"contoso" + east + "y=2026/m=03/d=01/h=12/m=00/PT1H.json":  2,
		"fabrikam" + east + "y=2026/m=03/d=01/h=12/m=00/PT1H.json": 2,
		"contoso" + east + "y=2026/m=03/d=01/h=13/m=00/PT1H.json":  1,
	}
	if diff := cmp.Diff(want, written(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestMendedAtStart: what a crash tore is readable after the next start, before any request.
func TestMendedAtStart(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), &clock{now: noon}
	l := mustOpen(t, Config{Folder: dir, Now: at.Now})
	for range 3 {
		l.Write(record("contoso", "contoso-east", 200))
	}
	mustClose(t, l)
	name := filepath.Join(dir, "contoso"+east+"y=2026/m=03/d=01/h=12/m=00/PT1H.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text[:len(text)-len(text)/6], 0o600); err != nil {
		t.Fatal(err)
	}
	at.pass(48 * time.Hour)
	mustClose(t, mustOpen(t, Config{Folder: dir, Now: at.Now}))
	if got := written(t, dir); len(got) != 1 || got["contoso"+east+"y=2026/m=03/d=01/h=12/m=00/PT1H.json"] != 2 {
		t.Errorf("after the start: %v", got)
	}
	if torn, err := os.ReadFile(name + ".torn"); err != nil || !bytes.HasPrefix(torn, []byte(",{")) {
		t.Errorf("kept %q, %v", torn, err)
	}
}

// TestOneServer: two servers never write one folder.
func TestOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, Config{Folder: dir})
	if _, err := Open(Config{Folder: dir}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	mustClose(t, l)
	mustClose(t, mustOpen(t, Config{Folder: dir}))
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Folder: file}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no folder: %v", err)
	}
}

// TestLost: what cannot be written is counted and said, holds nobody up, and does not keep the
// records of other tenants back.
func TestLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "contoso"), nil, 0o600); err != nil { // where a folder should be
		t.Fatal(err)
	}
	var said bytes.Buffer
	l := mustOpen(t, Config{Folder: dir, Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(&said, nil))})
	for range 5 {
		l.Write(record("contoso", "contoso-east", 200))
		l.Write(record("fabrikam", "fabrikam-east", 200))
	}
	mustClose(t, l)
	if diff := cmp.Diff([]Loss{{"folder", 5, noon}}, l.Lost()); diff != "" {
		t.Error(diff)
	}
	for _, n := range written(t, dir) {
		if n != 5 {
			t.Errorf("the other tenant has %d records", n)
		}
	}
	if got := strings.Count(said.String(), "key vault event records lost"); got != 1 {
		t.Errorf("said %d times: %s", got, said.String())
	}
}

// TestReaderThatSleeps: a stream that nobody reads loses records and holds nobody up, and the
// folder beside it is whole.
func TestReaderThatSleeps(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := t.TempDir()
	l := mustOpen(t, Config{Folder: dir, Lines: w, Queue: 2000})
	for len(l.Lost()) == 0 { // a pipe holds 64 KiB, about 100 records
		l.Write(record("contoso", "contoso-east", 200))
		for len(l.queues[0].records) == cap(l.queues[0].records) {
			time.Sleep(time.Millisecond) // until the folder has room
		}
	}
	if lost := l.Lost(); lost[0].Place != "stream" || len(lost) != 1 {
		t.Errorf("lost %+v", lost)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := l.Close(ctx); err == nil {
		t.Error("Close waited for nobody")
	}
	r.Close() // or its writer waits on
	mustWait(t, l.queues[1])
	mustWait(t, l.queues[0])
}

func mustWait(t *testing.T, q *queue) {
	t.Helper()
	select {
	case <-q.done:
	case <-time.After(5 * time.Minute):
		t.Fatal("the writer goes on")
	}
}

// TestLines: one record is one line, as it is in a file, with the names of CK-363 to CK-373.
func TestLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := mustOpen(t, Config{Lines: &out})
	want := record("contoso", "contoso-east", 403)
	want.Description, want.Address, want.Correlation = "not\nallowed", "192.0.2.7", "c-1"
	want.Identity.Claim = Claim{Object: "o-1", UPN: "bob@contoso.example", App: "a-1"}
	want.Properties = Properties{Client: strings.Repeat("ä", 300), URI: "https://contoso-east/keys/root1", ID: "https://contoso-east/keys/root1/1", Status: 403, RequestID: "r-1"}
	l.Write(want)
	mustClose(t, l)
	var got map[string]any
	scan := bufio.NewScanner(&out)
	for scan.Scan() {
		if err := json.Unmarshal(scan.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
	}
	properties := got["properties"].(map[string]any)
	client := properties["clientInfo"].(string)
	if len(client) != longestText || strings.Trim(client, "ä") != "" {
		t.Errorf("clientInfo has %d bytes: %q", len(client), client)
	}
	delete(properties, "clientInfo")
	if diff := cmp.Diff(map[string]any{
		"time": "2026-03-01T12:00:00Z", "resourceId": "/SUBSCRIPTIONS/0F0E-SUB/RESOURCEGROUPS/KEYS/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/CONTOSO-EAST",
		"operationName": "KeyUnwrap", "operationVersion": "7.4", "category": "AuditEvent", "resultType": "Failure", "resultSignature": "Forbidden",
		"resultDescription": "not\nallowed", "durationMs": "3", "callerIpAddress": "192.0.2.7", "correlationId": "c-1",
		"identity": map[string]any{"claim": map[string]any{ // CK-372
			"http://schemas.microsoft.com/identity/claims/objectidentifier": "o-1", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "bob@contoso.example", "appid": "a-1",
		}},
		"properties": map[string]any{"requestUri": "https://contoso-east/keys/root1", "id": "https://contoso-east/keys/root1/1", "httpStatusCode": 403.0, "requestId": "r-1"},
	}, got); diff != "" {
		t.Error(diff)
	}
}

// TestFlood: strangers cannot fill the disk; how many there were is told.
func TestFlood(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := &clock{now: noon}
	l := mustOpen(t, Config{Lines: &out, Now: at.Now, Queue: 10000})
	for range 3 {
		for range 500 {
			l.Write(record("contoso", "contoso-east", 401))
			l.Write(record("contoso", "contoso-west", 200))
		}
		at.pass(time.Minute)
	}
	mustClose(t, l)
	count, others := map[string]int{}, 0
	scan := bufio.NewScanner(&out)
	for scan.Scan() {
		var r Record
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		count[r.Resource[len(r.Resource)-4:]]++
		others += r.Properties.Others
	}
	if count["WEST"] != 1500 || count["EAST"] != 3*(floodRecords+1) || count["EAST"]+others != 1500 {
		t.Errorf("records %v and %d others", count, others)
	}
}

// TestMany: many at once, each record once.
func TestMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, Config{Folder: dir, Queue: 4000, Now: func() time.Time { return noon }})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				l.Write(record("contoso", fmt.Sprintf("vault-%d", i), 200))
			}
		})
	}
	all.Wait()
	mustClose(t, l)
	sum := 0
	for _, n := range written(t, dir) {
		sum += n
	}
	if sum != 1600 || l.Lost() != nil {
		t.Errorf("%d records, lost %v", sum, l.Lost())
	}
	l.Write(record("contoso", "late", 200))
	if l.Lost() == nil {
		t.Error("a record after the end was not counted")
	}
}

func TestVaultFolder(t *testing.T) {
	t.Parallel()
	long := vault{"contoso", VaultID("s", strings.Repeat("字", 90), "v")}
	for part := range strings.SplitSeq(long.folder(), "/") {
		if len(part) > 255 {
			t.Errorf("a name of %d bytes", len(part))
		}
	}
}
