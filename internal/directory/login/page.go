package login

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.html"))

// policy lets a page load its stylesheet and post to this host, and nothing else.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// A view is what the page shows.
type view struct {
	Code      string // user code, once it is known to wait
	Client    string // the program that waits
	Name      string // as entered
	Change    bool   // ask for a new password
	MinLength int    // of a new password
	Done      bool
	Problem   string
	Hint      string
}

// page asks for the user code, or with one in the address for name and password. Showing
// which program waits, before any password is typed, is the guard against codes that
// somebody else has sent.
func (f *face) page(w http.ResponseWriter, r *http.Request, req request) error {
	code := r.URL.Query().Get("user_code")
	if code == "" {
		return renderDevice(w, http.StatusOK, view{})
	}
	client, err := f.directory.WaitingClient(r.Context(), code, req.origin.Address)
	if err != nil {
		return f.problem(w, r, req, view{}, err)
	}
	return renderDevice(w, http.StatusOK, view{Code: tidy(code), Client: client})
}

// approve takes the form. A program that fills it in (Accept: application/json) gets an
// answer that it can read: {} or an OAuth error.
func (f *face) approve(w http.ResponseWriter, r *http.Request, req request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := f.directory.ApproveDevice(r.Context(), directory.Approval{
		UserCode: form.Get("user_code"), UPN: form.Get("username"), Password: form.Get("password"),
		NewPassword: form.Get("new_password"), From: req.origin,
	})
	if wantsJSON(r) {
		if err != nil {
			return err
		}
		return writeJSON(w, struct{}{})
	}
	if err != nil {
		v := view{Name: clip(form.Get("username"))}
		if reason := fault.As(err).Reason; reason != directory.UnknownCode {
			v.Code = tidy(form.Get("user_code"))
			v.Client, _ = f.directory.WaitingClient(r.Context(), v.Code, req.origin.Address) // without it the page says less
			v.Change = form.Has("new_password") || reason == directory.PasswordMustChange
		}
		return f.problem(w, r, req, v, err)
	}
	return renderDevice(w, http.StatusOK, view{Done: true, Name: p.DisplayName})
}

// problem shows the page again, with what is wrong.
func (f *face) problem(w http.ResponseWriter, r *http.Request, req request, v view, err error) error {
	e := fault.As(err)
	status := oauthOf(e).status
	if status >= 500 && r.Context().Err() == nil {
		f.log.ErrorContext(r.Context(), "approving a device failed", "request", req.origin.Request, "error", err)
	}
	v.Problem, v.Hint = upperFirst(e.Message)+".", upperFirst(e.Hint)
	return renderDevice(w, status, v)
}

func renderDevice(w http.ResponseWriter, status int, v view) error {
	v.MinLength = directory.MinPassword
	return render(w, status, "device.html", v, policy)
}

// render writes a page under a content security policy.
func render(w http.ResponseWriter, status int, name string, v any, policy string) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, v); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
	return nil
}

func (f *face) style(w http.ResponseWriter, _ *http.Request, _ request) error {
	css, err := files.ReadFile("page/device.css")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css)
	return nil
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// tidy writes a user code as it was shown.
func tidy(code string) string {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(clip(code)))
	if len(code) == 8 {
		code = code[:4] + "-" + code[4:]
	}
	return code
}

func clip(s string) string {
	if len(s) > 256 {
		s = s[:256]
	}
	return strings.ToValidUTF8(s, "")
}
