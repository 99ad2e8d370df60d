package profile

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// ClientID is the app id that ck signs in with (row CK-331).
const ClientID = "fb78d390-0c51-40cd-8e17-fdbfab77341b"

const (
	largestAnswer = 1 << 20
	answerWithin  = 30 * time.Second
)

// A grant is the token service's answer to a token request (row KV-133).
type grant struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
}

// An oauthError is the token service's refusal.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// tokenService is where tokens of one tenant come from.
type tokenService struct {
	client *http.Client
	login  string // base URL
	tenant string // GUID, domain, or "organizations"
}

// post sends a form and reads the answer into out. A refusal is returned as such; only an
// answer that is none at all is an error.
func (s tokenService) post(ctx context.Context, address string, form url.Values, out any) (*oauthError, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the address of the token service cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, s.unreachable(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, largestAnswer))
	if err != nil {
		return nil, s.unreachable(err)
	}
	if res.StatusCode == http.StatusOK {
		if json.Unmarshal(body, out) != nil { // the cause could show a token
			return nil, fault.New(fault.Internal, "the token service's answer cannot be read")
		}
		return nil, nil
	}
	var refused oauthError
	if json.Unmarshal(body, &refused) != nil || refused.Code == "" {
		return nil, fault.New(fault.Unavailable, "the token service at %s answered %s", s.login, res.Status).WithHint("try again")
	}
	return &refused, nil
}

func (s tokenService) unreachable(err error) error {
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return fault.Wrap(fault.Unavailable, err, "the certificate of the token service at %s is not trusted", s.login).
			WithHint("sign in with --ca FILE: it is ca.pem in the data folder of the server")
	}
	return fault.Wrap(fault.Unavailable, err, "the token service at %s cannot be reached", s.login).
		WithHint("see that the service runs and that this is its address; start one with: ck serve")
}

func (s tokenService) token(ctx context.Context, form url.Values) (grant, *oauthError, error) {
	form.Set("client_id", ClientID)
	var g grant
	refused, err := s.post(ctx, s.login+"/"+url.PathEscape(s.tenant)+"/oauth2/v2.0/token", form, &g)
	if err == nil && refused == nil && g.AccessToken == "" {
		err = fault.New(fault.Internal, "the token service's answer has no token")
	}
	return g, refused, err
}

// scope asks for tokens for one audience, and for a refresh token.
func scope(audience string) string { return audience + "/.default offline_access" }

func (g grant) access(now time.Time) Access {
	return Access{Token: g.AccessToken, Obtained: now.UTC(), Expires: now.UTC().Add(time.Duration(g.ExpiresIn) * time.Second)}
}

// number is what Entra's texts begin with; people need it less than the words behind it.
var number = regexp.MustCompile(`^AADSTS[0-9]+: *`)

// words is the refusal as the service says it: its first line without number and trace ids, the
// first sentence apart from what it advises.
func (e *oauthError) words() (message, advice string) {
	line, _, _ := strings.Cut(strings.TrimSpace(e.Description), "\n")
	line = strings.TrimSuffix(strings.TrimSpace(number.ReplaceAllString(line, "")), ".")
	if line == "" {
		return e.Code, ""
	}
	message, advice, _ = strings.Cut(line, ". ")
	return lowerFirst(message), lowerFirst(strings.TrimSpace(advice))
}

// lowerFirst makes a sentence one that may stand behind a colon. An abbreviation stays.
func lowerFirst(s string) string {
	if len(s) > 1 && 'A' <= s[0] && s[0] <= 'Z' && 'a' <= s[1] && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// fault is the refusal as a fault; hint is for one that the person has to do something about,
// where the service advises nothing.
func (e *oauthError) fault(hint string) *fault.Error {
	message, advice := e.words()
	if e.Code == "temporarily_unavailable" || e.Code == "server_error" {
		return fault.New(fault.Unavailable, "the token service could not answer: %s", message).WithReason(e.Code).WithHint("try again in a moment")
	}
	if advice != "" {
		hint = advice
	}
	return fault.New(fault.Unauthenticated, "%s", message).WithReason(e.Code).WithHint("%s", hint)
}
