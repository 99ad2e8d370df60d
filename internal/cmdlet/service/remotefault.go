package service

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// replyFault turns an error answer back into the fault that the service had. Answers of
// other services of this protocol, which lack our member, are judged by their status.
func replyFault(res *http.Response, data []byte, call *cmdlet.Call) *fault.Error {
	var reply cmdlet.ErrorReply
	known := json.Unmarshal(data, &reply) == nil
	for _, w := range reply.Warnings { // of a command that warned before it failed
		call.Warn("%s", w)
	}
	if f := reply.Error.Fault; known && f != nil && f.Code != "" {
		return withRequest(faultOf(f), res)
	}
	code := codeOfStatus(res.StatusCode)
	if code == fault.Forbidden {
		return forbidden(call.Cmdlet)
	}
	text := detailText(reply.Error)
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") { // row CK-349
		text = plainText(data)
	}
	if text == "" {
		text = "the service answered " + strconv.Itoa(res.StatusCode) + " without saying why"
	}
	e := fault.New(code, "%s", text)
	if code == fault.Unauthenticated {
		e.Hint = "sign in with: ck login"
	}
	return withRequest(e, res)
}

func faultOf(f *cmdlet.WireFault) *fault.Error {
	return &fault.Error{Code: fault.Code(f.Code), Reason: f.Reason, Message: f.Message, Hint: f.Hint}
}

// survived turns an error that a command survived back into the fault that the service had.
func survived(d cmdlet.ErrorDetail) *fault.Error {
	if d.Fault != nil && d.Fault.Code != "" {
		return faultOf(d.Fault)
	}
	return fault.New(fault.Internal, "%s", textOf(d))
}

// withRequest names the request where only the operator can find out more.
func withRequest(e *fault.Error, res *http.Response) *fault.Error {
	if id := res.Header.Get("Request-Id"); id != "" && e.Code == fault.Internal && e.Hint == "" {
		e.Hint = "the operator finds the cause under request " + id
	}
	return e
}

// forbidden stands for the empty 403 of row CK-347, which says nothing of its own.
func forbidden(c *cmdlet.Cmdlet) *fault.Error {
	e := fault.New(fault.Forbidden, "you may not run %s", c.Name)
	if len(c.Roles) > 0 {
		e.Hint = "it needs one of these roles, unless the service has a role map of its own: " + c.Roles.Names()
	}
	return e
}

// detailText returns the last part of "id|type|text" (row CK-346), else the general message.
func detailText(e cmdlet.ErrorBody) string {
	if len(e.Details) > 0 {
		return textOf(e.Details[0])
	}
	return e.Message
}

func textOf(d cmdlet.ErrorDetail) string {
	if parts := strings.SplitN(d.Message, "|", 3); len(parts) == 3 {
		return parts[2]
	}
	return d.Message
}

// plainText returns the first line of a body that is text, within reason.
func plainText(data []byte) string {
	const most = 500
	line, _, _ := strings.Cut(strings.TrimSpace(string(data[:min(len(data), most)])), "\n")
	return strings.TrimRight(strings.ToValidUTF8(line, "?"), "\r.")
}

func codeOfStatus(status int) fault.Code {
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return fault.Invalid
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusTooManyRequests:
		return fault.Throttled
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	return fault.Internal
}

// retryAfter returns the pause that a Retry-After header asks for, a second without one.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return time.Second
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
