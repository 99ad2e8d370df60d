package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// mustRecord returns the one record since the last.
func (s *stage) mustRecord() eventlog.Record {
	s.t.Helper()
	all := s.Records()
	if len(all) != 1 {
		s.t.Fatalf("%d records: %+v", len(all), all)
	}
	return all[0]
}

// TestRecord holds CK-363 to CK-373, member by member.
func TestRecord(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Entries()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+s.host()+"/keys/root1/"+s.old+"/wrapkey?"+version, strings.NewReader(wrap))
	if err != nil {
		t.Fatal(err)
	}
	const asked = "7b0d3f5e-3a0f-4d6c-8a54-0f3f3c2b1a00"
	req.Header.Set("Authorization", "Bearer "+s.Token(s.admin, s.Audience()))
	req.Header.Set("x-ms-client-request-id", asked)
	req.Header.Set("User-Agent", "a client")
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	got := s.mustRecord()
	want := eventlog.Record{
		Tenant: s.Tenant, Time: s.Now(),
		Resource:  "/SUBSCRIPTIONS/" + strings.ToUpper(s.Subscription.ID) + "/RESOURCEGROUPS/KEYS/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/CONTOSO-EAST",
		Operation: "KeyWrap", Version: "2025-07-01", ResultType: "Success", Signature: "OK", DurationMs: "0", Address: "127.0.0.1", Correlation: asked,
		Identity: eventlog.Identity{Claim: eventlog.Claim{Object: s.admin.ID, UPN: "admin@contoso.example", App: directory.CommandLineApp}},
		Properties: eventlog.Properties{
			Client: "a client", URI: "https://" + s.host() + "/keys/root1/" + s.old + "/wrapkey?" + version,
			ID: "https://" + s.host() + "/keys/root1/" + s.old, Status: 200, RequestID: res.Header.Get("x-ms-request-id"),
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(eventlog.Record{}, "Category")); diff != "" {
		t.Error(diff)
	}
	// CK-371: one id in the answer, in the record and in the log of decisions.
	if e := s.Entries(); len(e) != 1 || e[0].Detail["client_request"] != asked || e[0].Caller.Request != got.Properties.RequestID {
		t.Errorf("CK-371: entries = %+v", e)
	}
	if res.Header.Get("x-ms-client-request-id") != asked {
		t.Errorf("KV-13: the id is not sent back")
	}
}

// TestRecordNames holds CK-375: each request has one record, under its operation's name.
func TestRecordNames(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	admin, nobody := "Bearer "+s.Token(s.admin, s.Audience()), "Bearer "+s.Token(s.Person("nobody@contoso.example"), s.Audience())
	stranger := "Bearer " + s.Token(s.Stranger("spy@fabrikam.example"), s.Audience())
	for _, tt := range []struct {
		token, method, path, body, name, signature string
	}{
		{"", "GET", "/keys", "", "Authentication", "Unauthorized"},
		{"Bearer x.y.z", "POST", "/keys/root1/wrapkey?" + version, wrap, "Authentication", "Unauthorized"},
		{stranger, "GET", "/keys?" + version, "", "Authentication", "Unauthorized"},
		{nobody, "GET", "/keys?" + version, "", "KeyList", "Forbidden"},
		{admin, "GET", "/keys", "", "VaultRequest", "BadRequest"},
		{admin, "GET", "/secrets?" + version, "", "VaultRequest", "NotFound"},
		{admin, "PUT", "/keys?" + version, "", "VaultRequest", "MethodNotAllowed"},
		{admin, "GET", "/keys?" + version, "", "KeyList", "OK"},
		{admin, "GET", "/keys/root1?" + version, "", "KeyGet", "OK"},
		{admin, "GET", "/keys/none?" + version, "", "KeyGet", "NotFound"},
		{admin, "GET", "/keys/root1/versions?" + version, "", "KeyListVersions", "OK"},
		{admin, "POST", "/keys/new/create?" + version, `{"kty":"EC"}`, "KeyCreate", "OK"},
		{admin, "POST", "/keys/new/create?" + version, `{`, "KeyCreate", "BadRequest"},
		{admin, "PUT", "/keys/new?" + version, `{}`, "KeyImport", "BadRequest"},
		{admin, "PATCH", "/keys/new/?" + version, `{}`, "KeyUpdate", "OK"},
		{admin, "POST", "/keys/new/rotate?" + version, "", "KeyRotate", "OK"},
		{admin, "GET", "/keys/new/rotationpolicy?" + version, "", "KeyRotationPolicyGet", "OK"},
		{admin, "PUT", "/keys/new/rotationpolicy?" + version, `{}`, "KeyRotationPolicySet", "OK"},
		{admin, "POST", "/keys/new/backup?" + version, "", "KeyBackup", "OK"},
		{admin, "POST", "/keys/restore?" + version, `{"value":"AAAA"}`, "KeyRestore", "BadRequest"},
		{admin, "POST", "/keys/root1/wrapkey?" + version, wrap, "KeyWrap", "OK"},
		{admin, "POST", "/keys/root1/unwrapkey?" + version, wrap, "KeyUnwrap", "BadRequest"},
		{admin, "POST", "/keys/root1/encrypt?" + version, wrap, "KeyEncrypt", "OK"},
		{admin, "POST", "/keys/root1/decrypt?" + version, wrap, "KeyDecrypt", "BadRequest"},
		{admin, "POST", "/keys/root1/sign?" + version, signRS, "KeySign", "OK"},
		{admin, "POST", "/keys/root1/verify?" + version, verifyRS, "KeyVerify", "OK"},
		{admin, "GET", "/keys/root1/{old}/attestation?" + version, "", "KeyGetAttestation", "BadRequest"},
		{admin, "POST", "/keys/root1/release?" + version, "", "KeyRelease", "Forbidden"},
		{admin, "POST", "/rng?" + version, `{"count":8}`, "KeyGetRandomBytes", "OK"},
		{admin, "DELETE", "/keys/new?" + version, "", "KeyDelete", "OK"},
		{admin, "GET", "/deletedkeys?" + version, "", "KeyListDeleted", "OK"},
		{admin, "GET", "/deletedkeys/new?" + version, "", "KeyGetDeleted", "OK"},
		{admin, "POST", "/deletedkeys/new/recover?" + version, "", "KeyRecover", "OK"},
		{admin, "DELETE", "/deletedkeys/gone?" + version, "", "KeyPurge", "NoContent"},
	} {
		s.send(tt.method, s.host(), tt.path, tt.token, tt.body)
		got := s.mustRecord()
		if got.Operation != tt.name || got.Signature != tt.signature || (got.ResultType == "Failure") != (got.Description != "") {
			t.Errorf("%s %s: %s %s %s %q, want %s %s", tt.method, tt.path, got.Operation, got.ResultType, got.Signature, got.Description, tt.name, tt.signature)
		}
		if tt.name == "Authentication" && got.Identity.Claim != (eventlog.Claim{}) {
			t.Errorf("whose the caller is shows: %+v", got.Identity)
		}
	}
}

