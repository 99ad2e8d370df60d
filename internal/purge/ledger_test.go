package purge

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

const tenant, leaving = "8a7f7c54-0000-4000-8000-000000000001", "8a7f7c54-0000-4000-8000-0000000000aa"

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustOpen(t testing.TB, key ed25519.PrivateKey, places ...Place) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), Config{Key: key, Places: places})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// boxes yields n keys, and the containers themselves.
func boxes(n int) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		for i := range n {
			if !yield(Key{Container: fmt.Sprint("box", i)}, nil) || !yield(Key{Container: fmt.Sprint("box", i), Version: 1 + i%3}, nil) {
				return
			}
		}
	}
}

func mustAdd(t testing.TB, l *Ledger, policy string, n int) Purge {
	t.Helper()
	p, err := l.Add(t.Context(), tenant, policy, Order{Request: "request", Family: "mailbox", Digest: "d", AvailabilityKeys: []string{"a"}}, boxes(n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What one place has lost, another gives back: also when all but one were put back from before.
// Once in force, an order stays in force whatever is restored.
func TestLedgerSurvivesRestores(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}
	places := []Place{NewFile(paths[0]), NewFile(paths[1]), NewFile(paths[2])}
	l := mustOpen(t, key, places...)
	mustAdd(t, l, "other", 3)
	before, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	p := mustAdd(t, l, leaving, 1201) // several lines
	for mask := range 7 {             // all subsets but all three
		for i, path := range paths {
			if mask>>i&1 == 1 {
				if err := os.WriteFile(path, before, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		l = mustOpen(t, key, places...)
		if !l.Policy(tenant, leaving) || !l.Policy(tenant, "other") || l.Policy(tenant, "third") || l.Policy("another", leaving) {
			t.Fatalf("restored %03b: the ledger has forgotten, or invented, a purge", mask)
		}
		for k := range boxes(1201) {
			if !l.Key(tenant, k.Container, k.Version) || !l.Key(tenant, k.Container, 99) || l.Key("another", k.Container, k.Version) || l.Key(tenant, k.Container+"x", k.Version) {
				t.Fatalf("restored %03b: %s is judged wrongly", mask, k)
			}
		}
		if got := len(l.Restored()); (got > 0) != (mask > 0) {
			t.Errorf("restored %03b: %d places are said to lack something", mask, got)
		}
		n := 0
		if err := l.Keys(t.Context(), tenant, leaving, func(keys []Key) error { n += len(keys); return nil }); err != nil || n != 2402 {
			t.Errorf("restored %03b: %d keys are listed, %v", mask, n, err)
		}
	}
	if again := mustAdd(t, l, leaving, 5); again.ID != p.ID || !again.At.Equal(p.At) {
		t.Error("a second order for the same policy takes the place of the first")
	}
}

// A version alone is marked where the container goes on.
func TestVersionsAlone(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, newKey(t), NewFile(filepath.Join(t.TempDir(), "l")))
	_, err := l.Add(t.Context(), tenant, leaving, Order{}, func(yield func(Key, error) bool) { yield(Key{Container: "team", Version: 2}, nil) })
	if err != nil || l.Key(tenant, "team", 0) || l.Key(tenant, "team", 1) || !l.Key(tenant, "team", 2) {
		t.Errorf("%v: container %v, 1 %v, 2 %v", err, l.Key(tenant, "team", 0), l.Key(tenant, "team", 1), l.Key(tenant, "team", 2))
	}
}

// A broken place keeps a purge from beginning, and an attempt that was given up means nothing.
func TestABrokenPlace(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	for writes := range 4 { // two lines of keys, then the order, each to both places
		good := NewFile(filepath.Join(dir, fmt.Sprint("good", writes)))
		l := mustOpen(t, key, good, &failing{Place: NewFile(filepath.Join(dir, fmt.Sprint("bad", writes))), left: writes})
		policy := fmt.Sprint("policy", writes)
		_, err := l.Add(t.Context(), tenant, policy, Order{}, boxes(300))
		inForce := writes >= 2 // the good place has the order by then
		if (err == nil) != (writes == 3) || l.Policy(tenant, policy) != inForce {
			t.Errorf("failing after %d writes: %v, in force %v", writes, err, l.Policy(tenant, policy))
		}
		whole := NewFile(filepath.Join(dir, fmt.Sprint("whole", writes)))
		if again := mustOpen(t, key, good, whole); again.Policy(tenant, policy) != inForce || again.Key(tenant, "box1", 2) != inForce {
			t.Errorf("failing after %d writes, opened again: in force %v", writes, again.Policy(tenant, policy))
		}
	}
	l := mustOpen(t, key, NewFile(filepath.Join(dir, "l")))
	broken := errors.New("no more keys")
	if _, err := l.Add(t.Context(), tenant, "unlisted", Order{}, func(yield func(Key, error) bool) { yield(Key{}, broken) }); !errors.Is(err, broken) || l.Policy(tenant, "unlisted") {
		t.Errorf("a list that fails: %v", err)
	}
}

type failing struct {
	Place
	left int
}

func (f *failing) Append(ctx context.Context, lines [][]byte) error {
	if f.left--; f.left < 0 {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	return f.Place.Append(ctx, lines)
}

// What was changed, cut out or signed by others stops the start; a line that a crash has cut off
// at the end does not.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	path := filepath.Join(dir, "l")
	l := mustOpen(t, key, NewFile(path))
	mustAdd(t, l, leaving, 600)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, raw := range map[string][]byte{
		"a byte":         append(slices.Clone(whole[:200]), append([]byte{whole[200] ^ 1}, whole[201:]...)...),
		"a line cut out": append(slices.Clone(lines[0]), bytes.Join(lines[2:], nil)...),
		"no newline":     bytes.Repeat([]byte("x"), 2*maxLine),
		"empty line":     append(slices.Clone(whole), '\n'),
	} {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Config{Key: key, Places: []Place{NewFile(path)}}); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, append(slices.Clone(whole), lines[0][:50]...), 0o600); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, key, NewFile(path))
	mustAdd(t, l, "next", 1)
	if l = mustOpen(t, key, NewFile(path)); !l.Policy(tenant, leaving) || !l.Policy(tenant, "next") {
		t.Error("after a line that was cut off the ledger has lost a purge")
	}
	if _, err := Open(t.Context(), Config{Key: newKey(t), Places: []Place{NewFile(path)}}); !fault.Is(err, fault.Corrupt) {
		t.Errorf("another service's ledger: %v", err)
	}
}

// A policy that is about to be purged is shut in this process until it is let go.
func TestBlock(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, newKey(t), NewFile(filepath.Join(t.TempDir(), "l")))
	one, two := l.Block(tenant, leaving), l.Block(tenant, leaving)
	one()
	one()
	if !l.Policy(tenant, leaving) || l.Ordered(tenant, leaving) {
		t.Error("the second block is gone with the first, or counts as an order")
	}
	if two(); l.Policy(tenant, leaving) {
		t.Error("still blocked")
	}
}

// CK-260: the record is kept once, signed, and checked without the service.
func TestRecord(t *testing.T) {
	t.Parallel()
	key, file := newKey(t), NewFile(filepath.Join(t.TempDir(), "l"))
	l := mustOpen(t, key, file)
	r := Record{Tenant: tenant, Policy: leaving, Name: "Leaving <b>", Approved: []Person{}, Gone: Gone{Generations: []string{}, AvailabilityKeys: []string{}}}
	if _, err := l.Finish(t.Context(), r); !fault.Is(err, fault.NotFound) {
		t.Errorf("a record of no purge: %v", err)
	}
	mustAdd(t, l, leaving, 1)
	note, err := l.Finish(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Name = "another"
	if again, err := l.Finish(t.Context(), r); err != nil || again != note {
		t.Errorf("a second record takes the place of the first: %v", err)
	}
	if p, _ := mustOpen(t, key, file).Find(tenant, leaving); p.Record != note {
		t.Error("the record is not kept")
	}
	vkey, err := l.VerifierKey(tenant)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := VerifyRecord([]byte(note), vkey); err != nil || got.Name != "Leaving <b>" {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range note {
		changed := []byte(note)
		changed[i] ^= 0x20
		if _, err := VerifyRecord(changed, vkey); err == nil && !bytes.Contains(changed, []byte("\u2014")) {
			t.Fatalf("changed at %d: accepted", i)
		}
	}
	other, err := mustOpen(t, newKey(t), NewFile(filepath.Join(t.TempDir(), "l"))).VerifierKey(tenant)
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]string{"another key": other, "no key": "x"} {
		if _, err := VerifyRecord([]byte(note), k); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The digest of a plan stands for all of it but what lies in the containers.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := Plan{Tenant: "t", Policy: "p", Generations: []Generation{{ID: "g", Roots: [2]string{"a", "b"}}}, AvailabilityKeys: []string{"k"}, Containers: 1, List: "l"}
	digest := func(edit func(p *Plan)) string {
		p := base
		p.Generations = slices.Clone(base.Generations)
		p.AvailabilityKeys = slices.Clone(base.AvailabilityKeys)
		edit(&p)
		d, err := p.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := digest(func(*Plan) {})
	if digest(func(p *Plan) { p.Items, p.Bytes = 5, 6 }) != want {
		t.Error("new mail changes the digest")
	}
	for name, edit := range map[string]func(p *Plan){
		"policy": func(p *Plan) { p.Policy = "q" }, "list": func(p *Plan) { p.List = "m" }, "closed": func(p *Plan) { p.Closed++ },
		"root": func(p *Plan) { p.Generations[0].Roots[1] = "c" }, "availability key": func(p *Plan) { p.AvailabilityKeys[0] = "x" },
	} {
		if digest(edit) == want {
			t.Errorf("%s: the digest stays the same", name)
		}
	}
	a, b := NewLister(), NewLister()
	a.Add(Key{Container: "a", Version: 1})
	a.Add(Key{Container: "b", Version: 1})
	b.Add(Key{Container: "a", Version: 1})
	b.Add(Key{Container: "b", Version: 2})
	var p, q Plan
	a.Into(&p)
	b.Into(&q)
	if p.List == q.List || p.Containers != 2 || p.ContainerKeys != 2 {
		t.Errorf("%+v and %+v", p, q)
	}
}

// Every line that is accepted is the one form of what it says.
func FuzzLine(f *testing.F) {
	key := newKey(f)
	l := mustOpen(f, key, NewFile(filepath.Join(f.TempDir(), "l")))
	mustAdd(f, l, leaving, 2)
	if _, err := l.Finish(f.Context(), Record{Tenant: tenant, Policy: leaving}); err != nil {
		f.Fatal(err)
	}
	if err := l.CallOff(f.Context(), tenant, leaving, "request"); err != nil {
		f.Fatal(err)
	}
	err := l.places[0].Lines(f.Context(), func(line []byte) error {
		f.Add(bytes.Clone(line[89:]))
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		line := fmt.Appendf(nil, "%s %s", signed(key, text), text)
		e, err := decode(line, key.Public().(ed25519.PublicKey))
		if err != nil {
			return
		}
		again, err := e.encode(key)
		if err != nil || !bytes.Equal(again, append(line, '\n')) {
			t.Errorf("%q and %q say the same", line, again)
		}
	})
}

// FuzzRecord reads texts as a record's, signed or not.
func FuzzRecord(f *testing.F) {
	text, err := Record{Version: recordVersion, Tenant: tenant, Approved: []Person{{Name: "<"}}}.text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if again, err := r.text(); err != nil || !bytes.Equal(again, text) {
			t.Error("one record, two texts")
		}
	})
}

// A ledger that could neither write an order nor see whether it stands somewhere takes it for in
// force. Before a key goes the order stands in every place all the same: else what a backup
// brings back would open again.
func TestAnOrderThatNoPlaceCouldTellOf(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	file := NewFile(filepath.Join(dir, "l"))
	away := &unreadable{failing: failing{Place: file, left: 2}} // both lines of keys, not the order
	l := mustOpen(t, key, away)
	away.off = true
	if _, err := l.Add(t.Context(), tenant, leaving, Order{Request: "request"}, boxes(300)); err == nil || !l.Policy(tenant, leaving) {
		t.Fatalf("%v, in force %v", err, l.Policy(tenant, leaving))
	}
	away.off, away.left = false, 99
	if err := l.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _ := l.Find(tenant, leaving)
	again := mustOpen(t, key, file)
	if after, found := again.Find(tenant, leaving); !found || after.ID != before.ID || !after.At.Equal(before.At) || !again.Key(tenant, "box1", 2) {
		t.Errorf("after Complete a start finds %+v, want %+v", after, before)
	}
}

// An unreadable place cannot be read while it is off.
type unreadable struct {
	failing
	off bool
}

func (u *unreadable) Lines(ctx context.Context, fn func(line []byte) error) error {
	if u.off {
		return fault.New(fault.Unavailable, "the disk is away")
	}
	return u.Place.Lines(ctx, fn)
}
