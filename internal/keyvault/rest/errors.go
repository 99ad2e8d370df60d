package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// statuses is what a fault's code becomes (section 9): the status, and the code of the body.
var statuses = map[fault.Code]answer{
	fault.Invalid:         {http.StatusBadRequest, "BadParameter"},
	fault.Unauthenticated: {http.StatusUnauthorized, "Unauthorized"},
	fault.Forbidden:       {http.StatusForbidden, "Forbidden"},
	fault.NotFound:        {http.StatusNotFound, "NotFound"},
	fault.Conflict:        {http.StatusConflict, "Conflict"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "RequestTooLarge"},
	fault.Throttled:       {http.StatusTooManyRequests, "Throttled"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "ServiceUnavailable"},
}

// exceptions are the reasons that have a status or code of their own.
var exceptions = map[string]answer{
	keyvault.ReasonKeyNotFound:   {http.StatusNotFound, "KeyNotFound"},
	keyvault.ReasonVaultNotFound: {http.StatusNotFound, "VaultNotFound"},
	face.ReasonMethod:            {http.StatusMethodNotAllowed, "MethodNotAllowed"},
}

// inner are the reasons that become the code of innererror.
var inner = map[string]bool{
	keyvault.ReasonAccessDenied: true,
	keyvault.ReasonForbidden:    true,
	keyvault.ReasonRBAC:         true,
	rights.ReasonFirewall:       true,
	rights.ReasonPrivate:        true,
	keyvault.ReasonKeyDisabled:  true,
	keyvault.ReasonOperation:    true,
	keyvault.ReasonExpired:      true,
	keyvault.ReasonNotYetValid:  true,
	keyvault.ReasonKeyType:      true,
	keyvault.ReasonDeletedKey:   true,
	keyvault.ReasonSuspended:    true,
}

type answer struct {
	status int
	code   string
}

type errorOut struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Inner   *innerBody `json:"innererror,omitempty"`
}

type innerBody struct {
	Code string `json:"code"`
}

// fail is the one place that knows Azure's error bodies.
func (x *request) fail(err error) {
	if x.r.Context().Err() != nil {
		x.w.Left()
		return
	}
	f := fault.As(err)
	a, ok := exceptions[f.Reason]
	if !ok {
		a, ok = statuses[f.Code]
	}
	body := errorBody{Code: a.code, Message: message(f)}
	if !ok { // our fault: no detail leaves (KV-99)
		a.status = http.StatusInternalServerError
		body = errorBody{Code: "InternalServerError", Message: "An internal error occurred; the request id names it in the server's log."}
	}
	if inner[f.Reason] {
		body.Inner = &innerBody{f.Reason}
	}
	header := x.w.Header()
	switch a.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", x.challenge())
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		face.RetryAfter(header, f)
	}
	if a.status >= http.StatusInternalServerError {
		x.log.ErrorContext(x.r.Context(), "vault request failed", "request", x.id, "method", x.r.Method, "vault", x.vault, "error", err)
	}
	x.w.Text = body.Message
	if err := face.Reply(x.w, a.status, errorOut{body}); err != nil {
		x.log.ErrorContext(x.r.Context(), "vault answer failed", "request", x.id, "error", err)
	}
}

// challenge tells a client where to get a token and what for. Clients cut it up by position:
// the tenant is the first part of the path, one space between the parameters (KV-100).
func (x *request) challenge() string {
	authority := cmp.Or(x.authority[x.place.Tenant], "https://login."+x.domain+"/"+x.place.Tenant)
	return fmt.Sprintf(`Bearer authorization="%s", resource="https://vault.%s"`, authority, x.domain)
}

// message is the text for people. Tokens have texts that administrators search for (KV-90).
func message(f *fault.Error) string {
	if f.Code == fault.Unauthenticated {
		return tokenMessage(f)
	}
	return face.Message(f)
}

func tokenMessage(f *fault.Error) string {
	text := strings.TrimSuffix(f.Message, ".") + "."
	switch f.Reason {
	case directory.MissingToken:
		return "AKV10000: Request is missing a Bearer or PoP token."
	case directory.InvalidAudience:
		return "AKV10022: " + text
	case directory.InvalidIssuer:
		return "AKV10032: " + text
	}
	return "[" + f.Reason + "] Error validating token: " + text
}
