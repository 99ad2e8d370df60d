package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/policy"
)

// claims are headers by which a client may try to pass for the service itself: those that servers
// elsewhere believe, and those that this one might have had.
func claims() (headers [][2]string) {
	for _, name := range []string{
		"X-Initiator", "X-CK-Initiator", "X-Ms-Initiator", "Initiator", "X-Caller-Kind", "X-Kind", "X-System", "X-System-Initiated", "X-Internal",
		"X-User-Type", "UserType", "X-Ms-User-Type", "X-Forwarded-User", "X-Remote-User", "X-Ms-Client-Principal-Name", "X-Ms-Client-Principal-Id",
		"X-Ms-Exchange-Organization-Authas", "X-Anchormailbox", "X-Ms-Clientapplication", "From", "User-Agent", "X-Ms-Client-Request-Id", "Client-Request-Id", "Return-Client-Request-Id",
		"X-Http-Method-Override", "Prefer", "Cookie", "X-Original-Authorization", "Proxy-Authorization",
	} {
		for _, value := range []string{"system", "System", "4", "true", "Internal"} {
			headers = append(headers, [2]string{name, value})
		}
	}
	return headers
}

// CK-49, CK-50: while both roots are denied a user reads nothing, whatever headers he sends, alone or
// all at once; and the availability key is not touched.
func TestNoHeaderMakesAUserTheService(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	mail := client.Ref{Workload: "exchange", Container: "alice@contoso.example", Item: "mail"}
	_, err := s.policies.Create(t.Context(), s.admin, policy.Draft{Family: policy.MultiWorkload, Name: "Contoso_Global", KeyURIs: []string{s.uri("contoso-east"), s.uri("contoso-west")}, Enabled: true})
	s.must(err)
	s.must(s.policies.Assign(t.Context(), s.admin, "Contoso_Global"))
	s.put(mail)
	s.must(s.read(mail))
	s.enable("contoso-east", false)
	s.enable("contoso-west", false)
	s.endLeases()

	all := http.Header{}
	for _, h := range claims() {
		all.Add(h[0], h[1])
		s.wantDenied(mail, http.Header{h[0]: {h[1]}}, "")
	}
	s.wantDenied(mail, all, "")
	for _, query := range []string{"initiator=system", "system=true", "kind=system", "userType=4"} {
		s.wantDenied(mail, nil, query)
	}
	keys, err := s.policies.AvailabilityKeys(t.Context(), s.admin, "", "Contoso_Global")
	s.must(err)
	if n := keys[0].Usage.Ever; n != 0 {
		t.Errorf("the availability key was used %d times", n)
	}
}

// wantDenied reads an item by plain HTTP and fails unless the owner's refusal comes back.
func (s *stack) wantDenied(ref client.Ref, header http.Header, query string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+"/v1/"+ref.String()+"?"+query, nil)
	s.must(err)
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer alice")
	res, err := s.server.Client().Do(req)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	if res.StatusCode/100 == 2 || !strings.Contains(string(body), "disabled by their owner") {
		s.t.Errorf("%v %s: %d %.200s", header, query, res.StatusCode, body)
	}
}
