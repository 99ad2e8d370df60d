package store

import (
	"context"
	"encoding/json"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/request"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
	requestsql "github.com/customerkey/customerkey/internal/store/gen/request"
)

// Apply implements request.Store.
func (s *Request) Apply(ctx context.Context, e request.Edit) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if e.Fence != nil {
			if err := SaveOperation(ctx, q, *e.Fence); err != nil {
				return err
			}
		}
		if err := putRequest(ctx, requestsql.New(q), e.Request); err != nil {
			return err
		}
		if e.Cancel != "" {
			if err := cancelOperation(ctx, operationsql.New(q), e.Request, e.Cancel); err != nil {
				return err
			}
		}
		if e.Operation != nil {
			return AddOperation(ctx, q, *e.Operation)
		}
		return nil
	})
}

// cancelOperation keeps the operation of a request that was called off from beginning.
func cancelOperation(ctx context.Context, q *operationsql.Queries, r request.Request, id string) error {
	at := micros(r.Updated)
	if err := q.CancelRunning(ctx, operationsql.CancelRunningParams{UpdatedAt: at, TenantID: r.Tenant, ID: id}); err != nil {
		return err
	}
	return q.CancelWaiting(ctx, operationsql.CancelWaitingParams{UpdatedAt: at, TenantID: r.Tenant, ID: id})
}

// putRequest adds a request, or replaces the revision of it that r names.
func putRequest(ctx context.Context, q *requestsql.Queries, r request.Request) error {
	approvals, err := jsonList(r.Approvals)
	if err != nil {
		return err
	}
	if r.Revision == 0 {
		return addRequest(ctx, q, r, approvals)
	}
	n, err := q.ReplaceRequest(ctx, requestsql.ReplaceRequestParams{
		State: string(r.State), Approvals: approvals, NotBefore: micros(r.NotBefore), OperationID: r.Operation,
		EndedByTenant: r.EndedBy.Tenant, EndedByID: r.EndedBy.ID, EndedByName: r.EndedBy.Name, Outcome: r.Outcome,
		EndedAt: micros(r.Ended), UpdatedAt: micros(r.Updated), IsOpen: r.State.Open(), ForOperator: r.ForOperator(),
		TenantID: r.Tenant, ID: r.ID, Revision: r.Revision,
	})
	if err == nil && n == 0 {
		return request.Stale()
	}
	return err
}

func addRequest(ctx context.Context, q *requestsql.Queries, r request.Request, approvals string) error {
	same, err := q.CountSameRequests(ctx, requestsql.CountSameRequestsParams{TenantID: r.Tenant, Kind: string(r.Kind), Subject: r.Subject})
	if err != nil {
		return err
	}
	if same > 0 {
		return request.Again()
	}
	open, err := q.CountOpenRequests(ctx, r.Tenant)
	if err != nil {
		return err
	}
	if open >= request.MaxOpen {
		return request.TooMany()
	}
	detail, err := jsonList(r.Detail)
	if err != nil {
		return err
	}
	n, err := q.AddRequest(ctx, requestsql.AddRequestParams{
		TenantID: r.Tenant, ID: r.ID, Kind: string(r.Kind), Family: r.Family, Subject: r.Subject, Reason: r.Reason, Contact: r.Contact,
		Detail: detail, Needs: string(r.Needs), Wait: r.Wait.Microseconds(), AskerID: r.AskedBy.ID, AskerName: r.AskedBy.Name,
		AskedAt: micros(r.Asked), State: string(r.State), Approvals: approvals, ExpiresAt: micros(r.Expires), NotBefore: micros(r.NotBefore),
		OperationID: r.Operation, EndedByTenant: r.EndedBy.Tenant, EndedByID: r.EndedBy.ID, EndedByName: r.EndedBy.Name,
		Outcome: r.Outcome, EndedAt: micros(r.Ended), UpdatedAt: micros(r.Updated), IsOpen: r.State.Open(), ForOperator: r.ForOperator(),
	})
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "a request with this id exists already")
	}
	return err
}

// jsonList is a JSON array, also of nothing.
func jsonList[T any](list []T) (string, error) {
	text, err := json.Marshal(append([]T{}, list...))
	return string(text), err
}

// SetOfficer implements request.Store.
func (s *Request) SetOfficer(ctx context.Context, o request.Officership, out, first bool) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		gen := requestsql.New(q)
		if out {
			return gen.RemoveOfficer(ctx, requestsql.RemoveOfficerParams{TenantID: o.Tenant, Family: o.Family, PersonID: o.Person.ID})
		}
		others, err := gen.CountOtherOfficers(ctx, requestsql.CountOtherOfficersParams{TenantID: o.Tenant, Family: o.Family, PersonID: o.Person.ID})
		switch {
		case err != nil:
			return err
		case first && others > 0:
			return request.NotFirst()
		case others >= request.MaxOfficers:
			return request.TooManyOfficers()
		}
		return gen.AddOfficer(ctx, requestsql.AddOfficerParams{
			TenantID: o.Tenant, Family: o.Family, PersonID: o.Person.ID, Name: o.Person.Name,
			NamedByID: o.NamedBy.ID, NamedByName: o.NamedBy.Name, NamedAt: micros(o.Named),
		})
	})
}
