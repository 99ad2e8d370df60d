package rootkey

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

const maxAnswer = 64 << 10 // bytes of one answer; a right one has about 3,000

// A badAnswer is what a vault sent that no vault should. It is not tried again.
type badAnswer struct{ what string }

func (b *badAnswer) Error() string { return b.what }

// NonRetriable marks the error for azcore's retry policy.
func (b *badAnswer) NonRetriable() {}

// A guard stands between the official client and the network: it lets requests to one vault
// out and answers of that vault in, within bounds.
type guard struct {
	next policy.Transporter
	host string
}

// Do implements policy.Transporter.
func (g guard) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != g.host {
		return nil, &badAnswer{"the request would go to another host"}
	}
	r, err := detached(r)
	if err != nil {
		return nil, err
	}
	res, err := g.next.Do(r)
	if err != nil {
		return nil, err
	}
	if err := g.check(res); err != nil {
		res.Body.Close()
		return nil, err
	}
	res.Body = &bounded{ReadCloser: res.Body, left: maxAnswer}
	return res, nil
}

// detached returns the request with a body of its own. The client's pipeline rewinds the one it has
// for another attempt, while the network may still be reading it for the last.
func detached(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	own := r.WithContext(r.Context())
	own.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	own.Body, err = own.GetBody()
	return own, err
}

// check refuses redirects and challenges that the client cannot digest.
func (g guard) check(res *http.Response) error {
	if res.StatusCode/100 == 3 || res.Request != nil && res.Request.URL.Host != g.host {
		return &badAnswer{"the vault answered with a redirect"}
	}
	if res.ContentLength > maxAnswer {
		return &badAnswer{"the vault's answer is too long"}
	}
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		if err := checkChallenge(challenge); err != nil {
			return err
		}
	}
	return nil
}

// checkChallenge refuses a challenge whose authorization names no tenant. The client takes
// the fourth part between slashes for it and would panic where there is none.
func checkChallenge(challenge string) error {
	for part := range strings.SplitSeq(strings.ReplaceAll(challenge, "Bearer ", ""), " ") {
		name, value, ok := strings.Cut(part, "=")
		value = strings.TrimSuffix(strings.ReplaceAll(value, `"`, ""), ",")
		if ok && name == "authorization" && value != "" && strings.Count(value, "/") < 3 {
			return &badAnswer{"the vault's challenge names no tenant"}
		}
	}
	return nil
}

// bounded fails, rather than ends, after its limit.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, &badAnswer{"the vault's answer is too long"}
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// tokens gets tokens for the vault's own audience only, whatever its challenge asks for, and
// marks the failures of the token source: they are ours, not the vault's (CK-52, CK-56).
type tokens struct {
	next   azcore.TokenCredential
	suffix string // host of the only audience
}

// A tokenError says that the token source failed.
type tokenError struct{ err error }

func (t *tokenError) Error() string { return "getting a token: " + t.err.Error() }
func (t *tokenError) Unwrap() error { return t.err }

// GetToken implements azcore.TokenCredential.
func (t tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	for _, scope := range o.Scopes {
		u, err := url.Parse(scope)
		if err != nil || u.Scheme != "https" || strings.TrimSuffix(u.Host, ":443") != t.suffix {
			return azcore.AccessToken{}, &badAnswer{fmt.Sprintf("the vault asked for a token for %.100q", scope)}
		}
	}
	if t.next == nil {
		return azcore.AccessToken{}, &tokenError{errNoCredential}
	}
	token, err := t.next.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, &tokenError{err}
	}
	return token, nil
}
