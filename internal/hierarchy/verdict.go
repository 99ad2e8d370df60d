package hierarchy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
)

// ReasonNoKeyReachable is that of fault.Unavailable when neither root of a policy key can be
// reached, nor the availability key, where that may help.
const ReasonNoKeyReachable = "NoKeyReachable"

// A verdict is what two failed roots mean together (rows CK-48 to CK-50, CK-62).
type verdict int

const (
	outage     verdict = iota // neither could answer
	bothDenied                // the owner refuses
	mixed                     // one of each, taken for a denial
)

func (v verdict) String() string {
	return [...]string{"both roots unreachable", "both roots denied", "one root denied, one unreachable"}[v]
}

// allows reports whether the availability key may be used for callers of these rules.
func (v verdict) allows(rules audience) bool { return v == outage || rules == systemOnly }

// judge looks at how both roots failed. Whatever is not a denial counts as a vault that could
// not answer.
func judge(failed [2]error, setting Mixed) verdict {
	a, b := fault.Is(failed[0], fault.Denied), fault.Is(failed[1], fault.Denied)
	switch {
	case a && b:
		return bothDenied
	case !a && !b, setting == MixedOutage:
		return outage
	}
	return mixed
}

// errRefused says to a user which roots deny, in terms of the customer's own names.
func errRefused(v verdict, g Generation, failed [2]error) error {
	one, other := nameOf(g.Roots[0].Ref.URI), nameOf(g.Roots[1].Ref.URI)
	if v == mixed && fault.Is(failed[1], fault.Denied) { // one is the root that denies
		one, other, failed[0], failed[1] = other, one, failed[1], failed[0]
	}
	e := fault.Wrap(fault.Denied, errors.Join(failed[0], failed[1]), "").WithReason("BothDenied")
	a, b := denialOf(failed[0]), denialOf(failed[1])
	switch {
	case v == mixed:
		e.Reason = "OneDenied"
		e.Message = fmt.Sprintf("root key %s of the policy is %s, and %s cannot be reached", one, a.ofOne(), other)
		e.Hint = fmt.Sprintf("%s %s, or bring the vault of %s back", a.repair, one, other)
	case a == b:
		e.Message = fmt.Sprintf("both root keys of the policy, %s and %s, are %s", one, other, a.are)
		e.Hint = fmt.Sprintf("%s %s or %s", a.repair, one, other)
	default:
		e.Message = fmt.Sprintf("both root keys of the policy are denied: %s is %s, %s is %s", one, a.ofOne(), other, b.ofOne())
		e.Hint = fmt.Sprintf("%s %s, or %s %s", a.repair, one, b.repair, other)
	}
	return e
}

// errNothingLeft says that the availability key could not help either. One that its owner had
// destroyed leaves the roots' refusal as it is (CK-50), one that was used as often as he allows
// adds that to it; everything else is an outage.
func errNothingLeft(v verdict, g Generation, failed [2]error, err error) error {
	if v != outage && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict)) {
		e := fault.As(errRefused(v, g, failed))
		e.Err = errors.Join(e.Err, err)
		if why := fault.As(err); why.Reason == availability.ReasonLimit {
			e.Reason, e.Message, e.Hint = why.Reason, e.Message+"; "+why.Message, e.Hint+", or "+why.Hint
		}
		return e
	}
	return fault.Wrap(fault.Unavailable, errors.Join(failed[0], failed[1], err),
		"neither root key of the policy, %s nor %s, can be used now, nor the availability key",
		nameOf(g.Roots[0].Ref.URI), nameOf(g.Roots[1].Ref.URI)).
		WithReason(ReasonNoKeyReachable).WithHint("check that both vaults can be reached, then try again")
}

// A denial is how a reason for roots' denial reads.
type denial struct{ are, repair string }

// ofOne returns what holds for one root in place of both.
func (d denial) ofOne() string {
	return strings.NewReplacer("their owner", "its owner", "their vaults", "its vault").Replace(d.are)
}

func denialOf(err error) denial {
	if d, ok := denials[fault.As(err).Reason]; ok {
		return d
	}
	return denial{"refused by their owner", "give the service the use of"}
}

// denials has the words for the reasons that a root gives with fault.Denied.
var denials = map[string]denial{
	"KeyDisabled":           {"disabled by their owner", "enable"},
	"KeyNotFound":           {"deleted by their owner", "recover"},
	"VaultNotFound":         {"gone with their vaults", "recover the vault of"},
	"AccessDenied":          {"closed to the service by their owner", "give the service get, wrapKey and unwrapKey on"},
	"NetworkDenied":         {"closed to the service by the network rules of their vaults", "let the service through to the vault of"},
	"KeyOperationForbidden": {"not for unwrapping any more", "add wrapKey and unwrapKey to the operations of"},
	"KeyExpired":            {"expired", "move the expiry of"},
	"KeyNotYetValid":        {"not valid yet", "move the activation date of"},
}

// nameOf returns "vault/key" for the URI of a root key, and anything else unchanged.
func nameOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return uri
	}
	vault, _, _ := strings.Cut(u.Host, ".")
	name, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/keys/"), "/")
	return vault + "/" + name
}
