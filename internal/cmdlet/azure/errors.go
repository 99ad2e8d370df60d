package azure

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/customerkey/customerkey/internal/fault"
)

// An azureError is the error body of the vault, the resource manager and the directory.
type azureError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   struct {
			Code string `json:"code"`
		} `json:"innererror"`
	} `json:"error"`
}

// statusOf returns the HTTP status behind an error, 0 if there was no answer.
func statusOf(err error) int {
	var res *azcore.ResponseError
	if errors.As(err, &res) {
		return res.StatusCode
	}
	return 0
}

// translate turns what the Azure pipeline returns into a fault. vault is the vault's name
// for hints, "" if there is none.
func translate(ctx context.Context, err error, vault string) error {
	var known *fault.Error
	var res *azcore.ResponseError
	switch {
	case errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &res):
		return answered(res, vault)
	}
	e := fault.Wrap(fault.Unavailable, err, "the vault service cannot be reached")
	if vault != "" {
		e.Message = "the vault " + vault + " cannot be reached"
	}
	return e.WithHint("check the vault's name, and that its service runs and can be reached from here")
}

func answered(res *azcore.ResponseError, vault string) error {
	var body azureError
	if res.RawResponse != nil {
		if text, err := runtime.Payload(res.RawResponse); err == nil {
			_ = json.Unmarshal(text, &body) // what is no such body has no message
		}
	}
	message := firstLine(body.Error.Message)
	if message == "" {
		message = "the vault service answered " + http.StatusText(res.StatusCode)
	}
	reason := body.Error.Inner.Code
	if reason == "" {
		reason = body.Error.Code
	}
	e := fault.New(codeOf(res.StatusCode), "%s", message).WithReason(reason)
	return e.WithHint("%s", hintFor(e, vault, body.Error.Message))
}

func codeOf(status int) fault.Code {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict, http.StatusMethodNotAllowed, http.StatusPreconditionFailed:
		return fault.Conflict
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusTooManyRequests:
		return fault.Throttled
	}
	if status >= http.StatusInternalServerError || status == http.StatusRequestTimeout {
		return fault.Unavailable
	}
	return fault.Invalid
}

// hintFor says what to do about a refusal whose whole text is given; "" where the message says
// it all.
func hintFor(e *fault.Error, vault, text string) string {
	if vault == "" {
		vault = "VAULT"
	}
	switch {
	case e.Code == fault.Unauthenticated:
		return "sign in with: ck login"
	case e.Reason == "AccessDenied" || e.Reason == "ForbiddenByPolicy":
		return "whoever manages the vault can grant it: ck Set-AzKeyVaultAccessPolicy -VaultName " + vault + " -UserPrincipalName YOU -PermissionsToKeys get,list,..."
	case e.Reason == "ConflictError" && vault != "VAULT":
		return "if it is deleted, take it back with: ck Undo-AzKeyVaultRemoval -VaultName " + vault
	case e.Reason == "MissingSubscriptionRegistration":
		return "register it with: ck Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault"
	case e.Reason == "ForbiddenByRbac":
		return "the vault goes by roles; whoever assigns them can give you one with the action " + lineOf(text, "Action")
	case e.Reason == "ForbiddenByFirewall" || e.Reason == "ForbiddenByConnection":
		return "the vault's network rules keep you out; whoever manages the vault can change them"
	case e.Reason == "VaultNotFound":
		return "check the vault's name; those you manage are listed by: ck Get-AzKeyVault"
	case e.Reason == "KeyNotFound":
		return "see the vault's keys with: ck Get-AzKeyVaultKey -VaultName " + vault + " (deleted ones: -InRemovedState)"
	case e.Reason == "ObjectIsDeletedButRecoverable":
		return "take it back with: ck Undo-AzKeyVaultKeyRemoval -VaultName " + vault + " -Name NAME"
	case e.Code == fault.Invalid:
		return "what the command takes is listed by: ck help NAME-OF-THE-COMMAND"
	case e.Code == fault.Throttled || e.Code == fault.Unavailable:
		return "try again"
	}
	return ""
}

// lineOf returns what a line of a text says about name: "name: 'value'".
func lineOf(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+": "); ok {
			return strings.Trim(value, "'")
		}
	}
	return ""
}

// firstLine is the first line of a message, without a final dot.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSuffix(strings.TrimSpace(line), ".")
}
