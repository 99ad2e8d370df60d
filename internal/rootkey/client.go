package rootkey

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Config is what a Client needs.
type Config struct {
	// Suffixes are the ends of the hosts of vaults that may be called: "vault.azure.net",
	// "vault.localhost:8443". Required. The host of a vault is one label in front of one.
	Suffixes []string
	// Credential returns what gets tokens for the service principal of app in tenant. Its error is
	// fault.Denied if the vault asks for a token of another tenant: the owner's doing, no outage.
	// Required.
	Credential func(tenant, app string) azcore.TokenCredential
	// Transport sends requests; one of its own if nil. An *http.Client is copied, and the copy
	// follows no redirect; anything else must not follow them.
	Transport policy.Transporter

	Attempts       int           // how often a vault that fails is asked in one call; 3 if 0
	AttemptTimeout time.Duration // limit for each time; 2 s if 0
	Timeout        time.Duration // limit for one call with all its attempts and pauses; 5 s if 0

	// AllowExpired lets keys that have expired, or are not valid yet, unwrap. The vault itself
	// allows it; row X-3 has the service refuse by default.
	AllowExpired bool
	// Request returns the id of the request that ctx belongs to. It is sent to the vault, whose
	// log names it. Optional.
	Request func(ctx context.Context) string
	Now     func() time.Time // time.Now if nil
}

const maxClients = 1024 // kept at a time; making one again costs one challenge

// A Client reaches root keys in any vault that its suffixes allow. It is safe for concurrent
// use and starts no goroutine of its own.
type Client struct {
	c        Config
	suffixes []suffix

	mu      sync.Mutex
	clients map[who]*azkeys.Client
}

// who says which service principal calls which vault: tokens and challenges are not shared.
type who struct{ tenant, app, host string }

// New returns a Client ready for use. It connects to nothing.
func New(c Config) (*Client, error) {
	if len(c.Suffixes) == 0 || c.Credential == nil {
		return nil, errors.New("rootkey: Suffixes and Credential are required")
	}
	client := &Client{clients: map[who]*azkeys.Client{}}
	for _, text := range c.Suffixes {
		s, err := parseSuffix(text)
		if err != nil {
			return nil, err
		}
		client.suffixes = append(client.suffixes, s)
	}
	if c.Attempts <= 0 {
		c.Attempts = 3
	}
	if c.AttemptTimeout <= 0 {
		c.AttemptTimeout = 2 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Transport = withoutRedirects(c.Transport)
	client.c = c
	return client, nil
}

// withoutRedirects returns a transport that hands redirects back instead of following them.
func withoutRedirects(t policy.Transporter) policy.Transporter {
	hc, ok := t.(*http.Client)
	if t != nil && !ok {
		return t
	}
	if hc == nil {
		hc = &http.Client{Transport: newTransport()}
	}
	c := *hc
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// newTransport returns a transport that gives a dead vault up early.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    2 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Key returns the root key at uri, to be reached as the service principal of app in tenant.
// It connects to nothing. A version in the URI pins the root to it: that one wraps, and
// without one the newest. Unwrapping takes the one that wrapped. The error is that of Parse.
func (c *Client) Key(tenant, app, uri string) (*Key, error) {
	u, err := c.Parse(uri)
	if err != nil {
		return nil, err
	}
	keys, err := c.client(who{tenant, app, u.Host}, u)
	if err != nil {
		return nil, err
	}
	return &Key{client: c, keys: keys, uri: u}, nil
}

// URI names a version of a key in a vault of the first of the configured suffixes. It checks
// nothing: that is for Parse.
func (c *Client) URI(vault, name, version string) string {
	return "https://" + vault + "." + c.suffixes[0].String() + "/keys/" + name + "/" + version
}

// client returns the official client for one principal and vault.
func (c *Client) client(w who, u URI) (*azkeys.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keys := c.clients[w]; keys != nil {
		return keys, nil
	}
	keys, err := azkeys.NewClient("https://"+u.Host, tokens{c.c.Credential(w.tenant, w.app), u.suffix}, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: guard{next: c.c.Transport, host: u.Host},
			Retry:     c.retry(),
		},
	})
	if err != nil {
		return nil, err
	}
	if len(c.clients) >= maxClients {
		for old := range c.clients { // any one: keys in use keep theirs
			delete(c.clients, old)
			break
		}
	}
	c.clients[w] = keys
	return keys, nil
}

// retry keeps every pause within the time for one call. Statuses 408, 429, 500, 502, 503 and
// 504 and broken connections are tried again.
func (c *Client) retry() policy.RetryOptions {
	retries := int32(c.c.Attempts - 1)
	if retries == 0 {
		retries = -1 // 0 would mean the default
	}
	return policy.RetryOptions{
		MaxRetries:    retries,
		TryTimeout:    c.c.AttemptTimeout,
		RetryDelay:    c.c.Timeout / 50,
		MaxRetryDelay: c.c.Timeout / 4,
	}
}
