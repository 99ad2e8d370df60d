package request_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// Rows CK-217, CK-260 and CK-282: an officer and an operator approve, and the deed is done once.
func TestTwoApprovalsAndDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.tenant()
		r := w.mustAsk(c.admin, "both", "p1")
		if r.State != request.Waiting || len(r.Missing()) != 2 {
			t.Fatalf("asked: %+v", r)
		}
		if got := w.mustGet(c.officer, r); got.Digest() != r.Digest() || got.Fact("Mailboxes") != "3" {
			t.Errorf("stored and read back it is %+v", got)
		}
		if r = w.mustApprove(w.operator, r); r.State != request.Waiting || r.Operation != "" {
			t.Fatalf("one approval is not enough: %+v", r)
		}
		if r = w.mustApprove(c.officer, r); r.State != request.Approved || r.Operation == "" {
			t.Fatalf("after two: %+v", r)
		}
		w.runAll(c.id)
		if r = w.mustGet(c.admin, r); r.State != request.Done || r.Outcome != "3 mailboxes" || w.ran(r) != 1 {
			t.Errorf("after the deed, which ran %d times: %+v", w.ran(r), r)
		}
		log := w.entries(c.id)
		for entry, n := range map[string]int{"request.ask allow": 1, "request.approve allow": 2, "request.finish allow": 2, "officer.add allow": 1} {
			if log[entry] != n {
				t.Errorf("the customer's log has %d of %q, want %d", log[entry], entry, n)
			}
		}
		if own := w.entries(w.provider); own["request.approve allow"] != 1 {
			t.Errorf("the operator's log has %v", own)
		}
	})
}

func TestRuleApprovesByItself(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		c := w.tenant()
		r := w.mustAsk(c.admin, "rule", "mailbox")
		if r.State != request.Approved {
			t.Fatalf("it is %s", r.State)
		}
		w.runAll(c.id)
		if r = w.mustGet(c.admin, r); r.State != request.Done || w.ran(r) != 1 {
			t.Errorf("it is %s, and its deed ran %d times", r.State, w.ran(r))
		}
	})
}

// Separation of duties: who may approve what, and what an approval that comes wrong gets.
func TestWhoApproves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c, other := t.Context(), w.tenant(), w.tenant()
		reader := w.person("reader", c.id, directory.GlobalReader)
		nobody := w.person("nobody", c.id)
		program := directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.App, Name: "app", Roles: []directory.Role{directory.GlobalAdministrator}}
		r := w.mustAsk(c.admin, "both", "p1")
		approve := func(who directory.Caller, digest string) error {
			_, err := w.service.Approve(ctx, who, r.ID, digest)
			return err
		}
		good := r.Digest()
		wants(t, "his own", approve(c.admin, good), fault.Forbidden, request.ReasonOwn)
		wants(t, "a reader", approve(reader, good), fault.Forbidden, "")
		wants(t, "nobody", approve(nobody, good), fault.Forbidden, "")
		wants(t, "a program", approve(program, good), fault.Forbidden, "")
		wants(t, "the system", approve(directory.SystemCaller(c.id, "x", "y"), good), fault.Forbidden, "")
		wants(t, "an officer of another organization", approve(other.officer, good), fault.NotFound, "")
		wants(t, "nobody at all", approve(directory.Caller{}, good), fault.Unauthenticated, "")
		wants(t, "another digest", approve(c.officer, strings.Repeat("0", 64)), fault.Conflict, request.ReasonDigest)
		wants(t, "no digest", approve(c.officer, ""), fault.Conflict, request.ReasonDigest)
		w.mustApprove(c.officer, r)
		wants(t, "twice", approve(c.officer, good), fault.Conflict, request.ReasonTwice)
		w.mustApprove(w.operator, r)
		wants(t, "replayed by the officer", approve(c.officer, good), fault.Conflict, request.ReasonTwice)
		wants(t, "replayed by the operator", approve(w.operator, good), fault.Conflict, request.ReasonTwice)
		second := w.person("operator2", w.provider, directory.ServiceOperator)
		wants(t, "after all", approve(second, good), fault.Conflict, request.ReasonEnded)
		w.runAll(c.id)
		wants(t, "replayed after the deed", approve(c.officer, good), fault.Conflict, request.ReasonTwice)
		if n := w.entries(c.id)["request.approve deny"]; n < 9 {
			t.Errorf("%d refusals are recorded", n)
		}
	})
}

