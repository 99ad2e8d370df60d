package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/workload"
)

// defaultIdle is how long a peer may stop sending or reading.
const defaultIdle = time.Minute

// Config is what a Server needs.
type Config struct {
	Items    *workload.Service   // required
	Logs     map[string]AuditLog // required: the logs that can be read, by name: "service", "vault"
	Recorder audit.Recorder      // required: refusals to read them are written here

	// Verify returns the caller that a token stands for; "" is a request without one. Required.
	Verify func(ctx context.Context, bearer string) (directory.Caller, error)

	Tenants Tenants                         // what operators do; nothing if nil
	Seals   Seals                           // and with sealing keys; nothing if nil
	Keys    KeyHealth                       // how root keys are; nothing if nil
	Healthy func(ctx context.Context) error // what /healthz asks; healthy if nil
	Warn    func() []string                 // what /healthz tells beside; nothing if nil
	Log     *slog.Logger                    // errors, one line each; slog.Default if nil
	Idle    time.Duration                   // how long a peer may stop sending or reading; 1 min if 0
}

// A Server answers for api.{domain}. Its http.Server should bound the reading of headers
// (ReadHeaderTimeout) and leave ReadTimeout and WriteTimeout at 0: bodies may take hours.
type Server struct {
	items     *workload.Service
	audit     map[string]AuditLog
	recorder  audit.Recorder
	verify    func(ctx context.Context, bearer string) (directory.Caller, error)
	tenants   Tenants
	seals     Seals
	keyHealth KeyHealth
	healthy   func(ctx context.Context) error
	warn      func() []string
	log       *slog.Logger
	idle      time.Duration
	routes    []route
}

// New returns a Server. It starts nothing.
func New(c Config) (*Server, error) {
	if c.Items == nil || c.Logs == nil || c.Recorder == nil || c.Verify == nil {
		return nil, errors.New("api: Items, Logs, Recorder and Verify are required")
	}
	s := &Server{
		items: c.Items, audit: c.Logs, recorder: c.Recorder, verify: c.Verify,
		tenants: c.Tenants, seals: c.Seals, keyHealth: c.Keys, healthy: c.Healthy, warn: c.Warn, log: c.Log, idle: c.Idle,
	}
	if s.warn == nil {
		s.warn = func() []string { return nil }
	}
	if s.healthy == nil {
		s.healthy = func(context.Context) error { return nil }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.idle == 0 {
		s.idle = defaultIdle
	}
	s.routes = s.table()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set(headerRequest, id)
	s.guardBody(w, r)
	if err := s.serve(w, r, id); err != nil {
		s.fail(w, r, id, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, id string) error {
	route, err := s.find(w, r)
	if err != nil {
		return err
	}
	if err := route.checkBody(r, s.items.MaxSize()); err != nil {
		return err
	}
	var caller directory.Caller
	if !route.open {
		if caller, err = s.verify(r.Context(), bearer(r.Header)); err != nil {
			return err
		}
		caller.Request, caller.Address = id, address(r)
	}
	return route.handle(w, r, caller)
}

// address returns the client's address without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
