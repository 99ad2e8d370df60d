package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/customerkey/customerkey/internal/profile"
)

// A scriptReceiver is a webhook that agrees to all, and keeps what it was sent.
type scriptReceiver struct {
	*httptest.Server
	got lockedBuffer
}

func (r *scriptReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodOptions {
		w.Header().Set("WebHook-Allowed-Origin", req.Header.Get("WebHook-Request-Origin"))
		return
	}
	body, _ := io.ReadAll(req.Body)
	var events []struct {
		Data struct{ ValidationCode string }
	}
	if json.Unmarshal(body, &events) == nil && len(events) == 1 && events[0].Data.ValidationCode != "" {
		fmt.Fprintf(w, `{"validationResponse":%q}`, events[0].Data.ValidationCode)
		return
	}
	_, _ = r.got.Write(append(body, '\n')) // cannot fail
}

func cmdReceiver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: receiver")
	}
	r := &scriptReceiver{}
	r.Server = httptest.NewTLSServer(r)
	ts.Defer(r.Close)
	ts.Value(serverKey{}).(*scriptServer).receiver = r
	file := ts.MkAbs("receiver.pem")
	ts.Check(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600))
	ts.Setenv("SSL_CERT_FILE", file)
	ts.Setenv("RECEIVER", r.URL)
}

func cmdSubscribe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: subscribe PROFILE VAULT")
	}
	p, err := profile.Open(profile.Config{Path: filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "customerkey", args[0]+".json")})
	ts.Check(err)
	base := "https://management.localhost:" + ts.Getenv("PORT")
	var found struct{ Value []struct{ ID string } }
	ask := func(method, path, body string, out any) {
		req, err := http.NewRequest(method, base+path, strings.NewReader(body))
		ts.Check(err)
		token, err := p.TokenSource(base)(req.Context())
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := p.HTTPClient().Do(req)
		ts.Check(err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		ts.Check(err)
		if res.StatusCode/100 != 2 {
			ts.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
		}
		ts.Check(json.Unmarshal(text, out))
	}
	ask("GET", "/subscriptions?api-version=2022-12-01", "", &found)
	for _, sub := range found.Value {
		var vaults struct{ Value []struct{ ID, Name string } }
		ask("GET", sub.ID+"/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01", "", &vaults)
		for _, v := range vaults.Value {
			if v.Name == args[1] {
				url := ts.Value(serverKey{}).(*scriptServer).receiver.URL
				body := fmt.Sprintf(`{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":%q}}}}`, url)
				ask("PUT", v.ID+"/providers/Microsoft.EventGrid/eventSubscriptions/script?api-version=2025-02-15", body, &struct{}{})
				return
			}
		}
	}
	ts.Fatalf("%s has no vault %s", args[0], args[1])
}

func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: received PATTERN")
	}
	pattern := regexp.MustCompile(args[0])
	r := ts.Value(serverKey{}).(*scriptServer).receiver
	for end := time.Now().Add(longWait); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if pattern.MatchString(r.got.String()) {
			return
		}
	}
	ts.Fatalf("%s was not received:\n%s", args[0], r.got.String())
}
