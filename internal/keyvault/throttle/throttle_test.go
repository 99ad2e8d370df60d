package throttle

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/fault"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	vault = Vault{"contoso", "sub1", "east"}
)

func mustNew(t testing.TB, l Limits) *Throttle {
	t.Helper()
	th, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// TestAzure is the table of KV-107: so many pass, and not one more.
func TestAzure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		op   Op
		most int
	}{
		{Op{Bits: 2048}, 4000}, {Op{}, 4000}, {Op{Bits: 3072}, 1000}, {Op{Bits: 4096}, 500},
		{Op{Bits: 2048, Hardware: true}, 2000}, {Op{Bits: 3072, Hardware: true}, 500}, {Op{Bits: 4096, Hardware: true}, 250},
		{Op{Create: true}, 20}, {Op{Create: true, Bits: 4096}, 20}, {Op{Create: true, Hardware: true}, 10},
	} {
		th := mustNew(t, Azure())
		for i := range tt.most {
			if v := th.Take(vault, tt.op, noon); v.Wait != 0 {
				t.Fatalf("%+v: number %d waits %v", tt.op, i+1, v.Wait)
			}
		}
		if v := th.Take(vault, tt.op, noon.Add(3*time.Second)); v.Wait != 7*time.Second || v.Subscription || !v.First {
			t.Errorf("%+v: one more: %+v", tt.op, v)
		}
	}
}

// TestExact: whatever the limit, so many shares fill a budget and one more does not fit.
func TestExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := int64(rapid.IntRange(1, largestLimit).Draw(r, "limit"))
		share := Limits{RSA2048: Sizes{Other: int(n)}}.share(Op{})
		if n*share > budget || (n+1)*share <= budget {
			r.Fatalf("%d operations take %d of %d each", n, share, budget)
		}
	})
}

// TestBudget: in no window does a vault take more than its budget, nor a subscription more
// than its own; who is turned away passes after the time he was told, and takes nothing.
func TestBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := Limits{Seconds: 10, Subscription: 2, RSA2048: Sizes{2, 1, 12, 6}, RSA3072: Sizes{2, 1, 6, 3}, RSA4096: Sizes{2, 1, 4, 2}}
		th, now := mustNew(t, l), noon
		for range rapid.IntRange(1, 200).Draw(r, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2500).Draw(r, "ms")) * time.Millisecond)
			v := Vault{"contoso", "sub1", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "vault")}
			op := Op{rapid.Bool().Draw(r, "create"), rapid.Bool().Draw(r, "hsm"), rapid.SampledFrom([]int{0, 2048, 3072, 4096}).Draw(r, "bits")}
			before := th.taken()
			verdict := th.Take(v, op, now)
			if verdict.Wait < 0 || verdict.Wait > 10*time.Second {
				r.Fatalf("waits %v", verdict.Wait)
			}
			if verdict.Wait > 0 && th.taken() > before {
				r.Fatal("a request that was turned away took something")
			}
			if now = now.Add(verdict.Wait); verdict.Wait > 0 && th.Take(v, op, now).Wait > 0 {
				r.Fatalf("turned away again after %v", verdict.Wait)
			}
			for _, c := range th.vaults {
				if c.taken > budget {
					r.Fatalf("a vault took %d", c.taken)
				}
			}
			if c := th.subscriptions[subscription{"contoso", "sub1"}]; c.taken > 2*budget {
				r.Fatalf("the subscription took %d", c.taken)
			}
		}
	})
}

func (t *Throttle) taken() (sum int64) {
	for _, c := range t.vaults {
		sum += c.taken
	}
	return sum
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	th := mustNew(t, Limits{Seconds: 10, Subscription: 2, RSA2048: Sizes{1, 1, 4, 4}, RSA3072: Sizes{1, 1, 1, 1}, RSA4096: Sizes{1, 1, 1, 1}})
	for _, name := range []string{"a", "b"} {
		for range 4 {
			if v := th.Take(Vault{"contoso", "sub1", name}, Op{}, noon); v.Wait != 0 {
				t.Fatalf("%s waits %v", name, v.Wait)
			}
		}
	}
	if v := th.Take(Vault{"contoso", "sub1", "c"}, Op{}, noon); v.Wait == 0 || !v.Subscription {
		t.Errorf("a third vault: %+v", v)
	}
	for _, other := range []Vault{{"contoso", "sub2", "d"}, {"fabrikam", "sub1", "e"}} {
		if v := th.Take(other, Op{}, noon); v.Wait != 0 {
			t.Errorf("%v pays for another: %+v", other, v)
		}
	}
	if v := th.Take(Vault{"contoso", "sub1", "c"}, Op{}, noon.Add(10*time.Second)); v.Wait != 0 {
		t.Errorf("after the window: %+v", v)
	}
}

