package workload_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

var (
	report = workload.Ref{Workload: "documents", Container: "reports", Item: "2026/january.txt"}
	letter = workload.Ref{Workload: "exchange", Container: "alice@contoso.example", Item: "letter"}
)

func read(t *testing.T, w *wt.World, caller directory.Caller, ref workload.Ref) ([]byte, error) {
	t.Helper()
	c, err := w.Items.Open(t.Context(), caller, ref)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(c)
}

func wantContent(t *testing.T, w *wt.World, caller directory.Caller, ref workload.Ref, want []byte) {
	t.Helper()
	got, err := read(t, w, caller, ref)
	if err != nil {
		t.Fatalf("reading %s: %v", ref, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s holds %d bytes that differ from the %d written", ref, len(got), len(want))
	}
}

func wantCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("%s: %v (%s), want %s", what, err, fault.CodeOf(err), code)
	}
}

// wantBlobs checks how many files are in the blob folder, unfinished ones included.
func wantBlobs(t *testing.T, w *wt.World, n int) {
	t.Helper()
	if files := w.BlobFiles(t); len(files) != n {
		t.Errorf("%d blob files, want %d: %v", len(files), n, files)
	}
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	source := time.Date(2020, 5, 6, 7, 8, 9, 123456000, time.UTC)
	for _, size := range []int{0, 1, 65503, 65504, 65505, 131008, 300_000} {
		ref := report
		ref.Item = fmt.Sprint("sizes/", size)
		content := wt.Content(size)
		put, created, err := w.Items.Put(t.Context(), wt.Alice, ref,
			workload.PutOptions{ContentType: "text/plain; charset=utf-8", Name: "Grüße.txt", SourceModified: source}, bytes.NewReader(content))
		if err != nil || !created {
			t.Fatalf("Put of %d bytes: created %v, %v", size, created, err)
		}
		want := workload.Item{
			Ref: ref, Size: int64(size), ContentType: "text/plain; charset=utf-8", Name: "Grüße.txt", Digest: sha256.Sum256(content),
			Version: put.Version, Created: w.Clock.Now(), Modified: w.Clock.Now(), SourceModified: source,
		}
		if diff := cmp.Diff(want, put); diff != "" {
			t.Errorf("Put (-want +got):\n%s", diff)
		}
		head, err := w.Items.Head(t.Context(), wt.Alice, ref)
		if diff := cmp.Diff(want, head); err != nil || diff != "" {
			t.Errorf("Head: %v (-want +got):\n%s", err, diff)
		}
		wantContent(t, w, wt.Alice, ref, content)
	}
}

func TestSeek(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	content := wt.Content(200_000)
	w.MustPut(t, wt.Alice, report, content)
	c, err := w.Items.Open(t.Context(), wt.Alice, report)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{199_999, 0, 65_503, 65_504, 131_008, 200_000, 300_000} {
		if _, err := c.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		part := make([]byte, 10)
		n, _ := io.ReadFull(c, part)
		if want := content[min(at, 200_000):min(at+10, 200_000)]; !bytes.Equal(part[:n], want) {
			t.Errorf("at %d: %x, want %x", at, part[:n], want)
		}
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("Read after Close: %v, want an error", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	old := w.MustPut(t, wt.Alice, report, []byte("old"))
	open, err := w.Items.Open(t.Context(), wt.Alice, report)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()

	w.Clock.Add(time.Second)
	item, created, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, strings.NewReader("new"))
	if err != nil || created {
		t.Fatalf("second Put: created %v, %v", created, err)
	}
	if item.Version == old.Version || !item.Created.Equal(old.Created) || !item.Modified.After(old.Modified) {
		t.Errorf("replaced %+v by %+v: want another version, the same creation, a later change", old, item)
	}
	wantContent(t, w, wt.Alice, report, []byte("new"))
	if n, err := w.Items.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want the old blob removed", n, err)
	}
	wantBlobs(t, w, 1)
	if got, err := io.ReadAll(open); err != nil || string(got) != "old" {
		t.Errorf("who had the old content open reads %q, %v", got, err)
	}

	_, _, err = w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{IfNoneMatch: true}, panicReader{})
	wantCode(t, "Put with IfNoneMatch over an item", err, fault.Conflict)
	wantContent(t, w, wt.Alice, report, []byte("new"))
}

