package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// tampered returns a log of six entries of contoso after someone with access to the database
// ran statement, and the head that an auditor had kept before.
func tampered(t *testing.T, statement string, args ...any) (*audit.Log, audit.Head) {
	t.Helper()
	db := storetest.SQLite(t, areas()...)
	l := mustLog(t, store.NewAudit(db))
	for _, object := range []string{"a", "b", "c", "d", "e", "f"} {
		mustRecord(t, l, say(contoso, object))
	}
	kept := mustHead(t, l, contoso)
	err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, kept
}

// verify reads the log against the kept head, as an auditor would.
func verify(t *testing.T, l *audit.Log, kept audit.Head) error {
	t.Helper()
	page, err := l.Entries(t.Context(), contoso, -1, 100)
	if err != nil {
		return err
	}
	v := audit.NewVerifier(contoso)
	for _, s := range page {
		if _, err := v.Add(s.Index, s.Leaf); err != nil {
			return err
		}
		if v.Size() == kept.Size {
			return v.Check(kept)
		}
	}
	return fault.New(fault.Corrupt, "the log ends after %d entries, the head is about %d", v.Size(), kept.Size)
}

func TestUntampered(t *testing.T) {
	l, kept := tampered(t, `DELETE FROM audit_entries WHERE tenant_id = 'nobody'`)
	mustRecord(t, l, say(contoso, "later"))
	if err := verify(t, l, kept); err != nil {
		t.Error(err)
	}
}

func TestTamperedEntries(t *testing.T) {
	other := say(contoso, "c")
	other.Decision = audit.Deny
	foreign := say(fabrikam, "c")
	for name, row := range map[string]struct {
		statement string
		args      []any
	}{
		"changed entry":  {`UPDATE audit_entries SET leaf = $1 WHERE idx = 2`, []any{mustEncode(t, other)}},
		"other tenant's": {`UPDATE audit_entries SET leaf = $1 WHERE idx = 2`, []any{mustEncode(t, foreign)}},
		"no entry":       {`UPDATE audit_entries SET leaf = $1 WHERE idx = 2`, []any{[]byte("{}")}},
		"removed entry":  {`DELETE FROM audit_entries WHERE idx = 2`, nil},
		"removed end":    {`DELETE FROM audit_entries WHERE idx >= 4`, nil},
		"removed all":    {`DELETE FROM audit_entries`, nil},
		"swapped": {`UPDATE audit_entries SET leaf = CASE idx WHEN 1 THEN $1 ELSE $2 END WHERE idx IN (1, 2)`,
			[]any{mustEncode(t, say(contoso, "c")), mustEncode(t, say(contoso, "b"))}},
	} {
		l, kept := tampered(t, row.statement, row.args...)
		if err := verify(t, l, kept); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: verify says %v, want corrupt", name, err)
		}
	}
}

// A changed hash makes proofs that do not hold.
func TestTamperedHash(t *testing.T) {
	l, kept := tampered(t, `UPDATE audit_entries SET hashes = $1 WHERE idx = 2`, make([]byte, 32))
	p, err := l.Prove(t.Context(), contoso, 3, kept.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(p, kept.Size, kept.Root, 3, tlog.RecordHash(mustEncode(t, say(contoso, "d")))); err == nil {
		t.Error("the proof holds")
	}
	l, kept = tampered(t, `UPDATE audit_entries SET hashes = $1 WHERE idx = 3`, make([]byte, 10))
	if _, err := l.Prove(t.Context(), contoso, 0, kept.Size); !fault.Is(err, fault.Corrupt) {
		t.Errorf("cut hashes: got %v, want corrupt", err)
	}
}

// A changed head is found at the next append, which is refused: nothing is built upon it.
func TestTamperedHead(t *testing.T) {
	for name, statement := range map[string]string{
		"size":    `UPDATE audit_heads SET size = 5`,
		"edge":    `UPDATE audit_heads SET edge = zeroblob(64)`,
		"cut":     `UPDATE audit_heads SET edge = zeroblob(10)`,
		"note":    `UPDATE audit_heads SET note = REPLACE(note, 'service', 'vault')`,
		"no note": `UPDATE audit_heads SET note = ''`,
		"removed": `DELETE FROM audit_heads`,
	} {
		l, _ := tampered(t, statement)
		err := l.Record(t.Context(), say(contoso, "g"))
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.As(err).Hint, "ck audit verify") {
			t.Errorf("%s: got %v, want a refusal that says what to do", name, err)
		}
	}
}

