package rest_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
)

// few lets a vault be asked twice in so many seconds.
func few(seconds int) throttle.Limits {
	l := throttle.Azure()
	l.Seconds, l.RSA2048.Other = seconds, 2
	return l
}

// TestThrottled holds KV-97: status, code, text and when to come back, in whole seconds.
func TestThrottled(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Throttle(few(10))
	nobody := s.Person("nobody@contoso.example")
	get := func() exchange { return s.as(s.admin, "GET", "/keys/root1?"+version, "") }
	for range 2 {
		if x := get(); x.status != 200 {
			t.Fatalf("answer = %d %s", x.status, x.code())
		}
	}
	s.Pass(3100 * time.Millisecond)
	x := get()
	if x.status != 429 || x.code() != "Throttled" || x.header.Get("Retry-After") != "7" ||
		x.message() != "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached" {
		t.Errorf("answer = %d %s %q, Retry-After %q", x.status, x.code(), x.message(), x.header.Get("Retry-After"))
	}
	if x := s.as(s.admin, "POST", "/keys/root1/wrapkey?"+version, "{"); x.status != 429 {
		t.Errorf("a body that cannot be read: %d %s", x.status, x.code())
	}
	if x := s.as(nobody, "GET", "/keys/root1?"+version, ""); x.status != 403 {
		t.Errorf("a stranger: %d %s", x.status, x.code())
	}
	if x := s.send("GET", s.host(), "/keys/root1?"+version, "", ""); x.status != 401 {
		t.Errorf("without a token: %d %s", x.status, x.code())
	}
	s.Pass(7 * time.Second)
	if x := get(); x.status != 200 {
		t.Errorf("after the time that was told: %d %s", x.status, x.code())
	}
}

// A patient transport lets the World's time pass with the client's: as long as it is told to
// wait.
type patient struct {
	*keyvaulttest.World
	told int
}

func (p *patient) Do(r *http.Request) (*http.Response, error) {
	res, err := p.Client().Do(r)
	if err == nil && res.StatusCode == http.StatusTooManyRequests {
		p.told++
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		p.Pass(time.Duration(after) * time.Second)
	}
	return res, err
}

// TestAzkeysThrottled: an official client waits as it is told and then succeeds.
func TestAzkeysThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	w.Throttle(few(1))
	road := &patient{World: w}
	client, err := azkeys.NewClient(w.VaultURL("contoso-east"), w.Credential(admin), &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: road, Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateKey(t.Context(), "root1", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil); err != nil {
		t.Fatal(err)
	}
	w.Pass(time.Second)
	begun := time.Now()
	for range 3 {
		if _, err := client.GetKey(t.Context(), "root1", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); road.told != 1 || took < time.Second {
		t.Errorf("told to wait %d times, waited %v", road.told, took)
	}
}
