package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

const reasonMedia = "UnsupportedMediaType"

// An exchangeError is how one kind of fault looks on this face. Rows without a source
// (CK-379: none is public) are ours; ids stay what they are for ever (row CK-350).
type exchangeError struct {
	code   fault.Code
	reason string // "": any
	status int
	name   string // error.code
	id     string // "Ex" and six hexadecimal digits (row CK-346)
	kind   string // exception type
	bare   bool   // answered without a body (row CK-347)
}

const (
	tasks = "Microsoft.Exchange.Configuration.Tasks."
	ours  = "CustomerKey."
)

// exchangeErrors is searched from the top; the last row takes whatever is left.
var exchangeErrors = []exchangeError{
	{fault.NotFound, cmdlet.ReasonUnknown, 403, "AccessDenied", "ExC0DE01", "System.UnauthorizedAccessException", true},
	{fault.Forbidden, request.ReasonOwn, 403, "AccessDenied", "ExC0DE0E", ours + "SeparationOfDutiesException", false},
	{fault.Forbidden, request.ReasonNotYours, 403, "AccessDenied", "ExC0DE0E", ours + "SeparationOfDutiesException", false},
	{fault.Forbidden, "", 403, "AccessDenied", "ExC0DE01", "System.UnauthorizedAccessException", true},
	{fault.NotFound, "", 404, "NotFound", "Ex6F9304", tasks + "ManagementObjectNotFoundException", false},
	{fault.Invalid, cmdlet.ReasonParameter, 400, "Invalid Operation", "ExC0DE02", "System.Management.Automation.ParameterBindingException", false},
	{fault.Invalid, reasonMethod, 405, "Invalid Operation", "ExC0DE03", ours + "MethodNotAllowedException", false},
	{fault.Invalid, reasonMedia, 415, "Invalid Operation", "ExC0DE04", ours + "UnsupportedMediaTypeException", false},
	{fault.Invalid, "", 400, "Invalid Operation", "ExC0DE05", tasks + "TaskArgumentException", false},
	{fault.Conflict, policy.ReasonNameTaken, 400, "Invalid Operation", "ExC0DE06", "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException", false},
	{fault.Conflict, "", 409, "Conflict", "ExC0DE07", tasks + "TaskInvalidOperationException", false},
	{fault.Denied, "", 400, "Invalid Operation", "ExC0DE08", ours + "RootKeyDeniedException", false},
	{fault.Unauthenticated, "", 401, "Unauthorized", "ExC0DE09", "System.UnauthorizedAccessException", false},
	{fault.TooLarge, "", 413, "RequestTooLarge", "ExC0DE0A", ours + "RequestTooLargeException", false},
	{fault.Throttled, "", 429, "TooManyRequests", "ExC0DE0B", ours + "ThrottledException", false},
	{fault.Unavailable, "", 503, "ServiceUnavailable", "ExC0DE0C", ours + "UnavailableException", false},
	{"", "", 500, "InternalServerError", "ExC0DE0D", ours + "InternalException", false},
}

func exchangeErrorOf(f *fault.Error) exchangeError {
	for _, row := range exchangeErrors {
		if (row.code == f.Code || row.code == "") && (row.reason == f.Reason || row.reason == "") {
			return row
		}
	}
	return exchangeErrors[len(exchangeErrors)-1]
}

const cmdletFailed = "Error executing cmdlet"

// fail answers with the shape of row CK-345 and logs the failure.
func (x *Exchange) fail(ctx context.Context, w http.ResponseWriter, r *http.Request, in *invocation, err error) {
	f := fault.As(err)
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		x.c.Log.LogAttrs(ctx, slog.LevelDebug, "the client has left", slog.String("request", in.id))
		return
	}
	row := exchangeErrorOf(f)
	x.logFailure(ctx, in, row.status, err)
	h := w.Header()
	h.Set("X-ExceptionType", row.kind)
	switch f.Code {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", challenge(r))
	case fault.Unavailable, fault.Throttled:
		h.Set("Retry-After", "1")
	}
	if row.bare {
		w.WriteHeader(row.status)
		return
	}
	writeExchange(w, row.status, x.errorReply(in, row, f))
}

func (x *Exchange) errorReply(in *invocation, row exchangeError, f *fault.Error) cmdlet.ErrorReply {
	return cmdlet.ErrorReply{
		Error: cmdlet.ErrorBody{
			Code: row.name, Message: cmdletFailed,
			Details: []cmdlet.ErrorDetail{{Code: "Client", Message: row.id + "|" + row.kind + "|" + x.errorText(in, row, f)}},
			Inner:   cmdlet.InnerError{Message: cmdletFailed, Type: "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"},
			Fault:   &cmdlet.WireFault{Code: string(f.Code), Reason: f.Reason, Message: f.Message, Hint: f.Hint},
		},
		WarningsType: cmdlet.CollectionOfText,
		Warnings:     []string{},
	}
}

// errorText is the text that clients show. Some of them look for the words of the original,
// and split at the bars (row CK-346), so there are none in it.
func (x *Exchange) errorText(in *invocation, row exchangeError, f *fault.Error) string {
	text := f.Message
	switch {
	case f.Code == fault.NotFound && in.call != nil:
		host := strings.TrimPrefix(strings.TrimPrefix(x.c.BaseURL, "https://"), "http://")
		text = fmt.Sprintf("The operation couldn't be performed because object '%s' couldn't be found on '%s'.", in.call.Target(), host)
	case f.Reason == policy.ReasonNameTaken: // row CK-348
		text = "The object already exists: " + f.Message
	}
	if f.Hint != "" && f.Code != fault.NotFound {
		text += " (" + f.Hint + ")"
	}
	return strings.ReplaceAll(text, "|", "/")
}

func (x *Exchange) logFailure(ctx context.Context, in *invocation, status int, err error) {
	level, name := slog.LevelInfo, ""
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if in.call != nil {
		name = in.call.Cmdlet.Name
	}
	x.c.Log.LogAttrs(ctx, level, "command failed",
		slog.String("request", in.id), slog.String("cmdlet", name), slog.Int("status", status),
		slog.String("code", string(fault.CodeOf(err))), slog.String("error", err.Error()))
}

func writeExchange(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json;odata.metadata=minimal")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // what goes wrong now is the connection's trouble
}
