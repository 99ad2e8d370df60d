package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestErrors is the table of section 9 (KV-101), a row for each of its errors that can come about here:
// status, code, inner code, a part of the text, a header that must be there, and the members
// of the body. (KV-94's two rows about changes under way cannot: ours are immediate, KV-64.)
func TestErrors(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	nobody, reader := s.Person("nobody@contoso.example"), s.Person("reader@contoso.example")
	s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All, rights.Purge), keyvaulttest.Can(reader, rights.Get))
	s.MustPutVault(keyvault.VaultSpec{Name: "contoso-roles", RBAC: new(true)})
	s.MustPutVault(keyvault.VaultSpec{
		Name: "contoso-inside", Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All)},
		Firewall: keyvaulttest.Rules(&rights.Firewall{Deny: true, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}),
	})
	s.MustPutVault(keyvault.VaultSpec{Name: "contoso-kept", PurgeProtection: true, Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All, rights.Purge)}})
	for _, do := range []func() error{
		func() error {
			_, err := s.CreateKey(t.Context(), s.admin, "contoso-kept", "gone", keyvault.NewKey{Type: "EC"})
			return err
		},
		func() error { _, err := s.DeleteKey(t.Context(), s.admin, "contoso-kept", "gone"); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	blob := s.as(s.admin, "POST", "/keys/root1/backup?"+version, "").body["value"].(string)
	for _, tt := range []struct {
		row, vault                    string
		c                             *directory.Caller
		method, path, body            string
		status                        int
		code, inner, message, headers string
	}{
		{"KV-90 none", "east", nil, "GET", "/keys?" + version, "", 401, "Unauthorized", "", "AKV10000", "WWW-Authenticate"},
		{"KV-91 no entry", "east", &nobody, "GET", "/keys?" + version, "", 403, "Forbidden", "AccessDenied", "does not have keys list permission on key vault 'contoso-east;location=westeurope'", ""},
		{"KV-91 permission", "east", &reader, "GET", "/keys?" + version, "", 403, "Forbidden", "ForbiddenByPolicy", "does not have keys list permission", ""},
		{"KV-91 role", "roles", &s.admin, "GET", "/keys?" + version, "", 403, "Forbidden", "ForbiddenByRbac", "Caller is not authorized to perform action on resource.", ""},
		{"KV-91 network", "inside", &s.admin, "GET", "/keys?" + version, "", 403, "Forbidden", "ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.", ""},
		{"KV-91 purge", "kept", &s.admin, "DELETE", "/deletedkeys/gone?" + version, "", 403, "Forbidden", "ForbiddenByPolicy", `Operation "purge" is not allowed`, ""},
		{"KV-92 disabled", "east", &s.admin, "POST", "/keys/disabled/wrapkey?" + version, wrap, 403, "Forbidden", "KeyDisabled", "Operation wrapKey is not allowed on a disabled key", ""},
		{"KV-92 operation", "east", &s.admin, "POST", "/keys/curve/decrypt?" + version, wrap, 403, "Forbidden", "KeyOperationForbidden", "Operation decrypt is not permitted on this key", ""},
		{"KV-92 expired", "east", &s.admin, "POST", "/keys/expired/wrapkey?" + version, wrap, 403, "Forbidden", "KeyExpired", "Operation wrapKey is not allowed on an expired key", ""},
		{"KV-92 early", "east", &s.admin, "POST", "/keys/early/wrapkey?" + version, wrap, 403, "Forbidden", "KeyNotYetValid", "Operation wrapKey is not allowed on a key that is not yet valid", ""},
		{"KV-93 key", "east", &s.admin, "GET", "/keys/none?" + version, "", 404, "KeyNotFound", "", "A key with (name/id) none was not found in this key vault", ""},
		{"KV-93 deleted", "east", &s.admin, "GET", "/deletedkeys/none?" + version, "", 404, "KeyNotFound", "", "Deleted Key not found: none", ""},
		{"KV-94 held", "east", &s.admin, "POST", "/keys/gone/create?" + version, `{"kty":"EC"}`, 409, "Conflict", "ObjectIsDeletedButRecoverable", "Key gone is currently in a deleted but recoverable state", ""},
		{"KV-94 restore", "east", &s.admin, "POST", "/keys/restore?" + version, `{"value":"` + blob + `"}`, 409, "Conflict", "", "", ""},
		{"KV-95 member", "east", &s.admin, "POST", "/keys/new/create?" + version, `{"kty":"RSA","key_size":1}`, 400, "BadParameter", "", "Property key_size has invalid value", ""},
		{"KV-95 type", "east", &s.admin, "POST", "/keys/new/create?" + version, `{"kty":"oct"}`, 400, "BadParameter", "KeyTypeNotSupported", "Invalid kty value: oct", ""},
		{"KV-96 method", "east", &s.admin, "PUT", "/keys?" + version, "", 405, "MethodNotAllowed", "", "", "Allow"},
		{"KV-2 secrets", "east", &s.admin, "PUT", "/secrets/x?" + version, "{}", 404, "NotFound", "", "", ""},
		{"KV-5 vault", "none", &s.admin, "GET", "/keys?" + version, "", 404, "VaultNotFound", "", "", ""},
		{"KV-12 long", "east", &s.admin, "POST", "/keys/new/create?" + version, `{"a":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "RequestTooLarge", "", "65536", ""},
	} {
		token := ""
		if tt.c != nil {
			token = "Bearer " + s.Token(*tt.c, s.Audience())
		}
		x := s.send(tt.method, "contoso-"+tt.vault+".vault."+s.Domain(), tt.path, token, tt.body)
		code := tt.code
		if tt.inner != "" {
			code += "/" + tt.inner
		}
		if x.status != tt.status || x.code() != code || !strings.Contains(x.message(), tt.message) || tt.headers != "" && x.header.Get(tt.headers) == "" {
			t.Errorf("%s: %d %s %q %v", tt.row, x.status, x.code(), x.message(), x.header)
		}
		wantShape(t, tt.row, x)
	}
}

// wantShape checks the body of an error, to the last member.
func wantShape(t *testing.T, row string, x exchange) {
	t.Helper()
	wantMembers(t, row, any(x.body), "error")
	e, _ := x.body["error"].(map[string]any)
	members := []string{"code", "message"}
	if inner, there := e["innererror"]; there {
		members = append(members, "innererror")
		wantMembers(t, row, inner, "code")
	}
	wantMembers(t, row, any(e), members...)
	if x.header.Get("Content-Type") != "application/json; charset=utf-8" || x.header.Get("x-ms-request-id") == "" {
		t.Errorf("%s: headers %v", row, x.header)
	}
}

// TestPanic holds KV-99: what goes wrong on our side is told to the log, under the id that the
// client gets, and to nobody else; the server goes on.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var log bytes.Buffer
	server, err := rest.New(rest.Config{
		Vaults: s.Service, Domain: s.Domain(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		Verify: func(context.Context, string) (directory.Caller, error) { panic("the key of the safe") },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		log.Reset()
		r := httptest.NewRequest("GET", "https://"+s.host()+"/keys?"+version, nil)
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		id := w.Header().Get("x-ms-request-id")
		if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"InternalServerError"`) || strings.Contains(w.Body.String(), "safe") {
			t.Errorf("answer = %d %s", w.Code, w.Body)
		}
		if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "the key of the safe") || !strings.Contains(log.String(), "errors_test.go") {
			t.Errorf("log of %s = %s", id, log.String())
		}
	}
}