// One person is one approval, also who is officer and operator; nobody approves his own by the
// other hat.
func TestOnePersonOneApproval(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		both := w.person("both", w.provider, directory.ServiceOperator, directory.GlobalAdministrator)
		admin := w.person("admin", w.provider, directory.GlobalAdministrator)
		if _, err := w.service.AddOfficer(ctx, admin, "mailbox", "both"); err != nil {
			t.Fatal(err)
		}
		r := w.mustApprove(both, w.mustAsk(admin, "both", "p1"))
		if len(r.Approvals) != 1 || r.State != request.Waiting {
			t.Fatalf("it counted as %+v", r.Approvals)
		}
		_, err := w.service.Approve(ctx, both, r.ID, r.Digest())
		wants(t, "the other hat", err, fault.Conflict, request.ReasonTwice)
		w.mustApprove(w.operator, r)

		own := w.mustAsk(both, "operator", "p2")
		_, err = w.service.Approve(ctx, both, own.ID, own.Digest())
		wants(t, "his own as an operator", err, fault.Forbidden, request.ReasonOwn)
	})
}

func TestWhoAsks(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		ask := func(who directory.Caller, change func(*request.Ask)) error {
			a := request.Ask{Kind: "both", Family: "mailbox", Subject: "p1", Reason: "r"}
			change(&a)
			_, err := w.service.Ask(ctx, who, a)
			return err
		}
		same := func(*request.Ask) {}
		program := c.admin
		program.Kind = directory.App
		wants(t, "an officer", ask(c.officer, same), fault.Forbidden, "")
		wants(t, "a program", ask(program, same), fault.Forbidden, "")
		wants(t, "an operator", ask(w.operator, same), fault.Forbidden, "")
		wants(t, "nobody", ask(directory.Caller{}, same), fault.Unauthenticated, "")
		wants(t, "no officer", ask(c.admin, func(a *request.Ask) { a.Family = "sharepoint" }), fault.Conflict, request.ReasonNoOfficer)
		wants(t, "no family", ask(c.admin, func(a *request.Ask) { a.Family = "yammer" }), fault.Invalid, "")
		wants(t, "no subject", ask(c.admin, func(a *request.Ask) { a.Subject = "" }), fault.Invalid, "")
		wants(t, "a terminal's escape", ask(c.admin, func(a *request.Ask) { a.Reason = "\x1b[2J" }), fault.Invalid, "")
		wants(t, "a long reason", ask(c.admin, func(a *request.Ask) { a.Reason = strings.Repeat("r", 1025) }), fault.Invalid, "")
		wants(t, "not text", ask(c.admin, func(a *request.Ask) { a.Contact = "\xff" }), fault.Invalid, "")
		wants(t, "too much", ask(c.admin, func(a *request.Ask) {
			a.Detail = []request.Fact{{Name: "x", Value: strings.Repeat("x", 256<<10)}}
		}), fault.TooLarge, "")
		wants(t, "an escape in a fact", ask(c.admin, func(a *request.Ask) { a.Detail = []request.Fact{{Name: "x", Value: "a\nb"}} }), fault.Invalid, "")
		wants(t, "no such kind", ask(c.admin, func(a *request.Ask) { a.Kind = "party" }), fault.Internal, "")
		if err := ask(c.admin, same); err != nil {
			t.Fatal(err)
		}
		wants(t, "again", ask(c.admin, same), fault.Conflict, request.ReasonOpen)
		program.ID = uuid.NewString()
		wants(t, "a program where no officer decides", ask(program, func(a *request.Ask) { a.Kind = "operator" }), "", "")
	})
}

// An administrator who is the only officer could approve nothing of his own.
func TestOnlyOfficerAsks(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		id := uuid.NewString()
		alone := w.person("alone", id, directory.GlobalAdministrator)
		if _, err := w.service.AddOfficer(t.Context(), alone, "mailbox", "alone"); err != nil {
			t.Fatal(err)
		}
		_, err := w.service.Ask(t.Context(), alone, request.Ask{Kind: "both", Family: "mailbox", Subject: "p"})
		wants(t, "asking", err, fault.Conflict, request.ReasonNoOfficer)
	})
}

