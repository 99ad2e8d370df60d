// Package webhook carries the events of key vaults to those who have subscribed to them.
//
// A [Courier] is the way to the receivers: it writes events in the two forms that Azure's event
// subscriptions have, signs them, and calls nothing but https on addresses that may be called. A
// [Deliverer] takes what waits in the vault's outbox to them, at least once and in order, and
// tries again for a day. What the events mean, and whose they are, is for package keyvault.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// Config is what a Courier needs.
type Config struct {
	Domain string           // required: host and port the deployment is reached by; never called
	Allow  Allowance        // what may be called beyond the internet at large
	Roots  *x509.CertPool   // whose certificates receivers may show; the system's if nil
	Now    func() time.Time // time.Now if nil
}

// A Courier reaches webhooks. It is safe for concurrent use.
type Courier struct {
	domain string
	allow  Allowance
	http   *http.Client
	now    func() time.Time
}

// Limits of one call.
const (
	patience  = 10 * time.Second
	maxAnswer = 16 << 10 // bytes of an answer that are looked at
)

// New returns a Courier. It calls nobody and starts no goroutine.
func New(c Config) (*Courier, error) {
	if c.Domain == "" {
		return nil, errors.New("webhook: Domain is required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Courier{domain: c.Domain, allow: c.Allow, now: c.Now, http: newClient(c)}, nil
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

// Check implements keyvault.Courier.
func (c *Courier) Check(e keyvault.Endpoint) error {
	u, err := url.Parse(e.Expose())
	if err != nil {
		return fault.New(fault.Invalid, "The webhook's URL cannot be read")
	}
	own := strings.ToLower((&url.URL{Host: c.domain}).Hostname())
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == own || strings.HasSuffix(host, "."+own) {
		return fault.New(fault.Invalid, "The webhook's host is one of this service's own")
	}
	return nil
}

// Greet implements keyvault.Courier by the handshakes that Azure has: an Event Grid receiver
// gives back a code, one of CloudEvents says whose events it takes (HTTP 1.1 Web Hooks for
// Event Delivery 1.0, section 4).
func (c *Courier) Greet(ctx context.Context, h keyvault.Hook) error {
	if h.Schema == keyvault.CloudEventSchema {
		return c.greetCloud(ctx, h)
	}
	code := uuid.NewString()
	body := []gridEvent{{
		ID: uuid.NewString(), Topic: topic(h), EventType: "Microsoft.EventGrid.SubscriptionValidationEvent", EventTime: c.now().UTC(),
		Data: map[string]string{"validationCode": code}, DataVersion: "1", MetadataVersion: "1",
	}}
	res, err := c.post(ctx, h, body, "application/json; charset=utf-8", map[string]string{"aeg-event-type": "SubscriptionValidation"})
	if err != nil {
		return errReach(err)
	}
	var said struct {
		Response string `json:"validationResponse"`
	}
	if res.status != http.StatusOK || json.Unmarshal(res.body, &said) != nil || said.Response != code {
		return errGreeting("it answered %d without the validation code", res.status)
	}
	return nil
}

func (c *Courier) greetCloud(ctx context.Context, h keyvault.Hook) error {
	origin := (&url.URL{Host: c.domain}).Hostname()
	res, err := c.call(ctx, h, http.MethodOptions, nil, map[string]string{"WebHook-Request-Origin": origin})
	if err != nil {
		return errReach(err)
	}
	allows := func(o string) bool { return o == "*" || strings.EqualFold(o, origin) }
	allowed := strings.FieldsFunc(res.header.Get("WebHook-Allowed-Origin"), func(r rune) bool { return r == ',' || r == ' ' })
	if res.status/100 != 2 || !slices.ContainsFunc(allowed, allows) {
		return errGreeting("it answered %d without WebHook-Allowed-Origin: %s", res.status, origin)
	}
	return nil
}

// errGreeting says what kept a webhook from being accepted.
func errGreeting(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "Webhook validation handshake failed: "+format, args...).WithReason("URL validation").
		WithHint("The receiver answers 200 to the validation request, as docs/events.md says.")
}

// errReach is errGreeting for one that could not be asked. Why the network did not let us stays
// out of the answer: it tells of addresses.
func errReach(err error) error {
	if fault.Is(err, fault.Invalid) {
		return fault.As(err)
	}
	f := errGreeting("it could not be reached over https")
	f.Err = err
	return f
}

// A Receipt is what came of one delivery.
type Receipt struct {
	OK     bool
	Never  bool          // the receiver will never take this event
	After  time.Duration // it asked not to be called again before; 0 if it said nothing
	Reason string        // why it failed: safe for logs, without addresses
}

// Send delivers one event; attempt counts those before that failed.
func (c *Courier) Send(ctx context.Context, h keyvault.Hook, e keyvault.Event, attempt int) Receipt {
	var body any = []gridEvent{c.grid(h, e)}
	content := "application/json; charset=utf-8"
	if h.Schema == keyvault.CloudEventSchema {
		body, content = c.cloud(h, e), "application/cloudevents+json; charset=utf-8"
	}
	res, err := c.post(ctx, h, body, content, map[string]string{
		"aeg-event-type": "Notification", "aeg-subscription-name": h.Name, "aeg-delivery-count": strconv.Itoa(attempt),
	})
	if err != nil {
		return Receipt{Reason: "unreachable"}
	}
	return Receipt{
		OK:    res.status/100 == 2,
		Never: res.status == http.StatusBadRequest || res.status == http.StatusRequestEntityTooLarge,
		After: res.retryAfter(c.now()), Reason: "status " + strconv.Itoa(res.status),
	}
}

// SignatureHeader carries "t=TIME,v1=MAC": the time of the delivery in seconds since 1970, and
// HMAC-SHA-256 over TIME, a dot and the body under the subscription's secret, in hex.
const SignatureHeader = "CK-Webhook-Signature"

// Sign returns the value of SignatureHeader.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (c *Courier) post(ctx context.Context, h keyvault.Hook, v any, content string, header map[string]string) (answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{}, err
	}
	secret := h.Secret.Expose()
	defer clear(secret)
	header["Content-Type"] = content
	header[SignatureHeader] = Sign(secret, c.now(), body)
	return c.call(ctx, h, http.MethodPost, body, header)
}

// An answer is what a receiver said, cut off after maxAnswer bytes.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call makes one request. No error holds the URL, whose query may be a secret.
func (c *Courier) call(ctx context.Context, h keyvault.Hook, method string, body []byte, header map[string]string) (answer, error) {
	if err := c.Check(h.Endpoint); err != nil { // the service may have another name by now
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, h.Endpoint.Expose(), bytes.NewReader(body))
	if err != nil {
		return answer{}, errGreeting("its URL cannot be read")
	}
	req.Header.Set("User-Agent", "customerkey")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := c.http.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return answer{res.StatusCode, res.Header, got}, err
}

// retryAfter reads Retry-After in both its forms (RFC 9110, section 10.2.3).
func (a answer) retryAfter(now time.Time) time.Duration {
	text := a.header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
