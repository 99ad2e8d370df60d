package login

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An authorization is a request to sign in by a browser (RFC 6749 section 4.1.1) with what only
// this face looks at. Nothing of it is kept between the page and the form: the page carries it,
// and the form is checked as if it came first. There is no session and no cookie, so a name and
// a password are asked for each time.
type authorization struct {
	directory.AuthorizationRequest
	ResponseType, Mode string
	State              string
	Prompt, Hint       string
}

func authorizationOf(req request, form url.Values) authorization {
	mode := form.Get("response_mode")
	if mode == "" {
		mode = "query"
	}
	return authorization{
		AuthorizationRequest: directory.AuthorizationRequest{
			Authority: req.authority, Client: form.Get("client_id"), Redirect: form.Get("redirect_uri"),
			Scope: scopeOf(form), Nonce: form.Get("nonce"),
			Challenge: form.Get("code_challenge"), Method: form.Get("code_challenge_method"),
		},
		ResponseType: form.Get("response_type"), Mode: mode, State: form.Get("state"),
		Prompt: form.Get("prompt"), Hint: form.Get("login_hint"),
	}
}

// fields are what the page's form carries, in the names of the request.
func (a authorization) fields() []field {
	var list []field
	for _, f := range []field{
		{"client_id", a.Client}, {"redirect_uri", a.Redirect}, {"scope", a.Scope}, {"nonce", a.Nonce}, {"state", a.State},
		{"code_challenge", a.Challenge}, {"code_challenge_method", a.Method}, {"response_type", a.ResponseType}, {"response_mode", a.Mode},
	} {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return list
}

// A field is a hidden member of a form.
type field struct{ Name, Value string }

// authorize shows the page on which a person signs in to a program.
func (f *face) authorize(w http.ResponseWriter, r *http.Request, req request) error {
	a := authorizationOf(req, r.URL.Query())
	client, err := f.directory.ReturnsTo(r.Context(), a.AuthorizationRequest)
	if err != nil { // the address is not to be trusted, so the browser stays here
		return f.signInProblem(w, r, req, signInView{}, err)
	}
	if err := f.answerable(a); err != nil {
		return f.sendBack(w, a, refusal(req, err))
	}
	return renderSignIn(w, http.StatusOK, signInView{Client: client, Path: r.URL.Path, Fields: a.fields(), Name: clip(a.Hint)}, a.Redirect)
}

// signIn takes the page's form and sends the browser back with a code.
func (f *face) signIn(w http.ResponseWriter, r *http.Request, req request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	a := authorizationOf(req, form)
	client, err := f.directory.ReturnsTo(r.Context(), a.AuthorizationRequest)
	if err != nil {
		return f.signInProblem(w, r, req, signInView{}, err)
	}
	if err := f.answerable(a); err != nil {
		return f.sendBack(w, a, refusal(req, err))
	}
	code, err := f.directory.Authorize(r.Context(), a.AuthorizationRequest, directory.Approval{
		UPN: form.Get("username"), Password: form.Get("password"), NewPassword: form.Get("new_password"), From: req.origin,
	})
	if err != nil {
		v := signInView{Client: client, Path: r.URL.Path, Fields: a.fields(), Name: clip(form.Get("username")), redirect: a.Redirect}
		v.Change = form.Has("new_password") || fault.As(err).Reason == directory.PasswordMustChange
		return f.signInProblem(w, r, req, v, err)
	}
	return f.sendBack(w, a, url.Values{"code": {code}})
}

// answerable checks what is left to check before a person is asked.
func (f *face) answerable(a authorization) error {
	switch {
	case a.ResponseType != "code":
		return fault.New(fault.Invalid, "the response_type %.32q is not supported", a.ResponseType).WithReason(unsupportedResponse).WithHint("it is code")
	case a.Mode != "query" && a.Mode != "fragment" && a.Mode != "form_post":
		return fault.New(fault.Invalid, "the response_mode %.32q is not supported", a.Mode).WithReason(directory.InvalidRequest).
			WithHint("it is query, fragment or form_post")
	case a.Prompt == "none":
		return fault.New(fault.Unauthenticated, "nobody can sign in without being asked here").WithReason(loginRequired).WithHint("leave prompt=none out")
	}
	return f.directory.CheckAuthorization(a.AuthorizationRequest)
}

// refusal is what an error looks like at the redirect address (RFC 6749 section 4.1.2.1).
func refusal(req request, err error) url.Values {
	e := fault.As(err)
	o := oauthOf(e)
	return url.Values{
		"error":             {o.word},
		"error_description": {fmt.Sprintf("AADSTS%d: %s. Trace ID: %s", o.number, strings.TrimSuffix(upperFirst(e.Message), "."), req.origin.Request)},
	}
}

// sendBack sends the browser to the redirect address with values, by the mode that was asked
// for. The address was checked by ReturnsTo.
func (f *face) sendBack(w http.ResponseWriter, a authorization, values url.Values) error {
	if a.State != "" {
		values.Set("state", a.State)
	}
	if a.Mode == "form_post" {
		v := signInView{Back: a.Redirect, Refused: values.Get("error_description")}
		for _, name := range []string{"code", "error", "error_description", "state"} {
			if values.Has(name) {
				v.Fields = append(v.Fields, field{name, values.Get(name)})
			}
		}
		return renderSignIn(w, http.StatusOK, v, a.Redirect)
	}
	separator := "?"
	switch {
	case a.Mode == "fragment":
		separator = "#"
	case strings.Contains(a.Redirect, "?"):
		separator = "&"
	}
	header := w.Header()
	header.Set("Location", a.Redirect+separator+values.Encode())
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// logout answers a browser that a program sends to sign out. There is no session to end.
func (f *face) logout(w http.ResponseWriter, _ *http.Request, _ request) error {
	return renderSignIn(w, http.StatusOK, signInView{Out: true}, "")
}
