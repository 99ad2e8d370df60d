package graph_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

func ref(id string) string {
	return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
}

// ids returns the object ids of a list, page by page.
func (w *world) ids(path, token string) (list []string, pages int) {
	w.t.Helper()
	for path != "" {
		status, body := w.send("GET", path, token, "")
		if status != http.StatusOK || pages > 100 {
			w.t.Fatalf("%s: %d %v", path, status, body)
		}
		for _, one := range body["value"].([]any) {
			list = append(list, one.(map[string]any)["id"].(string))
		}
		pages++
		next, _ := body["@odata.nextLink"].(string)
		if next != "" && !strings.HasPrefix(next, audience+"/v1.0/") {
			w.t.Fatalf("the list goes on at %s", next)
		}
		path = strings.TrimPrefix(next, audience)
	}
	return list, pages
}

func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, member := w.admin(w.contoso, "root", directory.GlobalAdministrator), w.token(w.alice, audience)
	status, g := w.send("POST", "/v1.0/groups", admin, `{"displayName":"Al's Officers","mailNickname":"officers","mailEnabled":false,"securityEnabled":true,"groupTypes":[],"unknown":1}`)
	id, _ := g["id"].(string)
	if status != http.StatusCreated || uuid.Validate(id) != nil || g["displayName"] != "Al's Officers" || g["securityEnabled"] != true || g["mailEnabled"] != false ||
		g["@odata.context"] != audience+"/v1.0/$metadata#groups/$entity" || g["createdDateTime"] == "" {
		t.Fatalf("%d %v", status, g)
	}
	app, err := w.directory.ServicePrincipal(t.Context(), w.contoso.ID, directory.ExchangeApp)
	w.must(err)
	path := "/v1.0/groups/" + id
	for _, one := range []string{w.alice.ID, w.alice.ID, app.ID} { // twice is as good as once
		if status, body := w.send("POST", path+"/members/$ref", admin, ref(one)); status != http.StatusNoContent {
			t.Errorf("adding: %d %v", status, body)
		}
	}
	want := []string{w.alice.ID, app.ID}
	slices.Sort(want)
	if got, pages := w.ids(path+"/members?$top=1", admin); !slices.Equal(got, want) || pages != 2 {
		t.Errorf("members: %v on %d pages, want %v", got, pages, want)
	}
	_, body := w.send("GET", path+"/members", admin, "")
	for _, one := range body["value"].([]any) {
		m := one.(map[string]any)
		person := m["@odata.type"] == "#microsoft.graph.user" && m["userPrincipalName"] == w.alice.UPN && m["id"] == w.alice.ID
		program := m["@odata.type"] == "#microsoft.graph.servicePrincipal" && m["appId"] == directory.ExchangeApp && m["id"] == app.ID
		if !person && !program {
			t.Errorf("a member is %v", m)
		}
	}

	// Every member of the tenant looks a group up, by id or by name; az does so before it grants.
	for expr, want := range map[string][]string{
		"displayName eq 'AL''s officers'": {id}, "displayName eq 'nobodies'": nil, "displayName eq ''": nil,
		"displayName eq '\x00'": nil, "displayName eq '" + id + "'": nil,
	} {
		if got, _ := w.ids(filter("/v1.0/groups", expr), member); !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", expr, got, want)
		}
	}
	if status, body := w.send("GET", path, member, ""); status != http.StatusOK || body["id"] != id {
		t.Errorf("by id: %d %v", status, body)
	}
	if status, body := w.send("DELETE", path+"/members/"+strings.ToUpper(app.ID)+"/$ref", admin, ""); status != http.StatusNoContent {
		t.Errorf("removing: %d %v", status, body)
	}
	if got, _ := w.ids(path+"/members", admin); !slices.Equal(got, []string{w.alice.ID}) {
		t.Errorf("left is %v", got)
	}
	if status, body := w.send("DELETE", path, admin, ""); status != http.StatusNoContent {
		t.Errorf("deleting: %d %v", status, body)
	}
	if status, body := w.send("GET", path, admin, ""); status != http.StatusNotFound {
		t.Errorf("deleted: %d %v", status, body)
	}
}

func TestGroupsRefuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, member := w.admin(w.contoso, "root", directory.GlobalAdministrator), w.token(w.alice, audience)
	stranger := w.admin(w.fabrikam, "root", directory.GlobalAdministrator)
	_, g := w.send("POST", "/v1.0/groups", admin, `{"displayName":"officers"}`)
	path := "/v1.0/groups/" + g["id"].(string)
	for _, tt := range []struct {
		method, path, token, body string
		status                    int
	}{
		{"POST", "/v1.0/groups", admin, `{"displayName":"OFFICERS"}`, 409},
		{"POST", "/v1.0/groups", admin, `{"displayName":""}`, 400},
		{"POST", "/v1.0/groups", admin, `{"displayName":"m","mailEnabled":true}`, 400},
		{"POST", "/v1.0/groups", admin, `{"displayName":"m","securityEnabled":false}`, 400},
		{"POST", "/v1.0/groups", admin, `{"displayName":"m","groupTypes":["Unified"]}`, 400},
		{"POST", "/v1.0/groups", admin, `{"displayName":"m","members@odata.bind":["x"]}`, 400},
		{"POST", "/v1.0/groups", admin, `{"displayName":1}`, 400},
		{"POST", "/v1.0/groups", member, `{"displayName":"mine"}`, 403},
		{"DELETE", path, member, "", 403},
		{"POST", path + "/members/$ref", member, ref(w.alice.ID), 403},
		{"POST", path + "/members/$ref", admin, ref(w.bob.ID), 404},
		{"POST", path + "/members/$ref", admin, ref(g["id"].(string)), 400},
		{"POST", path + "/members/$ref", admin, ref("alice"), 400},
		{"POST", path + "/members/$ref", admin, `{"@odata.id":"` + w.alice.ID + `"}`, 400},
		{"POST", path + "/members/$ref", admin, `{}`, 400},
		{"POST", "/v1.0/groups/officers/members/$ref", admin, ref(w.alice.ID), 404},
		{"DELETE", path + "/members/" + w.alice.ID + "/$ref", admin, "", 404},
		{"DELETE", path + "/members/alice/$ref", admin, "", 404},
		{"GET", path + "/members", member, "", 403},
		{"GET", "/v1.0/groups", member, "", 403},
		{"GET", "/v1.0/users", member, "", 403},
		{"GET", filter("/v1.0/groups", "startswith(displayName,'o')"), admin, "", 400},
		{"GET", "/v1.0/groups?$top=0", admin, "", 400},
		{"GET", "/v1.0/groups?$top=1000", admin, "", 400},
		{"GET", "/v1.0/groups?$top=x", admin, "", 400},
		{"GET", "/v1.0/users?$skiptoken=!", admin, "", 400},
		{"GET", "/v1.0/users?$skiptoken=AA", admin, "", 400},
		{"GET", "/v1.0/users?$skiptoken=" + strings.Repeat("YWFh", 100), admin, "", 400},
		{"GET", path + "/members?$skiptoken=_w", admin, "", 400},
		{"GET", path, stranger, "", 404},
		{"GET", path + "/members", stranger, "", 404},
		{"DELETE", path, stranger, "", 404},
		{"POST", path + "/members/$ref", stranger, ref(w.bob.ID), 404},
	} {
		status, body := w.send(tt.method, tt.path, tt.token, tt.body)
		if failure, _ := body["error"].(map[string]any); status != tt.status || failure["code"] == "" || failure["message"] == "" {
			t.Errorf("%s %s %.60s: %d %v, want %d", tt.method, tt.path, tt.body, status, body, tt.status)
		}
	}
}

func TestListsOfPeopleAndGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := w.admin(w.contoso, "reader", directory.GlobalReader)
	admin := w.admin(w.contoso, "root", directory.GlobalAdministrator)
	var want []string
	for _, name := range []string{"äpfel", "Birnen & <Co>", "citrus"} {
		_, g := w.send("POST", "/v1.0/groups", admin, `{"displayName":"`+name+`"}`)
		want = append(want, g["id"].(string))
	}
	want = append(want[1:], want[0]) // ä is behind z
	if got, pages := w.ids("/v1.0/groups?$top=1", reader); !slices.Equal(got, want) || pages != 3 {
		t.Errorf("groups: %v on %d pages, want %v", got, pages, want)
	}
	if got, pages := w.ids("/v1.0/groups?$top=3", reader); !slices.Equal(got, want) || pages != 1 {
		t.Errorf("groups: %v on %d pages, want one page", got, pages)
	}
	if got, pages := w.ids("/v1.0/users?$top=2&$select=id", reader); len(got) != 3 || got[0] != w.alice.ID || pages != 2 || slices.Contains(got, w.bob.ID) {
		t.Errorf("people: %v on %d pages", got, pages)
	}
	_, body := w.send("GET", "/v1.0/users?$top=1&$skiptoken="+url.QueryEscape("YWwnaWNlQGNvbnRvc28uZXhhbXBsZQ"), reader, "") // behind al'ice@contoso.example
	one := body["value"].([]any)[0].(map[string]any)
	if roles, _ := one["roles"].([]any); one["userPrincipalName"] != "reader@contoso.example" || len(roles) != 1 || roles[0] != string(directory.GlobalReader) {
		t.Errorf("the second person is %v", one)
	}
}