// Two approvals at the same moment both count, and one operation comes of them.
func TestApprovalsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		for range 10 {
			r := w.mustAsk(c.admin, "both", uuid.NewString())
			var both sync.WaitGroup
			var errs [4]error
			for i, who := range []directory.Caller{c.officer, w.operator, c.officer, w.operator} {
				both.Go(func() { _, errs[i] = w.service.Approve(ctx, who, r.ID, r.Digest()) })
			}
			both.Wait()
			failed := 0
			for _, err := range errs {
				if err != nil {
					wants(t, "the same person twice", err, fault.Conflict, "")
					failed++
				}
			}
			r = w.mustGet(c.admin, r)
			if failed != 2 || r.State != request.Approved || len(r.Approvals) != 2 {
				t.Fatalf("%d failed: %+v", failed, r)
			}
		}
		ops, err := store.NewOperation(w.db).List(ctx, c.id, "", 100)
		if err != nil || len(ops) != 10 {
			t.Errorf("there are %d operations for 10 requests, %v", len(ops), err)
		}
		w.runAll(c.id)
	})
}

// Row CK-260: a waiting period in which it can be stopped.
func TestWaitingPeriod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		approved := func(subject string) request.Request {
			r := w.mustApprove(w.operator, w.mustAsk(c.admin, "slow", subject))
			return w.mustApprove(c.officer, r)
		}
		r := approved("p1")
		if !r.NotBefore.Equal(start.Add(time.Hour)) {
			t.Fatalf("it takes effect at %v", r.NotBefore)
		}
		w.runAll(c.id)
		w.pass(59 * time.Minute)
		w.runAll(c.id)
		if w.ran(r) != 0 {
			t.Fatal("it began too early")
		}
		stop := func(s string, do func(r request.Request) error) {
			r := approved(s)
			if err := do(r); err != nil {
				t.Errorf("%s: %v", s, err)
			}
			w.pass(2 * time.Hour)
			w.runAll(c.id)
			if got := w.mustGet(c.admin, r); w.ran(r) != 0 || got.State.Open() {
				t.Errorf("%s: stopped, it is %s and its deed ran %d times", s, got.State, w.ran(r))
			}
			if op, err := store.NewOperation(w.db).Get(ctx, c.id, r.Operation); err != nil || op.State != operation.Cancelled {
				t.Errorf("%s: its operation is %s, %v", s, op.State, err)
			}
		}
		stop("withdrawn by who asked", func(r request.Request) error { _, err := w.service.Withdraw(ctx, c.admin, r.ID, "no"); return err })
		stop("denied by the officer", func(r request.Request) error { _, err := w.service.Deny(ctx, c.officer, r.ID, "no"); return err })
		stop("denied by the operator", func(r request.Request) error { _, err := w.service.Deny(ctx, w.operator, r.ID, "no"); return err })
		if w.ran(r) != 1 {
			t.Errorf("the first one ran %d times", w.ran(r))
		}
		_, err := w.service.Withdraw(ctx, c.admin, r.ID, "")
		wants(t, "stopping what is done", err, fault.Conflict, request.ReasonEnded)
	})
}

// An operation that is claimed too early, by whatever hand, waits for the request's time.
func TestOperationTooEarly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.tenant()
		r := w.mustApprove(c.officer, w.mustApprove(w.operator, w.mustAsk(c.admin, "slow", "p1")))
		err := w.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
			res, err := q.ExecContext(ctx, `UPDATE operations SET due_at = 1 WHERE id = $1`, r.Operation)
			if err != nil {
				return err
			}
			return oneRow(res)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.runAll(c.id)
		if got := w.mustGet(c.admin, r); w.ran(r) != 0 || got.State != request.Approved {
			t.Errorf("its deed ran %d times, and it is %s", w.ran(r), got.State)
		}
		w.pass(2 * time.Hour)
		w.runAll(c.id)
		if got := w.mustGet(c.admin, r); w.ran(r) != 1 || got.State != request.Done {
			t.Errorf("in its time the deed ran %d times, and it is %s", w.ran(r), got.State)
		}
	})
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		r, swept := w.mustAsk(c.admin, "operator", "p1"), w.mustAsk(c.admin, "operator", "p2")
		w.pass(time.Hour)
		if got := w.mustGet(c.admin, r); got.State != request.Waiting {
			t.Errorf("after an hour exactly it is %s", got.State)
		}
		w.pass(time.Microsecond)
		_, err := w.service.Approve(ctx, w.operator, r.ID, r.Digest())
		wants(t, "too late", err, fault.Conflict, request.ReasonEnded)
		if err := w.service.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		w.set(-30 * time.Minute) // does not bring it back
		for _, r := range []request.Request{r, swept} {
			_, err = w.service.Approve(ctx, w.operator, r.ID, r.Digest())
			wants(t, "after the clock was set back", err, fault.NotFound, "")
			if got := w.mustGet(c.admin, r); got.State != request.Expired {
				t.Errorf("it is %s", got.State)
			}
		}
		again := w.mustAsk(c.admin, "operator", "p1")
		w.mustApprove(w.operator, again)
	})
}

