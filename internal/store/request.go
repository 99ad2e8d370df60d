package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
	requestsql "github.com/customerkey/customerkey/internal/store/gen/request"
)

// Request keeps requests for approval and officers in the area request, beside the area
// operation. It implements request.Store.
type Request struct{ db *DB }

// NewRequest returns the requests of db, which must have been opened with both areas.
func NewRequest(db *DB) *Request { return &Request{db: db} }

var _ request.Store = (*Request)(nil)

// Request implements request.Store.
func (s *Request) Request(ctx context.Context, tenant, id string) (request.Request, error) {
	return s.one(ctx, func(ctx context.Context, q *requestsql.Queries) (requestsql.Request, error) {
		return q.GetRequest(ctx, requestsql.GetRequestParams{TenantID: tenant, ID: id})
	})
}

// ForOperator implements request.Store.
func (s *Request) ForOperator(ctx context.Context, id string) (request.Request, error) {
	return s.one(ctx, func(ctx context.Context, q *requestsql.Queries) (requestsql.Request, error) {
		return q.GetRequestForOperator(ctx, id)
	})
}

func (s *Request) one(ctx context.Context, get func(context.Context, *requestsql.Queries) (requestsql.Request, error)) (r request.Request, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := get(ctx, requestsql.New(q))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such request")
		}
		if err != nil {
			return err
		}
		r, err = requestOf(row)
		return err
	})
	return r, err
}

// Requests implements request.Store.
func (s *Request) Requests(ctx context.Context, tenant, after string, ended bool, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		return listRequests(ctx, q, tenant, after, ended, page(limit))
	})
}

func listRequests(ctx context.Context, q *requestsql.Queries, tenant, after string, ended bool, limit int32) ([]requestsql.Request, error) {
	if ended {
		return q.ListRequests(ctx, requestsql.ListRequestsParams{TenantID: tenant, ID: after, Limit: limit})
	}
	return q.ListOpenRequests(ctx, requestsql.ListOpenRequestsParams{TenantID: tenant, ID: after, Limit: limit})
}

// OperatorRequests implements request.Store.
func (s *Request) OperatorRequests(ctx context.Context, tenant, after string, ended bool, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		own, err := listRequests(ctx, q, tenant, after, ended, page(limit))
		if err != nil {
			return nil, err
		}
		others, err := q.ListOperatorRequests(ctx, requestsql.ListOperatorRequestsParams{ID: after, Limit: page(limit)})
		others = slices.DeleteFunc(others, func(r requestsql.Request) bool { return r.TenantID == tenant })
		return merged(own, others, limit), err
	})
}

// merged returns the first of two lists in the order of their ids.
func merged(a, b []requestsql.Request, limit int) (list []requestsql.Request) {
	for len(list) < limit && len(a)+len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].ID < b[0].ID {
			list, a = append(list, a[0]), a[1:]
		} else {
			list, b = append(list, b[0]), b[1:]
		}
	}
	return list
}

// Overdue implements request.Store.
func (s *Request) Overdue(ctx context.Context, now time.Time, after request.Place, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		return q.ListOverdueRequests(ctx, requestsql.ListOverdueRequestsParams{
			ExpiresAt: micros(now), TenantID: after.Tenant, ID: after.ID, Limit: page(limit),
		})
	})
}

// Lost implements request.Store.
func (s *Request) Lost(ctx context.Context, after request.Place, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		return q.ListLostRequests(ctx, requestsql.ListLostRequestsParams{TenantID: after.Tenant, ID: after.ID, Limit: page(limit)})
	})
}

// list returns what get finds. One row that cannot be read keeps no other back: it says so itself.
func (s *Request) list(ctx context.Context, get func(context.Context, *requestsql.Queries) ([]requestsql.Request, error)) (all []request.Request, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := get(ctx, requestsql.New(q))
		if err != nil {
			return err
		}
		all = make([]request.Request, len(rows))
		for i, row := range rows {
			all[i], all[i].Unreadable = requestOf(row)
		}
		return nil
	})
	return all, err
}

// Officers implements request.Store.
func (s *Request) Officers(ctx context.Context, tenant string) (all []request.Officership, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := requestsql.New(q).ListOfficers(ctx, tenant)
		all = make([]request.Officership, len(rows))
		for i, row := range rows {
			all[i] = request.Officership{
				Tenant: row.TenantID, Family: row.Family, Named: fromMicros(row.NamedAt),
				Person:  request.Person{Tenant: row.TenantID, ID: row.PersonID, Name: row.Name},
				NamedBy: request.Person{Tenant: row.TenantID, ID: row.NamedByID, Name: row.NamedByName},
			}
		}
		return err
	})
	return all, err
}

// requestOf turns a row into a request.
func requestOf(row requestsql.Request) (request.Request, error) {
	r := request.Request{
		Tenant: row.TenantID, ID: row.ID, Kind: request.Kind(row.Kind), Family: row.Family, Subject: row.Subject,
		Reason: row.Reason, Contact: row.Contact, Needs: request.Needs(row.Needs), Wait: time.Duration(row.Wait) * time.Microsecond, Waited: time.Duration(row.Waited) * time.Microsecond,
		AskedBy: request.Person{Tenant: row.TenantID, ID: row.AskerID, Name: row.AskerName}, Asked: fromMicros(row.AskedAt),
		State: request.State(row.State), Expires: fromMicros(row.ExpiresAt), NotBefore: fromMicros(row.NotBefore), Operation: row.OperationID,
		EndedBy: request.Person{Tenant: row.EndedByTenant, ID: row.EndedByID, Name: row.EndedByName},
		Outcome: row.Outcome, Ended: fromMicros(row.EndedAt), Updated: fromMicros(row.UpdatedAt), Revision: row.Revision,
	}
	if err := errors.Join(json.Unmarshal([]byte(row.Detail), &r.Detail), json.Unmarshal([]byte(row.Approvals), &r.Approvals)); err != nil {
		return r, fault.Wrap(fault.Corrupt, err, "the request %s cannot be read", row.ID).WithHint("restore the database from a backup")
	}
	return r, nil
}
