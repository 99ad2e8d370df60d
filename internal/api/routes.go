package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A route is a row of the table below. In its path, {name} stands for one segment and {name...},
// last, for one or more; a handler gets them from r.PathValue, percent-decoded once.
type route struct {
	method, path string
	body         bool // takes a body, of at most the size of one item
	open         bool // needs no token
	handle       func(w http.ResponseWriter, r *http.Request, caller directory.Caller) error
	does         string // in a few words
}

// table is the whole API. The first row whose path fits decides.
func (s *Server) table() []route {
	return []route{
		{"GET", "/healthz", false, true, s.getHealth, "whether the service can work"},

		{"GET", "/v1", false, true, s.getRoutes, "this table"},

		{"GET", "/v1/audit/key", false, false, s.getAuditKey, "the keys that verify the heads of the logs"},
		{"GET", "/v1/audit/{log}/head", false, false, s.getAuditHead, "the signed head of a log"},
		{"GET", "/v1/audit/{log}", false, false, s.listAudit, "entries of a log, ?after=&limit="},

		{"GET", "/v1/seals", false, false, s.getSeals, "the sealing keys and how far their rotation is, for operators of the service"},
		{"POST", "/v1/seals/{seal}/rotate", false, false, s.rotateSeal, "begins to replace the sealing key of a database: 202"},
		{"GET", "/v1/tenants", false, false, s.listTenants, "all tenants, for operators of the service, ?after=&limit="},
		{"POST", "/v1/tenants", true, false, s.addTenant, "makes a tenant and its first administrator"},

		{"GET", "/v1/health/policies", false, false, s.getKeyHealth, "how the caller's policies and their root keys are, ?policy="},

		{"GET", "/v1/{workload}", false, false, s.listContainers, "containers, ?after=&limit="},
		{"GET", "/v1/{workload}/{container}", false, false, s.listItems, "items, ?after=&limit="},
		{"POST", "/v1/{workload}/{container}", true, false, s.addItem, "adds an item by its content: 201, or 200 if it is there already"},
		{"PUT", "/v1/{workload}/{container}/{item...}", true, false, s.putItem, "writes an item: 201 new, 204 replaced; If-None-Match: * never replaces"},
		{"GET", "/v1/{workload}/{container}/{item...}", false, false, s.getItem, "reads an item; Range, conditions"},
		{"HEAD", "/v1/{workload}/{container}/{item...}", false, false, s.headItem, "what is known about an item"},
		{"DELETE", "/v1/{workload}/{container}/{item...}", false, false, s.deleteItem, "deletes an item: 204"},
	}
}

// find returns the route for a request and sets its path values. Unlike http.ServeMux it never
// redirects: a path with empty or dot segments is refused, not guessed at.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (route, error) {
	segments, err := split(r.URL.EscapedPath())
	if err != nil {
		return route{}, err
	}
	var allow []string
	for _, row := range s.routes {
		values, ok := row.match(segments)
		if !ok {
			continue
		}
		if row.method == r.Method {
			for name, value := range values {
				r.SetPathValue(name, value)
			}
			return row, nil
		}
		allow = append(allow, row.method)
	}
	if allow == nil {
		return route{}, fault.New(fault.NotFound, "there is nothing at this address").
			WithHint("items live at /v1/{workload}/{container}/{item}")
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return route{}, fault.New(fault.Invalid, "this address does not take the method of the request").
		WithReason(reasonMethod).
		WithHint("it takes %s", strings.Join(allow, ", "))
}

// split cuts an escaped path at its slashes and decodes each segment.
func split(path string) ([]string, error) {
	path, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, badPath()
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || plain == "" && len(segments) > 1 {
			return nil, badPath()
		}
		segments[i] = plain
	}
	return segments, nil
}

func badPath() error {
	return fault.New(fault.Invalid, `the path holds an empty segment, "." or "..", or a broken percent-encoding`).
		WithHint("write each segment once, percent-encoded, with single slashes between and none at the end")
}

// match reports whether the path of the route fits, and the values of its names.
func (t route) match(segments []string) (map[string]string, bool) {
	pattern := strings.Split(strings.TrimPrefix(t.path, "/"), "/")
	values := map[string]string{}
	for i, part := range pattern {
		if i >= len(segments) {
			return nil, false
		}
		name, wild := strings.CutPrefix(part, "{")
		name = strings.TrimSuffix(name, "}")
		switch {
		case !wild && part != segments[i]:
			return nil, false
		case strings.HasSuffix(name, "..."):
			values[strings.TrimSuffix(name, "...")] = strings.Join(segments[i:], "/")
			return values, true
		case wild:
			values[name] = segments[i]
		}
	}
	return values, len(segments) == len(pattern)
}

// checkBody refuses a body where none is expected and one that is announced too long.
func (t route) checkBody(r *http.Request, limit int64) error {
	switch {
	case !t.body && r.ContentLength != 0:
		return fault.New(fault.Invalid, "this request takes no body").WithHint("send it without one")
	case t.body && r.ContentLength > limit:
		return fault.New(fault.TooLarge, "the content is longer than %d bytes, the most one item can hold", limit).
			WithHint("split it into several items")
	}
	return nil
}

// bearer returns the token in the headers of a request, "" if there is none.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// getRoutes answers with the table, for people and for the documentation.
func (s *Server) getRoutes(w http.ResponseWriter, _ *http.Request, _ directory.Caller) error {
	type row struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		Does   string `json:"does"`
	}
	rows := make([]row, 0, len(s.routes))
	for _, t := range s.routes {
		rows = append(rows, row{t.method, t.path, t.does})
	}
	writeJSON(w, http.StatusOK, struct {
		Routes []row `json:"routes"`
	}{rows})
	return nil
}