// TestMethods: every method has an answer in the shape of an error, HEAD one without a body.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, method := range []string{"HEAD", "OPTIONS", "TRACE", "BREW", "get", "PROPFIND"} {
		for path, status := range map[string]int{"/keys/root1?" + version: 405, "/secrets?" + version: 404} {
			x := s.as(s.admin, method, path, "")
			if x.status != status || status == 405 && x.header.Get("Allow") != "DELETE, GET, PATCH, PUT" {
				t.Errorf("%s %s: %d, Allow %q", method, path, x.status, x.header.Get("Allow"))
			}
			if method != "HEAD" {
				wantShape(t, method+" "+path, x)
			}
		}
	}
}

// A broken is a body that ends in the middle.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// TestBrokenBody: a body that breaks off is the client's mistake, and is recorded as one; it
// counts after everything that is checked before.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	server, err := rest.New(rest.Config{Vaults: s.Service, Domain: s.Domain(), Verify: func(context.Context, string) (directory.Caller, error) { return s.admin, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{
		"/keys/root1/wrapkey": 400, "/keys/disabled/wrapkey": 403, "/keys/none/wrapkey": 404, "/keys/restore": 400, "/keys/new/create": 400, "/rng": 400,
	} {
		s.Entries()
		r := httptest.NewRequest("POST", "https://"+s.host()+path+"?"+version, broken{strings.NewReader(wrap[:20])})
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if e := s.Entries(); w.Code != status || len(e) != 1 {
			t.Errorf("%s: %d %s, recorded %d", path, w.Code, w.Body, len(e))
		}
	}
}

