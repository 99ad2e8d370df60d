package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An answer holds the members that any of the clients read; numbers are strings in all forms.
type answer struct {
	Access     string `json:"access_token"`
	Client     string `json:"client_id"`
	ExpiresIn  string `json:"expires_in"`
	ExtExpires string `json:"ext_expires_in"`
	ExpiresOn  string `json:"expires_on"` // seconds since 1970
	NotBefore  string `json:"not_before"`
	Resource   string `json:"resource"`
	Type       string `json:"token_type"`
}

func answerOf(t directory.Tokens, i Identity, now time.Time) answer {
	left := strconv.FormatInt(int64(t.Expires.Sub(now)/time.Second), 10)
	return answer{
		Access: t.Access, Client: i.App, ExpiresIn: left, ExtExpires: left, ExpiresOn: strconv.FormatInt(t.Expires.Unix(), 10),
		NotBefore: strconv.FormatInt(now.Unix(), 10), Resource: t.Audience, Type: "Bearer",
	}
}

// appService is the form of App Service: GET with the secret in X-IDENTITY-HEADER, and before
// that GET or POST with the secret in the header Secret. Machines once had the POST too, without
// a secret (Azure CLI 2.45): it is answered where IMDS is.
type appService struct{}

func (appService) read(e *endpoint, r *http.Request) (question, error) {
	shown, value := r.Header.Get("X-Identity-Header"), r.URL.Query().Get
	version := value("api-version")
	switch {
	case r.Method == http.MethodPost || version == "2017-09-01":
		shown = r.Header.Get("Secret")
	case version != "2019-08-01":
		return question{}, fault.New(fault.Invalid, "the api-version %.32q is not supported", version).WithHint("it is 2019-08-01")
	}
	machine := r.Method == http.MethodPost && e.IMDS && r.Header.Get("Metadata") == "true"
	given, known := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(e.Secret))
	if !machine && subtle.ConstantTimeCompare(given[:], known[:]) == 0 {
		return question{}, fault.New(fault.Unauthenticated, "the secret of the identity endpoint is missing or wrong").
			WithHint("send the content of the server's file in X-IDENTITY-HEADER")
	}
	if r.Method == http.MethodPost {
		form, err := readForm(r)
		if err != nil {
			return question{}, err
		}
		value = form.Get
	}
	return e.ask(value)
}

func (appService) fail(status int, err error) any {
	return map[string]any{"statusCode": status, "message": text(err)}
}

// imds is the form of Azure's machines.
type imds struct{}

func (imds) read(e *endpoint, r *http.Request) (question, error) {
	if r.Header.Get("Metadata") != "true" {
		return question{}, fault.New(fault.Invalid, "Required metadata header not specified")
	}
	query := r.URL.Query()
	if query.Get("api-version") == "" {
		return question{}, fault.New(fault.Invalid, "Required query variable 'api-version' is missing")
	}
	return e.ask(query.Get)
}

func (imds) fail(_ int, err error) any {
	return map[string]string{"error": "invalid_request", "error_description": text(err)}
}

// ask reads what all forms have.
func (e *endpoint) ask(value func(name string) string) (question, error) {
	q := question{resource: strings.TrimSpace(value("resource"))}
	if q.resource == "" {
		return q, fault.New(fault.Invalid, "Required query variable 'resource' is missing")
	}
	var ok bool
	if q.identity, ok = e.pick(value); !ok {
		return q, fault.New(fault.Invalid, "Identity not found").WithHint("name one that the server was started with")
	}
	return q, nil
}

func readForm(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body is cut off or longer than %d bytes", maxBody)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the form cannot be read")
	}
	return form, nil
}

// statusOf is the one place that picks the status of an error.
func statusOf(err error) int {
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.NotFound:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Throttled:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func text(err error) string {
	e := fault.As(err)
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`) // strings and a number encode
	}
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has left needs no answer
}
