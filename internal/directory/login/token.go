package login

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// deviceGrant is the grant of RFC 8628; MSAL for Go writes "device_code".
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// assertionType is the one kind of client assertion: RFC 7523.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Reasons of faults that this face finds by itself.
const (
	missingParameter = "MissingParameter"
	unsupportedGrant = "UnsupportedGrant"

	unsupportedResponse = "UnsupportedResponse"
	loginRequired       = "LoginRequired"
)

// token answers the token endpoint.
func (f *face) token(w http.ResponseWriter, r *http.Request, req request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	client, err := clientOf(r, form)
	if err != nil {
		return err
	}
	tokens, err := f.grant(r, req, client, form)
	if err != nil {
		return err
	}
	if isVersion1(r) {
		return writeJSON(w, f.answer1(tokens))
	}
	return writeJSON(w, f.answer(tokens))
}

// grant gives tokens by the grant that a form names: one case for each of row KV-132.
func (f *face) grant(r *http.Request, req request, client directory.Client, form url.Values) (directory.Tokens, error) {
	ctx := r.Context()
	switch grant := form.Get("grant_type"); {
	case grant == "client_credentials" && client.Secret == "" && client.Assertion == "":
		return directory.Tokens{}, missing("client_secret")
	case grant == "client_credentials" && isADFS(r):
		home, err := f.directory.HomeOf(ctx, client.ID) // this form of authority names no tenant
		if err != nil {
			return directory.Tokens{}, err
		}
		return f.directory.ClientCredentials(ctx, home, client, scopeOf(form), req.origin)
	case grant == "client_credentials":
		return f.directory.ClientCredentials(ctx, req.authority, client, scopeOf(form), req.origin)
	case grant == "authorization_code":
		return f.directory.RedeemCode(ctx, req.authority, client, directory.Redemption{
			Code: form.Get("code"), Redirect: form.Get("redirect_uri"), Verifier: form.Get("code_verifier"), Scope: scopeOf(form),
		}, req.origin)
	case grant == deviceGrant, grant == "device_code":
		code := cmp.Or(form.Get("device_code"), form.Get("code")) // the latter from version 1 clients
		return f.directory.RedeemDevice(ctx, req.authority, client.ID, code, scopeOf(form), req.origin)
	case grant == "refresh_token":
		return f.directory.Refresh(ctx, req.authority, client, form.Get("refresh_token"), scopeOf(form), req.origin)
	case grant == "password" && f.passwords && isADFS(r):
		return f.directory.PasswordTokens(ctx, req.authority, client.ID, scopeOf(form), directory.Approval{
			UPN: form.Get("username"), Password: form.Get("password"), From: req.origin,
		})
	case grant == "":
		return directory.Tokens{}, missing("grant_type")
	default:
		return directory.Tokens{}, fault.New(fault.Invalid, "the grant type %.64q is not supported", grant).WithReason(unsupportedGrant).
			WithHint("sign in by client_credentials, authorization_code, device code or refresh_token")
	}
}

// tokenAnswer is row KV-133.
type tokenAnswer struct {
	Type       string `json:"token_type"`
	Scope      string `json:"scope,omitempty"`
	ExpiresIn  int64  `json:"expires_in"`
	ExtExpires int64  `json:"ext_expires_in"`
	Access     string `json:"access_token"`
	Refresh    string `json:"refresh_token,omitempty"`
	ID         string `json:"id_token,omitempty"`
	ClientInfo string `json:"client_info,omitempty"`
}

func (f *face) answer(t directory.Tokens) tokenAnswer {
	left := int64(t.Expires.Sub(f.now()) / time.Second)
	a := tokenAnswer{Type: "Bearer", ExpiresIn: left, ExtExpires: left, Access: t.Access, Refresh: t.Refresh, ID: t.ID}
	if t.Person.ID != "" {
		a.Scope = t.Scope
		a.ClientInfo = clientInfo(t.Person)
	}
	return a
}

// A tokenAnswer1 is what version 1 clients read: numbers are strings, and it says what the token
// is for and until when.
type tokenAnswer1 struct {
	Type       string `json:"token_type"`
	Scope      string `json:"scope,omitempty"`
	Resource   string `json:"resource"`
	ExpiresIn  string `json:"expires_in"`
	ExtExpires string `json:"ext_expires_in"`
	ExpiresOn  string `json:"expires_on"` // seconds since 1970
	NotBefore  string `json:"not_before"`
	Access     string `json:"access_token"`
	Refresh    string `json:"refresh_token,omitempty"`
	ID         string `json:"id_token,omitempty"`
	ClientInfo string `json:"client_info,omitempty"`
}

