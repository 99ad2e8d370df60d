package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// A Finding is one unmet condition on a root key.
type Finding struct {
	Row     string // the row of the requirements it comes from: "CK-166"
	Key     string // canonical key URI, or what was given for one
	Message string
	Hint    string // what to do about it
	code    fault.Code
}

// Findings are all the unmet conditions of a request, as the cause of its fault.
type Findings []Finding

// Error lists the findings.
func (f Findings) Error() string {
	texts := make([]string, len(f))
	for i, one := range f {
		texts[i] = fmt.Sprintf("%s: %s (%s)", one.Key, one.Message, one.Row)
	}
	return strings.Join(texts, "; ")
}

// fault returns all findings as one fault (CK-307): its code and message are those of the
// first, its hint lists everything that is to be done. Outages come last: a vault that
// cannot be reached says nothing about the other key. nil if there are none.
func (f Findings) fault() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Finding) int { return outage(a) - outage(b) })
	hints := make([]string, len(f))
	for i, one := range f {
		hints[i] = one.Hint
		if len(f) > 1 {
			hints[i] = fmt.Sprintf("(%d) %s: %s", i+1, one.Message, one.Hint)
		}
	}
	return fault.Wrap(f[0].code, f, "%s", f[0].Message).WithReason(f[0].Row).WithHint("%s", strings.Join(hints, "; "))
}

func outage(f Finding) int {
	if f.code == fault.Unavailable {
		return 1
	}
	return 0
}

// inspect returns what is wrong with a root key by what its vault says of it. short names
// the key in messages ("vault/key").
func (s *Service) inspect(uri, short string, f rootkey.Facts) (found Findings) {
	seen := rootcheck.Sight{Key: short, Facts: &f, Level: s.c.RecoveryLevel, Now: s.c.Now()}
	for _, v := range rootcheck.Refusals(rootcheck.Judge(seen)) {
		found = append(found, findingOf(uri, v))
	}
	return found
}

func findingOf(uri string, v rootcheck.Verdict) Finding {
	return Finding{Row: v.Row, Key: uri, Message: v.Message, Hint: v.Hint, code: v.Refused}
}
