package courier

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// Greet asks whoever is at an endpoint whether he takes CloudEvents of this service: he says whose
// he takes (HTTP 1.1 Web Hooks for Event Delivery 1.0, section 4). The error is fault.Invalid
// unless he agrees; its message is safe to show to whoever named the endpoint.
func (c *Client) Greet(ctx context.Context, to Endpoint) error {
	origin := (&url.URL{Host: c.Domain}).Hostname()
	res, err := c.Call(ctx, Message{To: to, Method: http.MethodOptions, Header: map[string]string{"WebHook-Request-Origin": origin}})
	if err != nil {
		return Unreachable(err)
	}
	allows := func(o string) bool { return o == "*" || strings.EqualFold(o, origin) }
	allowed := strings.FieldsFunc(res.Header.Get("WebHook-Allowed-Origin"), func(r rune) bool { return r == ',' || r == ' ' })
	if res.Status/100 != 2 || !slices.ContainsFunc(allowed, allows) {
		return NotGreeted("it answered %d without WebHook-Allowed-Origin: %s", res.Status, origin)
	}
	return nil
}

// NotGreeted says what kept a webhook from being accepted.
func NotGreeted(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "Webhook validation handshake failed: "+format, args...).WithReason("URL validation").
		WithHint("The receiver answers 200 to the validation request, as docs/events.md says.")
}

// Unreachable is NotGreeted for one that could not be asked. Why the network did not let us stays
// out of the answer: it tells of addresses.
func Unreachable(err error) error {
	if fault.Is(err, fault.Invalid) {
		return fault.As(err)
	}
	f := NotGreeted("it could not be reached over https")
	f.Err = err
	return f
}
