package identity

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Loopback checks that an address to listen on, "127.0.0.1:4000", is one that only programs of
// the same machine can reach.
func Loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err == nil && isLoopback(host) {
		return nil
	}
	return fault.New(fault.Invalid, "%.64q is no loopback address", address).
		WithHint("give one such as 127.0.0.1:4000: what is said there is not encrypted")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// foreign are headers of requests that come from farther than they seem to: a proxy has passed
// them on, or a web page has made a browser send them.
var foreign = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via", "Origin", "Sec-Fetch-Site"}

// near refuses what does not come from a program of this machine by a name of this machine: a
// name that somebody else's resolver has pointed here would let a web page in.
func near(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil || !isLoopback(peer) || !isLocalName(r.Host) {
			refuse(w, "this address serves the machine itself, by its loopback address")
			return
		}
		for _, name := range foreign {
			if len(r.Header.Values(name)) > 0 {
				refuse(w, "requests that were passed on are not answered")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// imdsHost is the address at which machines of Azure find IMDS; a machine may be told to send
// what goes there to its own loopback.
const imdsHost = "169.254.169.254"

func isLocalName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return isLoopback(host) || host == imdsHost || strings.EqualFold(host, "localhost")
}

func refuse(w http.ResponseWriter, why string) {
	write(w, http.StatusForbidden, map[string]any{"statusCode": http.StatusForbidden, "error": "invalid_request", "error_description": why, "message": why})
}

func originOf(r *http.Request, request string) directory.Origin {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return directory.Origin{Address: host, Request: request}
}
