package resourcemanager

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what a Client needs.
type Config struct {
	// Endpoint is the resource manager, "https://management.localhost:8443"; also the audience of
	// tokens for it. Required.
	Endpoint string
	// Credential returns what gets tokens for the onboarding service in a tenant. Required.
	Credential func(tenant string) azcore.TokenCredential
	// Transport sends requests and follows no redirect. Required.
	Transport policy.Transporter

	Attempts int           // how often a request that fails is tried; 3 if 0
	Timeout  time.Duration // limit for one question with all its attempts; 10 s if 0
}

// A Client asks one resource manager. It is safe for concurrent use and starts no goroutine.
type Client struct {
	c    Config
	host string
}

// New returns a Client ready for use. It connects to nothing.
func New(c Config) (*Client, error) {
	if c.Credential == nil || c.Transport == nil {
		return nil, errors.New("resourcemanager: Credential and Transport are required")
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("resourcemanager: Endpoint must be an https:// address")
	}
	if c.Attempts <= 0 {
		c.Attempts = 3
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	return &Client{c: c, host: u.Host}, nil
}

// As returns a Reader for the subscriptions of a tenant. It keeps one token: use it for one
// round of questions.
func (c *Client) As(tenant string) *Reader {
	return &Reader{client: c, tenant: tenant, credential: &once{next: c.c.Credential(tenant)}}
}

// A Reader asks about the subscriptions of one tenant. It is safe for concurrent use. Its errors
// are fault.Forbidden where the owner has not let it look, fault.NotFound, fault.Unavailable, or
// that of ctx.
type Reader struct {
	client     *Client
	tenant     string
	credential azcore.TokenCredential
}

func (r *Reader) options() *arm.ClientOptions {
	c := r.client.c
	retries := int32(c.Attempts - 1)
	if retries == 0 {
		retries = -1 // 0 would mean the default
	}
	return &arm.ClientOptions{DisableRPRegistration: true, ClientOptions: azcore.ClientOptions{
		Transport: guard{c.Transport, r.client.host},
		Retry:     policy.RetryOptions{MaxRetries: retries, RetryDelay: c.Timeout / 50, MaxRetryDelay: c.Timeout / 4},
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.Endpoint, Audience: c.Endpoint},
		}},
	}}
}

// ask runs one question within its time and sorts its error.
func (r *Reader) ask(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, r.client.c.Timeout)
	defer cancel()
	err := do(limited)
	if err == nil || ctx.Err() != nil {
		return errors.Join(ctx.Err(), nil)
	}
	return sorted(err)
}

// sorted turns an error of the official client into a fault.
func sorted(err error) error {
	var known *fault.Error
	if errors.As(err, &known) && known.Code == fault.NotFound {
		return known
	}
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return fault.Wrap(fault.Forbidden, err, "the service may not look at it")
		case http.StatusNotFound:
			return fault.Wrap(fault.NotFound, err, "it is not there, or the service may not look at it")
		}
	}
	return fault.Wrap(fault.Unavailable, err, "the resource manager cannot be asked").WithHint("try again later")
}

// once keeps a token for the life of a Reader, so that one round of questions is one sign-in.
type once struct {
	next azcore.TokenCredential

	mu    sync.Mutex
	token azcore.AccessToken
}

// GetToken implements azcore.TokenCredential.
func (o *once) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.token.Token != "" {
		return o.token, nil
	}
	if o.next == nil {
		return azcore.AccessToken{}, errors.New("there is no credential for the onboarding service")
	}
	var err error
	o.token, err = o.next.GetToken(ctx, options)
	return o.token, err
}

// maxAnswer bounds one answer, in bytes: a page of a list has 1000 lines at most.
const maxAnswer = 4 << 20

// A guard lets requests to one host out, and answers of that host in, within bounds.
type guard struct {
	next policy.Transporter
	host string
}

// Do implements policy.Transporter.
func (g guard) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != g.host {
		return nil, errors.New("the request would go to another host") // a page's link to the next says so
	}
	res, err := g.next.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 3 || res.Request != nil && res.Request.URL.Host != g.host {
		res.Body.Close()
		return nil, errors.New("the resource manager answered with a redirect")
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}
