package face

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Malformed marks an error in the parameters of a request. It counts only after all that the
// domain checks first, which also records it.
type Malformed struct{ Cause error }

// Error is that of the cause.
func (m Malformed) Error() string { return m.Cause.Error() }

// Unwrap returns the cause.
func (m Malformed) Unwrap() error { return m.Cause }

// MaxBody is how long the body of a request may be (KV-12).
const MaxBody = 64 << 10

// Decode reads a body that must be one JSON object; members that v has not are ignored. The
// fault names the member that is wrong. A longer body than MaxBody is fault.TooLarge. Every
// error is Malformed.
func Decode(r *http.Request, v any) error { return DecodeLong(r, v, MaxBody) }

// DecodeLong is Decode for a body that may be longer, up to most bytes.
func DecodeLong(r *http.Request, v any, most int) error {
	if err := decode(r, v, most); err != nil {
		return Malformed{Cause: err}
	}
	return nil
}

func decode(r *http.Request, v any, most int) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	defer clear(body) // it may hold what is to be wrapped, or a private key
	switch {
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "The request body could not be read")
	case len(body) > most:
		return fault.New(fault.TooLarge, "The request body is longer than %d bytes", most)
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return fault.New(fault.Invalid, "The request body is missing")
	}
	if body[0] != '{' {
		return fault.New(fault.Invalid, "The request body is not a JSON object")
	}
	err = json.Unmarshal(body, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return naming.Invalid(e.Field)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok { // from a member that reads itself
		return e
	}
	if err != nil { // the cause may quote the body, which may hold what is to be wrapped
		return fault.New(fault.Invalid, "The request body is not valid JSON")
	}
	return nil
}

// Reply writes v as the answer, which the client has a minute to read. What fails while writing
// is the client's connection.
func Reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the answer cannot be encoded")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	limitWriting(w)
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// Common sets the headers that every answer has (KV-13).
func Common(h http.Header, r *http.Request, request string) {
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set(requestHeader, request)
	if id := ClientRequest(r); id != "" {
		h.Set(clientRequestHeader, id)
	}
}