// TestRecordsAreOfOneTenant: a vault that is not there, and one of another tenant, leave
// nothing in anybody's records that is not theirs.
func TestRecordsAreOfOneTenant(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.send("GET", "none.vault."+s.Domain(), "/keys?"+version, "Bearer "+s.Token(s.admin, s.Audience()), "")
	if all := s.Records(); len(all) != 0 {
		t.Errorf("of a vault that is not there: %+v", all)
	}
	spy := s.Stranger("spy@fabrikam.example")
	s.as(spy, "GET", "/keys?"+version, "")
	got := s.mustRecord()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{spy.Tenant, spy.ID, spy.Name} {
		if got.Tenant != s.Tenant || strings.Contains(string(text), secret) {
			t.Errorf("%s shows in %s", secret, text)
		}
	}
}

// TestRecordsHoldNoValues: what is wrapped, unwrapped or imported is in no record, nor is the
// token.
func TestRecordsHoldNoValues(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
	wrapped := s.as(s.admin, "POST", "/keys/root1/wrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"c2VjcmV0LXNlY3JldA"}`).body["value"].(string)
	s.as(s.admin, "POST", "/keys/root1/unwrapkey?"+version, `{"alg":"RSA-OAEP-256","value":"`+wrapped+`"}`)
	s.as(s.admin, "PUT", "/keys/new?"+version, `{"key":{"kty":"RSA","d":"c2VjcmV0LXNlY3JldA","n":"c2VjcmV0LXNlY3JldA"}}`)
	text, err := json.Marshal(s.Records())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"c2VjcmV0LXNlY3JldA", "secret-secret", wrapped, wrapped[:40], "eyJ"} {
		if strings.Contains(string(text), value) {
			t.Errorf("%q stands in %s", value, text)
		}
	}
}

// TestClientRequest: an id that is no short printable text reaches neither log nor answer.
func TestClientRequest(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, id := range []string{strings.Repeat("x", 129), "ä", "a\tb", "\x7f"} {
		s.Entries()
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.host()+"/keys/root1?"+version, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header["X-Ms-Client-Request-Id"] = []string{id}
		req.Header.Set("Authorization", "Bearer "+s.Token(s.admin, s.Audience()))
		res, err := s.Client().Do(req)
		if err != nil {
			if id == "\x7f" {
				continue // the client does not send it
			}
			t.Fatal(err)
		}
		res.Body.Close()
		e := s.Entries()
		if _, there := e[0].Detail["client_request"]; there || s.mustRecord().Correlation != "" || res.Header.Get("x-ms-client-request-id") != "" {
			t.Errorf("%q was taken", id)
		}
	}
}