// FuzzFace: whatever path, query, method and body are, the answer is one of the interface: no
// 500, and an error has the shape of one.
func FuzzFace(f *testing.F) {
	w := newWorld(f)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	if _, err := w.CreateKey(context.Background(), admin, "contoso-east", "curve", keyvault.NewKey{Type: "EC"}); err != nil {
		f.Fatal(err)
	}
	server, err := rest.New(rest.Config{
		Vaults: w.Service, Domain: w.Domain(), Log: slog.New(slog.DiscardHandler),
		Verify: func(context.Context, string) (directory.Caller, error) { return admin, nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	host := "contoso-east.vault." + w.Domain()
	for _, seed := range [][2]string{
		{"GET", "/keys/curve/versions?$skiptoken=MTpjdXJ2ZQ&maxresults=2&" + version}, {"GET", "//keys//curve/?api%2Dversion=7.4"}, {"POST", "/keys/curve/%2e%2e/sign?" + version},
		{"DELETE", "/deletedkeys/none?" + version}, {"GET", "/secrets?%zz"}, {"PATCH", "/keys/curve/?" + version}, {"POST", "/rng?" + version}, {"HEAD", "/?;"},
		{"GET", "/keys/\xff%00?" + version}, {"PUT", "/keys/curve/rotationpolicy?" + version}, {"GET", "/keys/a/attestation?api-version=7.6-preview.2"},
	} {
		f.Add(seed[0], seed[1], `{"kty":"EC","alg":"ES256","value":"AA","count":8}`)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequest(method, "https://"+host+"/"+strings.TrimPrefix(target, "/"), strings.NewReader(body))
		if err != nil || r.Host != host {
			t.Skip("no client can send it")
		}
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", "Bearer x")
		out := httptest.NewRecorder()
		server.ServeHTTP(out, r)
		if out.Code >= 500 || out.Code < 200 || out.Code == 401 {
			t.Fatalf("%s %q: %d %s", method, target, out.Code, out.Body)
		}
		if out.Code < 400 {
			return
		}
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(out.Body.Bytes(), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
			t.Errorf("%s %q: %d %q", method, target, out.Code, out.Body)
		}
	})
}

// TestReplyHasADeadline: an answer gives its reader a bound time.
func TestReplyHasADeadline(t *testing.T) {
	t.Parallel()
	w, start := &timed{ResponseRecorder: httptest.NewRecorder()}, time.Now()
	if err := face.Reply(w, 200, "x"); err != nil || !w.deadline.After(start) || time.Until(w.deadline) > 5*time.Minute {
		t.Errorf("deadline %v, %v", w.deadline, err)
	}
}

type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *timed) SetWriteDeadline(at time.Time) error {
	w.deadline = at
	return nil
}