// panicReader is a body that must not be read.
type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("the body was read") }

func TestAddIsOneItemPerContent(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	add := func(content string) (workload.Item, bool, error) {
		return w.Items.Add(t.Context(), wt.Alice, workload.Ref{Workload: "exchange", Container: "Alice@Contoso.example"}, workload.PutOptions{ContentType: "message/rfc822"}, strings.NewReader(content))
	}
	first, created, err := add("hello")
	if err != nil || !created {
		t.Fatalf("Add: created %v, %v", created, err)
	}
	again, created, err := add("hello")
	if diff := cmp.Diff(first, again); err != nil || created || diff != "" {
		t.Errorf("Add again: created %v, %v (-first +again):\n%s", created, err, diff)
	}
	wantBlobs(t, w, 1)
	if other, created, err := add("hello!"); err != nil || !created || other.Item == first.Item {
		t.Errorf("Add of other content: %q, created %v, %v", other.Item, created, err)
	}

	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, ids := 0, map[string]bool{}
	for range 8 {
		wg.Go(func() {
			item, created, err := add(strings.Repeat("at once", 10_000))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if created {
				fresh++
			}
			ids[item.Item] = true
		})
	}
	wg.Wait()
	if fresh != 1 || len(ids) != 1 {
		t.Errorf("one content added by eight at once: %d created under %d ids, want 1 and 1", fresh, len(ids))
	}
	wantBlobs(t, w, 3)

	stolen := first.Ref
	w.MustPut(t, wt.Alice, stolen, []byte("something else"))
	_, _, err = add("hello")
	wantCode(t, "Add where other content has the id", err, fault.Conflict)
}

// Without the secret of the container nobody can tell which id a text has.
func TestFingerprintsAreKeyed(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	ids := map[string]bool{}
	for _, c := range []string{"one", "two"} {
		item, _, err := w.Items.Add(t.Context(), wt.Alice, workload.Ref{Workload: "documents", Container: c}, workload.PutOptions{}, strings.NewReader("same"))
		if err != nil {
			t.Fatal(err)
		}
		ids[item.Item] = true
	}
	if len(ids) != 2 {
		t.Error("the same content has the same id in two containers")
	}
}

func TestFingerprintSecretFollowsTheKey(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	chat := workload.Ref{Workload: "teams", Container: "general"}
	add := func() (workload.Item, bool) {
		t.Helper()
		item, created, err := w.Items.Add(t.Context(), wt.Alice, chat, workload.PutOptions{}, strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		return item, created
	}
	w.Policies.NewDataOnly = true
	first, _ := add()
	w.Policies.NewPolicy(t, wt.Contoso) // starts a new version of the container's key
	if again, created := add(); created || again.Item != first.Item {
		t.Error("the same content became a second item under a new policy")
	}
	ref := chat
	ref.Item = "by name"
	w.MustPut(t, wt.Alice, ref, []byte("new"))
	if a, b := w.Row(t, wt.Contoso, first.Ref).KeyVersion, w.Row(t, wt.Contoso, ref).KeyVersion; a != 1 || b != 2 {
		t.Errorf("key versions %d and %d, want 1 for old data and 2 for new", a, b)
	}
	wantContent(t, w, wt.Alice, first.Ref, []byte("hi"))
	items, err := w.Items.List(t.Context(), wt.Alice, "teams", "general", "", 0)
	if err != nil || len(items) != 2 {
		t.Errorf("List over two key versions: %d items, %v", len(items), err)
	}
}

func TestGenerationMovesUnderAWrite(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, report, []byte("a"))
	w.Policies.NewGeneration(t, wt.Contoso, 2)
	w.MustPut(t, wt.Alice, report, []byte("b"))
	wantContent(t, w, wt.Alice, report, []byte("b"))
	w.Policies.NewGeneration(t, wt.Contoso, 100)
	_, _, err := w.Items.Put(t.Context(), wt.Alice, workload.Ref{Workload: "documents", Container: "new", Item: "x"}, workload.PutOptions{}, panicReader{})
	wantCode(t, "Put while the generation never settles", err, fault.Conflict)
}

