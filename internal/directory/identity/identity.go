// Package identity is the managed-identity endpoint: tokens for programs on the same machine
// that keep no secret of their own (row KV-140). Official clients find it by IDENTITY_ENDPOINT
// and IDENTITY_HEADER, or by MSI_ENDPOINT and MSI_SECRET; the form that machines of Azure have
// (IMDS) asks for no secret and must be switched on by itself.
//
// It speaks plain HTTP and so answers on loopback only: to peers there, by a name of that
// address, and never to what a proxy has passed on or a web page has asked for. It reads forms
// and queries, asks package directory, and decides nothing else.
package identity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// maxBody bounds the form of the oldest protocol: it holds a resource and an id.
const maxBody = 16 << 10

// Config is what the endpoint needs.
type Config struct {
	// Token signs the app in to the tenant and returns a token for a resource; required.
	Token      func(ctx context.Context, tenant, app, resource string, from directory.Origin) (directory.Tokens, error)
	Identities []Identity       // required: whom it can stand for; the first is the machine's own
	Secret     string           // required: what clients show, at least 32 characters
	IMDS       bool             // also answer as Azure's machines do, without the secret
	Log        *slog.Logger     // failures of the server, one line each; none if nil
	Now        func() time.Time // time.Now if nil
}

// An Identity is an app that programs of this machine may be.
type Identity struct {
	Tenant   string // id or domain
	App      string // app id, a GUID: client_id
	Object   string // object id in the tenant, "" if clients may not name it so
	Resource string // resource id: mi_res_id, "" if clients may not name it so
}

type endpoint struct {
	Config
}

// New returns the handler. It serves on loopback listeners only; see Loopback.
func New(c Config) (http.Handler, error) {
	if c.Token == nil || len(c.Identities) == 0 || len(c.Secret) < 32 {
		return nil, errors.New("identity: Token, Identities and a Secret of 32 characters are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &endpoint{c}
	mux := http.NewServeMux()
	for _, path := range []string{"/msi/token", "/msi/token/{$}"} { // old clients put a slash behind
		mux.Handle("GET "+path, e.serve(appService{}))
		mux.Handle("POST "+path, e.serve(appService{}))
	}
	if c.IMDS {
		mux.Handle("GET /metadata/identity/oauth2/token", e.serve(imds{}))
	}
	return near(mux), nil
}

// A protocol is one of the forms in which clients ask.
type protocol interface {
	// read returns what is asked for, or why it is not answered.
	read(e *endpoint, r *http.Request) (question, error)
	// fail returns the body for an error.
	fail(status int, err error) any
}

// A question is what a client asks.
type question struct {
	resource string
	identity Identity
}

func (e *endpoint) serve(p protocol) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		request := uuid.NewString()
		w.Header().Set("X-Ms-Request-Id", request)
		q, err := p.read(e, r)
		if err == nil {
			var t directory.Tokens
			if t, err = e.Token(r.Context(), q.identity.Tenant, q.identity.App, q.resource, originOf(r, request)); err == nil {
				write(w, http.StatusOK, answerOf(t, q.identity, e.Now()))
				return
			}
		}
		status := statusOf(err)
		if status >= http.StatusInternalServerError && r.Context().Err() == nil {
			e.Log.ErrorContext(r.Context(), "a managed identity got no token", "request", request, "error", err)
		}
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "5")
		}
		write(w, status, p.fail(status, err))
	})
}

// pick returns the identity that a client names, by any of the names that protocols have for
// it; the machine's own if it names none.
func (e *endpoint) pick(value func(name string) string) (Identity, bool) {
	named := false
	for _, name := range []string{"client_id", "clientid", "object_id", "principal_id", "mi_res_id", "msi_res_id"} {
		id := value(name)
		if id == "" {
			continue
		}
		named = true
		for _, i := range e.Identities {
			if i.is(name, id) {
				return i, true
			}
		}
	}
	return e.Identities[0], !named
}

// is reports whether a client's name of a kind is one of the identity's.
func (i Identity) is(kind, id string) bool {
	known := i.App
	switch kind {
	case "object_id", "principal_id":
		known = i.Object
	case "mi_res_id", "msi_res_id":
		known = i.Resource
	}
	return known != "" && strings.EqualFold(known, id)
}
