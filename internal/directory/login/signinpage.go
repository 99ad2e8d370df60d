package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A signInView is what the sign-in page shows: one of the form, the way back, or a last word.
type signInView struct {
	Client    string // the program that asks; "" shows a problem alone
	Path      string // where the form goes
	Fields    []field
	Name      string // as entered, or hinted at
	Change    bool   // ask for a new password
	MinLength int    // of a new password
	Back      string // the redirect address to which the fields are posted
	Refused   string // why, where Back takes an error
	Out       bool   // the person has signed out
	Problem   string
	Hint      string

	redirect string
}

// signInProblem shows the page with what is wrong.
func (f *face) signInProblem(w http.ResponseWriter, r *http.Request, req request, v signInView, err error) error {
	e := fault.As(err)
	status := oauthOf(e).status
	if status >= 500 && r.Context().Err() == nil {
		f.log.ErrorContext(r.Context(), "signing in by browser failed", "request", req.origin.Request, "error", err)
	}
	v.Problem, v.Hint = upperFirst(e.Message)+".", upperFirst(e.Hint)
	return renderSignIn(w, status, v, v.redirect)
}

// renderSignIn writes the page. Browsers hold a form to the policy of its page also where the
// answer sends them on, so the policy names the place to which this one leads.
func renderSignIn(w http.ResponseWriter, status int, v signInView, redirect string) error {
	v.MinLength = directory.MinPassword
	return render(w, status, "signin.html", v, strings.Replace(policy, "form-action 'self'", "form-action 'self'"+originOf(redirect), 1))
}

// originOf returns an address's origin as a policy writes it, behind a space. A policy has no
// form for IPv6 addresses; for those its scheme must do.
func originOf(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return ""
	case strings.ContainsAny(u.Host, "[]'; ,"):
		return " " + u.Scheme + ":"
	}
	return " " + u.Scheme + "://" + u.Host
}
