package face

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Verify returns the caller that a bearer token stands for, or fault.Unauthenticated.
type Verify func(ctx context.Context, bearer string) (directory.Caller, error)

// Caller returns who sent a request, for whose records the request id is given.
func Caller(r *http.Request, verify Verify, request string) (directory.Caller, error) {
	token := directory.BearerToken(r.Header.Get("Authorization"))
	if token == "" {
		return directory.Caller{}, fault.New(fault.Unauthenticated, "The request has no bearer token").WithReason(directory.MissingToken)
	}
	c, err := verify(r.Context(), token)
	if err != nil {
		return directory.Caller{}, err
	}
	c.Request, c.ClientRequest, c.Address = request, ClientRequest(r), address(r)
	return c, nil
}

// address returns the client's address without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Headers in the form that maps of headers have, which is looked up as it stands; clients read
// them in any.
const (
	requestHeader       = "X-Ms-Request-Id"
	clientRequestHeader = "X-Ms-Client-Request-Id"
)

// longestClientRequest bounds what is kept of an id, which clients make as GUIDs.
const longestClientRequest = 128

// ClientRequest returns the id that the client gave the request (CK-371), "" if there is none
// or it is not a short printable text.
func ClientRequest(r *http.Request) string {
	id := r.Header.Get(clientRequestHeader)
	unprintable := func(c rune) bool { return c < ' ' || c > '~' }
	if len(id) > longestClientRequest || strings.ContainsFunc(id, unprintable) {
		return ""
	}
	return id
}

// Host returns the host that a request names, in lower case and without its port (KV-5).
func Host(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
