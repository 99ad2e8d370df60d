package rootkey

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/customerkey/customerkey/internal/fault"
)

// statuses is section 2.2 of the requirements for vaults that answered. The first row that fits
// wins: status, and the inner or outer code of the body where one is given.
var statuses = []struct {
	status int // 4 and 5 stand for all of their hundred
	code   string
	reason string
}{
	{401, "", "Unauthorized"}, // CK-56: the client got a fresh token before it gave up
	{403, "AccessDenied", "AccessDenied"},
	{403, "ForbiddenByPolicy", "AccessDenied"},              // CK-57
	{403, "ForbiddenByRbac", "AccessDenied"},                // CK-57
	{403, "ForbiddenByFirewall", "NetworkDenied"},           // CK-58
	{403, "ForbiddenByConnection", "NetworkDenied"},         // CK-58
	{403, "KeyDisabled", "KeyDisabled"},                     // CK-59
	{403, "KeyOperationForbidden", "KeyOperationForbidden"}, // CK-59
	{403, "KeyExpired", "KeyExpired"},                       // CK-61, X-3
	{403, "KeyNotYetValid", "KeyNotYetValid"},
	{403, "SubscriptionDisabled", "SubscriptionDisabled"}, // cancelled by its owner, or stopped
	{403, "", "AccessDenied"},
	{404, "VaultNotFound", "VaultNotFound"}, // CK-60, CK-64: deleted, not gone astray
	{404, "", "KeyNotFound"},                // CK-60
	{408, "", "Timeout"},                    // CK-54
	{429, "", "Throttled"},                  // CK-55: after the retries
	{4, "", "Refused"},                      // an answer that says no is a no
	{5, "", "VaultFailed"},                  // CK-54
}

// reasons has the class of every reason, and its words. %s is vault/key.
var reasons = map[string]struct {
	code          fault.Code
	message, hint string
}{
	"Unauthorized":          {fault.Denied, "the vault of %s does not accept the service", "check that the vault belongs to the tenant of the policy"},
	"AccessDenied":          {fault.Denied, "the service has no permission on %s", "give the service get, wrapKey and unwrapKey on it"},
	"NetworkDenied":         {fault.Denied, "the network rules of the vault of %s keep the service out", "let the service through the firewall or the private link of the vault"},
	"KeyDisabled":           {fault.Denied, "%s is disabled by its owner", "enable %s"},
	"KeyOperationForbidden": {fault.Denied, "%s is not allowed to wrap and unwrap", "add wrapKey and unwrapKey to its operations"},
	"KeyExpired":            {fault.Denied, "%s has expired", "move its expiry, or roll it and refresh the policy"},
	"KeyNotYetValid":        {fault.Denied, "%s is not valid yet", "move its activation date into the past"},
	"SubscriptionDisabled":  {fault.Denied, "the subscription of the vault of %s is disabled", "enable the subscription again"},
	"KeyNotFound":           {fault.Denied, "%s is not there: it was deleted, or never made", "recover %s, or check its name"},
	"VaultNotFound":         {fault.Denied, "the vault of %s is not there: it was deleted, or never made", "recover the vault, or check its name"},
	"Refused":               {fault.Denied, "the vault of %s refuses the request", "see the log of the vault"},

	"Timeout":      {fault.Unavailable, "the vault of %s did not answer in time", "check that the vault can be reached, then try again"},
	"Throttled":    {fault.Unavailable, "the vault of %s has too many requests", "try again later"},
	"VaultFailed":  {fault.Unavailable, "the vault of %s is out of order", "try again later"},
	"NoToken":      {fault.Unavailable, "no token for the vault of %s could be had", "check the service's own sign-in, then try again"},
	"HostNotFound": {fault.Unavailable, "the host of the vault of %s is not known", "check the name service, and that the vault was not deleted"},
	"TLSFailed":    {fault.Unavailable, "the connection to the vault of %s is not trusted", "check the vault's certificate and the service's trusted authorities"},
	"Unreachable":  {fault.Unavailable, "the vault of %s cannot be reached", "check the network and that the vault runs, then try again"},
	"BadAnswer":    {fault.Unavailable, "the vault of %s gave an answer that makes no sense", "see the log of the service; the vault or something before it is out of order"},
}

// classify sorts an error of the official client into fault.Denied, if the owner of the key
// refuses, and fault.Unavailable, if the vault or the way to it is out of order. Everything
// that is not understood is the latter: nothing was taken back.
func classify(err error, u URI) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return explain(u, reasonOf(err), err)
	}
	code, cause := read(answer)
	for _, s := range statuses {
		if (s.status == answer.StatusCode || s.status == answer.StatusCode/100) && (s.code == "" || s.code == code) {
			return explain(u, s.reason, cause)
		}
	}
	return explain(u, "BadAnswer", cause)
}

// reasonOf sorts an error that is no answer of a vault (CK-52, CK-54).
func reasonOf(err error) string {
	var (
		bad         *badAnswer
		token       *tokenError
		dns         *net.DNSError
		untrusted   *tls.CertificateVerificationError
		noTLS       tls.RecordHeaderError
		alert       tls.AlertError
		unknownRoot x509.UnknownAuthorityError
		wrongHost   x509.HostnameError
		invalid     x509.CertificateInvalidError
		network     net.Error
	)
	switch {
	case errors.As(err, &bad):
		return "BadAnswer"
	case errors.As(err, &token) && fault.Is(token.err, fault.Denied):
		return "Unauthorized" // no failure of the token source: the vault takes tokens of another tenant only
	case errors.As(err, &token):
		return "NoToken"
	case errors.As(err, &dns):
		return "HostNotFound"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &untrusted), errors.As(err, &noTLS), errors.As(err, &alert),
		errors.As(err, &unknownRoot), errors.As(err, &wrongHost), errors.As(err, &invalid):
		return "TLSFailed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "Timeout"
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "Unreachable"
	}
	return "BadAnswer"
}

// read returns the innermost code of an answer, and its gist for the log. The whole of it is
// not kept: it may be long, and may hold anything.
func read(answer *azcore.ResponseError) (code string, cause error) {
	var body struct {
		Error struct {
			Code, Message string
			InnerError    struct{ Code string }
		}
	}
	request := ""
	if answer.RawResponse != nil {
		if b, err := runtime.Payload(answer.RawResponse); err == nil {
			_ = json.Unmarshal(b, &body) // what is no such object has no code
		}
		request = answer.RawResponse.Header.Get("X-Ms-Request-Id")
	}
	code = body.Error.InnerError.Code
	if code == "" {
		code = answer.ErrorCode
	}
	return code, fmt.Errorf("status %d %.60q %.60q, request %.60q: %.300q",
		answer.StatusCode, answer.ErrorCode, body.Error.InnerError.Code, request, body.Error.Message)
}

// denied returns the denial for a reason that the vault did not give itself.
func denied(u URI, reason string) error { return explain(u, reason, nil) }

// explain makes the fault for a reason.
func explain(u URI, reason string, cause error) error {
	r := reasons[reason]
	name := func(text string) string { return strings.ReplaceAll(text, "%s", u.Short()) }
	return &fault.Error{Code: r.code, Reason: reason, Message: name(r.message), Hint: name(r.hint), Err: cause}
}
