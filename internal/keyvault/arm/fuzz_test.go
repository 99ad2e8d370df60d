package arm_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/arm"
)

// FuzzFace: whatever path, query, method and body are, the answer is one of the interface: no
// 500, and an error has the shape of one.
func FuzzFace(f *testing.F) {
	w := newWorld(f)
	w.MustVault("contoso-east")
	server, err := arm.New(arm.Config{
		Vaults: w.Service, Domain: "localhost:8443", Log: slog.New(slog.DiscardHandler),
		Verify: func(context.Context, string) (directory.Caller, error) { return w.Owner, nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{
		east, group, "/metadata/endpoints", "/subscriptions/{sub}/resources", east + "/accessPolicies/add", inSubscription + "/checkNameAvailability",
		inSubscription + "/deletedVaults", deletedEast + "/purge", "/subscriptions//{sub}/providers", "/tenants", "/subscriptions/%2e%2e",
	} {
		for _, method := range []string{"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"} {
			f.Add(method, path+version+"&$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'&$top=3", `{"location":"westeurope","name":"a","properties":{"sku":{"name":"standard"},"createMode":"recover"}}`)
		}
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		target = strings.ReplaceAll(target, "{sub}", w.Subscription.ID)
		r, err := http.NewRequest(method, "https://management.localhost:8443/"+strings.TrimPrefix(target, "/"), strings.NewReader(body))
		if err != nil || r.Host != "management.localhost:8443" {
			t.Skip("no client can send it")
		}
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", "Bearer x")
		out := httptest.NewRecorder()
		server.ServeHTTP(out, r)
		if out.Code >= 500 || out.Code < 200 || out.Code == 401 {
			t.Fatalf("%s %q: %d %s", method, target, out.Code, out.Body)
		}
		if out.Code < 400 || out.Body.Len() == 0 && method == "HEAD" {
			return
		}
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(out.Body.Bytes(), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
			t.Errorf("%s %q: %d %q", method, target, out.Code, out.Body)
		}
	})
}
