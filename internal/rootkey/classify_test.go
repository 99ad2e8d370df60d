package rootkey

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/customerkey/customerkey/internal/fault"
)

var east = URI{Vault: "contoso-east", Host: "contoso-east.vault.azure.net", Name: "root1", suffix: "vault.azure.net"}

// answered returns the error that the official client makes of an answer.
func answered(t *testing.T, status int, body string) error {
	t.Helper()
	return runtime.NewResponseError(&http.Response{
		Status: http.StatusText(status), StatusCode: status, Header: http.Header{"X-Ms-Request-Id": {"r-1"}},
		Body:    io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: east.Host}},
	})
}

func azureError(code, inner string) string {
	if inner != "" {
		inner = fmt.Sprintf(`,"innererror":{"code":%q}`, inner)
	}
	return fmt.Sprintf(`{"error":{"code":%q,"message":"a text for people"%s}}`, code, inner)
}

// TestClassify is section 2.2 of the requirements: which error is which.
func TestClassify(t *testing.T) {
	t.Parallel()
	forbidden := func(inner string) error { return answered(t, 403, azureError("Forbidden", inner)) }
	sending := func(err error) error { return &url.Error{Op: "Post", URL: "https://" + east.Host, Err: err} }
	dial := func(err error) error { return sending(&net.OpError{Op: "dial", Net: "tcp", Err: err}) }
	for _, tt := range []struct {
		row    string
		err    error
		code   fault.Code
		reason string
	}{
		{"CK-54 408", answered(t, 408, ""), fault.Unavailable, "Timeout"},
		{"CK-54 500", answered(t, 500, azureError("InternalServerError", "")), fault.Unavailable, "VaultFailed"},
		{"CK-54 502", answered(t, 502, "<html>bad gateway</html>"), fault.Unavailable, "VaultFailed"},
		{"CK-54 503", answered(t, 503, azureError("ServiceUnavailable", "")), fault.Unavailable, "VaultFailed"},
		{"CK-54 599", answered(t, 599, ""), fault.Unavailable, "VaultFailed"},
		{"CK-54 attempt timed out", sending(context.DeadlineExceeded), fault.Unavailable, "Timeout"},
		{"CK-54 budget timed out", context.DeadlineExceeded, fault.Unavailable, "Timeout"},
		{"CK-54 socket timed out", dial(os.ErrDeadlineExceeded), fault.Unavailable, "Timeout"},
		{"CK-54 refused", dial(&os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}), fault.Unavailable, "Unreachable"},
		{"CK-54 no route", dial(&os.SyscallError{Syscall: "connect", Err: syscall.EHOSTUNREACH}), fault.Unavailable, "Unreachable"},
		{"CK-54 reset", &net.OpError{Op: "read", Err: &os.SyscallError{Syscall: "read", Err: syscall.ECONNRESET}}, fault.Unavailable, "Unreachable"},
		{"CK-54 closed", sending(io.EOF), fault.Unavailable, "Unreachable"},
		{"CK-54 cut off", io.ErrUnexpectedEOF, fault.Unavailable, "Unreachable"},
		{"CK-54 untrusted", sending(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), fault.Unavailable, "TLSFailed"},
		{"CK-54 wrong name", sending(x509.HostnameError{Certificate: &x509.Certificate{}, Host: east.Host}), fault.Unavailable, "TLSFailed"},
		{"CK-54 expired certificate", sending(x509.CertificateInvalidError{Reason: x509.Expired}), fault.Unavailable, "TLSFailed"},
		{"CK-54 no TLS at all", sending(tls.RecordHeaderError{Msg: "first record"}), fault.Unavailable, "TLSFailed"},
		{"CK-54 handshake failed", sending(&net.OpError{Op: "remote error", Err: tls.AlertError(40)}), fault.Unavailable, "TLSFailed"},
		{"CK-54, CK-64 no such host", dial(&net.DNSError{Err: "no such host", Name: east.Host, IsNotFound: true}), fault.Unavailable, "HostNotFound"},
		{"CK-54 name server gone", dial(&net.DNSError{Err: "timeout", Name: east.Host, IsTimeout: true}), fault.Unavailable, "HostNotFound"},
		{"CK-55", answered(t, 429, azureError("Throttled", "")), fault.Unavailable, "Throttled"},
		{"CK-52, CK-56 no token", fmt.Errorf("x: %w", &tokenError{errors.New("the directory is down")}), fault.Unavailable, "NoToken"},
		{"CK-52 no token in time", &tokenError{context.DeadlineExceeded}, fault.Unavailable, "NoToken"},
		{"CK-56 token of another tenant", &tokenError{fault.New(fault.Denied, "another tenant")}, fault.Denied, "Unauthorized"},
		{"CK-56 fresh token refused", answered(t, 401, azureError("Unauthorized", "")), fault.Denied, "Unauthorized"},
		{"CK-57 no policy entry", forbidden("AccessDenied"), fault.Denied, "AccessDenied"},
		{"CK-57 missing permission", forbidden("ForbiddenByPolicy"), fault.Denied, "AccessDenied"},
		{"CK-57 missing role", forbidden("ForbiddenByRbac"), fault.Denied, "AccessDenied"},
		{"CK-57 bare 403", answered(t, 403, ""), fault.Denied, "AccessDenied"},
		{"CK-57 unknown 403", forbidden("SomethingNew"), fault.Denied, "AccessDenied"},
		{"CK-58 firewall", forbidden("ForbiddenByFirewall"), fault.Denied, "NetworkDenied"},
		{"CK-58 private link", forbidden("ForbiddenByConnection"), fault.Denied, "NetworkDenied"},
		{"CK-59 disabled", forbidden("KeyDisabled"), fault.Denied, "KeyDisabled"},
		{"CK-59 key_ops", forbidden("KeyOperationForbidden"), fault.Denied, "KeyOperationForbidden"},
		{"CK-60 key deleted", answered(t, 404, azureError("KeyNotFound", "")), fault.Denied, "KeyNotFound"},
		{"CK-60, CK-64 vault deleted", answered(t, 404, azureError("VaultNotFound", "")), fault.Denied, "VaultNotFound"},
		{"CK-61 expired", forbidden("KeyExpired"), fault.Denied, "KeyExpired"},
		{"CK-61 not yet valid", forbidden("KeyNotYetValid"), fault.Denied, "KeyNotYetValid"},
		{"other noes", answered(t, 400, azureError("BadParameter", "KeyTypeNotSupported")), fault.Denied, "Refused"},
		{"being deleted", answered(t, 409, azureError("Conflict", "ObjectIsBeingDeleted")), fault.Denied, "Refused"},
		{"redirect", answered(t, 302, ""), fault.Unavailable, "BadAnswer"},
		{"nonsense", &badAnswer{"nonsense"}, fault.Unavailable, "BadAnswer"},
		{"no JSON", fmt.Errorf("unmarshalling type: invalid character '<'"), fault.Unavailable, "BadAnswer"},
	} {
		got := fault.As(classify(tt.err, east))
		if got.Code != tt.code || got.Reason != tt.reason {
			t.Errorf("%s: %s %s, want %s %s", tt.row, got.Code, got.Reason, tt.code, tt.reason)
		}
		if !strings.Contains(got.Message, "contoso-east/root1") || got.Hint == "" || strings.Contains(got.Message+got.Hint, "%") {
			t.Errorf("%s: message %q, hint %q", tt.row, got.Message, got.Hint)
		}
	}
}

// Every reason that the tables name has its words, and no words are left over.
func TestReasonsAreComplete(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"NoToken": true, "HostNotFound": true, "TLSFailed": true, "Unreachable": true, "BadAnswer": true}
	for _, s := range statuses {
		used[s.reason] = true
	}
	for reason := range used {
		if r := reasons[reason]; (r.code != fault.Denied && r.code != fault.Unavailable) || r.message == "" || r.hint == "" {
			t.Errorf("%s has no words", reason)
		}
	}
	for reason := range reasons {
		if !used[reason] {
			t.Errorf("nothing gives %s", reason)
		}
	}
}

// The cause is for the log: bounded, quoted, and without the rest of the answer.
func TestCauseIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long\n", 10_000)
	err := classify(answered(t, 500, fmt.Sprintf(`{"error":{"code":%q,"message":%q,"value":"secret"}}`, long, long)), east)
	if text := err.Error(); len(text) > 1500 || strings.Contains(text, "secret") || strings.Contains(text, "\n") {
		t.Errorf("%d bytes: %.200q", len(text), text)
	}
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		t.Error("the whole answer hangs on the error")
	}
}
