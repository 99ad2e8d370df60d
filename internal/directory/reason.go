package directory

import "github.com/customerkey/customerkey/internal/fault"

// Reasons of the faults that signing in and verifying return, finer than their codes.
// Package login has a table that turns them into OAuth errors (row KV-133).
const (
	TenantNotFound       = "TenantNotFound"       // no such tenant
	UnknownClient        = "UnknownClient"        // no such app in this tenant
	InvalidSecret        = "InvalidSecret"        // the app's secret is wrong or has expired
	InvalidAssertion     = "InvalidAssertion"     // the app's assertion cannot be read, or was used before
	UnknownCertificate   = "UnknownCertificate"   // signed by no valid certificate of the app
	AssertionSubject     = "AssertionSubject"     // about another app
	AssertionAudience    = "AssertionAudience"    // meant for another token service
	AssertionTime        = "AssertionTime"        // expired, not valid yet, or good for too long
	InvalidRedirect      = "InvalidRedirect"      // an address that the app has not registered
	InvalidRequest       = "InvalidRequest"       // a request to authorize that cannot be
	InvalidCode          = "InvalidCode"          // authorization code that is unknown, used, or another's
	ConfidentialClient   = "ConfidentialClient"   // an app that must prove itself does not
	InvalidCredentials   = "InvalidCredentials"   // wrong name or password; never says which
	AccountDisabled      = "AccountDisabled"      // right password, disabled account
	AccountThrottled     = "AccountThrottled"     // too many wrong passwords, or too many sign-ins at once
	PasswordMustChange   = "PasswordMustChange"   // right one-time password; a new one must be given with it
	WeakPassword         = "WeakPassword"         // a new password that is too short, too long or the old one
	UnknownCode          = "UnknownCode"          // device or user code that never was, was used, or is another client's
	ExpiredCode          = "ExpiredCode"          // device code past its 15 minutes
	AuthorizationPending = "AuthorizationPending" // nobody has approved the device code yet
	SlowDown             = "SlowDown"             // the device asks too often
	InvalidRefreshToken  = "InvalidRefreshToken"  // unknown, expired, revoked, or another client's
	InvalidResource      = "InvalidResource"      // tokens are not given for this audience
	InvalidScope         = "InvalidScope"         // no resource in the scope, or several

	MissingToken    = "MissingToken"    // no bearer token
	BadSignature    = "BadSignature"    // not a token, or not signed by a key of the issuer
	InvalidIssuer   = "InvalidIssuer"   // signed, but issuer and tenant do not belong together
	InvalidAudience = "InvalidAudience" // meant for another service
	TokenExpired    = "TokenExpired"    // expired, or not yet valid
)

func errNoTenant() error {
	return fault.New(fault.NotFound, "no such tenant").WithReason(TenantNotFound).
		WithHint("check the tenant id or domain")
}
