package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/directory"
)

// Whatever the body: a batch is refused as a whole, or each of its requests is answered once, under
// its id; nothing fails within, and every body is JSON.
func FuzzExchangeBatch(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{"requests":null}`, `{"requests":[]}`, `{"requests":[{}]}`, `{"requests":[null]}`, `{"requests":[{"id":"1","url":"InvokeCommand"}]}`,
		`{"requests":[` + asked("1", "InvokeCommand", getPolicies, `{"Identity":null}`) + `,` + asked("2", "EXOModuleFile", "", "") + `]}`,
		`{"requests":[{"id":"1","method":"GET","url":"EXOModuleFile","headers":{"CommandName":"[","X-ResponseFormat":"\n"}}]}`,
		`{"requests":[{"id":"\u0000","method":"GET","url":"//[::1]:x/"},{"id":"2","url":"http://user@outlook.localhost:8443/adminapi/../x"}]}`,
		`{"requests":[{"id":"1","url":"InvokeCommand?$skiptoken=!!","headers":{"Prefer":"odata.maxpagesize=-1"},"body":{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{"ResultSize":1e9}}}}]}`,
		`{"requests":[{"id":"1","url":"$batch","body":{"requests":[]}}]}`, `{"requests":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	} {
		f.Add(seed, true)
	}
	x := newExchange(f)
	x.mustPeople(3)
	reader := x.token(x.tenant, directory.GlobalReader)
	f.Fuzz(func(t *testing.T, body string, goOn bool) {
		r := httptest.NewRequest(http.MethodPost, batchPath, strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + reader}}
		if goOn {
			r.Header.Set("Prefer", "odata.continue-on-error")
		}
		w := httptest.NewRecorder()
		x.face.ServeHTTP(w, r)
		var answer struct {
			Responses []part
			Error     map[string]any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !utf8.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: %d %q: %v", body, w.Code, w.Body, err)
		}
		switch {
		case w.Code == http.StatusBadRequest || w.Code == http.StatusRequestEntityTooLarge:
			if answer.Error == nil {
				t.Errorf("%q: %d %s", body, w.Code, w.Body)
			}
		case w.Code == http.StatusOK:
			checkParts(t, body, answer.Responses)
		default:
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

func checkParts(t *testing.T, body string, parts []part) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range parts {
		if seen[p.ID] || p.Status < 200 || p.Status >= 500 && p.Status != 503 || p.Headers["Request-Id"] == "" {
			t.Errorf("%q: %+v", body, p)
		}
		seen[p.ID] = true
	}
	if len(parts) == 0 || len(parts) > 10 {
		t.Errorf("%q: %d answers", body, len(parts))
	}
}
