package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxErrorBody bounds how much of an error's body is read.
const maxErrorBody = 64 << 10

// Codes of errors, as the service gives them.
const (
	CodeInvalid         = "invalid"
	CodeUnauthenticated = "unauthenticated"
	CodeForbidden       = "forbidden"
	CodeNotFound        = "not_found"
	CodeConflict        = "conflict"
	CodeTooLarge        = "too_large"
	CodeBadRange        = "bad_range"
	CodeThrottled       = "throttled"
	CodeDenied          = "denied" // the owner of the root keys refuses
	CodeUnavailable     = "unavailable"
	CodeCorrupt         = "corrupt"
	CodeInternal        = "internal"
)

// An Error is what the service answered.
type Error struct {
	Status    int    // of the HTTP answer
	Code      string // one of the Code constants; "" from a server that is not ours
	Message   string // one sentence
	Hint      string // what to do next; may be empty
	RequestID string // finds the request in the logs of the service
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// IsCode reports whether the service answered err with that code.
func IsCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// readError makes an Error of an answer. It closes the body.
func readError(res *http.Response) error {
	defer res.Body.Close()
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get("Request-Id")}
	var body struct {
		Error struct{ Code, Message, Hint string }
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	if err == nil {
		err = json.Unmarshal(data, &body)
	}
	if err != nil || body.Error.Code == "" { // HEAD, or something between us and the service
		e.Code = codes[res.StatusCode]
		e.Message = fmt.Sprintf("the service answered %s", res.Status)
		return e
	}
	e.Code, e.Message, e.Hint = body.Error.Code, body.Error.Message, body.Error.Hint
	return e
}

// codes are for answers without a body.
var codes = map[int]string{
	http.StatusBadRequest:          CodeInvalid,
	http.StatusUnauthorized:        CodeUnauthenticated,
	http.StatusForbidden:           CodeForbidden,
	http.StatusNotFound:            CodeNotFound,
	http.StatusConflict:            CodeConflict,
	http.StatusPreconditionFailed:  CodeConflict,
	http.StatusTooManyRequests:     CodeThrottled,
	http.StatusServiceUnavailable:  CodeUnavailable,
	http.StatusInternalServerError: CodeInternal,
}
