package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
)

const headerRequest = "Request-Id"

// Reasons of this package, where a code alone does not give the status.
const (
	reasonMethod    = "MethodNotAllowed"
	reasonStalled   = "BodyStalled"
	reasonCondition = "ConditionFailed"
)

// statuses gives the status for each code.
var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.BadRange:        http.StatusRequestedRangeNotSatisfiable,
	fault.Throttled:       http.StatusTooManyRequests,
	fault.Denied:          http.StatusForbidden,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Corrupt:         http.StatusInternalServerError,
	fault.Internal:        http.StatusInternalServerError,
}

// reasons gives the status where a reason is finer than its code.
var reasons = map[string]int{
	reasonMethod:              http.StatusMethodNotAllowed,
	reasonCondition:           http.StatusPreconditionFailed,
	reasonStalled:             http.StatusRequestTimeout,
	workload.ReasonItemExists: http.StatusPreconditionFailed, // the condition was If-None-Match: *
}

func statusOf(f *fault.Error) int {
	if status, ok := reasons[f.Reason]; ok {
		return status
	}
	if status, ok := statuses[f.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// errorBody is the body of every error.
type errorBody struct {
	Error struct {
		Code      fault.Code `json:"code"`
		Message   string     `json:"message"`
		Hint      string     `json:"hint,omitempty"`
		RequestID string     `json:"requestId"`
	} `json:"error"`
}

// fail writes an error and logs it. Nothing of the answer may have been sent.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	s.logFailure(r, id, err)
	f := fault.As(err)
	var body errorBody
	body.Error.Code, body.Error.Message, body.Error.Hint, body.Error.RequestID = f.Code, f.Message, f.Hint, id
	h := w.Header()
	switch f.Code {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", challenge(r.Header))
	case fault.Unavailable, fault.Throttled:
		h.Set("Retry-After", "1")
	}
	writeJSON(w, statusOf(f), body)
}

// challenge is the answer to a missing or refused token (RFC 6750 section 3).
func challenge(h http.Header) string {
	if bearer(h) == "" {
		return `Bearer realm="customerkey"`
	}
	return `Bearer realm="customerkey", error="invalid_token"`
}

// logFailure writes the one line about a failed request. It holds neither address nor headers.
func (s *Server) logFailure(r *http.Request, id string, err error) {
	f := fault.As(err)
	level, status := slog.LevelInfo, statusOf(f)
	switch {
	case r.Context().Err() != nil:
		level = slog.LevelDebug // the client has left; what failed then, failed because of that
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	s.log.LogAttrs(r.Context(), level, "request failed",
		slog.String("request", id), slog.String("method", r.Method), slog.Int("status", status),
		slog.String("code", string(f.Code)), slog.String("error", err.Error()))
}

// writeJSON writes a whole answer. What goes wrong now is the connection's trouble.
func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// Where the connection has deadlines: net/http waits for the body that nobody has read first.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * defaultIdle))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
