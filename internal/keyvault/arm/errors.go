package arm

import (
	"fmt"
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Reasons of this face's own faults.
const (
	reasonNoVersion  = "MissingApiVersionParameter"
	reasonBadVersion = "InvalidApiVersionParameter"
	reasonBadFilter  = "InvalidFilterInQueryString"

	reasonNoDefinition = "RoleDefinitionNotFound"
	reasonNoNamespace  = "InvalidResourceNamespace"
	reasonNoFeature    = "FeatureNotFound"
)

type answer struct {
	status int
	code   string
}

// statuses is what a fault's code becomes: the status, and the code of the body.
var statuses = map[fault.Code]answer{
	fault.Invalid:         {http.StatusBadRequest, "BadRequest"},
	fault.Unauthenticated: {http.StatusUnauthorized, "AuthenticationFailed"},
	fault.Forbidden:       {http.StatusForbidden, "AuthorizationFailed"},
	fault.NotFound:        {http.StatusNotFound, "NotFound"},
	fault.Conflict:        {http.StatusConflict, "Conflict"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "RequestContentTooLarge"},
	fault.Throttled:       {http.StatusTooManyRequests, "TooManyRequests"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "ServiceUnavailable"},
}

// exceptions are the reasons that have a code, or a status, of their own.
var exceptions = map[string]answer{
	keyvault.ReasonNoSubscription:   {http.StatusNotFound, "SubscriptionNotFound"},
	keyvault.ReasonNoGroup:          {http.StatusNotFound, "ResourceGroupNotFound"},
	keyvault.ReasonNoResource:       {http.StatusNotFound, "ResourceNotFound"},
	naming.ReasonVault:              {http.StatusBadRequest, "VaultNameNotValid"},
	keyvault.ReasonVaultTaken:       {http.StatusConflict, "VaultAlreadyExists"},
	keyvault.ReasonLocationMismatch: {http.StatusConflict, "InvalidResourceLocation"},
	keyvault.ReasonNoDeletedVault:   {http.StatusNotFound, "DeletedVaultNotFound"},
	keyvault.ReasonVaultHeld:        {http.StatusConflict, "ConflictError"},
	keyvault.ReasonVaultPurge:       {http.StatusMethodNotAllowed, "MethodNotAllowed"},
	keyvault.ReasonGroupInUse:       {http.StatusConflict, "Conflict"},
	keyvault.ReasonReadOnly:         {http.StatusConflict, "ReadOnlyDisabledSubscription"},
	keyvault.ReasonRetention:        {http.StatusConflict, "SubscriptionNotCancellable"},
	keyvault.ReasonInUse:            {http.StatusConflict, "FeatureInUse"},
	keyvault.ReasonProviderInUse:    {http.StatusConflict, "CannotUnregisterResourceProvider"},
	keyvault.ReasonNoRequest:        {http.StatusNotFound, "RequestNotFound"},
	keyvault.ReasonSamePerson:       {http.StatusForbidden, "SamePerson"},
	reasonNoNamespace:               {http.StatusNotFound, reasonNoNamespace},
	reasonNoFeature:                 {http.StatusNotFound, reasonNoFeature},
	keyvault.ReasonNoProvider:       {http.StatusConflict, "MissingSubscriptionRegistration"},
	keyvault.ReasonChanged:          {http.StatusConflict, "ConflictError"},
	keyvault.ReasonRoleID:           {http.StatusBadRequest, keyvault.ReasonRoleID},
	keyvault.ReasonNoRole:           {http.StatusBadRequest, keyvault.ReasonNoRole},
	keyvault.ReasonNoAssignment:     {http.StatusNotFound, keyvault.ReasonNoAssignment},
	keyvault.ReasonRoleAssigned:     {http.StatusConflict, keyvault.ReasonRoleAssigned},
	keyvault.ReasonRoleFixed:        {http.StatusBadRequest, keyvault.ReasonRoleFixed},
	keyvault.ReasonRoleLimit:        {http.StatusBadRequest, keyvault.ReasonRoleLimit},
	reasonNoDefinition:              {http.StatusNotFound, "RoleDefinitionDoesNotExist"},
	face.ReasonMethod:               {http.StatusMethodNotAllowed, "MethodNotAllowed"},
	reasonNoVersion:                 {http.StatusBadRequest, reasonNoVersion},
	reasonBadVersion:                {http.StatusBadRequest, reasonBadVersion},
	reasonBadFilter:                 {http.StatusBadRequest, reasonBadFilter},
}

type errorOut struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// fail is the one place that knows the error bodies of resource management.
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
	body := errorBody{Code: a.code, Message: face.Message(f)}
	if !ok { // our fault: no detail leaves
		a.status = http.StatusInternalServerError
		body = errorBody{Code: "InternalServerError", Message: "An internal error occurred; the request id names it in the server's log."}
	}
	header := x.w.Header()
	header.Set("x-ms-error-code", body.Code)
	switch a.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", x.challenge(f))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		face.RetryAfter(header, f)
	}
	if a.status >= http.StatusInternalServerError {
		x.log.ErrorContext(x.r.Context(), "management request failed", "request", x.id, "method", x.r.Method, "error", err)
	}
	x.w.Text = body.Message
	if err := face.Reply(x.w, a.status, errorOut{body}); err != nil {
		x.log.ErrorContext(x.r.Context(), "management answer failed", "request", x.id, "error", err)
	}
}

// challenge tells where to get a token. Whose a subscription is stays untold, so it names no
// tenant.
func (x *request) challenge(f *fault.Error) string {
	reason := "invalid_token"
	if f.Reason == directory.MissingToken {
		reason = "missing_token"
	}
	return fmt.Sprintf(`Bearer authorization_uri="https://login.%s/common", error="%s", error_description="%s"`, x.domain, reason, f.Reason)
}
