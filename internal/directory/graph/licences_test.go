package graph_test

import (
	"net/http"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
)

// CK-212: licences are given and taken by Graph's own action, by part number.
func TestAssignLicense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin(w.contoso, "root", directory.GlobalAdministrator)
	path := "/v1.0/users/" + w.alice.UPN + "/assignLicense"
	for _, step := range []struct {
		body string
		want int // licences then
	}{
		{`{"addLicenses":[{"skuId":"SPE_E5","disabledPlans":[]},{"skuId":"equivio_analytics"}],"removeLicenses":[]}`, 2},
		{`{"addLicenses":[],"removeLicenses":["SPE_E5"]}`, 1},
		{`{"addLicenses":[],"removeLicenses":["EQUIVIO_ANALYTICS"]}`, 0},
	} {
		status, body := w.send("POST", path, admin, step.body)
		held, _ := body["assignedLicenses"].([]any)
		if status != http.StatusOK || len(held) != step.want || body["userPrincipalName"] != w.alice.UPN {
			t.Errorf("%s: %d %v", step.body, status, body)
		}
	}
	for body, want := range map[string]int{
		`{"addLicenses":[{"skuId":"nothing"}]}`: http.StatusBadRequest,
		`{"addLicenses":`:                       http.StatusBadRequest,
		`{"addLicenses":"SPE_E5"}`:              http.StatusBadRequest,
	} {
		if status, answer := w.send("POST", path, admin, body); status != want {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
	if status, _ := w.send("POST", path, w.token(w.alice, audience), `{"addLicenses":[{"skuId":"SPE_E5"}]}`); status != http.StatusForbidden {
		t.Errorf("her own licence: %d", status)
	}
}
