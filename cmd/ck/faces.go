package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/seal"
)

// faces gives each request to the face that its Host header names:
//
//	{vault}.vault.{domain}   key vault            login.{domain}    tokens
//	management.{domain}      resource manager     graph.{domain}    directory
//	outlook.{domain}         admin endpoint       api.{domain}      items, audit, health
//
// Vault names come from tenants, so they have a level of their own: no vault can take
// the name of a face.
type faces struct {
	domain string // without port
	named  map[string]http.Handler
	vault  http.Handler
	home   http.Handler
	gate   seal.Gate // who is in a request may have sealed bytes in hand

	patience time.Duration // how long a body or an answer may take; bodyWithin and answerWithin if 0
}

// bodyWithin is enough for the few KiB that most faces read. Those that take more, or work
// longer, set deadlines of their own.
const bodyWithin = time.Minute

// answerWithin is enough for the work of a request and its short answer; whoever does not read
// it would hold the connection for ever. Contents of items take as long as they take: api sets
// deadlines of its own.
const answerWithin = 5 * time.Minute

func (f *faces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 { // or whoever announces a body and sends none holds the connection for ever
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(cmp.Or(f.patience, bodyWithin))) // inside the process there is none
	}
	defer f.gate.Enter()()
	host := hostname(r.Host)
	rest, ours := strings.CutSuffix(host, "."+f.domain)
	if rest != "api" {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(cmp.Or(f.patience, answerWithin)))
	}
	switch {
	case host == f.domain:
		f.home.ServeHTTP(w, r)
	case ours && strings.HasSuffix(rest, ".vault"):
		f.vault.ServeHTTP(w, r)
	case ours && f.named[rest] != nil:
		f.named[rest].ServeHTTP(w, r)
	default:
		writeMisdirected(w, f.domain)
	}
}

// hostname returns the host of a Host header, lower case, without port and final dot.
func hostname(host string) string {
	u := url.URL{Host: host}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

func writeMisdirected(w http.ResponseWriter, domain string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusMisdirectedRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{
		"code":    "not_found",
		"message": "this server has no face of that name",
		"hint":    "the names are api., login., management., graph., outlook. and {vault}.vault. in front of " + domain,
	}})
}

// local is the road from the service to the vaults of the same process: an
// http.RoundTripper that hands requests for this deployment's own hosts to the faces
// instead of a socket, and all others to the network. The service speaks to its built-in
// vault through the official client exactly as it would to a vault elsewhere.
type local struct {
	domain  string // without port
	handler http.Handler
	network http.RoundTripper
}

// localBodyLimit bounds what the process takes from itself in one answer.
const localBodyLimit = 4 << 20

func (l *local) RoundTrip(req *http.Request) (*http.Response, error) {
	host := hostname(req.URL.Host)
	if host != l.domain && !strings.HasSuffix(host, "."+l.domain) {
		return l.network.RoundTrip(req)
	}
	in := req.Clone(req.Context())
	// No address: none was sent from, and no network rule of a vault may take it for a neighbour's.
	in.Host, in.RequestURI, in.RemoteAddr = req.URL.Host, req.URL.RequestURI(), ""
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	return serveLocally(req.Context(), l.handler, in)
}

// Do lets a *local serve as the Azure SDK's transport.
func (l *local) Do(req *http.Request) (*http.Response, error) { return l.RoundTrip(req) }

func serveLocally(ctx context.Context, handler http.Handler, in *http.Request) (*http.Response, error) {
	out := &answer{header: http.Header{}, status: http.StatusOK}
	aborted := func() (aborted bool) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case any(http.ErrAbortHandler):
				aborted = true
			default:
				panic(p)
			}
		}()
		handler.ServeHTTP(out, in)
		return false
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if aborted {
		return nil, io.ErrUnexpectedEOF
	}
	return out.response(in), nil
}

// answer is the http.ResponseWriter of a request that never left the process.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   strings.Builder
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	if a.body.Len()+len(p) > localBodyLimit {
		return 0, io.ErrShortWrite
	}
	return a.body.Write(p)
}

func (a *answer) response(req *http.Request) *http.Response {
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Request: req, ContentLength: int64(a.body.Len()),
		Body: io.NopCloser(strings.NewReader(a.body.String())),
	}
}
