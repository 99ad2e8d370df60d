package rootcheck

import (
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// An Outcome is what came of one check of a root key that serves.
type Outcome string

// Outcomes.
const (
	Pass    Outcome = "pass"
	Warn    Outcome = "warn"    // it serves, and will not for ever, or not after a refresh
	Fail    Outcome = "fail"    // something that the service needs does not work now
	Unknown Outcome = "unknown" // it could not be seen
)

// A Verdict is the outcome of one check.
type Verdict struct {
	Check   string     `json:"check"` // "enabled"
	Row     string     `json:"row"`   // of the requirements: "CK-170"
	Outcome Outcome    `json:"outcome"`
	Message string     `json:"message,omitempty"` // what is wrong, or could not be seen
	Hint    string     `json:"hint,omitempty"`    // what to do about it
	Refused fault.Code `json:"-"`                 // as what making a policy refuses it; "" if it does not
}

// A Sight is what has been seen of a root key. Of what is nil or empty nothing is known.
type Sight struct {
	Key   string         // "contoso-east/root1", for messages
	Facts *rootkey.Facts // about the newest version
	Level string         // the least recovery level that is asked for: one of Levels
	Now   time.Time

	InUse    string  // id of the version that new content is under
	Versions *int    // how many there are
	Rotation *string // the life that the key's rotation policy gives new versions, "" if it gives none
}

// Judge returns a verdict for each row of the table, in its order.
func Judge(s Sight) []Verdict {
	all := make([]Verdict, len(rules))
	for i, r := range rules {
		all[i] = r.judge(s)
	}
	return all
}

// Refusals returns those verdicts for which a policy is not made.
func Refusals(all []Verdict) (refused []Verdict) {
	for _, v := range all {
		if v.Refused != "" && v.Outcome != Pass && v.Outcome != Unknown {
			refused = append(refused, v)
		}
	}
	return refused
}

// rows are those that a vault's refusal breaks, by its reason; CK-169 for all others.
var rows = map[string]string{
	"KeyDisabled": "CK-170", "KeyNotYetValid": "CK-170", "KeyExpired": "CK-167",
	"KeyNotFound": "CK-60", "VaultNotFound": "CK-60",
}

// Answer judges what a vault answered when the service used a key: err is a fault, or nil if it
// did as asked. check says what it was: "get", "wrap" or "unwrap".
func Answer(check, key string, err error) Verdict {
	v := Verdict{Check: check, Row: "CK-169", Outcome: Pass}
	if err == nil {
		return v
	}
	e := fault.As(err)
	v.Outcome, v.Refused, v.Message, v.Hint = Fail, e.Code, e.Message, e.Hint
	if row, ok := rows[e.Reason]; ok {
		v.Row = row
	}
	if e.Code == fault.Internal { // its insides stay inside
		v.Message, v.Refused = fmt.Sprintf("root key %s cannot be looked at", key), fault.Unavailable
	}
	if v.Hint == "" {
		v.Hint = "give the service get, wrapKey and unwrapKey on the vault, and check that it can be reached"
	}
	return v
}

// Hidden is the verdict of a check that the service is not let see, for want of a permission
// which it can do without.
func Hidden(check, row, permission string) Verdict {
	return Verdict{
		Check: check, Row: row, Outcome: Unknown, Message: "the vault does not let the service see it",
		Hint: fmt.Sprintf("give the service the permission %s on keys to have it watched", permission),
	}
}
