package login

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// deviceGrant is the grant of RFC 8628; MSAL for Go writes "device_code".
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// Reasons of faults that this face finds by itself.
const (
	missingParameter = "MissingParameter"
	unsupportedGrant = "UnsupportedGrant"
)

// token answers the token endpoint: one case for each grant of row KV-132.
func (f *face) token(w http.ResponseWriter, r *http.Request, req request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	client, secret := clientOf(r, form)
	if client == "" {
		return missing("client_id")
	}
	ctx := r.Context()
	var tokens directory.Tokens
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
		if secret == "" {
			return missing("client_secret")
		}
		tokens, err = f.directory.ClientCredentials(ctx, req.authority, client, secret, scopeOf(form), req.origin)
	case deviceGrant, "device_code":
		code := form.Get("device_code")
		if code == "" {
			code = form.Get("code") // version 1 clients
		}
		tokens, err = f.directory.RedeemDevice(ctx, req.authority, client, code, scopeOf(form), req.origin)
	case "refresh_token":
		tokens, err = f.directory.Refresh(ctx, req.authority, client, form.Get("refresh_token"), scopeOf(form), req.origin)
	case "":
		return missing("grant_type")
	default:
		return fault.New(fault.Invalid, "the grant type %.64q is not supported", grant).WithReason(unsupportedGrant).
			WithHint("sign in by client_credentials, device code or refresh_token")
	}
	if err != nil {
		return err
	}
	return writeJSON(w, f.answer(tokens))
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
	client, _ := clientOf(r, form)
	if client == "" {
		return missing("client_id")
	}
	d, err := f.directory.StartDevice(r.Context(), req.authority, client, scopeOf(form), req.origin)
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

// clientOf returns the client's id and secret, out of the form or HTTP Basic (RFC 6749
// section 2.3.1).
func clientOf(r *http.Request, form url.Values) (id, secret string) {
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
		return id, secret
	}
	return form.Get("client_id"), form.Get("client_secret")
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
