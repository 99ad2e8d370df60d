package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet/clixml"
	"github.com/customerkey/customerkey/internal/fault"
)

// exchangePage is how many objects a page has unless fewer are asked for, and the most (row CK-333).
const exchangePage = 1000

// wishes are how the headers of a request want its answer.
type wishes struct {
	page    int          // most objects
	xml     bool         // objects as CLIXML (row CK-334)
	level   clixml.Level // and how deep (row CK-335)
	onError string       // as -ErrorAction (row CK-336); "" if nothing is said
	onWarn  string       // as -WarningAction
}

// wishesOf reads the headers. What describes the client, or asks for something that is not known,
// is passed over; but an answer in another format than the one asked for could not be read.
func wishesOf(h http.Header) (wishes, error) {
	w := wishes{page: pageWanted(h), level: clixml.Partial, onError: action(h.Get("ErrorAction")), onWarn: action(h.Get("WarningAction"))}
	if strings.EqualFold(h.Get("X-SerializationLevel"), "Full") {
		w.level = clixml.Full
	}
	switch format := h.Get("X-ResponseFormat"); strings.ToLower(format) {
	case "", "json":
	case "clixml":
		w.xml = true
	default:
		return w, fault.New(fault.Invalid, "answers in the format %.32q are not given", format).
			WithHint("leave X-ResponseFormat out, or set it to json or clixml")
	}
	return w, nil
}

// actions are the values of the common parameters of that name that mean something here. Stop
// with a warning does not: what it warns of has been done.
var actions = []string{"Continue", "Stop", "SilentlyContinue", "Ignore"}

func action(text string) string {
	if i := slices.IndexFunc(actions, func(a string) bool { return strings.EqualFold(a, text) }); i >= 0 {
		return actions[i]
	}
	return ""
}

// preferences yields the parts of the Prefer header, names in lower case.
func preferences(h http.Header) map[string]string {
	found := map[string]string{}
	for _, line := range h.Values("Prefer") {
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if _, known := found[name]; !known { // the first counts (RFC 7240 section 2)
				found[name] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	return found
}

// pageWanted returns how many objects the Prefer header allows in one answer (row CK-333).
func pageWanted(h http.Header) int {
	if n, err := strconv.Atoi(preferences(h)["odata.maxpagesize"]); err == nil && n > 0 {
		return min(n, exchangePage)
	}
	return exchangePage
}

// goesOn reports whether a batch goes on behind a request that failed (row CK-333).
func goesOn(h http.Header) bool {
	for _, name := range []string{"odata.continue-on-error", "continue-on-error"} {
		if value, given := preferences(h)[name]; given {
			return !strings.EqualFold(value, "false")
		}
	}
	return false
}
