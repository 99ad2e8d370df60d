package request_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
)

// Row CK-217: officers, per family. The first is named at once, every later change is approved
// by somebody else: an officer, or an operator where none is left.
func TestOfficers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		second := w.person("second", c.id)
		names := func(want ...string) {
			t.Helper()
			all, err := w.service.Officers(ctx, c.admin)
			if err != nil || len(all) != len(want) {
				t.Fatalf("the officers are %v, %v, want %v", all, err, want)
			}
			for i, o := range all {
				if o.Family+"/"+o.Person.Name != want[i] {
					t.Errorf("officer %d is %s/%s, want %s", i, o.Family, o.Person.Name, want[i])
				}
			}
		}
		names("mailbox/officer")
		r, err := w.service.AddOfficer(ctx, c.admin, "mailbox", "second")
		if err != nil || r == nil {
			t.Fatalf("naming the second: %v, %v", r, err)
		}
		names("mailbox/officer")
		_, err = w.service.Approve(ctx, second, r.ID, r.Digest())
		wants(t, "approved by who is not one yet", err, fault.Forbidden, "")
		_, err = w.service.Approve(ctx, c.admin, r.ID, r.Digest())
		wants(t, "approved by who asked", err, fault.Forbidden, request.ReasonOwn)
		w.mustApprove(c.officer, *r)
		w.runAll(c.id)
		names("mailbox/officer", "mailbox/second")

		r, err = w.service.RemoveOfficer(ctx, c.admin, "mailbox", "officer")
		if err != nil {
			t.Fatal(err)
		}
		w.mustApprove(w.operator, *r)
		w.runAll(c.id)
		names("mailbox/second")
		if _, err := w.service.AddOfficer(ctx, c.admin, "sharepoint", "second"); err != nil {
			t.Error(err)
		}
		names("mailbox/second", "sharepoint/second")
	})
}

func TestOfficersRefused(t *testing.T) {
	embedded(t, func(t *testing.T, w *world) {
		ctx, c, other := t.Context(), w.tenant(), w.tenant()
		compliance := w.person("compliance", c.id, directory.ComplianceAdministrator)
		program := c.admin
		program.Kind, program.ID = directory.App, uuid.NewString()
		add := func(who directory.Caller, family, name string) error {
			_, err := w.service.AddOfficer(ctx, who, family, name)
			return err
		}
		wants(t, "by a compliance administrator", add(compliance, "sharepoint", "officer"), fault.Forbidden, "")
		wants(t, "by an officer", add(c.officer, "sharepoint", "officer"), fault.Forbidden, "")
		wants(t, "by an operator", add(w.operator, "sharepoint", "officer"), fault.Forbidden, "")
		wants(t, "by a program", add(program, "sharepoint", "officer"), fault.Forbidden, "")
		wants(t, "by nobody", add(directory.Caller{}, "sharepoint", "officer"), fault.Unauthenticated, "")
		wants(t, "for no family", add(c.admin, "yammer", "officer"), fault.Invalid, "")
		wants(t, "nobody of that name", add(c.admin, "sharepoint", "ghost"), fault.NotFound, "")
		wants(t, "of another organization", add(c.admin, "sharepoint", other.officer.ID), fault.NotFound, "")
		wants(t, "twice", add(c.admin, "mailbox", "officer"), fault.Conflict, request.ReasonTwice)
		_, err := w.service.RemoveOfficer(ctx, c.admin, "mailbox", "admin")
		wants(t, "removing who is none", err, fault.NotFound, "")
		_, err = w.service.Officers(ctx, w.person("alice", c.id))
		wants(t, "read by anybody", err, fault.Forbidden, "")
		if all, err := w.service.Officers(ctx, c.officer); err != nil || len(all) != 1 {
			t.Errorf("an officer reads %v, %v", all, err)
		}
	})
}

// Two first officers named at once: one is the first, the other takes an approval.
func TestFirstOfficersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := uuid.NewString()
		admin := w.person("admin", id, directory.GlobalAdministrator)
		w.person("x", id)
		w.person("y", id)
		errs := make(chan error, 2)
		for _, name := range []string{"x", "y"} {
			go func() {
				r, err := w.service.AddOfficer(t.Context(), admin, "mailbox", name)
				if err == nil && r != nil {
					err = request.NotFirst() // it came second, and was asked for
				}
				errs <- err
			}()
		}
		failed := 0
		for range 2 {
			if err := <-errs; err != nil {
				wants(t, "the second", err, fault.Conflict, request.ReasonOfficers)
				failed++
			}
		}
		all, err := w.service.Officers(t.Context(), admin)
		if err != nil || failed != 1 || len(all) != 1 {
			t.Errorf("%d failed, and the officers are %v, %v", failed, all, err)
		}
	})
}

// Between asking and approving things change: who has left meanwhile does not become an officer,
// and no family gets more of them than it can have.
func TestOfficersNamedLate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		add := func(name string) request.Request {
			t.Helper()
			w.person(name, c.id)
			r, err := w.service.AddOfficer(ctx, c.admin, "mailbox", name)
			if err != nil || r == nil {
				t.Fatalf("naming %s: %v, %v", name, r, err)
			}
			return *r
		}
		failed := func(what string, r request.Request) {
			t.Helper()
			w.mustApprove(c.officer, r)
			w.runAll(c.id)
			if got := w.mustGet(c.admin, r); got.State != request.Failed || got.Outcome == "" {
				t.Errorf("%s: the request is %s, %q", what, got.State, got.Outcome)
			}
		}
		left := add("left")
		delete(w.people, c.id+"/left")
		failed("somebody who has left", left)

		last := add("last")
		for n := range request.MaxOfficers - 1 {
			p := request.Person{Tenant: c.id, ID: uuid.NewString(), Name: fmt.Sprint("officer", n)}
			if err := w.rows.SetOfficer(ctx, request.Officership{Tenant: c.id, Family: "mailbox", Person: p, Named: w.now()}, false, false); err != nil {
				t.Fatal(err)
			}
		}
		failed("one too many", last)
		again := request.Officership{Tenant: c.id, Family: "mailbox", Person: request.Person{Tenant: c.id, ID: c.officer.ID}, Named: w.now()}
		if err := w.rows.SetOfficer(ctx, again, false, false); err != nil {
			t.Errorf("naming who is one: %v", err)
		}
		all, err := w.service.Officers(ctx, c.admin)
		if err != nil || len(all) != request.MaxOfficers {
			t.Errorf("there are %d officers, %v", len(all), err)
		}
	})
}
