package arm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// The two forms of a condition in a filter on roles: "principalId eq '…'" and "atScope()".
var (
	comparison = regexp.MustCompile(`(?i)^\s*([a-z]+)\s+eq\s+(?:'((?:[^']|'')*)'|([^'\s]+))\s*$`)
	predicate  = regexp.MustCompile(`(?i)^\s*([a-z]+\()\s*(?:'((?:[^']|'')*)')?\s*(\))\s*$`)
)

// conjunction joins the conditions of a filter.
var conjunction = regexp.MustCompile(`(?i)\s+and\s+`)

// filter reads $filter: the value of each condition by its name in lower case, "assignedto()"
// if it is a call. Names that are not allowed, and conditions that are not joined by "and", are
// no filter here.
func (x *request) filter(allowed ...string) (map[string]string, error) {
	given := map[string]string{}
	text := x.query.Get("$filter")
	if text == "" {
		return given, nil
	}
	for _, part := range conjunction.Split(text, -1) {
		name, value := "", ""
		if m := comparison.FindStringSubmatch(part); m != nil {
			name, value = m[1], m[2]+m[3]
		} else if m := predicate.FindStringSubmatch(part); m != nil {
			name, value = m[1]+m[3], m[2]
		}
		if name = strings.ToLower(name); !slices.Contains(allowed, name) {
			return nil, fault.New(fault.Invalid, "The filter in the query string is not supported").WithReason(reasonBadFilter).
				WithHint("Conditions can be about: %s, joined by and.", strings.Join(allowed, ", "))
		}
		given[name] = strings.ReplaceAll(value, "''", "'")
	}
	return given, nil
}
