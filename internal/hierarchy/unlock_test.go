package hierarchy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An answer is how one root answers.
type answer string

const (
	well   answer = "well"
	denies answer = "denies"
	silent answer = "unreachable"
	lies   answer = "wrong key"
)

func (a answer) set(r *testRoot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails, r.wrong = nil, a == lies
	switch a {
	case denies:
		r.fails = disabled
	case silent:
		r.fails = down
	}
}

// A row says what becomes of one request: who opens the policy key, or how it is refused.
type row struct {
	first, second answer
	caller        directory.Caller
	by            string // "root1", "root2", "availability key", "" if refused
	code          fault.Code
	reason        string
}

func allow(first, second answer, caller directory.Caller, by string) row {
	return row{first: first, second: second, caller: caller, by: by}
}

func deny(first, second answer, caller directory.Caller, code fault.Code, reason string) row {
	return row{first: first, second: second, caller: caller, code: code, reason: reason}
}

// TestWhoOpens goes through every pair of answers of the two roots, for users and for system
// work (rows CK-45 to CK-50, CK-62).
func TestWhoOpens(t *testing.T) {
	t.Parallel()
	const one, two, key = "root1", "root2", byAvailability
	for _, tt := range []row{
		allow(well, well, alice, one), allow(well, denies, alice, one), allow(well, silent, alice, one), allow(well, lies, alice, one),
		allow(denies, well, alice, two), allow(silent, well, alice, two), allow(lies, well, alice, two),
		allow(silent, silent, alice, key), allow(silent, lies, alice, key), allow(lies, silent, alice, key), allow(lies, lies, alice, key),
		deny(denies, denies, alice, fault.Denied, "BothDenied"),
		deny(denies, silent, alice, fault.Denied, "OneDenied"), deny(silent, denies, alice, fault.Denied, "OneDenied"),
		deny(denies, lies, alice, fault.Denied, "OneDenied"), deny(lies, denies, alice, fault.Denied, "OneDenied"),

		allow(well, well, system, one), allow(well, denies, system, one), allow(well, silent, system, one), allow(well, lies, system, one),
		allow(denies, well, system, two), allow(silent, well, system, two), allow(lies, well, system, two),
		allow(silent, silent, system, key), allow(silent, lies, system, key), allow(lies, silent, system, key), allow(lies, lies, system, key),
		allow(denies, denies, system, key),
		allow(denies, silent, system, key), allow(silent, denies, system, key), allow(denies, lies, system, key), allow(lies, denies, system, key),
	} {
		t.Run(string(tt.first+"/"+tt.second+"/"+answer(tt.caller.Kind)), func(t *testing.T) {
			w := newWorld(t, nil)
			g := w.mustGeneration(policy, 1)
			tt.first.set(w.roots[0])
			tt.second.set(w.roots[1])
			l, err := w.keys.Lease(context.Background(), tt.caller, tenant, g.ID)
			checkRow(t, w, g, tt, l, err)
			checkStory(t, w.chapter())
		})
	}
}

func checkRow(t *testing.T, w *world, g Generation, tt row, l *Lease, err error) {
	t.Helper()
	if tt.by == "" {
		wantCode(t, "lease", err, tt.code)
		if r := fault.As(err).Reason; r != tt.reason {
			t.Errorf("reason %q, want %q", r, tt.reason)
		}
		return
	}
	if err != nil {
		t.Fatalf("lease: %v", err)
	}
	if !strings.HasSuffix(l.By(), tt.by) {
		t.Errorf("opened by %q, want %q", l.By(), tt.by)
	}
	forSystem := tt.by == byAvailability && (tt.first == denies || tt.second == denies)
	if l.SystemOnly() != forSystem {
		t.Errorf("for system work only: %v, want %v", l.SystemOnly(), forSystem)
	}
	uses := w.entries("availability.use")
	if (tt.by == byAvailability) != (len(uses) == 1) {
		t.Fatalf("%d uses of the availability key recorded, opened by %s", len(uses), tt.by)
	}
	if len(uses) == 1 {
		got := uses[0].Detail
		want := map[string]string{
			"RecordType": "69", "Operation": "Fallback to Availability Key", "PolicyId": policy, "ScopeKeyVersionId": g.ID, "RequestId": tt.caller.Request,
			"availabilityKey": "availability-key", "cause": got["cause"], "initiator": map[directory.Kind]string{directory.User: "user", directory.System: "system"}[tt.caller.Kind],
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error("record of the availability key (-want +got):\n" + d)
		}
	}
}

// checkStory fails unless every call to a root and every use of the availability key comes
// right after its own record, and no lease exists before all else.
func checkStory(t *testing.T, story []string) {
	t.Helper()
	for i, event := range story {
		before := ""
		if i > 0 {
			before = story[i-1]
		}
		switch {
		case strings.HasPrefix(event, "root ") && before != "record policykey.unwrap allow",
			event == "availability" && before != "record availability.use allow":
			t.Errorf("%q was not recorded first; story:\n%s", event, strings.Join(story, "\n"))
		}
	}
	if i := slices.Index(story, "record lease.grant allow"); i >= 0 && i != len(story)-1 {
		t.Errorf("something happened after the grant:\n%s", strings.Join(story, "\n"))
	}
}

// The setting of row CK-62: one denied and one unreachable may count as an outage.
func TestMixedAsOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Mixed = MixedOutage })
	g := w.mustGeneration(policy, 1)
	w.fail(disabled, down)
	if l := w.mustLease(alice, g); l.By() != byAvailability || l.SystemOnly() {
		t.Errorf("opened by %q, system only: %v", l.By(), l.SystemOnly())
	}
}

func TestRootsAreAskedInRandomOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.First = nil })
	seen := map[string]bool{}
	for n := 1; len(seen) < 2; n++ {
		if n > 100 {
			t.Fatalf("only %v was ever asked first", seen)
		}
		seen[w.mustLease(alice, w.mustGeneration(policy, n)).By()] = true
	}
}

// Without a record nothing happens: not the call it announces, and no lease.
func TestRecordFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mute     string
		one, two error
		never    string // must not be in the story
	}{
		{"policykey.unwrap", nil, nil, "root"},
		{"availability.use", down, down, "availability"},
		{"lease.grant", nil, nil, "record lease.grant"},
		{"lease.grant", down, down, "record lease.grant"},
	} {
		w := newWorld(t, nil)
		g := w.mustGeneration(policy, 1)
		w.fail(tt.one, tt.two)
		w.silence(tt.mute)
		_, err := w.keys.Lease(context.Background(), alice, tenant, g.ID)
		wantCode(t, tt.mute, err, fault.Unavailable)
		if fault.As(err).Reason != "NotRecorded" {
			t.Errorf("%s: reason %q", tt.mute, fault.As(err).Reason)
		}
		for _, event := range w.chapter() {
			if strings.HasPrefix(event, tt.never) {
				t.Errorf("%s could not be recorded, and still: %s", tt.mute, event)
			}
		}
		w.silence()
	}
}

// A failure's outcome that cannot be recorded stops the search: the log would not tell why the
// availability key was used.
func TestOutcomeMustBeRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.fail(down, down)
	k := w.keys
	k.c.Audit = recorderFunc(func(ctx context.Context, e audit.Entry) error {
		if e.Action == "policykey.unwrap" && e.Decision != audit.Allow {
			return context.DeadlineExceeded
		}
		return w.Record(ctx, e)
	})
	_, err := k.Lease(context.Background(), system, tenant, g.ID)
	wantCode(t, "lease", err, fault.Unavailable)
	if story := w.chapter(); slices.Contains(story, "availability") {
		t.Errorf("the availability key was used:\n%s", strings.Join(story, "\n"))
	}
}

type recorderFunc func(context.Context, audit.Entry) error

func (f recorderFunc) Record(ctx context.Context, e audit.Entry) error { return f(ctx, e) }

// The words a customer reads name the keys, what is wrong with them, and what to do.
func TestRefusalsNameTheKeys(t *testing.T) {
	t.Parallel()
	const a, b = "contoso-east/root1", "contoso-west/root2"
	closed := fault.New(fault.Denied, "no").WithReason("AccessDenied")
	odd := fault.New(fault.Denied, "no").WithReason("Teapot")
	for _, tt := range []struct {
		one, two      error
		message, hint string
	}{
		{disabled, disabled, "both root keys of the policy, " + a + " and " + b + ", are disabled by their owner", "enable " + a + " or " + b},
		{disabled, closed, "both root keys of the policy are denied: " + a + " is disabled by its owner, " + b + " is closed to the service by its owner",
			"enable " + a + ", or give the service get, wrapKey and unwrapKey on " + b},
		{odd, odd, "both root keys of the policy, " + a + " and " + b + ", are refused by their owner", "give the service the use of " + a + " or " + b},
		{down, disabled, "root key " + b + " of the policy is disabled by its owner, and " + a + " cannot be reached", "enable " + b + ", or bring the vault of " + a + " back"},
		{disabled, down, "root key " + a + " of the policy is disabled by its owner, and " + b + " cannot be reached", "enable " + a + ", or bring the vault of " + b + " back"},
	} {
		w := newWorld(t, nil)
		g := w.mustGeneration(policy, 1)
		w.fail(tt.one, tt.two)
		_, err := w.keys.Lease(context.Background(), alice, tenant, g.ID)
		e := fault.As(err)
		if e.Message != tt.message || e.Hint != tt.hint {
			t.Errorf("got  %q\nwant %q\nhint %q\nwant %q", e.Message, tt.message, e.Hint, tt.hint)
		}
	}
}

// Once the availability key is destroyed, denial is final for system work too (CK-50); while it
// is out of order, it is an outage.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		roots, availability error
		want                fault.Code
	}{
		{disabled, fault.New(fault.Conflict, "destroyed").WithReason("KeyDestroyed"), fault.Denied},
		{disabled, down, fault.Unavailable},
		{down, fault.New(fault.Conflict, "destroyed").WithReason("KeyDestroyed"), fault.Unavailable},
	} {
		w := newWorld(t, nil)
		g := w.mustGeneration(policy, 1)
		w.fail(tt.roots, tt.roots)
		w.availability.set(tt.availability)
		_, err := w.keys.Lease(context.Background(), system, tenant, g.ID)
		wantCode(t, "lease", err, tt.want)
	}
}

// A key that is not the one the generation was made with is never used.
func TestWrongKeyFromAvailability(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	wrong, err := envelope.WrapKey(w.availability.key, envelope.NewKey(), availabilityBinding(g))
	if err != nil {
		t.Fatal(err)
	}
	w.store.generations[0].AvailabilityWrapped = wrong
	w.fail(down, down)
	_, err = w.keys.Lease(context.Background(), alice, tenant, g.ID)
	wantCode(t, "lease", err, fault.Unavailable)
}

// A policy key whose lease cannot be recorded is overwritten.
func TestUnrecordedKeyIsOverwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.silence("lease.grant")
	_, err := w.keys.Lease(context.Background(), alice, tenant, g.ID)
	wantCode(t, "lease", err, fault.Unavailable)
	if !w.roots[0].gave.IsZero() {
		t.Error("the policy key is still in memory")
	}
	w.silence()
}