func (f *face) answer1(t directory.Tokens) tokenAnswer1 {
	a := f.answer(t)
	left, now := strconv.FormatInt(a.ExpiresIn, 10), t.Expires.Add(-time.Duration(a.ExpiresIn)*time.Second)
	if a.Scope != "" {
		a.Scope = "user_impersonation"
	}
	return tokenAnswer1{
		Type: a.Type, Scope: a.Scope, Resource: t.Audience, ExpiresIn: left, ExtExpires: left,
		ExpiresOn: strconv.FormatInt(t.Expires.Unix(), 10), NotBefore: strconv.FormatInt(now.Unix(), 10),
		Access: a.Access, Refresh: a.Refresh, ID: a.ID, ClientInfo: a.ClientInfo,
	}
}

// isVersion1 reports whether a request came to the endpoint of version 1. That of AD FS has the
// same path, and clients that expect numbers.
func isVersion1(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/oauth2/token") && !isADFS(r)
}

func isADFS(r *http.Request) bool { return strings.EqualFold(r.PathValue("tenant"), adfs) }

// clientInfo names the account in the form under which MSAL keeps it.
func clientInfo(p directory.Person) string {
	info, err := json.Marshal(map[string]string{"uid": p.ID, "utid": p.Tenant})
	if err != nil {
		return "" // two GUIDs encode
	}
	return base64.RawURLEncoding.EncodeToString(info)
}

// deviceCode answers the device authorization endpoint (RFC 8628 section 3.2, and the older
// names of its members).
func (f *face) deviceCode(w http.ResponseWriter, r *http.Request, req request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	client, err := clientOf(r, form)
	if err != nil {
		return err
	}
	d, err := f.directory.StartDevice(r.Context(), req.authority, client.ID, scopeOf(form), req.origin)
	if err != nil {
		return err
	}
	page := f.base + "/device"
	return writeJSON(w, map[string]any{
		"device_code":               d.Code,
		"user_code":                 d.UserCode,
		"verification_uri":          page,
		"verification_url":          page,
		"verification_uri_complete": page + "?user_code=" + url.QueryEscape(d.UserCode),
		"expires_in":                int64(d.Expires.Sub(f.now()) / time.Second),
		"interval":                  max(1, int64(d.Interval/time.Second)),
		"message":                   "To sign in, open " + page + " in a browser and enter the code " + d.UserCode + ".",
	})
}

// readForm returns the members of a form in the body. What stands in the address is not
// read: it ends up in logs.
func readForm(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "the body is not a form").WithHint("send Content-Type: application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(r.Body)
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, fault.New(fault.TooLarge, "the form is longer than %d bytes", maxBody)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body was cut off")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the form cannot be read") // the cause would show what was sent
	}
	return form, nil
}

// clientOf returns the client and its proof, out of the form or HTTP Basic (RFC 6749 section
// 2.3.1, RFC 7523 section 2.2).
func clientOf(r *http.Request, form url.Values) (c directory.Client, err error) {
	c = directory.Client{ID: form.Get("client_id"), Secret: form.Get("client_secret"), Assertion: form.Get("client_assertion")}
	if user, password, ok := r.BasicAuth(); ok {
		c.ID, _ = url.QueryUnescape(user)
		c.Secret, _ = url.QueryUnescape(password)
	}
	switch kind := form.Get("client_assertion_type"); {
	case c.ID == "":
		return c, missing("client_id")
	case c.Assertion != "" && kind != assertionType:
		return c, fault.New(fault.Invalid, "the client_assertion_type %.64q is not supported", kind).WithReason(missingParameter).
			WithHint("it is %s", assertionType)
	}
	return c, nil
}

// scopeOf returns what tokens are asked for. Version 1 clients name a resource instead,
// whose final slash is part of the audience.
func scopeOf(form url.Values) string {
	if resource := strings.TrimSpace(form.Get("resource")); resource != "" {
		return resource + "/.default"
	}
	return form.Get("scope")
}

func missing(name string) error {
	return fault.New(fault.Invalid, "the request body must contain the parameter '%s'", name).WithReason(missingParameter)
}
