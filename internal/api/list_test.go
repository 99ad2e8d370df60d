package api_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

func TestListPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var want []string
	for i := range 5 {
		item := fmt.Sprintf("a/%d &+ü", i)
		want = append(want, item)
		w.MustPut(t, wt.Alice, ref("c", item), []byte(item))
	}
	var got []string
	path := "/v1/documents/c?limit=2"
	for path != "" {
		res, body := w.do(t, "alice", "GET", path, nil)
		var page struct {
			Items []struct {
				Item, ETag, Digest, Modified string
				Size                         int
			}
			Next string
		}
		if err := json.Unmarshal(body, &page); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %s %v", path, res.Status, err)
		}
		for _, item := range page.Items {
			got = append(got, item.Item)
			if item.Size != len(item.Item) || item.ETag == "" || item.Digest == "" || item.Modified == "" {
				t.Errorf("%+v", item)
			}
		}
		path = ""
		if page.Next != "" {
			path = "/v1/documents/c?limit=2&after=" + escapeQuery(page.Next)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %q, want %q", got, want)
	}
	if _, body := w.do(t, "alice", "GET", "/v1/documents", nil); !json.Valid(body) || !slices.Contains(containers(t, body), "c") {
		t.Errorf("containers: %s", body)
	}
	if _, body := w.do(t, "bob", "GET", "/v1/documents", nil); len(containers(t, body)) != 0 {
		t.Errorf("bob's containers: %s", body)
	}
	if _, body := w.do(t, "alice", "GET", "/v1/exchange/alice@contoso.example", nil); string(body) != `{"items":[]}`+"\n" {
		t.Errorf("an empty mailbox: %s", body)
	}
}

func containers(t *testing.T, body []byte) (names []string) {
	t.Helper()
	var page struct{ Containers []struct{ Container string } }
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	for _, c := range page.Containers {
		names = append(names, c.Container)
	}
	return names
}

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.MustPut(t, wt.Alice, ref("c", "x"), nil)
	w.do(t, "bob", "GET", "/v1/documents/c/x", nil) // refused, and so recorded
	for _, path := range []string{"/v1/audit/service", "/v1/audit/service/head", "/v1/audit/key"} {
		res, body := w.do(t, "alice", "GET", path, nil)
		wantError(t, "alice: "+path, res, body, http.StatusForbidden, fault.Forbidden)
		res, body = w.do(t, "operator", "GET", path, nil)
		wantError(t, "operator: "+path, res, body, http.StatusForbidden, fault.Forbidden)
	}
	if n := len(w.Entries(t, wt.Contoso, "audit.read")); n != 6 {
		t.Errorf("%d refusals to read the log are recorded, want 6", n)
	}
	res, body := w.do(t, "reader", "GET", "/v1/audit/vault", nil)
	wantError(t, "a log that is not there", res, body, http.StatusNotFound, fault.NotFound)
	res, body = w.do(t, "reader", "GET", "/v1/audit/service?after=x", nil)
	wantError(t, "after that is no index", res, body, http.StatusBadRequest, fault.Invalid)

	var keys struct{ Keys map[string]string }
	_, body = w.do(t, "reader", "GET", "/v1/audit/key", nil)
	mustUnmarshal(t, body, &keys)
	var head struct {
		Size       int64
		Root, Note string
	}
	_, body = w.do(t, "reader", "GET", "/v1/audit/service/head", nil)
	mustUnmarshal(t, body, &head)
	signed, err := audit.VerifyHead([]byte(head.Note), keys.Keys["service"])
	if err != nil || signed.Size != head.Size || signed.Root.String() != head.Root {
		t.Fatalf("head %+v: %v", head, err)
	}
	verifier := audit.NewVerifier(wt.Contoso)
	path := "/v1/audit/service?limit=3"
	for path != "" && verifier.Size() < head.Size {
		var page struct {
			Entries []struct {
				Index int64
				Entry json.RawMessage
				Leaf  string
			}
			Next string
		}
		_, body = w.do(t, "reader", "GET", path, nil)
		mustUnmarshal(t, body, &page)
		for _, e := range page.Entries {
			leaf, err := base64.StdEncoding.DecodeString(e.Leaf)
			if err != nil || !json.Valid(e.Entry) {
				t.Fatalf("entry %d: %v", e.Index, err)
			}
			if verifier.Size() == head.Size {
				break
			}
			if _, err := verifier.Add(e.Index, leaf); err != nil {
				t.Fatal(err)
			}
		}
		path = ""
		if page.Next != "" {
			path = "/v1/audit/service?limit=3&after=" + page.Next
		}
	}
	if err := verifier.Check(signed); err != nil {
		t.Errorf("the entries do not fit the head: %v", err)
	}
}

func mustUnmarshal(t *testing.T, body []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
}

var _ api.AuditLog = (*audit.Log)(nil)
