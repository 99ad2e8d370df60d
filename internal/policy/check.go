package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
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

// Recovery levels that a root key may be asked to have (CK-206), the weaker one first. The
// "Customized" ones, with less than 90 days, are none of them (CK-207).
const (
	recoverable           = "Recoverable"
	protectedSubscription = "Recoverable+ProtectedSubscription"
)

var recoveryLevels = []string{recoverable, protectedSubscription}

// leastBits is the smallest RSA key that is taken: the vault's smallest (CK-16).
const leastBits = 2048

// An expiry of 12/31/9999 counts as none (CK-228). It is sent as midnight somewhere on
// earth, turned into UTC (CK-210).
var (
	neverFrom = time.Date(9999, 12, 30, 10, 0, 0, 0, time.UTC)
	neverTo   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

func expires(t time.Time) bool {
	return !t.IsZero() && (t.Before(neverFrom) || t.After(neverTo))
}

// inspect returns what is wrong with a root key by what its vault says of it. short names
// the key in messages ("vault/key").
func (s *Service) inspect(uri, short string, f rootkey.Facts) (found Findings) {
	report := func(bad bool, row string, code fault.Code, message, hint string) {
		if bad {
			found = append(found, Finding{Row: row, Key: uri, Message: message, Hint: hint, code: code})
		}
	}
	rsa := f.Type == "RSA" || f.Type == "RSA-HSM"
	report(!rsa, "CK-166", fault.Invalid,
		fmt.Sprintf("root key %s is of type %s", short, clip(f.Type)), "root keys must be RSA: make one with Add-AzKeyVaultKey -KeyType RSA")
	report(rsa && f.Bits < leastBits, "CK-166", fault.Invalid,
		fmt.Sprintf("root key %s has %d bits", short, f.Bits), "make one of 2048, 3072 or 4096 bits")
	report(!f.Enabled, "CK-170", fault.Conflict,
		fmt.Sprintf("root key %s is disabled", short), "enable it with Update-AzKeyVaultKey -Enable $true")
	report(f.NotBefore.After(s.c.Now()), "CK-170", fault.Conflict,
		fmt.Sprintf("root key %s may not be used before %s", short, f.NotBefore.UTC().Format(time.RFC3339)), "set a time in the past with Update-AzKeyVaultKey -NotBefore")
	report(expires(f.Expires), "CK-167", fault.Conflict,
		fmt.Sprintf("root key %s expires", short), "set its expiry to 12/31/9999, which counts as none, and see that no rotation policy sets another")
	report(!s.recoverable(f.RecoveryLevel), "CK-168", fault.Conflict,
		fmt.Sprintf("root key %s has the recovery level %s, not %s", short, clip(f.RecoveryLevel), s.c.RecoveryLevel),
		"turn on soft delete for 90 days and purge protection, and register the subscription for mandatory retention")
	for _, op := range []string{"wrapKey", "unwrapKey"} {
		has := slices.ContainsFunc(f.Ops, func(have string) bool { return strings.EqualFold(have, op) })
		report(rsa && !has, "CK-169", fault.Conflict,
			fmt.Sprintf("root key %s does not permit %s", short, op), "add it with Update-AzKeyVaultKey -KeyOps wrapKey,unwrapKey")
	}
	return found
}

// recoverable reports whether a recovery level is at least the one that is asked for.
func (s *Service) recoverable(level string) bool {
	return slices.Index(recoveryLevels, level) >= slices.Index(recoveryLevels, s.c.RecoveryLevel)
}
