package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Tenants is what operators of the service do. Both decide who may, and record it.
type Tenants interface {
	// Add makes a tenant that is ready for use, and its first administrator, to whom the one-time
	// password belongs. Called again after it broke off, it goes on where it ended; fault.Conflict
	// if the tenant has people already.
	Add(ctx context.Context, c directory.Caller, t NewTenant) (directory.Tenant, directory.Person, string, error)
	// List returns at most limit tenants by id, beginning behind after.
	List(ctx context.Context, c directory.Caller, after string, limit int) ([]directory.Tenant, error)
}

// A NewTenant says what tenant to make.
type NewTenant struct {
	Domain        string `json:"domain"`        // "contoso.example"
	Name          string `json:"name"`          // "Contoso"; the domain if empty
	Administrator string `json:"administrator"` // "admin@contoso.example"; that one if empty
}

// tenantJSON is a tenant as it is answered.
type tenantJSON struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Domain  string    `json:"domain"`
	Created time.Time `json:"created"`
}

func tenantOut(t directory.Tenant) tenantJSON { return tenantJSON{t.ID, t.Name, t.Domain, t.Created} }

func (s *Server) addTenant(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if s.tenants == nil {
		return errNoTenants()
	}
	var in NewTenant
	if err := s.readJSON(w, r, &in); err != nil {
		return err
	}
	if in.Name == "" {
		in.Name = in.Domain
	}
	if in.Administrator == "" {
		in.Administrator = "admin@" + in.Domain
	}
	tenant, admin, password, err := s.tenants.Add(r.Context(), caller, in)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, struct {
		tenantJSON
		Administrator string `json:"administrator"`
		Password      string `json:"oneTimePassword"` // shown this once
	}{tenantOut(tenant), admin.UPN, password})
	return nil
}

func (s *Server) listTenants(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if s.tenants == nil {
		return errNoTenants()
	}
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = defaultEntries
	}
	limit = min(limit, maxEntries)
	tenants, err := s.tenants.List(r.Context(), caller, after, limit)
	if err != nil {
		return err
	}
	page := struct {
		Tenants []tenantJSON `json:"tenants"`
		Next    string       `json:"next,omitempty"`
	}{Tenants: make([]tenantJSON, 0, len(tenants))}
	for _, t := range tenants {
		page.Tenants = append(page.Tenants, tenantOut(t))
	}
	if len(tenants) == limit {
		page.Next = tenants[limit-1].ID
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

func errNoTenants() error {
	return fault.New(fault.NotFound, "there is nothing at this address")
}

// maxJSON bounds the bodies that are no content.
const maxJSON = 64 << 10

// readJSON reads a body that must be one JSON object of v's members.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(s.body(w, r), maxJSON+1))
	if err != nil {
		return err
	}
	if len(body) > maxJSON {
		return fault.New(fault.TooLarge, "the body is longer than %d bytes", maxJSON)
	}
	if err := json.Unmarshal(body, v); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fault.New(fault.Invalid, "%s has the wrong type", wrong.Field).WithHint("it is a %s", wrong.Type)
		}
		return fault.New(fault.Invalid, "the body is no JSON object")
	}
	return nil
}
