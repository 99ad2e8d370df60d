package arm

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// FuzzRoleFilter: a filter is refused, or each of its conditions is one that may be asked.
func FuzzRoleFilter(f *testing.F) {
	for _, text := range []string{
		"atScope()", "principalId eq '1' and atScope()", "assignedTo('x')", "roleName eq 'O''Neill'", "principalId eq 1", " and ", "a eq", "atScope() and",
		"assignedTo('')", "principalId  EQ  'x'", "roleName eq 'a and b'", "atscope(", "'",
	} {
		f.Add(text)
	}
	allowed := []string{"principalid", "assignedto()", "atscope()", "rolename"}
	f.Fuzz(func(t *testing.T, text string) {
		x := &request{query: url.Values{"$filter": {text}}}
		given, err := x.filter(allowed...)
		if err != nil {
			if fault.As(err).Reason != reasonBadFilter {
				t.Errorf("error %v", err)
			}
			return
		}
		for name, value := range given {
			if !strings.Contains(strings.Join(allowed, " "), name) || !strings.Contains(strings.ReplaceAll(text, "''", "'"), value) {
				t.Errorf("%q has %q = %q", text, name, value)
			}
		}
		if text != "" && len(given) == 0 {
			t.Errorf("%q is no condition", text)
		}
	})
}

// FuzzVaultBody: what a body says of a vault is refused as invalid, or network rules that were
// given are in it.
func FuzzVaultBody(f *testing.F) {
	for _, body := range []string{
		`{"properties":{"networkAcls":{"bypass":"None","defaultAction":"deny","ipRules":[{"value":"192.0.2.1"},{"value":"2001:db8::/32"}]},"publicNetworkAccess":"disabled"}}`,
		`{"properties":{"networkAcls":{"virtualNetworkRules":[{"id":"x"}]}}}`, `{"properties":{"enableRbacAuthorization":"True","softDeleteRetentionInDays":"7"}}`,
		`{"properties":{"networkAcls":null,"accessPolicies":[{"objectId":"x","permissions":{"keys":null}}]}}`, `{"properties":{"networkAcls":{"ipRules":[null,{"value":7}]}}}`, `{}`, `[]`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var in vaultIn
		if json.Unmarshal([]byte(body), &in) != nil {
			return
		}
		spec, err := in.spec("00000000-0000-0000-0000-000000000001", true)
		switch {
		case err != nil:
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("error %v", err)
			}
		case in.Properties != nil && in.Properties.NetworkACLs != nil:
			if spec.Firewall == nil || len(spec.Firewall.Allowed) != len(in.Properties.NetworkACLs.IPRules) {
				t.Errorf("rules of %q: %+v", body, spec.Firewall)
			}
		case spec.Firewall != nil:
			t.Errorf("no rules were given in %q: %+v", body, spec.Firewall)
		}
	})
}
