package activity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A told is what a record must say.
type told struct {
	Target string
	Result activity.Result
}

func tell(r activity.Record) told { return told{r.Target + r.Reason, r.Result} }

// Commands begin, end in any order, are refused, and stay without an end, with other entries
// between: each has one record with its own result, on whichever pages they are read.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t, areas()...))
	rapid.Check(t, func(t *rapid.T) {
		tenant := uuid.NewString()
		want := w.play(t, tenant)
		slices.Reverse(want)
		size := rapid.IntRange(2, 5).Draw(t, "size of a page")
		var got []told
		for below := int64(0); ; {
			full := errors.New("the page is full")
			var page []activity.Record
			err := w.Search(t.Context(), admin(tenant), activity.Query{Below: below}, func(r activity.Record) error {
				if len(page) == size {
					return full
				}
				page = append(page, r)
				return nil
			})
			for _, r := range page {
				got, below = append(got, tell(r)), r.Index
			}
			if err == nil || below == 0 {
				break
			}
			if !errors.Is(err, full) {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// play lets commands happen and returns what is to be told of them, the oldest first.
func (w *world) play(t *rapid.T, tenant string) (want []told) {
	type running struct {
		act *activity.Act
		at  int
	}
	var open []running
	for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
		w.now = w.now.Add(time.Duration(rapid.IntRange(-1, 10).Draw(t, "seconds")) * time.Second)
		c := activity.Command{Name: rename, Caller: admin(tenant)}
		switch rapid.SampledFrom([]string{"begin", "begin", "end", "end", "refuse", "noise"}).Draw(t, "step") {
		case "begin":
			act := w.Act(c)
			must(t, act.Begin(t.Context(), fmt.Sprint(i)))
			open, want = append(open, running{act, len(want)}), append(want, told{fmt.Sprint(i), activity.Unknown})
		case "end":
			if len(open) == 0 {
				continue
			}
			n := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			err, result := error(nil), activity.Succeeded
			if rapid.Bool().Draw(t, "fails") {
				err, result = fault.New(fault.Conflict, "!"), activity.Failed
				want[open[n].at].Target += "!"
			}
			must(t, open[n].act.End(t.Context(), err))
			want[open[n].at].Result = result
			open = slices.Delete(open, n, n+1)
		case "refuse":
			must(t, w.Refuse(t.Context(), c, fault.New(fault.Forbidden, "no")))
			want = append(want, told{"no", activity.Failed})
		case "noise":
			must(t, w.log.Record(t.Context(), audit.Entry{Tenant: tenant, Caller: c.Caller, Action: "key.unwrap", Decision: audit.Allow}))
		}
	}
	return want
}

// A query by time, command, person and object finds those and no others.
func TestSearchFilters(t *testing.T) {
	t.Parallel()
	w, tenant := newWorld(t, storetest.SQLite(t, areas()...)), uuid.NewString()
	alice, bob := person(tenant, "alice@contoso.example"), person(tenant, "bob@contoso.example")
	for i, c := range []struct {
		name   string
		caller directory.Caller
		object string
	}{{"New-X", alice, "a"}, {"Set-X", bob, "a"}, {"Set-X", alice, "b"}} {
		w.now = noon.Add(time.Duration(i) * time.Hour)
		c.caller.Request = uuid.NewString()
		act := w.Act(activity.Command{Name: c.name, Caller: c.caller})
		must(t, act.Begin(t.Context(), fmt.Sprint(i)))
		act.About(c.object)
		must(t, act.End(t.Context(), nil))
	}
	for _, tt := range []struct {
		q    activity.Query
		want string
	}{
		{activity.Query{}, "[2 1 0]"},
		{activity.Query{From: noon.Add(time.Hour)}, "[2 1]"},
		{activity.Query{To: noon.Add(time.Hour)}, "[0]"},
		{activity.Query{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)}, "[1]"},
		{activity.Query{From: noon.Add(48 * time.Hour)}, "[]"},
		{activity.Query{Operations: []string{"set-x", "Get-X"}}, "[2 1]"},
		{activity.Query{Users: []string{"ALICE@contoso.example"}}, "[2 0]"},
		{activity.Query{Users: []string{bob.ID}}, "[1]"},
		{activity.Query{Objects: []string{"A"}}, "[1 0]"},
		{activity.Query{Objects: []string{"2"}}, "[2]"},
		{activity.Query{Objects: []string{"a"}, Users: []string{alice.ID}}, "[0]"},
	} {
		got := []string{}
		for _, r := range w.all(t, admin(tenant), tt.q) {
			got = append(got, r.Target)
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%+v finds %v, want %s", tt.q, got, tt.want)
		}
	}
}

// A countingLog counts the entries that are read.
type countingLog struct {
	*audit.Log
	read int
}

func (l *countingLog) Find(ctx context.Context, tenant string, after int64, limit int, actions ...string) (audit.Stretch, error) {
	page, err := l.Log.Find(ctx, tenant, after, limit, actions...)
	l.read += page.Seen
	return page, err
}

// Of a long log, what lies a day before the time asked for is not read, and a command is told
// whole whose end is on another page.
func TestLongLog(t *testing.T) {
	t.Parallel()
	w, tenant := newWorld(t, storetest.SQLite(t, areas()...)), uuid.NewString()
	noise := func(n int) {
		var waits []func() error
		for range n {
			waits = append(waits, w.log.Submit(t.Context(), audit.Entry{Tenant: tenant, Action: "key.unwrap", Decision: audit.Allow}))
		}
		for _, wait := range waits {
			must(t, wait())
		}
	}
	noise(2200)
	w.now = w.now.Add(72 * time.Hour)
	noise(1)
	act := w.Act(activity.Command{Name: rename, Caller: admin(tenant)})
	must(t, act.Begin(t.Context(), "x"))
	noise(600)
	must(t, act.End(t.Context(), nil))
	counting := &countingLog{Log: w.log.Log}
	s, err := activity.New(activity.Config{Log: counting})
	must(t, err)
	w.Service = s
	if r := w.all(t, admin(tenant), activity.Query{From: w.now}); len(r) != 1 || r[0].Result != activity.Succeeded {
		t.Errorf("%+v", r)
	}
	if counting.read > 1500 {
		t.Errorf("%d entries were read", counting.read)
	}
	if r := w.all(t, admin(tenant), activity.Query{Below: 2203}); len(r) != 1 || r[0].Result != activity.Succeeded {
		t.Errorf("from between: %+v", r)
	}
}