// Another tenant's entry that is written together with a refused one is recorded.
func TestTamperedHeadHurtsNobodyElse(t *testing.T) {
	db := storetest.SQLite(t, areas()...)
	slow := slowStore{store.NewAudit(db), make(chan struct{}, 20), make(chan struct{}, 1)}
	l := mustLog(t, slow)
	slow.letGo <- struct{}{}
	mustRecord(t, l, say(contoso, "a"))
	<-slow.began
	err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `UPDATE audit_heads SET edge = zeroblob(32)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	record := func(tenant string, want fault.Code) {
		wg.Go(func() {
			if err := l.Record(t.Context(), say(tenant, "b")); fault.CodeOf(err) != want {
				t.Errorf("%s: got %v, want %q", tenant, err, want)
			}
		})
	}
	record(fabrikam, "")
	<-slow.began
	for range 5 {
		record(contoso, fault.Unavailable)
		record(fabrikam, "")
	}
	time.Sleep(20 * time.Millisecond) // until all of them wait
	close(slow.letGo)
	wg.Wait()
	if h := mustHead(t, l, fabrikam); h.Size != 6 {
		t.Errorf("%d entries of the other tenant, want 6", h.Size)
	}
}

func TestVerifyHead(t *testing.T) {
	l, kept := tampered(t, `DELETE FROM audit_entries WHERE tenant_id = 'nobody'`)
	vkey, err := l.VerifierKey(contoso)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := l.VerifierKey(fabrikam)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyHead(kept.Note, foreign); !fault.Is(err, fault.Corrupt) {
		t.Errorf("with another tenant's key: %v", err)
	}
	if _, err := audit.VerifyHead(kept.Note, "nonsense"); !fault.Is(err, fault.Invalid) {
		t.Errorf("with no key: %v", err)
	}
	for i := range kept.Note {
		changed := bytes.Clone(kept.Note)
		changed[i] ^= 1
		if _, err := audit.VerifyHead(changed, vkey); !fault.Is(err, fault.Corrupt) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	misnamed, err := note.Sign(&note.Note{Text: strings.Replace(noteText(t, kept.Note), contoso, fabrikam, 1)}, mustSigner(t, vkey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyHead(misnamed, vkey); !fault.Is(err, fault.Corrupt) {
		t.Errorf("signed with the key of one log, about another: %v", err)
	}
	if err := audit.NewVerifier(fabrikam).Check(kept); !fault.Is(err, fault.Corrupt) {
		t.Errorf("against another tenant's log: %v", err)
	}
}

// noteText returns the signed part of a note.
func noteText(t *testing.T, signed []byte) string {
	t.Helper()
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		t.Fatalf("no note: %s", signed)
	}
	return text + "\n"
}

// mustSigner returns the signer that belongs to a verifier key of the tests' log.
func mustSigner(t *testing.T, vkey string) note.Signer {
	t.Helper()
	parts := strings.SplitN(vkey, "+", 3)
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...))
	s, err := note.NewSigner("PRIVATE+KEY+" + parts[0] + "+" + parts[1] + "+" + secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerifierRefuses(t *testing.T) {
	own, foreign := mustEncode(t, say(contoso, "a")), mustEncode(t, say(fabrikam, "a"))
	v := audit.NewVerifier(contoso)
	for name, row := range map[string]struct {
		index int64
		leaf  []byte
	}{
		"another tenant's": {0, foreign},
		"index ahead":      {1, own},
		"index before":     {-1, own},
		"no leaf":          {0, nil},
	} {
		if _, err := v.Add(row.index, row.leaf); !fault.Is(err, fault.Corrupt) || v.Size() != 0 {
			t.Errorf("%s: got %v with %d counted, want corrupt", name, err, v.Size())
		}
	}
}

func TestNew(t *testing.T) {
	s := store.NewAudit(storetest.SQLite(t, areas()...))
	for name, c := range map[string]audit.Config{
		"no store": {Key: key, Name: "service"},
		"no key":   {Store: s, Name: "service"},
		"no name":  {Store: s, Key: key},
		"bad name": {Store: s, Key: key, Name: "a/b"},
	} {
		if _, err := audit.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}

}
