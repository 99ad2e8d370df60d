package directory

import (
	"net/url"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	maxRedirects = 20
	maxRedirect  = 2048 // bytes of an address
)

// CheckRedirects says whether an app may register the addresses to come back to: https anywhere,
// or http on the machine itself (RFC 8252 section 7.3), and at most 20. The error is fault.Invalid.
func CheckRedirects(addresses []string) error {
	if len(addresses) > maxRedirects {
		return fault.New(fault.Invalid, "an app has at most %d redirect addresses", maxRedirects)
	}
	for _, address := range addresses {
		if err := checkRedirect(address); err != nil {
			return err
		}
	}
	return nil
}

func checkRedirect(address string) error {
	u, err := url.Parse(address)
	good := err == nil && len(address) <= maxRedirect && u.Host != "" && u.User == nil && u.Fragment == "" &&
		!strings.Contains(address, "#") && !strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || isControl(r) || r > '~' })
	if good && (u.Scheme == "https" || isLoopback(u)) {
		return nil
	}
	return fault.New(fault.Invalid, "%.128q cannot be a redirect address", address).WithReason(InvalidRedirect).
		WithHint("give an https:// address, or http:// on localhost, without a fragment")
}

// isLoopback reports whether u is plain HTTP on the machine of the browser.
func isLoopback(u *url.URL) bool {
	return u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// mayReturn reports whether a client with the registered addresses may have a browser sent to
// redirect: to exactly one of them, but for the port of a loopback address, which a program gets
// by chance (RFC 8252 section 7.3).
func mayReturn(registered []string, redirect string) bool {
	if checkRedirect(redirect) != nil {
		return false
	}
	if slices.Contains(registered, redirect) {
		return true
	}
	given, err := url.Parse(redirect)
	if err != nil || !isLoopback(given) {
		return false
	}
	return slices.ContainsFunc(registered, func(r string) bool {
		known, err := url.Parse(r)
		return err == nil && isLoopback(known) && known.Hostname() == given.Hostname() &&
			strings.TrimSuffix(known.Path, "/") == strings.TrimSuffix(given.Path, "/") && known.RawQuery == given.RawQuery
	})
}

// loopbackRedirects are the addresses of the programs that people sign in with: they listen at
// the root of some port.
var loopbackRedirects = []string{"http://localhost", "http://127.0.0.1", "http://[::1]"}
