package resourcemanager_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/resourcemanager"
)

const (
	tenant       = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	subscription = "9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11"
)

// A manager is a resource manager that answers what a test says.
type manager func(r *http.Request) (status int, header http.Header, body io.Reader)

func (m manager) Do(r *http.Request) (*http.Response, error) {
	status, header, body := m(r)
	if status == 0 {
		return nil, errors.New("connection reset")
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}, nil
}

type token struct{ asked *atomic.Int64 }

func (k token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	k.asked.Add(1)
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// newReader asks a manager that says the same as long as more allows, and then nothing.
func newReader(more func() bool, body string) (*resourcemanager.Reader, error) {
	c, err := resourcemanager.New(resourcemanager.Config{
		Endpoint: "https://management.example", Attempts: 1, Timeout: 5 * time.Minute,
		Credential: func(string) azcore.TokenCredential { return token{&atomic.Int64{}} },
		Transport: manager(func(*http.Request) (int, http.Header, io.Reader) {
			if !more() {
				return 0, nil, nil
			}
			return 200, nil, strings.NewReader(body)
		}),
	})
	if err != nil {
		return nil, err
	}
	return c.As(tenant), nil
}

func reader(t *testing.T, m manager) (*resourcemanager.Reader, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	c, err := resourcemanager.New(resourcemanager.Config{
		Endpoint: "https://management.example", Transport: m, Attempts: 1, Timeout: 5 * time.Minute,
		Credential: func(string) azcore.TokenCredential { return token{asked} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.As(tenant), asked
}

func says(status int, body string) manager {
	return func(*http.Request) (int, http.Header, io.Reader) { return status, nil, strings.NewReader(body) }
}

// What a resource manager answers is sorted, bounded, and leads nowhere else.
func TestHostileResourceManager(t *testing.T) {
	t.Parallel()
	elsewhere := func(r *http.Request) (int, http.Header, io.Reader) {
		if r.URL.Host != "management.example" {
			t.Errorf("a request went to %s", r.URL.Host)
		}
		return 200, nil, strings.NewReader(`{"value":[],"nextLink":"https://evil.example/subscriptions?api-version=2022-12-01"}`)
	}
	for _, tt := range []struct {
		name string
		m    manager
		code fault.Code
	}{
		{"not let in", says(403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`), fault.Forbidden},
		{"not known", says(401, `{"error":{"code":"InvalidAuthenticationToken","message":"no"}}`), fault.Forbidden},
		{"not there", says(404, `{"error":{"code":"SubscriptionNotFound","message":"no"}}`), fault.NotFound},
		{"out of order", says(500, `oops`), fault.Unavailable},
		{"throttled", says(429, `{}`), fault.Unavailable},
		{"unreachable", says(0, ``), fault.Unavailable},
		{"nonsense", says(200, `[`), fault.Unavailable},
		{"a redirect", says(302, ``), fault.Unavailable},
		{"without an end", func(*http.Request) (int, http.Header, io.Reader) { return 200, nil, endless{} }, fault.Unavailable},
		{"a next page elsewhere", elsewhere, fault.Unavailable},
	} {
		r, _ := reader(t, tt.m)
		if _, err := r.Subscriptions(t.Context()); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
		if _, err := r.Find(t.Context(), "contoso-east"); err == nil {
			t.Errorf("%s: found a vault", tt.name)
		}
	}
}

// An endless reader is a body of nothing but spaces.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A list that goes on for ever is not followed for ever; one round of questions is one sign-in.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	pages := 0
	r, asked := reader(t, func(r *http.Request) (int, http.Header, io.Reader) {
		pages++
		return 200, nil, strings.NewReader(fmt.Sprintf(`{"value":[{"subscriptionId":"%s"}],"nextLink":"https://management.example/subscriptions?api-version=2022-12-01&p=%d"}`, subscription, pages))
	})
	all, err := r.Subscriptions(t.Context())
	if err != nil || len(all) != 200 || pages != 200 {
		t.Errorf("%d subscriptions on %d pages, %v", len(all), pages, err)
	}
	if asked.Load() != 1 {
		t.Errorf("%d tokens were asked for", asked.Load())
	}
}

// A resource that lies elsewhere, or is none, is no vault of the subscription.
func TestVaultElsewhere(t *testing.T) {
	t.Parallel()
	other := "11111111-2222-4333-8444-555555555555"
	for _, id := range []string{
		"/subscriptions/" + other + "/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-east",
		"/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso-west",
		"/subscriptions/" + subscription + "/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/contoso-east",
		"../../" + other, "",
	} {
		r, _ := reader(t, func(q *http.Request) (int, http.Header, io.Reader) {
			if !strings.HasSuffix(q.URL.Path, "/resources") {
				t.Errorf("%q: %s is asked for", id, q.URL.Path)
			}
			return 200, nil, strings.NewReader(fmt.Sprintf(`{"value":[{"id":%q}]}`, id))
		})
		if _, err := r.Vault(t.Context(), subscription, "contoso-east"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	r, _ := reader(t, func(q *http.Request) (int, http.Header, io.Reader) {
		t.Errorf("%s is asked for", q.URL)
		return 404, nil, strings.NewReader("")
	})
	for _, bad := range []struct{ subscription, vault string }{{"../x", "v"}, {subscription, "a' or name eq 'b"}, {subscription, ""}, {"", "v"}} {
		if _, err := r.Vault(t.Context(), bad.subscription, bad.vault); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	credential := func(string) azcore.TokenCredential { return nil }
	for _, c := range []resourcemanager.Config{
		{Transport: says(200, ""), Endpoint: "https://m"}, {Credential: credential, Endpoint: "https://m"},
		{Credential: credential, Transport: says(200, ""), Endpoint: "http://m"}, {Credential: credential, Transport: says(200, "")},
	} {
		if _, err := resourcemanager.New(c); err == nil {
			t.Errorf("%+v is taken", c.Endpoint)
		}
	}
}
