package face

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// ReasonMethod is the reason of the fault for a method that a known path does not have.
const ReasonMethod = "MethodNotAllowed"

// ReasonPath is the reason of the fault for a path that is not there.
const ReasonPath = "NotFound"

// A Route is a row of a face's table. Path is made of fixed parts, which match in any case,
// and of "{name}" parts, which match any one segment: "keys/{name}/create". The first row
// whose path matches decides which path it is, so a fixed part goes before a "{name}" one.
//
// Only gives the other methods of the path to the rows below: with it "POST keys/restore" goes
// before "GET keys/{name}" and a key may still be named "restore".
type Route[T any] struct {
	Method, Path string
	Only         bool
	Do           T
}

// Match finds the row for a request and the segments that its path names. The fault is
// NotFound with ReasonPath, or Invalid with ReasonMethod, when allow lists the path's methods.
func Match[T any](routes []Route[T], r *http.Request) (do T, params map[string]string, allow []string, err error) {
	segments, err := split(r.URL.EscapedPath())
	if err != nil {
		return do, nil, nil, err
	}
	path := ""
	for _, route := range routes {
		if path == "" {
			if !matches(route.Path, segments) || route.Only && route.Method != r.Method {
				continue
			}
			path, params = route.Path, named(route.Path, segments)
		}
		if route.Path != path {
			continue
		}
		if route.Method == r.Method {
			return route.Do, params, nil, nil
		}
		allow = append(allow, route.Method)
	}
	if path == "" {
		return do, nil, nil, ErrPath()
	}
	slices.Sort(allow)
	return do, params, allow, fault.New(fault.Invalid, "The method %.16s is not allowed here", r.Method).WithReason(ReasonMethod)
}

// split returns the segments of a path. Empty ones are left out: a doubled or a final slash
// means nothing (KV-7), and is never redirected, which would lose the body. A slash that is
// escaped stays inside its segment.
func split(escaped string) ([]string, error) {
	segments := make([]string, 0, 8)
	for part := range strings.SplitSeq(escaped, "/") {
		if part == "" {
			continue
		}
		segment, err := url.PathUnescape(part)
		if err != nil || segment == "." || segment == ".." {
			return nil, ErrPath()
		}
		segments = append(segments, segment)
	}
	return segments, nil
}

// matches reports whether the segments are those of the pattern.
func matches(pattern string, segments []string) bool {
	if strings.Count(pattern, "/")+1 != len(segments) {
		return false
	}
	i := 0
	for part := range strings.SplitSeq(pattern, "/") {
		if !strings.HasPrefix(part, "{") && !strings.EqualFold(part, segments[i]) {
			return false
		}
		i++
	}
	return true
}

// named returns the segments that a pattern gives names to.
func named(pattern string, segments []string) map[string]string {
	params := map[string]string{}
	i := 0
	for part := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = segments[i]
		}
		i++
	}
	return params
}

// ErrPath returns the fault of an address that is not there.
func ErrPath() error {
	return fault.New(fault.NotFound, "There is nothing at this address").WithReason(ReasonPath)
}
