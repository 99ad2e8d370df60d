package arm_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/webhook"
)

const (
	hooks       = east + "/providers/Microsoft.EventGrid/eventSubscriptions"
	hookVersion = "?api-version=2025-02-15"
)

// greeter is a receiver of events that agrees to every validation.
func greeter(t *testing.T, w *keyvaulttest.World) *httptest.Server {
	t.Helper()
	to := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var events []struct {
			Data struct{ ValidationCode string }
		}
		if json.NewDecoder(r.Body).Decode(&events) == nil && len(events) == 1 {
			fmt.Fprintf(w, `{"validationResponse":%q}`, events[0].Data.ValidationCode)
		}
	}))
	t.Cleanup(to.Close)
	allow, err := courier.ParseAllowance("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	way, err := courier.New(courier.Config{
		Domain: w.Domain(), Allow: allow, Roots: to.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, Now: w.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.SendBy(webhook.New(way))
	return to
}

// TestEventSubscriptions holds the shape of Azure's resource, and that what would not hold is
// refused.
func TestEventSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := greeter(t, w)
	w.MustVault("contoso-east")
	token, other := w.Token(w.Owner, base(w)), w.Token(w.Person("other@contoso.example"), base(w))
	stranger := w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	url := to.URL + "/events?code=open-sesame"
	body := func(destination, more string) string {
		return `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"` + url + `"` + destination + `}}` + more + `}}`
	}
	one := hooks + "/one" + hookVersion
	for _, tt := range []struct {
		what, method, path, token, body string
		status                          int
		code, message                   string
	}{
		{"none yet", "GET", one, token, "", 404, "ResourceNotFound", "one"},
		{"new", "PUT", one, token, body("", ""), 201, "", ""},
		{"again", "PUT", hooks + "/ONE" + hookVersion, token, body(`,"maxEventsPerBatch":1`, `,"retryPolicy":{"maxDeliveryAttempts":30,"eventTimeToLiveInMinutes":1440},"labels":[]`), 200, "", ""},
		{"get", "GET", one, token, "", 200, "", ""},
		{"list", "GET", hooks + hookVersion, token, "", 200, "", ""},
		{"no vault", "PUT", strings.Replace(one, "contoso-east", "contoso-none", 1), token, body("", ""), 404, "ResourceNotFound", ""},
		{"no token", "GET", one, "", "", 401, "AuthenticationFailed", ""},
		{"not his", "PUT", one, other, body("", ""), 403, "AuthorizationFailed", "Microsoft.EventGrid/eventSubscriptions/write"},
		{"not his, broken", "PUT", one, other, "{", 403, "AuthorizationFailed", ""},
		{"not his secret", "POST", hooks + "/one/getFullUrl" + hookVersion, other, "", 403, "AuthorizationFailed", "getFullUrl"},
		{"another tenant's", "GET", one, stranger, "", 404, "SubscriptionNotFound", ""},
		{"broken", "PUT", one, token, "{", 400, "BadRequest", "JSON"},
		{"other destination", "PUT", one, token, `{"properties":{"destination":{"endpointType":"StorageQueue"}}}`, 400, "BadRequest", "endpointType"},
		{"no url", "PUT", one, token, `{"properties":{"destination":{"endpointType":"WebHook"}}}`, 400, "BadRequest", "endpointUrl"},
		{"batches", "PUT", one, token, body(`,"maxEventsPerBatch":10`, ""), 400, "BadRequest", "maxEventsPerBatch"},
		{"headers", "PUT", one, token, body(`,"deliveryAttributeMappings":[{"name":"x"}]`, ""), 400, "BadRequest", "deliveryAttributeMappings"},
		{"tokens", "PUT", one, token, body(`,"azureActiveDirectoryTenantId":"x"`, ""), 400, "BadRequest", "azureActiveDirectoryTenantId"},
		{"subjects", "PUT", one, token, body("", `,"filter":{"subjectBeginsWith":"root"}`), 400, "BadRequest", "filter"},
		{"advanced", "PUT", one, token, body("", `,"filter":{"advancedFilters":[{"operatorType":"StringIn"}]}`), 400, "BadRequest", "filter"},
		{"types", "PUT", one, token, body("", `,"filter":{"includedEventTypes":["All"]}`), 400, "BadRequest", "includedEventTypes"},
		{"retries", "PUT", one, token, body("", `,"retryPolicy":{"maxDeliveryAttempts":1}`), 400, "BadRequest", "retryPolicy"},
		{"dead letters", "PUT", one, token, body("", `,"deadLetterDestination":{"endpointType":"StorageBlob"}`), 400, "BadRequest", "deadLetterDestination"},
		{"expiry", "PUT", one, token, body("", `,"expirationTimeUtc":"2027-01-01T00:00:00Z"`), 400, "BadRequest", "expirationTimeUtc"},
		{"schema", "PUT", one, token, body("", `,"eventDeliverySchema":"CustomInputSchema"`), 400, "BadRequest", "eventDeliverySchema"},
		{"no handshake", "PUT", one, token, body("", `,"eventDeliverySchema":"CloudEventSchemaV1_0"`), 400, "BadRequest", "handshake failed"},
		{"patch", "PATCH", one, token, "{}", 405, "MethodNotAllowed", ""},
		{"delete none", "DELETE", hooks + "/two" + hookVersion, token, "", 204, "", ""},
	} {
		x := send(t, w, tt.method, tt.path, tt.token, tt.body)
		if x.status != tt.status || x.code() != tt.code || !strings.Contains(x.message(), tt.message) || strings.Contains(fmt.Sprint(x.body), "sesame") {
			t.Errorf("%s: %d %s %v", tt.what, x.status, x.code(), x.body)
		}
	}

	id := strings.ReplaceAll(strings.TrimSuffix(one, hookVersion), "{sub}", w.Subscription.ID)
	got := send(t, w, "GET", one, token, "").body
	properties, _ := got["properties"].(map[string]any)
	want := map[string]any{"endpointType": "WebHook", "properties": map[string]any{"endpointBaseUrl": to.URL + "/events", "maxEventsPerBatch": 1.0}}
	if diff := cmp.Diff(want, properties["destination"]); diff != "" || !strings.EqualFold(got["id"].(string), id) ||
		got["type"] != "Microsoft.EventGrid/eventSubscriptions" || properties["provisioningState"] != "Succeeded" || properties["eventDeliverySchema"] != "EventGridSchema" {
		t.Errorf("%s in %v", diff, got)
	}
	secrets := send(t, w, "POST", hooks+"/one/getFullUrl"+hookVersion, token, "").body
	secret, err := base64.StdEncoding.DecodeString(fmt.Sprint(secrets["signingSecret"]))
	if secrets["endpointUrl"] != url || err != nil || len(secret) != 32 {
		t.Errorf("the owner is shown %v, %v", secrets["endpointUrl"], err)
	}
	if x := send(t, w, "DELETE", one, token, ""); x.status != 200 {
		t.Errorf("deleting answers %d", x.status)
	}
	if list, _ := send(t, w, "GET", hooks+hookVersion, token, "").body["value"].([]any); list == nil || len(list) != 0 {
		t.Errorf("left: %v", list)
	}
}
