package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An AuditLog is what is read of one log; [audit.Log] is one.
type AuditLog interface {
	Entries(ctx context.Context, tenant string, after int64, limit int) ([]audit.Stored, error)
	Head(ctx context.Context, tenant string) (audit.Head, error)
	VerifierKey(tenant string) (string, error)
}

// auditReaders may read the logs of their tenant.
var auditReaders = []directory.Role{directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.GlobalReader}

// Sizes of pages of entries.
const (
	defaultEntries = 100
	maxEntries     = 1000
)

// entryPage is a page of a log; next is the after of the following page, missing at the end.
type entryPage struct {
	Entries []entryJSON `json:"entries"`
	Next    string      `json:"next,omitempty"`
}

// entryJSON is an entry twice: as people and programs read it, and as the bytes that the tree
// hashes, which are JSON too but would not survive being encoded again.
type entryJSON struct {
	Index int64           `json:"index"`
	Entry json.RawMessage `json:"entry"`
	Leaf  []byte          `json:"leaf"` // base64
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	log, err := s.auditLog(r, caller)
	if err != nil {
		return err
	}
	after, limit, err := entryRange(r)
	if err != nil {
		return err
	}
	stored, err := log.Entries(r.Context(), caller.Tenant, after, limit)
	if err != nil {
		return err
	}
	page := entryPage{Entries: make([]entryJSON, 0, len(stored))}
	for _, e := range stored {
		page.Entries = append(page.Entries, entryJSON{Index: e.Index, Entry: e.Leaf, Leaf: e.Leaf})
	}
	if n := len(stored); n == limit {
		page.Next = strconv.FormatInt(stored[n-1].Index, 10)
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

func (s *Server) getAuditHead(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	log, err := s.auditLog(r, caller)
	if err != nil {
		return err
	}
	head, err := log.Head(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct {
		Size int64  `json:"size"` // entries
		Root string `json:"root"` // base64
		Note string `json:"note"` // the same, signed
	}{head.Size, head.Root.String(), string(head.Note)})
	return nil
}

func (s *Server) getAuditKey(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if err := s.mayReadAudit(r.Context(), caller, "key"); err != nil {
		return err
	}
	keys := make(map[string]string, len(s.audit))
	for name, log := range s.audit {
		key, err := log.VerifierKey(caller.Tenant)
		if err != nil {
			return err
		}
		keys[name] = key
	}
	writeJSON(w, http.StatusOK, struct {
		Keys map[string]string `json:"keys"` // by the names of the logs
	}{keys})
	return nil
}

// auditLog returns the log that the path names, if the caller may read it.
func (s *Server) auditLog(r *http.Request, caller directory.Caller) (AuditLog, error) {
	name := r.PathValue("log")
	log, ok := s.audit[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no log of this name").
			WithHint("the logs are %s", strings.Join(slices.Sorted(maps.Keys(s.audit)), ", "))
	}
	return log, s.mayReadAudit(r.Context(), caller, name)
}

// mayReadAudit refuses callers without one of the roles, and records that.
func (s *Server) mayReadAudit(ctx context.Context, caller directory.Caller, object string) error {
	if caller.Tenant != "" && caller.Has(auditReaders...) {
		return nil
	}
	if caller.Tenant != "" {
		err := s.recorder.Record(ctx, audit.Entry{
			Tenant: caller.Tenant, Caller: caller, Action: "audit.read", Object: "audit/" + object, Decision: audit.Deny,
			Detail: map[string]string{"reason": "the caller lacks the role"},
		})
		if err != nil {
			return err
		}
	}
	return fault.New(fault.Forbidden, "reading the audit log takes a role that the caller does not have").
		WithHint("ask an administrator for %s, %s or %s", auditReaders[0], auditReaders[1], auditReaders[2])
}

// entryRange returns the after and limit of a listing of entries.
func entryRange(r *http.Request) (after int64, limit int, err error) {
	_, limit, err = pageOf(r)
	if err != nil {
		return 0, 0, err
	}
	if limit == 0 {
		limit = defaultEntries
	}
	after = -1
	if text := r.URL.Query().Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < -1 {
			return 0, 0, fault.New(fault.Invalid, "after must be the index of an entry").
				WithHint("leave it out to begin with the first one")
		}
	}
	return after, min(limit, maxEntries), nil
}
