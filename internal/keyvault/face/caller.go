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
	c.Request = request
	if c.Address, _, err = net.SplitHostPort(r.RemoteAddr); err != nil {
		c.Address = r.RemoteAddr
	}
	return c, nil
}

// Host returns the host that a request names, in lower case and without its port (KV-5).
func Host(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
