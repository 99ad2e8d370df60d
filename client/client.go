package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is what a Client needs.
type Config struct {
	BaseURL string // required: "https://api.localhost:8443"
	// Token returns a bearer token for the API; it is asked for each request. Required.
	Token func(ctx context.Context) (string, error)

	HTTP     *http.Client  // http.DefaultClient if nil; must not follow redirects with tokens to other hosts
	Attempts int           // how often a request is sent at most; 4 if 0
	Pause    time.Duration // before the second attempt, doubled before each further one; 250 ms if 0
}

// A Client is safe for concurrent use.
type Client struct {
	base     *url.URL
	token    func(ctx context.Context) (string, error)
	http     *http.Client
	attempts int
	pause    time.Duration
}

// New returns a Client. It connects to nothing.
func New(c Config) (*Client, error) {
	if c.BaseURL == "" || c.Token == nil {
		return nil, errors.New("client: BaseURL and Token are required")
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" {
		return nil, fmt.Errorf("client: %q is not an address like https://api.localhost:8443", c.BaseURL)
	}
	k := &Client{base: base, token: c.Token, http: c.HTTP, attempts: c.Attempts, pause: c.Pause}
	if k.http == nil {
		k.http = http.DefaultClient
	}
	if k.attempts <= 0 {
		k.attempts = 4
	}
	if k.pause <= 0 {
		k.pause = 250 * time.Millisecond
	}
	return k, nil
}

// address returns the URL of a path given as segments, each of which is escaped.
func (c *Client) address(query url.Values, segments ...string) string {
	var b strings.Builder
	b.WriteString(c.base.Scheme + "://" + c.base.Host + strings.TrimSuffix(c.base.EscapedPath(), "/") + "/v1")
	for _, segment := range segments {
		b.WriteString("/" + escape(segment))
	}
	if len(query) > 0 {
		b.WriteString("?" + query.Encode())
	}
	return b.String()
}

// escape escapes one segment. Dots are escaped where the segment would otherwise be taken for
// "here" or "up" on the way; the service then refuses it by name.
func escape(segment string) string {
	if segment == "." || segment == ".." {
		return strings.ReplaceAll(segment, ".", "%2E")
	}
	return url.PathEscape(segment)
}
