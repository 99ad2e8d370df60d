package courier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what a Client needs.
type Config struct {
	Domain string           // required: host and port the deployment is reached by; never called
	Allow  Allowance        // what may be called beyond the internet at large
	Roots  *x509.CertPool   // whose certificates receivers may show; the system's if nil
	Now    func() time.Time // time.Now if nil
}

// A Client reaches webhooks. It is safe for concurrent use.
type Client struct {
	Domain string // host and port of the deployment
	allow  Allowance
	http   *http.Client
	now    func() time.Time
}

// Limits of one call.
const (
	patience  = 10 * time.Second
	maxAnswer = 16 << 10 // bytes of an answer that are looked at
)

// New returns a Client. It calls nobody and starts no goroutine.
func New(c Config) (*Client, error) {
	if c.Domain == "" {
		return nil, errors.New("courier: Domain is required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{Domain: c.Domain, allow: c.Allow, now: c.Now, http: newClient(c)}, nil
}

// newClient follows no redirect, uses no proxy, and keeps what a receiver can make it hold
// small.
func newClient(c Config) *http.Client {
	t := &http.Transport{
		DialContext: c.Allow.dial, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: maxAnswer,
	}
	return &http.Client{
		Transport: t, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Now returns the time of the Client's clock.
func (c *Client) Now() time.Time { return c.now() }

// Check refuses an endpoint that must never be called, as fault.Invalid, without calling it.
func (c *Client) Check(e Endpoint) error {
	u, err := url.Parse(e.Expose())
	if err != nil {
		return errURL()
	}
	own := strings.ToLower((&url.URL{Host: c.Domain}).Hostname())
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == own || strings.HasSuffix(host, "."+own) {
		return fault.New(fault.Invalid, "The webhook's host is one of this service's own").
			WithHint("Give the address of a receiver outside of it.")
	}
	return nil
}

func errURL() error { return fault.New(fault.Invalid, "The webhook's URL cannot be read") }

// A Message is one request to a webhook. A body is signed with Secret.
type Message struct {
	To      Endpoint
	Secret  envelope.Key
	Method  string // POST if ""
	Content string // media type of Body
	Body    []byte
	Header  map[string]string
}

// SignatureHeader carries "t=TIME,v1=MAC": the time of the delivery in seconds since 1970, and
// HMAC-SHA-256 over TIME, a dot and the body under the webhook's secret, in hex.
const SignatureHeader = "CK-Webhook-Signature"

// Sign returns the value of SignatureHeader.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// An Answer is what a receiver said, cut off after 16 KiB.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Call makes one request. No error holds the URL, whose query may be a secret.
func (c *Client) Call(ctx context.Context, m Message) (Answer, error) {
	if err := c.Check(m.To); err != nil { // the service may have another name by now
		return Answer{}, err
	}
	req, err := c.request(ctx, m)
	if err != nil {
		return Answer{}, errURL()
	}
	res, err := c.http.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return Answer{res.StatusCode, res.Header, got}, err
}

func (c *Client) request(ctx context.Context, m Message) (*http.Request, error) {
	method := http.MethodPost
	if m.Method != "" {
		method = m.Method
	}
	req, err := http.NewRequestWithContext(ctx, method, m.To.Expose(), bytes.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "customerkey")
	for name, value := range m.Header {
		req.Header.Set(name, value)
	}
	if m.Body != nil {
		secret := m.Secret.Expose()
		defer clear(secret)
		req.Header.Set("Content-Type", m.Content)
		req.Header.Set(SignatureHeader, Sign(secret, c.now(), m.Body))
	}
	return req, nil
}

// A Receipt is what came of one delivery.
type Receipt struct {
	OK     bool
	Never  bool          // the receiver will never take this message
	After  time.Duration // it asked not to be called again before; 0 if it said nothing
	Reason string        // why it failed: safe for logs, without addresses
}

// Send delivers one message.
func (c *Client) Send(ctx context.Context, m Message) Receipt {
	res, err := c.Call(ctx, m)
	if err != nil {
		return Receipt{Reason: "unreachable"}
	}
	return Receipt{
		OK:    res.Status/100 == 2,
		Never: res.Status == http.StatusBadRequest || res.Status == http.StatusRequestEntityTooLarge,
		After: res.retryAfter(c.now()), Reason: "status " + strconv.Itoa(res.Status),
	}
}

// retryAfter reads Retry-After in both its forms (RFC 9110, section 10.2.3).
func (a Answer) retryAfter(now time.Time) time.Duration {
	text := a.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
