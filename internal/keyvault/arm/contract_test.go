package arm_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
)

// An exchange is one answer.
type exchange struct {
	status int
	header http.Header
	body   map[string]any
}

func (x exchange) code() string {
	e, _ := x.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (x exchange) message() string {
	e, _ := x.body["error"].(map[string]any)
	message, _ := e["message"].(string)
	return message
}

func base(w *keyvaulttest.World) string { return "https://management." + w.Domain() }

// send sends a request by hand; {sub} stands for the World's subscription.
func send(t *testing.T, w *keyvaulttest.World, method, path, token, body string) exchange {
	t.Helper()
	path = strings.ReplaceAll(path, "{sub}", w.Subscription.ID)
	req, err := http.NewRequestWithContext(t.Context(), method, base(w)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := w.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	x := exchange{status: res.StatusCode, header: res.Header}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &x.body); err != nil {
			t.Fatalf("%s %s answers %q", method, path, text)
		}
	}
	return x
}

const (
	group   = "/subscriptions/{sub}/resourceGroups/keys"
	east    = group + "/providers/Microsoft.KeyVault/vaults/contoso-east"
	version = "?api-version=2024-11-01"
)

// vaultBody returns a body for a new vault; more goes into its properties.
func vaultBody(w *keyvaulttest.World, more string) string {
	return `{"location":"westeurope","properties":{"tenantId":"` + w.Tenant + `","sku":{"family":"a","name":"Standard"},"accessPolicies":[]` + more + `}}`
}

func TestContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-old")
	token := w.Token(w.Owner, base(w))
	other := w.Token(w.Person("other@contoso.example"), base(w))
	stranger := w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	full := func(more string) string { return vaultBody(w, more) }
	for _, tt := range []struct {
		row, method, path, token, body string
		status                         int
		code, message                  string
	}{
		{"KV-9 case", "GET", "/SUBSCRIPTIONS/{sub}/resourcegroups/KEYS/Providers/microsoft.keyvault/Vaults/CONTOSO-OLD" + version, token, "", 200, "", ""},
		{"KV-7 slashes", "GET", "//subscriptions//{sub}/" + version, token, "", 200, "", ""},
		{"KV-111 subscription", "GET", "/subscriptions/{sub}" + version, token, "", 200, "", ""},
		{"KV-111 not his", "GET", "/subscriptions/{sub}" + version, other, "", 403, "AuthorizationFailed", ""},
		{"KV-111 another tenant's", "GET", "/subscriptions/{sub}" + version, stranger, "", 404, "SubscriptionNotFound", ""},
		{"KV-111 no guid", "GET", "/subscriptions/mine" + version, token, "", 404, "SubscriptionNotFound", ""},
		{"KV-111 tenants", "GET", "/tenants" + version, token, "", 200, "", ""},
		{"KV-114 provider", "GET", "/subscriptions/{sub}/providers/microsoft.keyvault" + version, token, "", 200, "", ""},
		{"KV-114 register", "POST", "/subscriptions/{sub}/providers/Microsoft.KeyVault/register" + version, token, "", 200, "", ""},
		{"KV-114 unknown", "GET", "/subscriptions/{sub}/providers/Microsoft.Compute" + version, token, "", 404, "NotFound", ""},
		{"KV-115 head", "HEAD", group + version, token, "", 204, "", ""},
		{"KV-115 head none", "HEAD", "/subscriptions/{sub}/resourceGroups/none" + version, token, "", 404, "", ""},
		{"KV-115 get none", "GET", "/subscriptions/{sub}/resourceGroups/none" + version, token, "", 404, "ResourceGroupNotFound", ""},
		{"KV-115 put", "PUT", "/subscriptions/{sub}/resourceGroups/new" + version, token, `{"location":"eastus"}`, 201, "", ""},
		{"KV-115 put again", "PUT", "/subscriptions/{sub}/resourceGroups/NEW" + version, token, `{"location":"eastus","tags":{"a":"b"}}`, 200, "", ""},
		{"KV-115 moved", "PUT", "/subscriptions/{sub}/resourceGroups/new" + version, token, `{"location":"westus"}`, 409, "InvalidResourceLocation", ""},
		{"KV-115 put bad", "PUT", "/subscriptions/{sub}/resourceGroups/new." + version, token, `{"location":"eastus"}`, 400, "BadRequest", "resourceGroupName"},
		{"KV-115 bad filter", "GET", "/subscriptions/{sub}/resourceGroups?$filter=color%20eq%20'red'&api-version=2024-11-01", token, "", 400, "InvalidFilterInQueryString", ""},
		{"KV-115 other filter", "GET", "/subscriptions/{sub}/resourceGroups?$filter=name%20eq%20'keys'&api-version=2024-11-01", token, "", 400, "InvalidFilterInQueryString", "tagname"},
		{"KV-115 filter, not his", "GET", "/subscriptions/{sub}/resourceGroups?$filter=x&api-version=2024-11-01", stranger, "", 404, "SubscriptionNotFound", ""},
		{"KV-116 nothing", "GET", "/subscriptions/{sub}/resources?$filter=resourceType%20eq%20'Microsoft.Web/sites'&api-version=2015-11-01", token, "", 200, "", ""},
		{"KV-116 bad filter", "GET", "/subscriptions/{sub}/resources?$filter=color%20eq%20'red'&api-version=2015-11-01", token, "", 400, "InvalidFilterInQueryString", ""},
		{"KV-117 new", "PUT", east + version, token, full(""), 201, "", ""},
		{"KV-117 again", "PUT", east + version, token, full(""), 200, "", ""},
		{"KV-117 no group", "PUT", "/subscriptions/{sub}/resourceGroups/none/providers/Microsoft.KeyVault/vaults/v-1" + version, token, full(""), 404, "ResourceGroupNotFound", ""},
		{"KV-117 not his", "PUT", east + version, other, full(""), 403, "AuthorizationFailed", ""},
		{"KV-117 broken, not his", "PUT", east + version, other, "{", 403, "AuthorizationFailed", ""},
		{"KV-117 broken", "PUT", east + version, token, "{", 400, "BadRequest", "JSON"},
		{"KV-117 taken", "PUT", "/subscriptions/{sub}/resourceGroups/new/providers/Microsoft.KeyVault/vaults/contoso-old" + version, token, full(""), 409, "VaultAlreadyExists", ""},
		{"KV-117 name", "PUT", group + "/providers/Microsoft.KeyVault/vaults/9lives" + version, token, full(""), 400, "VaultNameNotValid", ""},
		{"KV-117 patch none", "PATCH", group + "/providers/Microsoft.KeyVault/vaults/contoso-none" + version, token, `{"tags":{}}`, 404, "ResourceNotFound", ""},
		{"KV-117 patch", "PATCH", east + version, token, `{"properties":{"sku":{"name":"premium"}}}`, 200, "", ""},
		{"KV-117 moved", "PUT", east + version, token, strings.Replace(full(""), "westeurope", "eastus", 1), 409, "InvalidResourceLocation", ""},
		{"KV-117 location spelt out", "PUT", east + version, token, strings.Replace(full(""), "westeurope", "West Europe", 1), 200, "", ""},
		{"KV-122 retention", "PATCH", east + version, token, `{"properties":{"softDeleteRetentionInDays":30}}`, 400, "BadRequest", "softDeleteRetentionInDays"},
		{"KV-122 retention out of range", "PUT", group + "/providers/Microsoft.KeyVault/vaults/v-2" + version, token, full(`,"softDeleteRetentionInDays":91`), 400, "BadRequest", ""},
		{"KV-122 soft delete off", "PATCH", east + version, token, `{"properties":{"enableSoftDelete":false}}`, 400, "BadRequest", "enableSoftDelete"},
		{"KV-122 protection off", "PATCH", east + version, token, `{"properties":{"enablePurgeProtection":false}}`, 400, "BadRequest", `The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.`},
		{"KV-122 network", "PATCH", east + version, token, `{"properties":{"networkAcls":{"defaultAction":"Deny"}}}`, 200, "", ""},
		{"KV-122 network action", "PATCH", east + version, token, `{"properties":{"networkAcls":{"defaultAction":"Perhaps"}}}`, 400, "BadRequest", "defaultAction"},
		{"KV-122 network bypass", "PATCH", east + version, token, `{"properties":{"networkAcls":{"bypass":"Everyone"}}}`, 400, "BadRequest", "bypass"},
		{"KV-122 network rule", "PATCH", east + version, token, `{"properties":{"networkAcls":{"ipRules":[{"value":"10.0.0.1/8"}]}}}`, 400, "BadRequest", "10.0.0.0/8"},
		{"KV-122 virtual network", "PATCH", east + version, token, `{"properties":{"networkAcls":{"virtualNetworkRules":[{"id":"/subscriptions/x"}]}}}`, 400, "BadRequest", "Virtual network rules"},
		{"KV-122 network private", "PATCH", east + version, token, `{"properties":{"publicNetworkAccess":"disabled"}}`, 200, "", ""},
		{"KV-122 network perimeter", "PATCH", east + version, token, `{"properties":{"publicNetworkAccess":"SecuredByPerimeter"}}`, 400, "BadRequest", "publicNetworkAccess"},
		{"KV-122 network open", "PATCH", east + version, token, `{"properties":{"networkAcls":{"defaultAction":"Allow","bypass":"AzureServices","ipRules":[]}}}`, 200, "", ""},
		{"KV-122 another tenant", "PATCH", east + version, token, `{"properties":{"tenantId":"00000000-0000-0000-0000-000000000001"}}`, 400, "BadRequest", "tenantId"},
		{"KV-123 strings", "PATCH", east + version, token, `{"properties":{"enableSoftDelete":"True","softDeleteRetentionInDays":"90"}}`, 200, "", ""},
		{"KV-123 no flag", "PATCH", east + version, token, `{"properties":{"enableSoftDelete":"perhaps"}}`, 400, "BadRequest", ""},
		{"KV-103 roles", "PATCH", east + version, token, `{"properties":{"enableRbacAuthorization":"True"}}`, 200, "", ""},
		{"KV-125 roles by default", "PUT", group + "/providers/Microsoft.KeyVault/vaults/v-3?api-version=2026-02-01", token, full(""), 201, "", ""},
		{"KV-125 none asked for", "PUT", group + "/providers/Microsoft.KeyVault/vaults/v-4?api-version=2026-02-01", token, full(`,"enableRbacAuthorization":false`), 201, "", ""},
		{"KV-125 there already", "PUT", east + "?api-version=2026-02-01", token, full(""), 200, "", ""},
		{"KV-119 unknown change", "PUT", east + "/accessPolicies/shuffle" + version, token, `{"properties":{"accessPolicies":[]}}`, 400, "BadRequest", ""},
		{"KV-104 unknown permission", "PUT", east + "/accessPolicies/add" + version, token, `{"properties":{"accessPolicies":[{"objectId":"` + w.Owner.ID + `","permissions":{"keys":["fly"]}}]}}`, 400, "BadRequest", "permissions"},
		{"KV-104 no object", "PUT", east + "/accessPolicies/add" + version, token, `{"properties":{"accessPolicies":[{"permissions":{"keys":["get"]}}]}}`, 400, "BadRequest", "objectId"},
		{"KV-118 hsms", "GET", "/subscriptions/{sub}/providers/Microsoft.KeyVault/managedHSMs" + version, token, "", 200, "", ""},
		{"KV-118 not his", "GET", "/subscriptions/{sub}/providers/Microsoft.KeyVault/managedHSMs" + version, other, "", 403, "AuthorizationFailed", ""},
		{"no version", "GET", "/subscriptions", token, "", 400, "MissingApiVersionParameter", ""},
		{"no such version", "GET", "/subscriptions?api-version=7.4", token, "", 400, "InvalidApiVersionParameter", ""},
		{"else", "GET", "/subscriptions/{sub}/providers/Microsoft.Web/sites" + version, token, "", 404, "NotFound", ""},
		{"else", "GET", "/" + version, token, "", 404, "NotFound", ""},
		{"no token", "GET", "/subscriptions" + version, "", "", 401, "AuthenticationFailed", ""},
		{"no token, no path", "GET", "/nowhere", "", "", 401, "AuthenticationFailed", ""},
		{"a vault's token", "GET", "/subscriptions" + version, w.Token(w.Owner, w.Audience()), "", 401, "AuthenticationFailed", ""},
		{"KV-135 azure's", "GET", "/subscriptions" + version, w.Token(w.Owner, "https://management.core.windows.net/"), "", 200, "", ""},
	} {
		t.Run(tt.row+" "+tt.method, func(t *testing.T) {
			x := send(t, w, tt.method, tt.path, tt.token, tt.body)
			if x.status != tt.status || x.code() != tt.code || !strings.Contains(x.message(), tt.message) {
				t.Errorf("answer = %d %s %q, want %d %s %q", x.status, x.code(), x.message(), tt.status, tt.code, tt.message)
			}
			if challenge := x.header.Get("WWW-Authenticate"); (x.status == 401) != strings.HasPrefix(challenge, `Bearer authorization_uri="https://login.`+w.Domain()+`/`) {
				t.Errorf("challenge = %q", challenge)
			}
		})
	}
}

