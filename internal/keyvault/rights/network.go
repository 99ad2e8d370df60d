package rights

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A Network says from where a vault's keys can be reached (KV-122). The zero one lets
// everybody come near: what he may do is decided after it. Management is not subject to it.
type Network struct {
	Private  bool      `json:"private,omitempty"`  // closed to the network: only the service comes near
	Firewall *Firewall `json:"firewall,omitempty"` // nil lets every address in
}

// A Firewall is a vault's network rules.
type Firewall struct {
	Deny    bool           `json:"deny,omitempty"`    // keeps out what no rule allows; without it the rules say nothing
	Trusted bool           `json:"trusted,omitempty"` // lets the service itself in, wherever it is
	Allowed []netip.Prefix `json:"allowed,omitempty"` // masked, and no IPv4 in the clothes of IPv6
}

// A FirewallChange says what becomes of network rules. What is nil stays as it is (KV-124): a change
// that names addresses alone must not open a vault that is closed to all others.
type FirewallChange struct {
	Deny, Trusted *bool
	Allowed       []netip.Prefix // all of them; none if empty
}

// Of returns the rules as they are afterwards. Where there were none, the service is trusted and
// nobody is kept out, as Azure has it.
func (c FirewallChange) Of(old *Firewall) *Firewall {
	f := Firewall{Trusted: true}
	if old != nil {
		f = *old
	}
	if c.Deny != nil {
		f.Deny = *c.Deny
	}
	if c.Trusted != nil {
		f.Trusted = *c.Trusted
	}
	if c.Allowed != nil {
		f.Allowed = c.Allowed
	}
	return &f
}

// maxRules is how many addresses a firewall lists, as in Azure.
const maxRules = 1000

// ParseRule reads an address or a range of them, IPv4 or IPv6: "192.0.2.1", "2001:db8::/32".
func ParseRule(text string) (netip.Prefix, error) {
	bad := naming.Invalid("networkAcls.ipRules.value").WithHint("A rule is an address or a range, like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32.")
	if len(text) > 64 {
		return netip.Prefix{}, bad
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, bad
	}
	if p != p.Masked() {
		return netip.Prefix{}, naming.Invalid("networkAcls.ipRules.value").WithHint("%s has bits behind its length; the range is %s.", p, p.Masked())
	}
	return p, nil
}

// Reasons to keep a caller out.
const (
	ReasonFirewall = "ForbiddenByFirewall"
	ReasonPrivate  = "ForbiddenByConnection"
)

// KeepsOut returns the reason for which a caller may not come near the vault, "" if he may
// (KV-91). The service itself has no address when it asks from inside the process, and is told
// by its principal: no one else gets a token of it.
func (n Network) KeepsOut(c directory.Caller) (reason string) {
	switch f := n.Firewall; {
	case c.Kind == directory.App && directory.IsServiceApp(c.App) && (f == nil || f.Trusted):
		return ""
	case n.Private:
		return ReasonPrivate
	case f == nil || !f.Deny || f.allows(c.Address):
		return ""
	}
	return ReasonFirewall
}

// allows reports whether a rule lists an address. What is no address is on no list.
func (f Firewall) allows(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(f.Allowed, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Check refuses more rules than a vault may have.
func (n Network) Check() error {
	if n.Firewall != nil && len(n.Firewall.Allowed) > maxRules {
		return naming.Invalid("networkAcls.ipRules").WithHint("A vault has at most %d rules.", maxRules)
	}
	return nil
}

// Same reports whether both let the same callers in.
func (n Network) Same(o Network) bool {
	if n.Private != o.Private || (n.Firewall == nil) != (o.Firewall == nil) {
		return false
	}
	return n.Firewall == nil || n.Firewall.Deny == o.Firewall.Deny && n.Firewall.Trusted == o.Firewall.Trusted &&
		slices.Equal(n.Firewall.Allowed, o.Firewall.Allowed)
}

// maxSpelt bounds how many rules String spells out.
const maxSpelt = 16

// String tells the rules in a few words, for the log.
func (n Network) String() string {
	var words []string
	if n.Private {
		words = append(words, "private")
	}
	f := n.Firewall
	if f == nil {
		return strings.Join(append(words, "open"), " ")
	}
	if f.Trusted {
		words = append(words, "trusted")
	}
	if !f.Deny {
		return strings.Join(append(words, "open"), " ")
	}
	for _, p := range f.Allowed[:min(len(f.Allowed), maxSpelt)] {
		words = append(words, p.String())
	}
	if more := len(f.Allowed) - maxSpelt; more > 0 {
		words = append(words, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(append(words, "deny"), " ")
}
