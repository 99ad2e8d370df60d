package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
)

// CK-302, CK-344: a command that takes longer than 15 minutes is stopped then, not earlier, and the
// caller is told.
func TestExchangeTimeLimit(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	x.stall = true
	face := x.server.Config.Handler
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/adminapi/beta/"+contosoDomain+"/InvokeCommand", strings.NewReader(command(getActivity, "")))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+admin)
		start, w := time.Now(), httptest.NewRecorder()
		face.ServeHTTP(w, r)
		if took := time.Since(start); took != 15*time.Minute {
			t.Errorf("it was stopped after %s", took)
		}
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "took longer than 15m0s") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