func TestEndpoints(t *testing.T) { // KV-110, KV-131: without a token
	t.Parallel()
	w := newWorld(t)
	old := send(t, w, "GET", "//metadata/endpoints?api-version=2015-01-01", "", "")
	wantOld := map[string]any{
		"galleryEndpoint": base(w) + "/", "graphEndpoint": "https://graph." + w.Domain() + "/", "portalEndpoint": "https://" + w.Domain() + "/",
		"authentication": map[string]any{"loginEndpoint": "https://login." + w.Domain() + "/", "audiences": []any{base(w), base(w) + "/"}},
	}
	if diff := cmp.Diff(wantOld, old.body); diff != "" || old.status != 200 {
		t.Errorf("2015: %s", diff)
	}
	now := send(t, w, "GET", "/metadata/endpoints?api-version=2022-09-01", "", "").body
	if now["resourceManager"] != base(w)+"/" || now["suffixes"].(map[string]any)["keyVaultDns"] != "vault."+w.Domain() ||
		now["authentication"].(map[string]any)["loginEndpoint"] != "https://login."+w.Domain() || now["microsoftGraphResourceId"] != "https://graph."+w.Domain()+"/" {
		t.Errorf("2022: %v", now)
	}
}

// TestFindByName holds KV-116: how the CLI finds a vault of which it knows the name.
func TestFindByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("Contoso-East")
	w.MustVault("contoso-west")
	token := w.Token(w.Owner, base(w))
	find := func(name string) []any {
		t.Helper()
		path := "/subscriptions/{sub}/resources?$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'%20and%20name%20eq%20'" + name + "'&api-version=2024-11-01"
		x := send(t, w, "GET", path, token, "")
		if x.status != 200 {
			t.Fatalf("%d %s", x.status, x.message())
		}
		return x.body["value"].([]any)
	}
	found := find("contoso-east")
	if len(found) != 1 || found[0].(map[string]any)["name"] != "Contoso-East" || !strings.Contains(found[0].(map[string]any)["id"].(string), "/resourceGroups/keys/") {
		t.Errorf("found %v", found)
	}
	if none := find("contoso-north"); len(none) != 0 {
		t.Errorf("found %v", none)
	}
}

