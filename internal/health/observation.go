package health

import (
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// An observation is what one look at a root, or one use of it, has shown.
type observation struct {
	state  State // not Unknown; Unavailable is a miss, which becomes the state when it lasts
	why    Why
	checks []rootcheck.Verdict // nil where nothing but a use was seen
	deep   bool                // versions and rotation were looked at too
}

// whyOf says what is wrong by the error of a vault.
func whyOf(err error, kid string) Why {
	e := fault.As(err)
	return Why{Reason: e.Reason, Message: e.Message, Hint: e.Hint, KeyID: kid}
}

// lasting is how many misses in a row make a root Unavailable.
const lasting = 3

// after returns the root as it is after an observation. A clock that was set back does not make
// a state older than it is: what lies in the future is put to now.
func (r Root) after(o observation, now time.Time) Root {
	if r.Since.After(now) {
		r.Since = now
	}
	r.Misses++
	if o.state != Unavailable {
		r.Misses = 0
	}
	if o.state != Unavailable || r.Misses >= lasting || r.State == Unavailable {
		if r.State != o.state {
			r.Since = now
		}
		r.State, r.Why = o.state, o.why
	}
	if o.checks != nil {
		r.Checks, r.Checked = merge(r.Checks, o.checks), now
		if o.deep {
			r.Looked = now
		}
	}
	return r
}

// merge returns the new verdicts; where one could not be seen this time, and its check says
// nothing about why, the last one stands.
func merge(old, fresh []rootcheck.Verdict) []rootcheck.Verdict {
	merged := slices.Clone(fresh)
	for i, v := range merged {
		if v.Outcome != rootcheck.Unknown || v.Message != "" {
			continue
		}
		if was := verdict(old, v.Check); was.Check != "" {
			merged[i] = was
		}
	}
	return merged
}

// verdict returns that of a check, the zero Verdict if there is none.
func verdict(all []rootcheck.Verdict, check string) rootcheck.Verdict {
	for _, v := range all {
		if v.Check == check {
			return v
		}
	}
	return rootcheck.Verdict{}
}

// warned are the checks whose first warning is a Change of its own.
var warned = map[string]ChangeType{rootcheck.Expiring: RootExpiring, rootcheck.Versions: RootNearBackupLimit}

// warnings returns the verdicts of next that newly warn.
func warnings(was, next Root) (fresh []rootcheck.Verdict) {
	for _, v := range next.Checks {
		if warned[v.Check] != "" && v.Outcome == rootcheck.Warn && verdict(was.Checks, v.Check).Outcome != rootcheck.Warn {
			fresh = append(fresh, v)
		}
	}
	return fresh
}