func TestAccess(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, letter, []byte("dear auditor"))
	everything := func(caller directory.Caller, ref workload.Ref) map[string]error {
		errs := map[string]error{}
		_, errs["open"] = w.Items.Open(t.Context(), caller, ref)
		_, errs["head"] = w.Items.Head(t.Context(), caller, ref)
		_, errs["list"] = w.Items.List(t.Context(), caller, ref.Workload, ref.Container, "", 0)
		_, _, errs["put"] = w.Items.Put(t.Context(), caller, ref, workload.PutOptions{}, panicReader{})
		_, _, errs["add"] = w.Items.Add(t.Context(), caller, ref, workload.PutOptions{}, panicReader{})
		errs["delete"] = w.Items.Delete(t.Context(), caller, ref)
		return errs
	}
	for name, caller := range map[string]directory.Caller{"bob": wt.Bob, "operator": wt.Operator} {
		for what, err := range everything(caller, letter) {
			wantCode(t, name+": "+what, err, fault.Forbidden)
		}
	}
	for what, err := range everything(directory.Caller{}, letter) {
		wantCode(t, "nobody: "+what, err, fault.Forbidden)
	}
	for what, err := range everything(wt.Mallory, letter) {
		wantCode(t, "another tenant: "+what, err, fault.NotFound)
	}
	var denied []string
	for _, action := range []string{"item.read", "item.list", "item.write", "item.delete"} {
		for _, e := range w.Entries(t, wt.Contoso, action) {
			if e.Decision == audit.Deny && e.Caller.ID == wt.Bob.ID {
				denied = append(denied, action)
			}
		}
	}
	if want := []string{"item.read", "item.read", "item.list", "item.write", "item.write", "item.delete"}; !slices.Equal(denied, want) {
		t.Errorf("recorded refusals of bob: %v, want %v", denied, want)
	}
	for _, caller := range []directory.Caller{wt.Alice, wt.Exporter, wt.Provider, directory.SystemCaller(wt.Contoso, "index", "")} {
		wantContent(t, w, caller, letter, []byte("dear auditor"))
	}

	w.Audit.SetFailing(true)
	_, err := w.Items.Head(t.Context(), wt.Bob, letter)
	wantCode(t, "a refusal that cannot be recorded", err, fault.Unavailable)
}

func TestMailboxesBelongToPeople(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	nobody := workload.Ref{Workload: "exchange", Container: "nobody@contoso.example", Item: "x"}
	_, _, err := w.Items.Put(t.Context(), wt.Provider, nobody, workload.PutOptions{}, panicReader{})
	wantCode(t, "Put into a mailbox of nobody", err, fault.NotFound)
	_, err = w.Items.List(t.Context(), wt.Bob, "exchange", "alice@contoso.example", "", 0)
	wantCode(t, "List of a mailbox without mail by someone else", err, fault.Forbidden)
	items, err := w.Items.List(t.Context(), wt.Alice, "exchange", "alice@contoso.example", "", 0)
	if err != nil || len(items) != 0 {
		t.Errorf("List of one's own mailbox without mail: %v, %v", items, err)
	}
	_, err = w.Items.List(t.Context(), wt.Alice, "documents", "none", "", 0)
	wantCode(t, "List of a folder that is not there", err, fault.NotFound)
	w.MustPut(t, wt.Provider, letter, []byte("for alice"))
	wantContent(t, w, wt.Alice, letter, []byte("for alice"))
	if _, err := workload.Find("calendars"); !fault.Is(err, fault.NotFound) || !strings.Contains(fault.As(err).Hint, "exchange, exchange-signals, teams, ") {
		t.Errorf("Find of an unknown workload: %v, want fault.NotFound that lists them", err)
	}
}