func TestDenyAndWithdraw(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		colleague := w.person("colleague", c.id, directory.GlobalAdministrator)
		compliance := w.person("compliance", c.id, directory.ComplianceAdministrator)
		r := w.mustAsk(compliance, "both", "p1")
		_, err := w.service.Deny(ctx, c.admin, r.ID, "")
		wants(t, "denied by an administrator", err, fault.Forbidden, "")
		_, err = w.service.Withdraw(ctx, c.officer, r.ID, "")
		wants(t, "withdrawn by an officer", err, fault.Forbidden, "")
		_, err = w.service.Withdraw(ctx, w.operator, r.ID, "")
		wants(t, "withdrawn by an operator", err, fault.Forbidden, "")
		if r, err = w.service.Deny(ctx, c.officer, r.ID, "not today"); err != nil || r.State != request.Denied || r.Outcome != "not today" {
			t.Errorf("denied: %+v, %v", r, err)
		}
		_, err = w.service.Approve(ctx, w.operator, r.ID, r.Digest())
		wants(t, "approving what is denied", err, fault.NotFound, "") // operators see what they can decide
		_, err = w.service.Deny(ctx, c.officer, r.ID, "")
		wants(t, "denying twice", err, fault.Conflict, request.ReasonEnded)
		for _, who := range []directory.Caller{compliance, colleague} {
			r := w.mustAsk(compliance, "both", "p1")
			if r, err = w.service.Withdraw(ctx, who, r.ID, ""); err != nil || r.State != request.Withdrawn {
				t.Errorf("withdrawn by %s: %+v, %v", who.Name, r, err)
			}
		}
	})
}

// Tenants see their own; operators what an operator can decide; nobody else anything.
func TestWhoSees(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, a, b := t.Context(), w.tenant(), w.tenant()
		mine, theirs := w.mustAsk(a.admin, "both", "p1"), w.mustAsk(b.admin, "operator", "p1")
		inside := w.mustAsk(a.admin, "officer1", "p2")
		check := func(what string, c directory.Caller, want ...string) {
			t.Helper()
			if got := w.visible(c, true); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s sees %v, want %v", what, got, want)
			}
		}
		check("a's administrator", a.admin, mine.ID, inside.ID)
		check("a's officer", a.officer, mine.ID, inside.ID)
		check("b's administrator", b.admin, theirs.ID)
		check("the operator", w.operator, mine.ID, theirs.ID)
		for _, log := range []string{a.id, b.id} { // a list shows as much as a look at one
			if n := w.entries(log)["request.read allow"]; n != 1 {
				t.Errorf("the log of a tenant whose request the operator has seen says so %d times", n)
			}
		}
		for _, get := range []struct {
			who directory.Caller
			r   request.Request
		}{{b.admin, mine}, {a.admin, theirs}, {w.operator, inside}} {
			_, err := w.service.Get(ctx, get.who, get.r.ID)
			wants(t, "another's", err, fault.NotFound, "")
		}
		_, err := w.service.Get(ctx, a.admin, "'; DROP TABLE requests")
		wants(t, "no id", err, fault.NotFound, "")
		err = w.service.Each(ctx, w.person("alice", a.id), "", true, func(request.Request) error { t.Error("alice sees it"); return nil })
		wants(t, "somebody without a part in it", err, fault.Forbidden, "")
		w.mustApprove(w.operator, theirs)
		w.runAll(b.id)
		check("the operator after the end", w.operator, mine.ID)
		check("b's administrator after the end", b.admin, theirs.ID)
		if got := w.visible(b.admin, false); len(got) != 0 {
			t.Errorf("of the open ones b sees %v", got)
		}
		if n := w.entries(a.id)["request.read deny"]; n != 1 {
			t.Errorf("%d refused looks are recorded", n)
		}
	})
}

// Long lists come in pages, with what ended in between.
func TestManyRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		var last request.Request
		for range request.MaxOpen {
			last = w.mustAsk(c.admin, "both", uuid.NewString())
		}
		_, err := w.service.Ask(ctx, c.admin, request.Ask{Kind: "both", Family: "mailbox", Subject: "one more"})
		wants(t, "one too many", err, fault.Conflict, request.ReasonTooMany)
		if _, err := w.service.Withdraw(ctx, c.admin, last.ID, ""); err != nil {
			t.Fatal(err)
		}
		one := w.mustAsk(c.admin, "both", "one more")
		all := w.visible(c.admin, true)
		if len(all) != request.MaxOpen+1 || all[len(all)-1] != one.ID {
			t.Errorf("the list has %d", len(all))
		}
		if open := w.visible(w.operator, false); len(open) != request.MaxOpen {
			t.Errorf("the operator sees %d", len(open))
		}
	})
}

