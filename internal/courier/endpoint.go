package courier

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// An Endpoint is where a webhook is. Its query may hold a secret, so that it prints without it.
type Endpoint struct{ full string }

// NewEndpoint takes a URL as its owner gives it. The error is fault.Invalid if it is not
// absolute https without user and fragment, or longer than 2048 bytes; which hosts may be
// called is for a Client to say.
func NewEndpoint(text string) (Endpoint, error) {
	u, err := url.Parse(text)
	if err != nil || len(text) > 2048 || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return Endpoint{}, fault.New(fault.Invalid, "the webhook's URL cannot be used").
			WithHint("It is an https URL without user and fragment, of at most 2048 characters.")
	}
	return Endpoint{text}, nil
}

// Expose returns the whole URL, for calling it and for whoever may see it.
func (e Endpoint) Expose() string { return e.full }

// Base returns the URL without its query.
func (e Endpoint) Base() string {
	base, _, _ := strings.Cut(e.full, "?")
	return base
}

// Format prints the base alone.
func (e Endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Base()) }

// MarshalText writes the base alone.
func (e Endpoint) MarshalText() ([]byte, error) { return []byte(e.Base()), nil }