// TestGroupsByTag holds KV-115: a list that was asked for by tags names no other groups, for scripts
// delete what it names.
func TestGroupsByTag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.Token(w.Owner, base(w))
	for name, tags := range map[string]string{"temporary": `{"Env":"it's"}`, "lasting": `{"env":"production"}`, "bare": `{}`} {
		if x := send(t, w, "PUT", "/subscriptions/{sub}/resourceGroups/"+name+version, token, `{"location":"eastus","tags":`+tags+`}`); x.status != 201 {
			t.Fatalf("%s: %d %s", name, x.status, x.message())
		}
	}
	for filter, want := range map[string][]string{
		"":                    {"bare", "keys", "lasting", "temporary"},
		"tagName eq 'env'":    {"lasting", "temporary"},
		"tagname eq 'nobody'": nil,
		"tagName eq 'env' and tagValue eq 'it''s'": {"temporary"},
	} {
		x := send(t, w, "GET", "/subscriptions/{sub}/resourceGroups"+version+"&$filter="+url.QueryEscape(filter), token, "")
		var names []string
		list, _ := x.body["value"].([]any)
		for _, g := range list {
			names = append(names, g.(map[string]any)["name"].(string))
		}
		slices.Sort(names)
		if diff := cmp.Diff(want, names); diff != "" || x.status != 200 {
			t.Errorf("%s: %d %s", filter, x.status, diff)
		}
	}
}

// TestRecords: refusals before the domain sees them are recorded like any other.
func TestRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east")
	token := w.Token(w.Owner, base(w))
	w.Entries()
	for _, body := range []string{"{", `{"properties":{"enableSoftDelete":false}}`, strings.Repeat(" ", 65<<10)} {
		send(t, w, "PATCH", east+version, token, body)
		e := w.Entries()
		if len(e) != 1 || e[0].Decision != "deny" || e[0].Action != "vault.put" || e[0].Caller.ID != w.Owner.ID {
			t.Errorf("%.40s: %+v", body, e)
		}
	}
	w.Deafen(true)
	if x := send(t, w, "GET", east+version, token, ""); x.status != 503 || x.header.Get("Retry-After") == "" {
		t.Errorf("without a record: %d", x.status)
	}
}
