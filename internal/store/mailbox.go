package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/mailbox"
	mailboxsql "github.com/customerkey/customerkey/internal/store/gen/mailbox"
)

// Mailbox sees and keeps mailboxes, over the areas directory, workload and policy. It implements
// mailbox.Store.
type Mailbox struct{ db *DB }

// NewMailbox returns the mailboxes of db, which must have been opened with the three areas.
func NewMailbox(db *DB) *Mailbox { return &Mailbox{db: db} }

var _ mailbox.Store = (*Mailbox)(nil)

func (s *Mailbox) read(ctx context.Context, fn func(ctx context.Context, q *mailboxsql.Queries) error) error {
	return s.db.Read(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, mailboxsql.New(tx)) })
}

func (s *Mailbox) write(ctx context.Context, fn func(ctx context.Context, q *mailboxsql.Queries) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, mailboxsql.New(tx)) })
}

// boxRow is what each query of a mailbox returns: a person's, or another.
type boxRow mailboxsql.GetPersonBoxRow

// Mailbox implements mailbox.Store.
func (s *Mailbox) Mailbox(ctx context.Context, tenant, name string) (m mailbox.Mailbox, err error) {
	err = s.read(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		person, err := q.GetPersonBox(ctx, mailboxsql.GetPersonBoxParams{TenantID: tenant, Upn: name})
		if !errors.Is(err, sql.ErrNoRows) {
			m, err = mailboxOf(boxRow(person), err)
			return err
		}
		other, err := q.GetOtherBox(ctx, mailboxsql.GetOtherBoxParams{TenantID: tenant, Name: name})
		m, err = mailboxOf(boxRow(other), err)
		return err
	})
	return m, err
}

// MailboxByID implements mailbox.Store.
func (s *Mailbox) MailboxByID(ctx context.Context, tenant, id string) (m mailbox.Mailbox, err error) {
	err = s.read(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		person, err := q.GetPersonBoxByID(ctx, mailboxsql.GetPersonBoxByIDParams{TenantID: tenant, ID: id})
		if !errors.Is(err, sql.ErrNoRows) {
			m, err = mailboxOf(boxRow(person), err)
			return err
		}
		other, err := q.GetOtherBoxByID(ctx, mailboxsql.GetOtherBoxByIDParams{TenantID: tenant, ID: id})
		m, err = mailboxOf(boxRow(other), err)
		return err
	})
	return m, err
}

// Mailboxes implements mailbox.Store.
func (s *Mailbox) Mailboxes(ctx context.Context, tenant, after string, limit int) (list []mailbox.Mailbox, err error) {
	err = s.read(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		list = nil
		people, err := q.ListPersonBoxes(ctx, mailboxsql.ListPersonBoxesParams{TenantID: tenant, Upn: after, Limit: page(limit)})
		if err != nil {
			return err
		}
		others, err := q.ListOtherBoxes(ctx, mailboxsql.ListOtherBoxesParams{TenantID: tenant, Name: after, Limit: page(limit)})
		if err != nil {
			return err
		}
		rows := make([]boxRow, 0, len(people)+len(others))
		for _, row := range people {
			rows = append(rows, boxRow(row))
		}
		for _, row := range others {
			rows = append(rows, boxRow(row))
		}
		slices.SortFunc(rows, func(a, b boxRow) int { return strings.Compare(a.Name, b.Name) })
		for _, row := range rows[:min(len(rows), limit)] {
			m, err := mailboxOf(row, nil)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	return list, err
}

// AddMailbox implements mailbox.Store.
func (s *Mailbox) AddMailbox(ctx context.Context, m mailbox.Mailbox) error {
	return s.write(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		n, err := q.CountPeopleNamed(ctx, mailboxsql.CountPeopleNamedParams{TenantID: m.Tenant, Upn: m.Name})
		if err != nil {
			return err
		}
		var added int64
		if n == 0 {
			added, err = q.AddMailbox(ctx, rowOfMailbox(m, m.Kind))
		}
		if err == nil && added == 0 {
			return fault.New(fault.Conflict, "there is a mailbox %s already", m.Name).WithReason(mailbox.ReasonNameTaken).WithHint("choose another name")
		}
		return err
	})
}

// SetElsewhere implements mailbox.Store.
func (s *Mailbox) SetElsewhere(ctx context.Context, m mailbox.Mailbox, elsewhere bool) error {
	return s.write(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		if !elsewhere {
			return q.DeleteMailbox(ctx, mailboxsql.DeleteMailboxParams{TenantID: m.Tenant, Name: m.Name})
		}
		_, err := q.AddMailbox(ctx, rowOfMailbox(m, mailbox.MailUser)) // twice is as good as once
		return err
	})
}

func rowOfMailbox(m mailbox.Mailbox, kind mailbox.Kind) mailboxsql.AddMailboxParams {
	return mailboxsql.AddMailboxParams{
		TenantID: m.Tenant, Name: m.Name, ID: m.ID, Kind: string(kind), DisplayName: m.DisplayName, Created: micros(m.Created),
	}
}

// Licensed implements mailbox.Store. Nothing else than known licences is ever stored.
func (s *Mailbox) Licensed(ctx context.Context, tenant string) (licensed bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q *mailboxsql.Queries) error {
		n, err := q.CountLicensed(ctx, tenant)
		licensed = n > 0
		return err
	})
	return licensed, err
}

func mailboxOf(row boxRow, err error) (mailbox.Mailbox, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return mailbox.Mailbox{}, fault.New(fault.NotFound, "there is no such mailbox")
	}
	if err != nil {
		return mailbox.Mailbox{}, err
	}
	licences, err := decodeLicences(row.Licences)
	return mailbox.Mailbox{
		Tenant: row.TenantID, ID: row.ID, Name: row.Name, DisplayName: row.DisplayName, Kind: mailbox.Kind(row.Kind),
		Licences: licences, Container: row.ContainerID, Policy: row.PolicyID, Created: fromMicros(row.Created),
	}, err
}
