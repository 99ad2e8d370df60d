package api

import (
	"context"
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
// (CK-379: none is public) are ours; ids stay what they are for ever, and are listed in
// docs/errors.md (row CK-350).
type exchangeError struct {
	code   fault.Code // "": any
	reason string     // "": any
	status int
	name   string // error.code
	id     string // "Ex" and six hexadecimal digits (row CK-346)
	kind   string // exception type
	form   form
	means  string // for the list
}

// A form is what an error's body is.
type form int

const (
	full  form = iota // the shape of row CK-345
	bare              // nothing: row CK-347
	plain             // the text alone: row CK-349
)

const (
	tasks        = "Microsoft.Exchange.Configuration.Tasks."
	ours         = "CustomerKey."
	unauthorized = "System.UnauthorizedAccessException"
	exists       = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
)

// exchangeErrors is searched from the top; the last row takes whatever is left.
var exchangeErrors = []exchangeError{
	{fault.Forbidden, request.ReasonOwn, 403, "AccessDenied", "ExC0DE0E", ours + "SeparationOfDutiesException", full, "nobody decides on a request of his own"},
	{fault.Forbidden, request.ReasonNotYours, 403, "AccessDenied", "ExC0DE0E", ours + "SeparationOfDutiesException", full, "the request is for others to decide"},
	{fault.Forbidden, "", 403, "AccessDenied", "ExC0DE01", unauthorized, bare, "the command is not there, or the caller may not run it, or the organization is not his own"},
	{fault.NotFound, "", 404, "NotFound", "Ex6F9304", tasks + "ManagementObjectNotFoundException", full, "there is no such object"},
	{fault.Invalid, cmdlet.ReasonParameter, 400, "Invalid Operation", "ExC0DE02", "System.Management.Automation.ParameterBindingException", full, "the parameters do not fit the command"},
	{fault.Invalid, reasonMethod, 405, "Invalid Operation", "ExC0DE03", ours + "MethodNotAllowedException", full, "the address does not take the method"},
	{fault.Invalid, reasonMedia, 415, "Invalid Operation", "ExC0DE04", ours + "UnsupportedMediaTypeException", full, "the body is not said to be JSON"},
	{fault.Invalid, reasonStalled, 408, "RequestTimeout", "ExC0DE0F", ours + "BodyStalledException", full, "the body did not come in time; nothing was done"},
	{fault.Invalid, "", 400, "Invalid Operation", "ExC0DE05", tasks + "TaskArgumentException", full, "the request cannot be understood, or breaks a rule whatever the state"},
	{fault.Conflict, policy.ReasonNameTaken, 400, "Invalid Operation", "ExC0DE06", exists, full, "the name is taken: the text has \"already exists\""},
	{fault.Conflict, policy.ReasonRegistered, 400, "Invalid Operation", "ExC0DE06", exists, full, "the geo has a policy: the text has \"already exists\""},
	{fault.Conflict, reasonOrder, 424, "FailedDependency", "ExC0DE10", ours + "FailedDependencyException", full, "not run, for a request before it in the batch failed"},
	{fault.Conflict, "", 409, "Conflict", "ExC0DE07", tasks + "TaskInvalidOperationException", full, "the state forbids it"},
	{fault.Denied, "", 400, "Invalid Operation", "ExC0DE08", ours + "RootKeyDeniedException", full, "the owner of the root keys refuses"},
	{fault.Unauthenticated, "", 401, "Unauthorized", "ExC0DE09", unauthorized, full, "there is no token, or none that is good here"},
	{fault.TooLarge, "", 413, "RequestTooLarge", "ExC0DE0A", ours + "RequestTooLargeException", full, "the body or a value is too long"},
	{fault.Throttled, reasonAtOnce, 429, "TooManyRequests", "ExC0DE11", ours + "ConcurrencyException", plain, "too many requests at the same time"},
	{fault.Throttled, "", 429, "TooManyRequests", "ExC0DE0B", ours + "ThrottledException", full, "too many requests"},
	{fault.Unavailable, "", 503, "ServiceUnavailable", "ExC0DE0C", ours + "UnavailableException", full, "a part that is needed cannot be reached, or cannot record, or the time is up"},
	{fault.Corrupt, "", 500, "InternalServerError", "ExC0DE12", ours + "CorruptException", full, "what is stored cannot be read: it was changed or cut off"},
	{"", "", 500, "InternalServerError", "ExC0DE0D", ours + "InternalException", full, "a mistake of the service"},
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

// failure returns the answer to an error, in the shape of row CK-345, and logs it; nil if the
// client has left.
func (x *Exchange) failure(ctx context.Context, in *invocation, err error) *response {
	f := fault.As(err)
	if errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		x.c.Log.LogAttrs(ctx, slog.LevelDebug, "the client has left", slog.String("request", in.id))
		return nil
	}
	row := exchangeErrorOf(f)
	x.logFailure(ctx, in, row.status, err)
	in.out.Set("X-ExceptionType", row.kind)
	switch f.Code {
	case fault.Unauthenticated:
		in.out.Set("WWW-Authenticate", challenge(in.header))
	case fault.Unavailable, fault.Throttled:
		in.out.Set("Retry-After", seconds(f.Retry))
	}
	switch row.form {
	case bare:
		return &response{status: row.status}
	case plain:
		return &response{row.status, f.Message}
	}
	return &response{row.status, x.errorReply(in, row, f)}
}

func (x *Exchange) errorReply(in *invocation, row exchangeError, f *fault.Error) cmdlet.ErrorReply {
	return cmdlet.ErrorReply{
		Error: cmdlet.ErrorBody{
			Code: row.name, Message: cmdletFailed,
			Details: []cmdlet.ErrorDetail{x.errorDetail(in, row, f)},
			Inner:   cmdlet.InnerError{Message: cmdletFailed, Type: "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"},
			Fault:   wireFault(f),
		},
		WarningsType: cmdlet.CollectionOfText,
		Warnings:     in.warnings(),
	}
}

func (x *Exchange) errorDetail(in *invocation, row exchangeError, f *fault.Error) cmdlet.ErrorDetail {
	return cmdlet.ErrorDetail{Code: "Client", Message: row.id + "|" + row.kind + "|" + x.errorText(in, f)}
}

func wireFault(f *fault.Error) *cmdlet.WireFault {
	return &cmdlet.WireFault{Code: string(f.Code), Reason: f.Reason, Message: f.Message, Hint: f.Hint}
}

// errorText is the text that clients show. Some of them look for the words of the original,
// and split at the bars (row CK-346), so there are none in it.
func (x *Exchange) errorText(in *invocation, f *fault.Error) string {
	text := f.Message
	switch {
	case f.Code == fault.NotFound && in.call != nil:
		host := strings.TrimPrefix(strings.TrimPrefix(x.c.BaseURL, "https://"), "http://")
		text = fmt.Sprintf("The operation couldn't be performed because object '%s' couldn't be found on '%s'.", in.call.Target(), host)
	case exchangeErrorOf(f).kind == exists: // row CK-348
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
