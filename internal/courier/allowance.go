package courier

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// special are the blocks beyond netip's own notions that no receiver on the internet has (the
// special-purpose address registries of IANA), and those that carry another address inside.
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// public reports whether an address is one of the internet at large.
func public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && a.Zone() == "" && a.IsGlobalUnicast() && !a.IsPrivate() &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// An Allowance is what an operator lets webhooks reach beyond the internet at large: blocks of
// addresses, and hosts whatever their addresses are. The zero Allowance lets them reach nothing
// more.
type Allowance struct {
	blocks []netip.Prefix
	hosts  []string // "hooks.corp.example", or ".corp.example" for all below
}

// ParseAllowance reads a list with commas between: blocks ("10.1.0.0/16", "127.0.0.1"), hosts, and
// domains that begin with a dot.
func ParseAllowance(text string) (a Allowance, err error) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "" {
			continue
		}
		block, notBlock := netip.ParsePrefix(word)
		if addr, err := netip.ParseAddr(word); err == nil {
			block, notBlock = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case notBlock == nil:
			a.blocks = append(a.blocks, block)
		case strings.ContainsAny(word, "/:*@ ") || strings.Trim(word, ".") == "":
			return a, fault.New(fault.Invalid, "%q is no address, block or host", word).WithHint("write them as 10.1.0.0/16, hooks.corp.example or .corp.example")
		default:
			a.hosts = append(a.hosts, word)
		}
	}
	return a, nil
}

// host reports whether a host is allowed by its name.
func (a Allowance) host(name string) bool {
	return slices.ContainsFunc(a.hosts, func(h string) bool {
		return name == h || strings.HasPrefix(h, ".") && strings.HasSuffix(name, h)
	})
}

func (a Allowance) address(addr netip.Addr) bool {
	return slices.ContainsFunc(a.blocks, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// errAddress is what a dial is refused with. It names no address: what a host of the inside
// resolves to is nobody's business.
func errAddress() error {
	return fault.New(fault.Invalid, "The webhook's host is at an address that must not be called").
		WithHint("It must be reachable on the internet, or be allowed by the operator of this service with --webhook-allow.")
}

// dial connects to a receiver. What the name resolves to is judged when the connection is made:
// a name that resolves to something else than a moment ago gains nothing by it.
func (a Allowance) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if !a.host(strings.ToLower(host)) {
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil || !public(at.Addr()) && !a.address(at.Addr()) {
				return errAddress()
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}
