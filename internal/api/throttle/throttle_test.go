package throttle

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

func mustNew(t rapid.TB, l Limits) *Throttle {
	t.Helper()
	th, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

var (
	alice = Who{"contoso", "alice"}
	bob   = Who{"contoso", "bob"}
	eve   = Who{"fabrikam", "eve"}
)

// Requests in a window are bounded for the caller and for the organization, each by itself.
func TestRequestsInAWindow(t *testing.T) {
	t.Parallel()
	th := mustNew(t, Limits{Window: time.Minute, Caller: Limit{Requests: 2}, Tenant: Limit{Requests: 3}})
	for i, step := range []struct {
		who   Who
		after time.Duration
		cause Cause
		whole bool
		left  int
		wait  time.Duration
		first bool
	}{
		{alice, 0, Passed, false, 1, 0, false},
		{alice, 10 * time.Second, Passed, false, 0, 0, false},
		{alice, 20 * time.Second, TooMany, false, 0, 40 * time.Second, true},
		{bob, 20 * time.Second, Passed, false, 0, 0, false}, // the organization has less left than he
		{bob, 30 * time.Second, TooMany, true, 0, 30 * time.Second, false},
		{eve, 30 * time.Second, Passed, false, 1, 0, false},
		{alice, 60 * time.Second, Passed, false, 1, 0, false},
	} {
		v := th.Take(step.who, noon.Add(step.after))
		if v.Cause != step.cause || v.Whole != step.whole || v.Left != step.left || v.Wait != step.wait || v.First != step.first {
			t.Errorf("step %d: %+v, want %+v", i, v, step)
		}
	}
	th.Take(alice, noon.Add(61*time.Second))
	if v := th.Take(alice, noon.Add(62*time.Second)); !v.First || v.Missed != 1 {
		t.Errorf("what was turned away before is not told: %+v", v)
	}
}

// What is under way at once is bounded, and what leaves makes room, once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	th := mustNew(t, Limits{Window: time.Minute, Caller: Limit{AtOnce: 1}, Tenant: Limit{AtOnce: 2}})
	_, leave := th.Enter(alice, noon)
	if v, _ := th.Enter(alice, noon); v.Cause != TooBusy || v.Whole || v.Wait <= 0 {
		t.Errorf("alice twice: %+v", v)
	}
	_, leaveBob := th.Enter(bob, noon)
	carol := Who{"contoso", "carol"}
	if v, _ := th.Enter(carol, noon); v.Cause != TooBusy || !v.Whole {
		t.Errorf("three of one organization: %+v", v)
	}
	if v, _ := th.Enter(eve, noon); v.Cause != Passed {
		t.Errorf("another organization: %+v", v)
	}
	leave()
	leave()
	if v, _ := th.Enter(carol, noon.Add(time.Hour)); v.Cause != Passed {
		t.Errorf("after alice has left: %+v", v)
	}
	if v, _ := th.Enter(alice, noon.Add(time.Hour)); v.Cause != TooBusy {
		t.Error("leaving twice made room for two")
	}
	leaveBob()
	if v, _ := th.Enter(alice, noon.Add(time.Hour)); v.Cause != Passed {
		t.Error("after bob has left there is no room")
	}
}

// A clock that is set back locks nobody out.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	th := mustNew(t, Limits{Window: time.Minute, Caller: Limit{Requests: 1}})
	th.Take(alice, noon)
	if v := th.Take(alice, noon.Add(-time.Second)); v.Cause != TooMany {
		t.Errorf("a little out of order begins a new window: %+v", v)
	}
	if v := th.Take(alice, noon.Add(-time.Hour)); v.Cause != Passed {
		t.Errorf("an hour back: %+v", v)
	}
}

// Whoever asks nothing any more is forgotten; whoever is inside is not.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	th := mustNew(t, Limits{Window: time.Second, Caller: Limit{Requests: 5, AtOnce: 1}})
	_, leave := th.Enter(alice, noon)
	for i := range 1000 {
		th.Take(Who{"contoso", string(rune('a' + i))}, noon.Add(time.Duration(i)*time.Second))
	}
	if n := len(th.callers); n > 4 {
		t.Errorf("%d callers are remembered", n)
	}
	if v, _ := th.Enter(alice, noon.Add(time.Hour)); v.Cause != TooBusy {
		t.Error("who is inside was forgotten")
	}
	leave()
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
	for _, l := range []Limits{
		{}, {Window: 2 * time.Hour}, {Window: time.Minute, Caller: Limit{Requests: -1}},
		{Window: time.Minute, Tenant: Limit{Requests: mostRequests + 1}}, {Window: time.Minute, Caller: Limit{AtOnce: mostAtOnce + 1}},
	} {
		if _, err := New(l); err == nil {
			t.Errorf("%+v is taken", l)
		}
	}
}

// Whatever comes when, no window has more than its limit and nobody more than his at once.
func TestNeverMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{
			Window: 10 * time.Second,
			Caller: Limit{Requests: rapid.IntRange(1, 5).Draw(t, "requests"), AtOnce: rapid.IntRange(1, 3).Draw(t, "at once")},
			Tenant: Limit{Requests: rapid.IntRange(1, 8).Draw(t, "tenant's requests"), AtOnce: rapid.IntRange(1, 4).Draw(t, "tenant's at once")},
		}
		th, now := mustNew(t, l), noon
		var leaves []func()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "seconds")) * time.Second)
			if len(leaves) > 0 && rapid.Bool().Draw(t, "leaves") {
				leaves[0]()
				leaves = leaves[1:]
				continue
			}
			v, leave := th.Enter(rapid.SampledFrom([]Who{alice, bob, eve}).Draw(t, "who"), now)
			if v.Cause == Passed {
				leaves = append(leaves, leave)
			} else if v.Wait <= 0 || v.Wait > l.Window {
				t.Fatalf("turned away, to come back in %s", v.Wait)
			}
			for who, c := range th.callers {
				if c.taken > l.Caller.Requests || c.inside > l.Caller.AtOnce || c.inside < 0 {
					t.Fatalf("%v has %+v", who, c)
				}
			}
			for tenant, c := range th.tenants {
				if c.taken > l.Tenant.Requests || c.inside > l.Tenant.AtOnce || c.inside < 0 {
					t.Fatalf("%s has %+v", tenant, c)
				}
			}
		}
	})
}
