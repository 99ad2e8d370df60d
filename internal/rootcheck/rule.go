package rootcheck

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Names of the checks that others look for.
const (
	Expiring = "expiring"
	Versions = "versions"
	Rotation = "rotation"
	Newest   = "newest"
)

// A rule is one row of the table: what a broken condition is when a policy is made (nothing if
// refuses is ""), and while one serves. text returns what is wrong, or "" if nothing is; it is
// asked only where the thing that it needs has been seen.
type rule struct {
	check, row string
	refuses    fault.Code
	serving    Outcome
	needs      func(Sight) bool
	text       func(Sight) (message, hint string)
}

// rules is the table.
var rules = []rule{
	{"type", "CK-166", fault.Invalid, Fail, facts, wrongType},
	{"size", "CK-166", fault.Invalid, Fail, facts, tooSmall},
	{"enabled", "CK-170", fault.Conflict, Fail, facts, disabled},
	{"notBefore", "CK-170", fault.Conflict, Fail, facts, notYet},
	{"expiry", "CK-167", fault.Conflict, Warn, facts, expires},
	{Expiring, "CK-228", "", Warn, facts, expiresSoon},
	{"recoveryLevel", "CK-168", fault.Conflict, Warn, facts, notRecoverable},
	{"operations", "CK-169", fault.Conflict, Fail, facts, cannotWrap},
	{Newest, "CK-243", "", Warn, func(s Sight) bool { return s.Facts != nil && s.InUse != "" }, newer},
	{Versions, "KV-70", "", Warn, func(s Sight) bool { return s.Versions != nil }, manyVersions},
	{Rotation, "CK-208", "", Warn, func(s Sight) bool { return s.Rotation != nil }, rotates},
}

func facts(s Sight) bool { return s.Facts != nil }

func (r rule) judge(s Sight) Verdict {
	v := Verdict{Check: r.check, Row: r.row, Outcome: Unknown, Refused: r.refuses}
	if !r.needs(s) {
		return v
	}
	v.Outcome = Pass
	if v.Message, v.Hint = r.text(s); v.Message != "" {
		v.Outcome = r.serving
	}
	return v
}

func isRSA(s Sight) bool { return s.Facts.Type == "RSA" || s.Facts.Type == "RSA-HSM" }

func wrongType(s Sight) (message, hint string) {
	if isRSA(s) {
		return "", ""
	}
	return fmt.Sprintf("root key %s is of type %.40q", s.Key, s.Facts.Type), "root keys must be RSA: make one with Add-AzKeyVaultKey -KeyType RSA"
}

// leastBits is the smallest RSA key that is taken: the vault's smallest (CK-16).
const leastBits = 2048

func tooSmall(s Sight) (message, hint string) {
	if !isRSA(s) || s.Facts.Bits >= leastBits {
		return "", ""
	}
	return fmt.Sprintf("root key %s has %d bits", s.Key, s.Facts.Bits), "make one of 2048, 3072 or 4096 bits"
}

func disabled(s Sight) (message, hint string) {
	if s.Facts.Enabled {
		return "", ""
	}
	return fmt.Sprintf("root key %s is disabled", s.Key), "enable it with Update-AzKeyVaultKey -Enable $true"
}

func notYet(s Sight) (message, hint string) {
	if !s.Facts.NotBefore.After(s.Now) {
		return "", ""
	}
	return fmt.Sprintf("root key %s may not be used before %s", s.Key, s.Facts.NotBefore.UTC().Format(time.RFC3339)),
		"set a time in the past with Update-AzKeyVaultKey -NotBefore"
}

// An expiry of 12/31/9999 counts as none (CK-228). It is sent as midnight somewhere on
// earth, turned into UTC (CK-210).
var (
	neverFrom = time.Date(9999, 12, 30, 10, 0, 0, 0, time.UTC)
	neverTo   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

const setNever = "set its expiry to 12/31/9999, which counts as none, and see that no rotation policy sets another"

func hasExpiry(t time.Time) bool {
	return !t.IsZero() && (t.Before(neverFrom) || t.After(neverTo))
}

func expires(s Sight) (message, hint string) {
	if !hasExpiry(s.Facts.Expires) {
		return "", ""
	}
	return fmt.Sprintf("root key %s expires", s.Key), setNever
}

// notice is how long before its expiry a key is said to be expiring: as long as the vaults'
// own notices take without a rotation policy (KV-80).
const notice = 30 * 24 * time.Hour

func expiresSoon(s Sight) (message, hint string) {
	at := s.Facts.Expires
	switch {
	case !hasExpiry(at) || at.Sub(s.Now) > notice:
		return "", ""
	case !at.After(s.Now):
		return fmt.Sprintf("root key %s has expired on %s", s.Key, at.UTC().Format(time.DateOnly)), setNever
	}
	return fmt.Sprintf("root key %s expires on %s, and then protects nothing any more", s.Key, at.UTC().Format(time.DateOnly)), setNever
}

// Levels are the recovery levels that a root key may be asked to have (CK-206), the weaker one
// first. The "Customized" ones, with less than 90 days, are none of them (CK-207).
var Levels = []string{"Recoverable", "Recoverable+ProtectedSubscription"}

func notRecoverable(s Sight) (message, hint string) {
	if slices.Index(Levels, s.Facts.RecoveryLevel) >= slices.Index(Levels, s.Level) {
		return "", ""
	}
	return fmt.Sprintf("root key %s has the recovery level %.60q, not %s", s.Key, s.Facts.RecoveryLevel, s.Level),
		"turn on soft delete for 90 days and purge protection, and register the subscription for mandatory retention"
}

func cannotWrap(s Sight) (message, hint string) {
	var missing []string
	for _, op := range []string{"wrapKey", "unwrapKey"} {
		if !slices.ContainsFunc(s.Facts.Ops, func(have string) bool { return strings.EqualFold(have, op) }) {
			missing = append(missing, op)
		}
	}
	if !isRSA(s) || len(missing) == 0 {
		return "", ""
	}
	return fmt.Sprintf("root key %s does not permit %s", s.Key, strings.Join(missing, " and ")), "add it with Update-AzKeyVaultKey -KeyOps wrapKey,unwrapKey"
}

func newer(s Sight) (message, hint string) {
	if strings.EqualFold(s.Facts.KeyID, s.InUse) {
		return "", ""
	}
	return fmt.Sprintf("root key %s has a newer version than the one in use", s.Key),
		"refresh the policy to take it; the older version is needed until the policy shows it as safe to retire"
}

// A vault backs a key up with all its versions, and not with more than that many (KV-70).
const (
	mostVersions = 500
	nearVersions = mostVersions - mostVersions/10
)

// CountUpTo is the number of versions beyond which counting on makes no difference.
const CountUpTo = mostVersions + 1

func manyVersions(s Sight) (message, hint string) {
	const advice = "roll over to a key of another name: make a policy, or replace the root key, before the limit is reached"
	switch n := *s.Versions; {
	case n > mostVersions:
		return fmt.Sprintf("root key %s has more than %d versions: its vault backs it up no more", s.Key, mostVersions), advice
	case n >= nearVersions:
		return fmt.Sprintf("root key %s has %d versions; from %d on its vault backs it up no more", s.Key, n, mostVersions+1), advice
	}
	return "", ""
}

func rotates(s Sight) (message, hint string) {
	if *s.Rotation == "" {
		return "", ""
	}
	return fmt.Sprintf("the rotation policy of root key %s gives new versions a life of %.20q", s.Key, *s.Rotation),
		"take the expiry out of the rotation policy; after a rotation the policy is to be refreshed"
}
