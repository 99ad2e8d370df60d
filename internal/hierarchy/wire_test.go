package hierarchy

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/rootkey"
)

// A wire is two vaults as the official client meets them: requests come in, and answers go out
// as real vaults write them, or errors as the network gives them.
type wire struct {
	t       testing.TB
	client  *rootkey.Client
	answers [2]vaultAnswer
	noToken [2]bool // the token source fails
}

// A vaultAnswer is what a vault, or the way to it, gives for a request that carries a token.
type vaultAnswer func(w *wire, r *http.Request) (*http.Response, error)

// reset makes both vaults answer so, and forgets tokens and challenges.
func (w *wire) reset(one, other vaultAnswer) {
	w.t.Helper()
	w.answers = [2]vaultAnswer{one, other}
	var err error
	w.client, err = rootkey.New(rootkey.Config{
		Suffixes: []string{"vault.example"}, Transport: w, Request: RequestID,
		Credential: func(_, app string) azcore.TokenCredential { return wireToken{w, app == apps[1]} },
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// apps keep the token sources of the two roots apart.
var apps = [2]string{"app-1", "app-2"}

func (w *wire) root(r RootRef) (Root, error) { return w.client.Key(r.Tenant, r.App, r.URI) }

type wireToken struct {
	w      *wire
	second bool
}

func (c wireToken) GetToken(context.Context, azpolicy.TokenRequestOptions) (azcore.AccessToken, error) {
	for i, none := range c.w.noToken {
		if none && c.second == (i == 1) {
			return azcore.AccessToken{}, errors.New("the directory is down")
		}
	}
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// Do implements policy.Transporter.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") == "" {
		res := reply(r, http.StatusUnauthorized, "")
		res.Header.Set("WWW-Authenticate", `Bearer authorization="https://login.example/8a7f7c54-0000-4000-8000-000000000001", resource="https://vault.example"`)
		return res, nil
	}
	i := 0
	if strings.HasPrefix(r.URL.Host, "contoso-west.") {
		i = 1
	}
	return w.answers[i](w, r)
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// works wraps, unwraps and tells about its key.
func works(_ *wire, r *http.Request) (*http.Response, error) { return serveKey(r, time.Time{}) }

// expired does too, but its key is past its time (CK-61).
func expired(_ *wire, r *http.Request) (*http.Response, error) {
	return serveKey(r, time.Now().Add(-time.Hour))
}

func serveKey(r *http.Request, expires time.Time) (*http.Response, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // keys, name, perhaps the version, perhaps what to do
	kid := fmt.Sprintf("https://%s/keys/%s/%032x", r.URL.Host, parts[1], 1)
	if r.Method == http.MethodGet {
		attributes := map[string]any{"enabled": true}
		if !expires.IsZero() {
			attributes["exp"] = expires.Unix()
		}
		e := big.NewInt(int64(rsaKey().E)).Bytes()
		return replyJSON(r, map[string]any{"attributes": attributes, "key": map[string]any{
			"kid": kid, "kty": "RSA", "key_ops": []string{"wrapKey", "unwrapKey"},
			"n": base64.RawURLEncoding.EncodeToString(rsaKey().N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(e),
		}})
	}
	var in struct{ Value string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	value, err := base64.RawURLEncoding.DecodeString(in.Value)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/unwrapkey") {
		value, err = rsa.DecryptOAEP(sha256.New(), nil, rsaKey(), value, nil)
	} else {
		value, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &rsaKey().PublicKey, value, nil)
	}
	if err != nil {
		return reply(r, http.StatusBadRequest, `{"error":{"code":"BadParameter","message":"Property value is invalid"}}`), nil //nolint:nilerr // it is in the answer
	}
	return replyJSON(r, map[string]any{"kid": kid, "value": base64.RawURLEncoding.EncodeToString(value)})
}

func replyJSON(r *http.Request, v any) (*http.Response, error) {
	b, err := json.Marshal(v)
	return reply(r, http.StatusOK, string(b)), err
}

// refuses answers with a status and the codes that Azure gives, the inner one inside.
func refuses(status int, code, inner string) vaultAnswer {
	body := fmt.Sprintf(`{"error":{"code":%q,"message":"no"}}`, code)
	if inner != "" {
		body = fmt.Sprintf(`{"error":{"code":%q,"message":"no","innererror":{"code":%q}}}`, code, inner)
	}
	return func(_ *wire, r *http.Request) (*http.Response, error) { return reply(r, status, body), nil }
}

// breaks is a network that fails.
func breaks(err error) vaultAnswer {
	return func(*wire, *http.Request) (*http.Response, error) { return nil, err }
}

// hangs never answers.
func hangs(_ *wire, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

var (
	refused   = breaks(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
	broken    = breaks(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)})
	untrusted = breaks(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	nameless  = breaks(&net.DNSError{Err: "no such host", Name: "contoso.vault.example", IsNotFound: true})
)