// TestClock: a clock that is set back locks nobody out, and requests that come out of order
// open no new window.
func TestClock(t *testing.T) {
	t.Parallel()
	l := Azure()
	l.RSA2048.Other = 1
	th := mustNew(t, l)
	th.Take(vault, Op{}, noon)
	if v := th.Take(vault, Op{}, noon.Add(-time.Millisecond)); v.Wait == 0 || v.Wait > 11*time.Second {
		t.Errorf("a little early: %+v", v)
	}
	if v := th.Take(vault, Op{}, noon.Add(-time.Hour)); v.Wait != 0 {
		t.Errorf("clock set back: %+v", v)
	}
	if v := th.Take(vault, Op{}, noon.Add(-time.Hour)); v.Wait != 10*time.Second {
		t.Errorf("and then: %+v", v)
	}
}

// TestMissed: each request that is turned away is told of once, by itself or in a number.
func TestMissed(t *testing.T) {
	t.Parallel()
	l := Azure()
	l.RSA2048.Other = 1
	th := mustNew(t, l)
	turn := func(at time.Duration, n int) (v Verdict) {
		for range n {
			v = th.Take(vault, Op{}, noon.Add(at*time.Second))
		}
		return v
	}
	turn(0, 1)
	if v := turn(1, 1); !v.First || v.Missed != 0 {
		t.Errorf("the first: %+v", v)
	}
	if v := turn(2, 5); v.First {
		t.Errorf("the sixth: %+v", v)
	}
	if got := th.Missed(noon.Add(3 * time.Second)); got != nil {
		t.Errorf("while the window lasts: %v", got)
	}
	turn(12, 1)
	if v := turn(13, 1); !v.First || v.Missed != 5 {
		t.Errorf("the first of the next window: %+v", v)
	}
	turn(14, 3)
	if diff := cmp.Diff([]Missed{{vault, 3}}, th.Missed(noon.Add(time.Minute))); diff != "" {
		t.Error(diff)
	}
	if got := th.Missed(noon.Add(time.Minute)); got != nil {
		t.Errorf("told twice: %v", got)
	}
}

// TestMemory: what is idle goes, what is still to be told of stays.
func TestMemory(t *testing.T) {
	t.Parallel()
	l := Azure()
	l.RSA2048.Other = 1
	th := mustNew(t, l)
	for i := range 1000 {
		th.Take(Vault{"contoso", "sub" + strings.Repeat("x", i), "v"}, Op{}, noon)
	}
	for range 3 {
		th.Take(vault, Op{}, noon)
	}
	th.Take(Vault{"contoso", "sub9", "last"}, Op{}, noon.Add(time.Minute))
	if len(th.vaults) != 2 || len(th.subscriptions) != 1 {
		t.Errorf("%d vaults and %d subscriptions are kept", len(th.vaults), len(th.subscriptions))
	}
	if len(th.Missed(noon.Add(time.Minute))) != 1 {
		t.Error("what was turned away was forgotten")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	l, err := Read(strings.NewReader(`{"seconds": 1, "rsa2048": {"create": 7}}`))
	want := Azure()
	want.Seconds, want.RSA2048.Create = 1, 7
	if diff := cmp.Diff(want, l); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, text := range []string{
		``, `[]`, `{"seconds": 0}`, `{"seconds": 3601}`, `{"subscription": 0}`, `{"rsa2048": {"other": 0}}`, `{"rsa4096": {"otherHsm": 1000001}}`,
		`{"second": 10}`, `{} {}`, `{"seconds": 1.5}`, `{"seconds": 10` + strings.Repeat(" ", longestFile) + `}`,
	} {
		if _, err := Read(strings.NewReader(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// FuzzRead: what is read is within bounds.
func FuzzRead(f *testing.F) {
	f.Add(`{"seconds": 1, "rsa2048": {"create": 7}}`)
	f.Add(`{"subscription": 1e9}`)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Read(strings.NewReader(text))
		if err == nil && l.check() != nil || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v, %v", l, err)
		}
	})
}
