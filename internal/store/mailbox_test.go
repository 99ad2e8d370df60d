package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// People and other mailboxes are one list; containers and assignments stand beside them.
func TestMailboxes(t *testing.T) {
	eachPolicies(t, func(t *testing.T, s policies) {
		ctx := t.Context()
		boxes, people := store.NewMailbox(s.db), store.NewDirectory(s.db)
		p := s.mustFound("t", "P", policy.Mailbox)
		account := func(tenant, name string, licences ...directory.Licence) directory.Account {
			return directory.Account{Person: directory.Person{
				Tenant: tenant, ID: "id-" + name, UPN: name + "@x.example", DisplayName: name, Licences: licences, Created: someTime,
			}}
		}
		for _, a := range []directory.Account{account("t", "b", directory.Microsoft365E5), account("t", "d"), account("u", "b")} {
			s.must(people.AddPerson(ctx, a))
		}
		other := func(name string, k mailbox.Kind) mailbox.Mailbox {
			return mailbox.Mailbox{Tenant: "t", ID: "id-" + name, Name: name + "@x.example", DisplayName: name, Kind: k, Container: "id-" + name, Created: someTime}
		}
		s.must(boxes.AddMailbox(ctx, other("a", mailbox.Shared)))
		s.must(boxes.AddMailbox(ctx, other("c", mailbox.Group)))
		for _, name := range []string{"a", "b"} {
			if err := boxes.AddMailbox(ctx, other(name, mailbox.Room)); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second %s: %v", name, err)
			}
		}
		if err := people.AddPerson(ctx, account("t", "c")); !fault.Is(err, fault.Conflict) {
			t.Errorf("a person of a mailbox's name: %v", err)
		}
		s.must(store.NewWorkload(s.db).AddContainer(ctx, workload.Container{Tenant: "t", Workload: "exchange", Name: "d@x.example", ID: "old", Owner: "id-d", Created: someTime}))
		for _, container := range []string{"id-a", "old"} {
			s.must(s.Apply(ctx, policy.Edit{Tenant: "t", Assignment: &policy.Assignment{Family: policy.Mailbox, Container: container, Policy: p.ID}}))
		}
		b, d := other("b", mailbox.User), other("d", mailbox.User)
		b.Licences, d.Container, d.Policy = []directory.Licence{directory.Microsoft365E5}, "old", p.ID
		a := other("a", mailbox.Shared)
		a.Policy = p.ID
		want := []mailbox.Mailbox{a, b, other("c", mailbox.Group), d}
		for limit := 1; limit <= 5; limit++ {
			var got []mailbox.Mailbox
			for after, more := "", true; more; {
				page, err := boxes.Mailboxes(ctx, "t", after, limit)
				s.must(err)
				if more = len(page) == limit; len(page) > 0 {
					after = page[len(page)-1].Name
				}
				got = append(got, page...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("in pages of %d (-want +got):\n%s", limit, diff)
			}
		}
		s.must(boxes.SetElsewhere(ctx, b, true))
		s.must(boxes.SetElsewhere(ctx, b, true))
		b.Kind = mailbox.MailUser
		want[1] = b
		for _, m := range want {
			byName, err := boxes.Mailbox(ctx, "t", m.Name)
			s.must(err)
			byID, err := boxes.MailboxByID(ctx, "t", m.ID)
			if diff := cmp.Diff([]mailbox.Mailbox{m, m}, []mailbox.Mailbox{byName, byID}); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		s.must(boxes.SetElsewhere(ctx, b, false))
		if got, err := boxes.Mailbox(ctx, "t", b.Name); err != nil || got.Kind != mailbox.User {
			t.Errorf("here again: %+v, %v", got, err)
		}
		if _, err := boxes.Mailbox(ctx, "u", "a@x.example"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if _, err := boxes.MailboxByID(ctx, "t", "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("nothing: %v", err)
		}
		for tenant, want := range map[string]bool{"t": true, "u": false, "v": false} {
			if got, err := boxes.Licensed(ctx, tenant); err != nil || got != want {
				t.Errorf("tenant %s is licensed: %v, %v", tenant, got, err)
			}
		}
	})
}

// Licences are changed from what they were, or not at all.
func TestSetLicences(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ctx, people := t.Context(), store.NewDirectory(db)
		a := directory.Account{Person: directory.Person{Tenant: "t", ID: "i", UPN: "a@x.example"}}
		if err := people.AddPerson(ctx, a); err != nil {
			t.Fatal(err)
		}
		a.Licences = []directory.Licence{directory.Office365E5, directory.Microsoft365E5}
		if err := people.SetLicences(ctx, a, nil); err != nil {
			t.Fatal(err)
		}
		if err := people.SetLicences(ctx, a, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("from what they were before: %v", err)
		}
		got, err := people.Person(ctx, "t", "i")
		if diff := cmp.Diff(a.Licences, got.Licences); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
}

// BenchmarkMailboxes reads pages of 500 out of 50,000 mailboxes.
func BenchmarkMailboxes(b *testing.B) {
	db := storetest.SQLite(b, store.ServiceAreas()...)
	err := db.Write(b.Context(), func(ctx context.Context, q store.DBTX) error {
		for i := range 50_000 {
			_, err := q.ExecContext(ctx, `INSERT INTO directory_people (tenant_id, id, upn, display_name, roles, disabled, must_change, password, epoch, created)
				VALUES ('t', $1, $2, 'x', '[]', FALSE, FALSE, '', 0, 0)`, fmt.Sprintf("i%06d", i), fmt.Sprintf("p%06d@x.example", i))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	boxes, after := store.NewMailbox(db), ""
	for b.Loop() {
		page, err := boxes.Mailboxes(b.Context(), "t", after, 500)
		if err != nil {
			b.Fatal(err)
		}
		if after = ""; len(page) == 500 {
			after = page[499].Name
		}
	}
}
