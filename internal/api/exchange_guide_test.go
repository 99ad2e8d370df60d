package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
)

// What the guide shows to send works as it stands there.
func TestGuideToTheEndpoint(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	x.mustCreate(admin, "Contoso_Global")
	text, err := os.ReadFile("../../docs/exchange-rest.md")
	x.must(err)
	found := 0
	for _, m := range regexp.MustCompile(`(?m)^    ask (?:-H "([^"]*)" )?"?\$at/(\S*?)"? -d '(.*)'$`).FindAllStringSubmatch(string(text), -1) {
		found++
		header, path, body := m[1], strings.ReplaceAll(m[2], `\`, ""), m[3]
		if header == "" {
			header = "Accept: application/json"
		}
		a := x.post(admin, "/adminapi/beta/"+contosoDomain+"/"+path, body, header)
		if a.status != 200 || strings.Contains(a.text, `"error"`) {
			t.Errorf("%s %s: %d %s", path, body, a.status, a.text)
		}
	}
	if found < 6 {
		t.Errorf("the guide shows only %d requests", found)
	}
}