// Without the record nothing happens.
func TestRecordFirst(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		r := w.mustApprove(w.operator, w.mustAsk(c.admin, "both", "p1"))
		w.log.refuse = true
		_, err := w.service.Approve(ctx, c.officer, r.ID, r.Digest())
		wants(t, "approving", err, fault.Unavailable, "")
		_, err = w.service.Ask(ctx, c.admin, request.Ask{Kind: "both", Family: "mailbox", Subject: "p2"})
		wants(t, "asking", err, fault.Unavailable, "")
		_, err = w.service.Withdraw(ctx, c.admin, r.ID, "")
		wants(t, "withdrawing", err, fault.Unavailable, "")
		_, err = w.service.Approve(ctx, c.admin, r.ID, r.Digest())
		wants(t, "a refusal", err, fault.Unavailable, "")
		w.log.refuse = false
		if got := w.mustGet(c.admin, r); got.Revision != r.Revision || len(w.visible(c.admin, true)) != 1 {
			t.Errorf("something changed: %+v", got)
		}
	})
}

// What other hands have changed in the row does not take effect.
func TestRowChangedByOtherHands(t *testing.T) {
	changes := map[string]string{
		"the detail":           `UPDATE requests SET detail = '[{"name":"Mailboxes","value":"99"}]' WHERE id = $1`,
		"the subject":          `UPDATE requests SET subject = 'p9' WHERE id = $1`,
		"an approval too few":  `UPDATE requests SET approvals = '[]' WHERE id = $1`,
		"the approvals' needs": `UPDATE requests SET needs = 'rule' WHERE id = $1`,
	}
	each(t, func(t *testing.T, w *world) {
		for what, text := range changes {
			c := w.tenant()
			r := w.mustApprove(c.officer, w.mustApprove(w.operator, w.mustAsk(c.admin, "both", "p1")))
			err := w.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				res, err := q.ExecContext(ctx, text, r.ID)
				if err != nil {
					return err
				}
				return oneRow(res)
			})
			if err != nil {
				t.Fatal(err)
			}
			w.runAll(c.id)
			if err := w.service.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := w.mustGet(c.admin, r); w.ran(r) != 0 || got.State != request.Failed {
				t.Errorf("%s: the deed ran %d times, and it is %s", what, w.ran(r), got.State)
			}
		}
	})
}

// A deed that fails for good fails its request; one that fails for now is tried again.
func TestDeedFails(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		c := w.tenant()
		w.fail = fault.New(fault.Invalid, "there is no such policy any more")
		r := w.mustAsk(c.admin, "rule", "p1")
		w.runAll(c.id)
		if r = w.mustGet(c.admin, r); r.State != request.Failed || r.Outcome != "there is no such policy any more" {
			t.Errorf("%+v", r)
		}
		w.fail = fault.New(fault.Unavailable, "the vault does not answer")
		r = w.mustAsk(c.admin, "rule", "p2")
		w.runAll(c.id)
		if got := w.mustGet(c.admin, r); got.State != request.Running {
			t.Errorf("it is %s", got.State)
		}
		w.fail = nil
		w.pass(time.Hour)
		w.runAll(c.id)
		if got := w.mustGet(c.admin, r); got.State != request.Done || w.ran(r) != 2 {
			t.Errorf("it is %s after %d tries", got.State, w.ran(r))
		}
	})
}

// A request whose operation was cancelled hears of it.
func TestOperationCancelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		r := w.mustAsk(c.admin, "rule", "p1")
		if _, err := store.NewOperation(w.db).Cancel(ctx, c.id, r.Operation, w.now()); err != nil {
			t.Fatal(err)
		}
		if err := w.service.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if got := w.mustGet(c.admin, r); got.State != request.Failed {
			t.Errorf("it is %s", got.State)
		}
		// An operation that no request was approved for does nothing.
		op, err := operation.Fresh(c.id, "rule", r.ID, w.now())
		if err == nil {
			err = store.NewOperation(w.db).Add(ctx, op)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.runAll(c.id)
		if w.ran(r) != 0 {
			t.Error("a forged operation did the deed")
		}
	})
}

func oneRow(res sql.Result) error {
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.New("it changed no row")
	}
	return nil
}