func TestTwoCreateOneContainer(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	results := make([]error, 2)
	var wg sync.WaitGroup
	for i, caller := range []directory.Caller{wt.Alice, wt.Bob} {
		wg.Go(func() {
			_, _, results[i] = w.Items.Put(t.Context(), caller, report, workload.PutOptions{}, strings.NewReader("mine"))
		})
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("results %v, want one winner", results)
	}
	wantCode(t, "the other one", errors.Join(results...), fault.Forbidden)
	if created := w.Entries(t, wt.Contoso, "container.create"); len(created) == 0 || created[0].Decision != audit.Allow {
		t.Errorf("the new container was not recorded: %v", created)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	var want []string
	for i := range 25 {
		ref := report
		ref.Item = fmt.Sprintf("item/%02d", i)
		want = append(want, ref.Item)
		w.MustPut(t, wt.Alice, ref, []byte(ref.Item))
	}
	var got []string
	for after := ""; ; {
		page, err := w.Items.List(t.Context(), wt.Alice, "documents", "reports", after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, item := range page {
			got = append(got, item.Item)
			if item.Digest != sha256.Sum256([]byte(item.Item)) || item.ContentType != "application/octet-stream" {
				t.Errorf("metadata of %s: %+v", item.Item, item)
			}
		}
		after = page[len(page)-1].Item
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %v, want %v", got, want)
	}
	_, err := w.Items.List(t.Context(), wt.Alice, "documents", "reports", "", -1)
	wantCode(t, "a negative limit", err, fault.Invalid)
}

func TestContainers(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	for caller, names := range map[string][]string{"alice": {"a1", "a2"}, "bob": {"b1"}} {
		for _, name := range names {
			c := map[string]directory.Caller{"alice": wt.Alice, "bob": wt.Bob}[caller]
			w.MustPut(t, c, workload.Ref{Workload: "documents", Container: name, Item: "x"}, nil)
		}
	}
	w.MustPut(t, wt.Mallory, workload.Ref{Workload: "documents", Container: "m1", Item: "x"}, nil)
	for _, tt := range []struct {
		caller directory.Caller
		want   []string
	}{{wt.Alice, []string{"a1", "a2"}}, {wt.Bob, []string{"b1"}}, {wt.Exporter, []string{"a1", "a2", "b1"}}, {wt.Mallory, []string{"m1"}}} {
		list, err := w.Items.Containers(t.Context(), tt.caller, "documents", "", 0)
		var got []string
		for _, c := range list {
			got = append(got, c.Name)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s sees %v, %v, want %v", tt.caller.ID, got, err, tt.want)
		}
	}
	_, err := w.Items.Containers(t.Context(), wt.Operator, "documents", "", 0)
	wantCode(t, "an operator", err, fault.Forbidden)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, report, []byte("secret"))
	w.Audit.SetFailing(true)
	wantCode(t, "Delete that cannot be recorded", w.Items.Delete(t.Context(), wt.Alice, report), fault.Unavailable)
	w.Audit.SetFailing(false)
	wantContent(t, w, wt.Alice, report, []byte("secret"))
	if err := w.Items.Delete(t.Context(), wt.Alice, report); err != nil {
		t.Fatal(err)
	}
	_, err := read(t, w, wt.Alice, report)
	wantCode(t, "Open after Delete", err, fault.NotFound)
	wantCode(t, "Delete again", w.Items.Delete(t.Context(), wt.Alice, report), fault.NotFound)
	if e := w.Entries(t, wt.Contoso, "item.delete"); len(e) != 1 || e[0].Decision != audit.Allow || e[0].Object != report.String() {
		t.Errorf("records of the deletion: %+v", e)
	}
	if n, err := w.Items.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	wantBlobs(t, w, 0)
}

func TestNoPlaintextOnDisk(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	secret := []byte("the merger will be announced on friday")
	_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{ContentType: "text/x-merger", Name: "merger.txt"}, bytes.NewReader(bytes.Repeat(secret, 5000)))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(bytes.Repeat(secret, 5000))
	for _, path := range w.AllFiles(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, plain := range [][]byte{secret, []byte("text/x-merger"), []byte("merger.txt"), digest[:]} {
			if bytes.Contains(b, plain) {
				t.Errorf("%s holds %q", path, plain)
			}
		}
	}
}

