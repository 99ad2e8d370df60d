package audit_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// areas is the one area that these tests need.
func areas() []store.Area { return store.AvailabilityAreas()[:1] }

var key = ed25519.NewKeyFromSeed([]byte("a seed for tests, and only tests"))

func mustLog(t testing.TB, s audit.Store) *audit.Log {
	t.Helper()
	l, err := audit.New(audit.Config{Store: s, Key: key, Name: "service", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// say returns an entry of tenant about object.
func say(tenant, object string) audit.Entry {
	e := entry()
	e.Tenant, e.Object = tenant, object
	return e
}

func mustRecord(t testing.TB, l *audit.Log, e audit.Entry) {
	t.Helper()
	if err := l.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// mustHead returns the tenant's head after checking its signature.
func mustHead(t testing.TB, l *audit.Log, tenant string) audit.Head {
	t.Helper()
	h, err := l.Head(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := l.VerifierKey(tenant)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := audit.VerifyHead(h.Note, vkey)
	if err != nil {
		t.Fatal(err)
	}
	if verified.Size != h.Size || verified.Root != h.Root || verified.Tenant != tenant || verified.Log != "service" {
		t.Fatalf("the note says %+v, the head %+v", verified, h)
	}
	return h
}

// readAll feeds the whole log, page by page, to a Verifier and returns it with the leaves.
func readAll(t testing.TB, l *audit.Log, tenant string) (*audit.Verifier, [][]byte) {
	t.Helper()
	v := audit.NewVerifier(tenant)
	var leaves [][]byte
	for {
		page, err := l.Entries(t.Context(), tenant, v.Size()-1, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return v, leaves
		}
		for _, s := range page {
			if _, err := v.Add(s.Index, s.Leaf); err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, s.Leaf)
		}
	}
}

// Random appends to two tenants by many at once, in rounds. After each round everything is
// checked with tlog's own functions against a tree that tlog itself computed.
func TestProofs(t *testing.T) {
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		l := mustLog(t, store.NewAudit(db))
		heads := map[string][]audit.Head{}
		for round, n := range []int{1, 2, 5, 1, 30} {
			var wg sync.WaitGroup
			for i := range n {
				for _, tenant := range []string{contoso, fabrikam} {
					wg.Go(func() {
						if err := l.Record(t.Context(), say(tenant, fmt.Sprint(round, i))); err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
			for _, tenant := range []string{contoso, fabrikam} {
				heads[tenant] = append(heads[tenant], mustHead(t, l, tenant))
				checkProofs(t, l, tenant, heads[tenant])
			}
		}
	})
}

// checkProofs checks every entry and every older head against the newest.
func checkProofs(t *testing.T, l *audit.Log, tenant string, heads []audit.Head) {
	t.Helper()
	newest := heads[len(heads)-1]
	v, leaves := readAll(t, l, tenant)
	if err := v.Check(newest); err != nil {
		t.Fatal(err)
	}
	if want := tlogRoot(t, leaves); newest.Root != want {
		t.Fatalf("root %v of %d entries, tlog says %v", newest.Root, newest.Size, want)
	}
	for i, leaf := range leaves {
		p, err := l.Prove(t.Context(), tenant, int64(i), newest.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(p, newest.Size, newest.Root, int64(i), tlog.RecordHash(leaf)); err != nil {
			t.Errorf("entry %d of %d: %v", i, newest.Size, err)
		}
	}
	for _, old := range heads {
		p, err := l.ProveTree(t.Context(), tenant, old.Size, newest.Size)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(p, newest.Size, newest.Root, old.Size, old.Root); err != nil {
			t.Errorf("%d before %d: %v", old.Size, newest.Size, err)
		}
	}
}

// tlogRoot computes a root with tlog alone.
func tlogRoot(t testing.TB, leaves [][]byte) tlog.Hash {
	t.Helper()
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(int64(len(leaves)), reader)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The Verifier's tree is tlog's tree at every size.
func TestVerifierRoot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := audit.NewVerifier(contoso)
		var leaves [][]byte
		for i := range rapid.IntRange(0, 70).Draw(rt, "size") {
			leaf := mustEncode(t, say(contoso, rapid.String().Draw(rt, "object")))
			if _, err := v.Add(int64(i), leaf); err != nil {
				rt.Fatal(err)
			}
			leaves = append(leaves, leaf)
		}
		if got, want := v.Root(), tlogRoot(t, leaves); got != want {
			rt.Errorf("%d entries: root %v, tlog says %v", len(leaves), got, want)
		}
	})
}

// Several nodes append to one log at once.
func TestNodes(t *testing.T) {
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		const nodes, each = 4, 10
		var wg sync.WaitGroup
		for n := range nodes {
			l := mustLog(t, store.NewAudit(db))
			for i := range each {
				wg.Go(func() {
					if err := l.Record(t.Context(), say(contoso, fmt.Sprint(n, i))); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		l := mustLog(t, store.NewAudit(db))
		h := mustHead(t, l, contoso)
		if h.Size != nodes*each {
			t.Errorf("%d entries, want %d", h.Size, nodes*each)
		}
		checkProofs(t, l, contoso, []audit.Head{h})
	})
}

func TestEmptyLog(t *testing.T) {
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		l := mustLog(t, store.NewAudit(db))
		if err := audit.NewVerifier(contoso).Check(mustHead(t, l, contoso)); err != nil {
			t.Error(err)
		}
		if page, err := l.Entries(t.Context(), contoso, -1, 10); len(page) != 0 || err != nil {
			t.Errorf("entries %v, %v", page, err)
		}
		if _, err := l.Prove(t.Context(), contoso, 0, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("proof of nothing: %v", err)
		}
	})
}

// What is recorded comes back, in the order of the index, also when the clock goes back.
func TestEntries(t *testing.T) {
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		at := noon
		l, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service", Now: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			at = at.Add(-time.Hour)
			mustRecord(t, l, say(contoso, fmt.Sprint(i)))
		}
		page, err := l.Entries(t.Context(), contoso, 1, 2)
		if err != nil || len(page) != 2 {
			t.Fatalf("%d entries, %v; want 2", len(page), err)
		}
		for i, s := range page {
			if n := i + 2; s.Index != int64(n) || s.Entry.Object != fmt.Sprint(n) || !s.Entry.Time.Equal(noon.Add(-time.Duration(n+1)*time.Hour)) {
				t.Errorf("got %+v, want entry %d", s, n)
			}
		}
		if others, err := l.Entries(t.Context(), fabrikam, -1, 10); len(others) != 0 || err != nil {
			t.Errorf("another tenant sees %d entries, %v", len(others), err)
		}
	})
}

func TestRecordFailures(t *testing.T) {
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		l := mustLog(t, store.NewAudit(db))
		mustRecord(t, l, say(contoso, "first"))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Record(ctx, say(contoso, "late")); err == nil {
			t.Error("an entry of a caller who had left was recorded")
		}
		if h := mustHead(t, l, contoso); h.Size != 1 {
			t.Errorf("%d entries, want 1", h.Size)
		}

		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		err := l.Record(t.Context(), say(contoso, "second"))
		if e := fault.As(err); e.Code != fault.Unavailable || !strings.Contains(e.Message, "cannot be recorded") || e.Hint == "" {
			t.Errorf("got %v with hint %q", err, e.Hint)
		}
	})
}

