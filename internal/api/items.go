package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
)

// headerSource carries, both ways, the time at which the writer's source was last changed, as
// RFC 3339. Last-Modified cannot: it says when the item itself was written.
const headerSource = "Source-Modified"

// headerName carries, both ways, the file name of the writer's source, percent-encoded.
const headerName = "Source-Name"

// ref returns what the path names.
func ref(r *http.Request) workload.Ref {
	return workload.Ref{Workload: r.PathValue("workload"), Container: r.PathValue("container"), Item: r.PathValue("item")}
}

func (s *Server) putItem(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	options, err := putOptions(r)
	if err != nil {
		return err
	}
	item, created, err := s.items.Put(r.Context(), caller, ref(r), options, s.body(w, r))
	if err != nil {
		return err
	}
	setItem(w.Header(), item)
	if created {
		w.WriteHeader(http.StatusCreated)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

func (s *Server) addItem(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	options, err := putOptions(r)
	if err != nil {
		return err
	}
	item, created, err := s.items.Add(r.Context(), caller, ref(r), options, s.body(w, r))
	if err != nil {
		return err
	}
	setItem(w.Header(), item)
	w.Header().Set("Location", location(item.Ref))
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	writeJSON(w, status, itemOf(item))
	return nil
}

func (s *Server) deleteItem(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if err := noConditions(r, "If-Match", "If-None-Match", "If-Unmodified-Since"); err != nil {
		return err
	}
	if err := s.items.Delete(r.Context(), caller, ref(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// putOptions reads the headers of a write. A header that asks for what is not offered is an
// error: a condition that went unnoticed would lose someone's content.
func putOptions(r *http.Request) (o workload.PutOptions, err error) {
	if err := noConditions(r, "If-Match", "If-Unmodified-Since", "Content-Range"); err != nil {
		return o, err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return o, fault.New(fault.Invalid, "content is stored as it comes, without a content encoding").
			WithHint("send it unencoded, or name the format in Content-Type, for instance application/gzip")
	}
	switch condition := r.Header.Get("If-None-Match"); {
	case condition != "" && condition != "*", condition != "" && r.Method != http.MethodPut:
		return o, fault.New(fault.Invalid, "writing takes no other condition than If-None-Match: * on PUT").
			WithHint("leave it out")
	default:
		o.IfNoneMatch = condition == "*"
	}
	o.ContentType = r.Header.Get("Content-Type")
	if o.Name, err = url.PathUnescape(r.Header.Get(headerName)); err != nil {
		return o, fault.Wrap(fault.Invalid, err, "%s cannot be understood", headerName).WithHint("percent-encode it")
	}
	if source := r.Header.Get(headerSource); source != "" {
		if o.SourceModified, err = time.Parse(time.RFC3339Nano, source); err != nil {
			return o, fault.Wrap(fault.Invalid, err, "%s cannot be understood", headerSource).
				WithHint("write it like 2026-01-31T12:00:00Z")
		}
	}
	return o, nil
}

func noConditions(r *http.Request, headers ...string) error {
	for _, header := range headers {
		if r.Header.Get(header) != "" {
			return fault.New(fault.Invalid, "%s is not supported here", header).WithHint("leave it out")
		}
	}
	return nil
}

// setItem puts what is known about an item into headers.
func setItem(h http.Header, item workload.Item) {
	h.Set("ETag", `"`+item.Version+`"`)
	h.Set("Repr-Digest", digest(item))
	if item.Name != "" {
		h.Set(headerName, url.PathEscape(item.Name))
	}
	if !item.SourceModified.IsZero() {
		h.Set(headerSource, item.SourceModified.Format(time.RFC3339Nano))
	}
}

// digest returns the digest of the whole content as RFC 9530 writes it.
func digest(item workload.Item) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(item.Digest[:]) + ":"
}

// location returns the address of an item.
func location(ref workload.Ref) string {
	segments := append([]string{ref.Workload, ref.Container}, strings.Split(ref.Item, "/")...)
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return "/v1/" + strings.Join(segments, "/")
}

// pageOf returns the after and limit of a listing.
func pageOf(r *http.Request) (after string, limit int, err error) {
	query := r.URL.Query()
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return "", 0, fault.New(fault.Invalid, "the limit must be a whole number above 0").
				WithHint("leave it out for %d; no page has more than %d", workload.DefaultPage, workload.MaxPage)
		}
	}
	return query.Get("after"), limit, nil
}

// pageSize is what the domain makes of a limit.
func pageSize(limit int) int {
	if limit == 0 {
		return workload.DefaultPage
	}
	return min(limit, workload.MaxPage)
}
