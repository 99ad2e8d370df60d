package login

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An oauth is how one failure looks to an OAuth client: Entra's number (AADSTS...) and error
// word, which clients decide on.
type oauth struct {
	status int
	word   string
	number int
}

// byReason is the table of row KV-133. Clients wait on while they read 400 with
// authorization_pending or slow_down.
var byReason = map[string]oauth{
	directory.TenantNotFound:       {400, "invalid_request", 90002},
	directory.UnknownClient:        {400, "unauthorized_client", 700016},
	directory.InvalidSecret:        {401, "invalid_client", 7000215},
	directory.InvalidAssertion:     {401, "invalid_client", 50027},
	directory.UnknownCertificate:   {401, "invalid_client", 700027},
	directory.AssertionSubject:     {401, "invalid_client", 700021},
	directory.AssertionAudience:    {401, "invalid_client", 700023},
	directory.AssertionTime:        {401, "invalid_client", 700024},
	directory.ConfidentialClient:   {401, "invalid_client", 7000218},
	directory.InvalidCode:          {400, "invalid_grant", 70008},
	directory.InvalidRedirect:      {400, "invalid_request", 50011},
	directory.InvalidRequest:       {400, "invalid_request", 9002325},
	directory.InvalidCredentials:   {400, "invalid_grant", 50126},
	directory.AccountDisabled:      {400, "invalid_grant", 50057},
	directory.AccountThrottled:     {429, "temporarily_unavailable", 50053},
	directory.PasswordMustChange:   {400, "password_must_change", 50055},
	directory.WeakPassword:         {400, "invalid_request", 50056},
	directory.UnknownCode:          {400, "bad_verification_code", 70018},
	directory.ExpiredCode:          {400, "expired_token", 70020},
	directory.AuthorizationPending: {400, "authorization_pending", 70016},
	directory.SlowDown:             {400, "slow_down", 70016},
	directory.InvalidRefreshToken:  {400, "invalid_grant", 70000},
	directory.InvalidResource:      {400, "invalid_resource", 500011},
	directory.InvalidScope:         {400, "invalid_scope", 70011},
	missingParameter:               {400, "invalid_request", 900144},
	unsupportedResponse:            {400, "unsupported_response_type", 700054},
	loginRequired:                  {400, "login_required", 50058},
	unsupportedGrant:               {400, "unsupported_grant_type", 70003},
}

// byCode is for faults without a reason of their own.
var byCode = map[fault.Code]oauth{
	fault.Invalid:     {400, "invalid_request", 900144},
	fault.NotFound:    {400, "invalid_grant", 50034},
	fault.TooLarge:    {413, "invalid_request", 90015},
	fault.Throttled:   {429, "temporarily_unavailable", 90055},
	fault.Unavailable: {503, "temporarily_unavailable", 90033},
}

// oauthOf returns how err looks to a client.
func oauthOf(e *fault.Error) oauth {
	if o, ok := byReason[e.Reason]; ok {
		return o
	}
	if o, ok := byCode[e.Code]; ok {
		return o
	}
	return oauth{500, "server_error", 90037}
}

// errorAnswer is the body of a failure, with the members of Entra's.
type errorAnswer struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

// writeError is the one place that knows OAuth's error bodies.
func (f *face) writeError(w http.ResponseWriter, r *http.Request, req request, err error) {
	e := fault.As(err)
	o := oauthOf(e)
	if o.status >= 500 && r.Context().Err() == nil {
		f.log.ErrorContext(r.Context(), "signing in failed", "path", r.URL.Path, "request", req.origin.Request, "error", err)
	}
	stamp := f.now().UTC().Format("2006-01-02 15:04:05Z")
	correlation := req.origin.Request
	if id := r.Header.Get("Client-Request-Id"); isID(id) {
		correlation = id
	}
	text := fmt.Sprintf("AADSTS%d: %s.", o.number, strings.TrimSuffix(upperFirst(e.Message), "."))
	if e.Hint != "" {
		text += " " + upperFirst(e.Hint) + "."
	}
	body, err := json.Marshal(errorAnswer{
		Error: o.word, Codes: []int{o.number}, Timestamp: stamp, TraceID: req.origin.Request, CorrelationID: correlation,
		Description: fmt.Sprintf("%s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", text, req.origin.Request, correlation, stamp),
	})
	if err != nil {
		body = []byte(`{"error":"server_error"}`) // strings and numbers encode
	}
	if o.status == http.StatusTooManyRequests || o.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(o.status)
	_, _ = w.Write(body)
}

// isID reports whether id can be echoed: letters, digits and dashes, as in a GUID.
func isID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789abcdefABCDEF-") == ""
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
