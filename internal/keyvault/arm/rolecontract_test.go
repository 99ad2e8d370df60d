package arm_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestRoleContract holds KV-121 and KV-128 by hand: statuses, codes, filters and bad input.
func TestRoleContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.MustVault("contoso-east")
	owner, nobody, stranger := w.Token(w.Owner, base(w)), w.Token(w.Person("nobody@contoso.example"), base(w)), w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	const roles, whole = "/providers/Microsoft.Authorization/roleAssignments/", "/subscriptions/{sub}"
	who, id, other := uuid.NewString(), uuid.NewString(), uuid.NewString()
	body := func(role, principal, more string) string {
		return `{"properties":{"roleDefinitionId":"/subscriptions/x/providers/microsoft.authorization/ROLEDEFINITIONS/` + role + `","principalId":"` + principal + `"` + more + `}}`
	}
	user := body(rights.CryptoUser, who, "")
	filtered := func(path, filter string) string {
		return path + "?api-version=2022-04-01&$filter=" + url.QueryEscape(filter)
	}
	assignments, definitions := whole+strings.TrimSuffix(roles, "/"), whole+"/providers/Microsoft.Authorization/roleDefinitions"
	for _, tt := range []struct {
		row, method, path, token, body string
		status                         int
		code, message                  string
	}{
		{"new", "PUT", whole + roles + id + version, owner, user, 201, "", ""},
		{"again", "PUT", whole + roles + strings.ToUpper(id) + version, owner, user, 200, "", ""},
		{"an older version", "PUT", whole + roles + id + "?api-version=2015-07-01", owner, user, 200, "", ""},
		{"a preview", "GET", whole + roles + id + "?api-version=2020-04-01-preview", owner, "", 200, "", ""},
		{"under another id", "PUT", whole + roles + other + version, owner, user, 409, "RoleAssignmentExists", strings.ReplaceAll(id, "-", "")},
		{"another role under the id", "PUT", whole + roles + id + version, owner, body(rights.Reader, who, ""), 400, "RoleAssignmentUpdateNotPermitted", "not allowed to be updated"},
		{"at a vault", "PUT", east + roles + other + version, owner, user, 201, "", ""},
		{"at a key", "PUT", east + "/keys/root1" + roles + uuid.NewString() + version, owner, user, 201, "", ""},
		{"at no vault", "PUT", group + "/providers/Microsoft.KeyVault/vaults/contoso-none" + roles + uuid.NewString() + version, owner, user, 404, "ResourceNotFound", ""},
		{"at no group", "PUT", whole + "/resourceGroups/none" + roles + uuid.NewString() + version, owner, user, 404, "ResourceGroupNotFound", ""},
		{"no guid", "PUT", whole + roles + "mine" + version, owner, user, 400, "InvalidRoleAssignmentId", "GUID"},
		{"no role", "PUT", whole + roles + uuid.NewString() + version, owner, body(uuid.NewString(), who, ""), 400, "RoleDefinitionDoesNotExist", ""},
		{"half an id", "PUT", whole + roles + uuid.NewString() + version, owner, `{"properties":{"roleDefinitionId":"` + rights.Reader + `","principalId":"` + who + `"}}`, 400, "BadRequest", "roleDefinitionId"},
		{"no principal", "PUT", whole + roles + uuid.NewString() + version, owner, body(rights.Reader, "alice", ""), 400, "BadRequest", "principalId"},
		{"a kind", "PUT", whole + roles + uuid.NewString() + version, owner, body(rights.Reader, who, `,"principalType":"Device"`), 400, "BadRequest", "principalType"},
		{"a condition", "PUT", whole + roles + uuid.NewString() + version, owner, body(rights.Reader, who, `,"condition":"true","conditionVersion":"2.0"`), 400, "BadRequest", "Conditions"},
		{"broken", "PUT", whole + roles + uuid.NewString() + version, owner, `{"properties":{"principalId":7}}`, 400, "BadRequest", "principalId"},
		{"empty", "PUT", whole + roles + uuid.NewString() + version, owner, "", 400, "BadRequest", "missing"},
		{"broken, and not his", "PUT", whole + roles + uuid.NewString() + version, nobody, "{", 403, "AuthorizationFailed", "'Microsoft.Authorization/roleAssignments/write' over scope '/subscriptions/" + w.Subscription.ID + "'"},
		{"not his", "DELETE", east + roles + other + version, nobody, "", 403, "AuthorizationFailed", "'Microsoft.Authorization/roleAssignments/delete'"},
		{"another tenant's", "PUT", whole + roles + uuid.NewString() + version, stranger, user, 404, "SubscriptionNotFound", ""},
		{"elsewhere", "GET", whole + roles + other + version, owner, "", 404, "RoleAssignmentNotFound", ""},
		{"elsewhere", "DELETE", whole + roles + other + version, owner, "", 204, "", ""},
		{"where it is", "DELETE", east + roles + other + version, owner, "", 200, "", ""},
		{"gone", "DELETE", east + roles + other + version, owner, "", 204, "", ""},
		{"a method", "PATCH", whole + roles + id + version, owner, "{}", 405, "MethodNotAllowed", ""},
		{"list", "GET", assignments + version, owner, "", 200, "", ""},
		{"list, not his", "GET", assignments + version, nobody, "", 403, "AuthorizationFailed", "'Microsoft.Authorization/roleAssignments/read'"},
		{"filter", "GET", filtered(assignments, "atScope() and assignedTo('"+who+"')"), owner, "", 200, "", ""},
		{"filter", "GET", filtered(assignments, "PRINCIPALID EQ '"+who+"'"), owner, "", 200, "", ""},
		{"no filter", "GET", filtered(assignments, "color eq 'red'"), owner, "", 400, "InvalidFilterInQueryString", "principalid"},
		{"no filter", "GET", filtered(assignments, "atScope() or principalId eq '"+who+"'"), owner, "", 400, "InvalidFilterInQueryString", ""},
		{"no filter", "GET", filtered(assignments, "principalId('"+who+"')"), owner, "", 400, "InvalidFilterInQueryString", ""},
		{"definitions", "GET", filtered(definitions, "roleName eq 'key vault reader' and type eq 'BuiltInRole'"), owner, "", 200, "", ""},
		{"no definition", "GET", definitions + "/" + uuid.NewString() + version, owner, "", 404, "RoleDefinitionDoesNotExist", ""},
		{"definitions, not his", "GET", definitions + version, nobody, "", 403, "AuthorizationFailed", ""},
	} {
		t.Run(tt.row+" "+tt.method, func(t *testing.T) {
			x := send(t, w, tt.method, tt.path, tt.token, tt.body)
			if x.status != tt.status || x.code() != tt.code || !strings.Contains(x.message(), tt.message) {
				t.Errorf("answer = %d %s %q, want %d %s %q", x.status, x.code(), x.message(), tt.status, tt.code, tt.message)
			}
		})
	}
	x := send(t, w, "GET", filtered(definitions, "roleName eq 'key vault reader'"), owner, "")
	if found := x.body["value"].([]any); len(found) != 1 || found[0].(map[string]any)["name"] != rights.VaultReader {
		t.Errorf("found %v", found)
	}
}
