package profile

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Target is where to sign in.
type Target struct {
	Domain    string // required: "localhost:8443"
	Tenant    string // GUID or domain of the organization; "organizations", any, if empty
	Authority string // PEM of the service's own certificate authority; "": the system's
}

// A Code is what a person needs to approve a sign-in in a browser.
type Code struct {
	UserCode string
	URL      string    // the page to type it in
	Expires  time.Time // when it is too late
	Message  string    // both in one sentence, by the token service
}

// A Password signs a person in without a browser.
type Password struct {
	User, Password string
	New            string // the password to have from now on, if the old one must be changed
}

// ReasonMustChange is the reason of fault.Forbidden when a one-time password has to be
// replaced: sign in again with Password.New.
const ReasonMustChange = "PasswordMustChange"

// deviceCode is the answer to a device code request.
type deviceCode struct {
	DeviceCode      string `json:"device_code"`
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	ExpiresIn       int64  `json:"expires_in"`
	Interval        int64  `json:"interval"`
	Message         string `json:"message"`
}

// SignInDevice signs in by a code that the person types into a page; show is called once
// with it. It waits until that is done or the code ends, and saves the profile.
func SignInDevice(ctx context.Context, c Config, t Target, show func(Code)) (*Profile, error) {
	return signIn(ctx, c, t, func(_ tokenService, d deviceCode) error {
		show(Code{
			UserCode: d.UserCode, URL: d.VerificationURI, Message: d.Message,
			Expires: time.Now().Add(time.Duration(d.ExpiresIn) * time.Second),
		})
		return nil
	})
}

// SignInPassword signs in by filling in that page for the person. A password that must be
// changed is fault.Forbidden with reason ReasonMustChange.
func SignInPassword(ctx context.Context, c Config, t Target, pw Password) (*Profile, error) {
	return signIn(ctx, c, t, func(s tokenService, d deviceCode) error { return s.approve(ctx, d, pw) })
}

func signIn(ctx context.Context, c Config, t Target, approve func(tokenService, deviceCode) error) (*Profile, error) {
	client, err := Client(t.Authority)
	if err != nil {
		return nil, err
	}
	if t.Tenant == "" {
		t.Tenant = "organizations"
	}
	at := AddressesOf(t.Domain)
	s := tokenService{client, at.Login, t.Tenant}
	var d deviceCode
	refused, err := s.post(ctx, s.login+"/"+url.PathEscape(s.tenant)+"/oauth2/v2.0/devicecode",
		url.Values{"client_id": {ClientID}, "scope": {scope(at.API)}}, &d)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, signInFault(refused)
	}
	if err := approve(s, d); err != nil {
		return nil, err
	}
	g, err := s.poll(ctx, d, at.API)
	if err != nil {
		return nil, err
	}
	return store(ctx, c, t, g)
}

// poll asks for the token until the code is approved, declined or over.
func (s tokenService) poll(ctx context.Context, d deviceCode, audience string) (grant, error) {
	pause := time.Duration(min(max(d.Interval, 1), 60)) * time.Second
	for first := true; ; first = false {
		if !first {
			select {
			case <-ctx.Done():
				return grant{}, ctx.Err()
			case <-time.After(pause):
			}
		}
		g, refused, err := s.token(ctx, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.DeviceCode}, "scope": {scope(audience)},
		})
		switch {
		case err != nil:
			return grant{}, err
		case refused == nil:
			return g, nil
		case refused.Code == "slow_down":
			pause += 5 * time.Second // RFC 8628, section 3.5
		case refused.Code != "authorization_pending":
			return grant{}, signInFault(refused)
		}
	}
}

// approve fills in the page that the person would have seen. The password goes nowhere but
// to the token service that we were told of.
func (s tokenService) approve(ctx context.Context, d deviceCode, pw Password) error {
	page, err := url.Parse(d.VerificationURI)
	if err != nil || page.Scheme+"://"+page.Host != s.login {
		return fault.New(fault.Internal, "the token service names a sign-in page elsewhere").WithHint("sign in without a password: ck login")
	}
	form := url.Values{"user_code": {d.UserCode}, "username": {pw.User}, "password": {pw.Password}}
	if pw.New != "" {
		form.Set("new_password", pw.New)
	}
	var done struct{}
	refused, err := s.post(ctx, d.VerificationURI, form, &done)
	if err != nil {
		return err
	}
	if refused != nil {
		return signInFault(refused)
	}
	return nil
}

func signInFault(e *oauthError) error {
	switch e.Code {
	case ReasonMustChange, "password_must_change":
		return fault.New(fault.Forbidden, "the password must be changed").WithReason(ReasonMustChange).WithHint("choose a new password")
	case "expired_token":
		return fault.New(fault.Unauthenticated, "the code was not approved in time").WithHint("start again with: ck login")
	case "access_denied", "authorization_declined":
		return fault.New(fault.Unauthenticated, "the sign-in was declined")
	}
	return e.fault("")
}

// store writes the new profile. Who signed in stands in the access token, which came
// straight from the token service and is not verified again.
func store(ctx context.Context, c Config, t Target, g grant) (*Profile, error) {
	who, err := readClaims(g.AccessToken)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	d := Data{Domain: t.Domain, Tenant: who.Tenant, User: who.UPN, Authority: t.Authority, RefreshToken: g.RefreshToken}
	if _, domain, ok := strings.Cut(who.UPN, "@"); ok {
		d.Organization = domain
	}
	d.keep(AddressesOf(t.Domain).API, g.access(now()), now)
	return Save(ctx, c, d)
}

type claims struct {
	Tenant string `json:"tid"`
	UPN    string `json:"upn"`
}

func readClaims(token string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	unread := fault.New(fault.Internal, "the token service's token cannot be read")
	if len(parts) != 3 {
		return c, unread
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil || c.Tenant == "" {
		return c, unread
	}
	return c, nil
}