// A slowStore says when an Append begins and holds it up until it is let go.
type slowStore struct {
	audit.Store
	began, letGo chan struct{}
}

func (s slowStore) Append(ctx context.Context, fn func(context.Context, audit.Tx) error) error {
	s.began <- struct{}{}
	select {
	case <-s.letGo:
		return s.Store.Append(ctx, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ten wait to be written together; nine of them leave while that happens, most likely also the
// one who writes for all. The tenth must not suffer for it.
func TestCallersLeave(t *testing.T) {
	for range 3 {
		slow := slowStore{store.NewAudit(storetest.SQLite(t, areas()...)), make(chan struct{}, 20), make(chan struct{})}
		l := mustLog(t, slow)
		var wg sync.WaitGroup
		stay := func(object string) {
			wg.Go(func() {
				if err := l.Record(t.Context(), say(contoso, object)); err != nil {
					t.Errorf("%s: %v", object, err)
				}
			})
		}
		stay("first")
		<-slow.began
		stay("tenth")
		ctx, cancel := context.WithCancel(t.Context())
		for range 9 {
			wg.Go(func() {
				if err := l.Record(ctx, say(contoso, "leaves")); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		time.Sleep(20 * time.Millisecond) // until all of them wait
		slow.letGo <- struct{}{}
		<-slow.began
		cancel()
		time.Sleep(10 * time.Millisecond) // until an Append that ends with its caller would have ended
		close(slow.letGo)
		wg.Wait()
		v, leaves := readAll(t, l, contoso)
		if err := v.Check(mustHead(t, l, contoso)); err != nil {
			t.Error(err)
		}
		if len(leaves) < 2 || len(leaves) > 11 {
			t.Errorf("%d entries", len(leaves))
		}
	}
}

func TestLogPrintsNoKey(t *testing.T) {
	l := mustLog(t, store.NewAudit(storetest.SQLite(t, areas()...)))
	text := fmt.Sprintf("%v %+v %#v", l, l, l)
	for _, secret := range []string{"a seed for tests", fmt.Sprint([]byte(key))[1:20], fmt.Sprintf("%#v", []byte(key))[7:40]} {
		if strings.Contains(text, secret) {
			t.Errorf("the printed log holds its key: %s", text)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := mustLog(b, store.NewAudit(storetest.SQLite(b, areas()...)))
			entries := make(chan struct{})
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range entries {
						if err := l.Record(b.Context(), say(contoso, "x")); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				entries <- struct{}{}
			}
			close(entries)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