func TestDeniedKeys(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	content := wt.Content(500_000)
	w.MustPut(t, wt.Alice, report, content)
	open, err := w.Items.Open(t.Context(), wt.Alice, report)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := io.ReadFull(open, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}

	w.Deny()
	_, err = io.ReadAll(open)
	wantCode(t, "reading on", err, fault.Denied)
	_, err = read(t, w, wt.Alice, report)
	wantCode(t, "Open", err, fault.Denied)
	_, err = w.Items.Head(t.Context(), wt.Alice, report)
	wantCode(t, "Head", err, fault.Denied)
	_, err = w.Items.List(t.Context(), wt.Alice, "documents", "reports", "", 0)
	wantCode(t, "List", err, fault.Denied)
	_, _, err = w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, panicReader{})
	wantCode(t, "Put", err, fault.Denied)

	w.Restore()
	wantContent(t, w, wt.Alice, report, content)
	reader, taken := bytes.NewReader(content), false
	body := readerFunc(func(p []byte) (int, error) {
		if !taken && reader.Len() < 300_000 {
			taken = true
			w.Deny()
		}
		return reader.Read(p)
	})
	other := report
	other.Item = "other"
	_, _, err = w.Items.Put(t.Context(), wt.Alice, other, workload.PutOptions{}, body)
	wantCode(t, "Put whose keys are taken away half-way", err, fault.Denied)
	wantBlobs(t, w, 1)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := wt.New(t, func(c *workload.Config) { c.MaxSize = 100_000 })
	w.MustPut(t, wt.Alice, report, []byte("before"))
	for _, tt := range []struct {
		name string
		body io.Reader
		code fault.Code
	}{
		{"cut off at once", io.MultiReader(failing{io.ErrUnexpectedEOF}), fault.Invalid},
		{"cut off half-way", io.MultiReader(bytes.NewReader(wt.Content(90_000)), failing{io.ErrUnexpectedEOF}), fault.Invalid},
		{"failing with a fault", failing{fault.New(fault.Throttled, "slow down")}, fault.Throttled},
		{"one byte too long", bytes.NewReader(wt.Content(100_001)), fault.TooLarge},
		{"endless", readerFunc(func(p []byte) (int, error) { return len(p), nil }), fault.TooLarge},
		{"stuck", readerFunc(func([]byte) (int, error) { return 0, nil }), fault.Internal},
	} {
		_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{}, tt.body)
		wantCode(t, tt.name, err, tt.code)
	}
	wantBlobs(t, w, 1)
	wantContent(t, w, wt.Alice, report, []byte("before"))
	w.MustPut(t, wt.Alice, report, wt.Content(100_000))
	_, _, err := w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{ContentType: "no type"}, panicReader{})
	wantCode(t, "a content type that is none", err, fault.Invalid)
	_, _, err = w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{Name: "../x"}, panicReader{})
	wantCode(t, "a file name that is a path", err, fault.Invalid)
	late := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)) // in UTC the year 10000
	_, _, err = w.Items.Put(t.Context(), wt.Alice, report, workload.PutOptions{SourceModified: late}, panicReader{})
	wantCode(t, "a time that cannot be written", err, fault.Invalid)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestCancelledWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	reader := bytes.NewReader(wt.Content(300_000))
	body := readerFunc(func(p []byte) (int, error) {
		if reader.Len() < 100_000 {
			cancel()
		}
		return reader.Read(p)
	})
	if _, _, err := w.Items.Put(ctx, wt.Alice, report, workload.PutOptions{}, body); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	wantBlobs(t, w, 0)
}
