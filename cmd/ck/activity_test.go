package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
)

// CK-362: every command that changes something, carried out as somebody types it, leaves a record with
// its result, and the log has its beginning before anything that it decided. Those of operators are
// external.
func TestCK362_RecordOfEveryCommand(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	acts, err := activity.New(activity.Config{Log: r.node.serviceLog})
	r.done(err)
	succeeded := 0
	for _, l := range r.lines() {
		request := uuid.NewString()
		who := r.who[l.who]
		who.Request = request
		r.who[l.who] = who
		_, _, failed := r.run(l, false)
		name := strings.Fields(l.text)[0]
		if strings.Contains(l.text, "-OnboardingMode Validate") || strings.Contains(l.text, "-All") {
			continue // it changes nothing; it is about no organization
		}
		var found []activity.Record
		r.done(acts.Search(t.Context(), r.who["boss"], activity.Query{Operations: []string{name}}, func(record activity.Record) error {
			if record.Caller.Request == request {
				found = append(found, record)
			}
			return nil
		}))
		if len(found) != 1 || found[0].External() != (l.who == "operator") || (found[0].Result == activity.Succeeded) != (failed == nil) {
			t.Errorf("%s, which ended with %v: %+v", l.text, failed, found)
			continue
		}
		if failed == nil {
			succeeded++
			r.wantBegun(l.text, request, found[0])
		}
	}
	if succeeded < 25 {
		t.Errorf("only %d of the commands did anything", succeeded)
	}
	r.wantOwnLogOnly()
}

// wantOwnLogOnly fails if a command that names another organization is written to its log, though
// who gave it is no operator.
func (r *rehearsal) wantOwnLogOnly() {
	r.t.Helper()
	request, boss := uuid.NewString(), r.who["boss"]
	boss.Request = request
	r.who["boss"] = boss
	provider := r.who["operator"].Tenant
	if _, _, err := r.run(line{who: "boss", text: "Add-CKGeo -Tenant " + provider + " -Geo sea"}, false); !fault.Is(err, fault.Forbidden) {
		r.t.Errorf("a geo for another organization: %v", err)
	}
	head, err := r.node.serviceLog.Head(r.t.Context(), provider)
	r.done(err)
	last, err := r.node.serviceLog.Entries(r.t.Context(), provider, max(-1, head.Size-100), 100)
	r.done(err)
	if slices.ContainsFunc(last, func(s audit.Stored) bool { return s.Entry.Caller.Request == request }) {
		r.t.Error("it is in the log of the other organization")
	}
}

// wantBegun fails unless the log has the beginning of a command before anything that the command
// decided.
func (r *rehearsal) wantBegun(text, request string, record activity.Record) {
	r.t.Helper()
	for after := int64(-1); ; {
		page, err := r.node.serviceLog.Entries(r.t.Context(), r.contoso.id, after, 1000)
		r.done(err)
		i := slices.IndexFunc(page, func(s audit.Stored) bool { // that somebody looked is told where an operator did
			return s.Entry.Caller.Request == request && !strings.HasSuffix(s.Entry.Action, ".read")
		})
		if i >= 0 {
			if page[i].Index != record.Index {
				r.t.Errorf("%s begins with %s, not with its record", text, page[i].Leaf)
			}
			return
		}
		after = page[len(page)-1].Index
	}
}
