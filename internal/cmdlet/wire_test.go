package cmdlet

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/policy"
)

func TestWireRoundTrip(t *testing.T) {
	t.Parallel()
	for _, o := range samplePolicies()[:2] {
		text, err := json.Marshal(o.ToWire(nil))
		if err != nil {
			t.Fatal(err)
		}
		got := FromWire(mustObject(t, string(text)))
		got.Type = policyType
		want := string(mustJSON(t, o))
		if diff := cmp.Diff(want, string(mustJSON(t, got))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if got.Get("Guid") != o.Get("Guid") || got.Get("DateCreated") != o.Get("DateCreated") {
			t.Errorf("types were lost: %#v", got)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The annotations of row CK-339, as clients have seen them.
func TestWireAnnotations(t *testing.T) {
	t.Parallel()
	o := Object{Fields: []Field{{"Name", "x"}, {"Guid", GUID("g")}, {"AzureKeyIDs", []string(nil)}, {"Enabled", true}, {"Empty", nil}}}
	want := `{"Name":"x","Guid@data.type":"System.Guid","Guid@odata.type":"#Guid","Guid":"g","AzureKeyIDs@odata.type":"#Collection(String)","AzureKeyIDs":[],"Enabled":true,"Empty":null}`
	if got := string(mustJSON(t, o.ToWire(nil))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(mustJSON(t, o.ToWire([]string{"GUID", "nosuch"}))); got != `{"Guid@data.type":"System.Guid","Guid@odata.type":"#Guid","Guid":"g"}` {
		t.Errorf("selected: %s", got)
	}
}

func TestObjectRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`[]`, `"x"`, `{"a":1,"a":2}`, `{"a":`, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), strings.Repeat("[", 40),
	} {
		var o Object
		if err := json.Unmarshal([]byte(text), &o); err == nil {
			t.Errorf("%.60s is taken as %v", text, o)
		}
	}
}

func TestDistinguishedNamesNamePolicies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 64, -1).Draw(t, "name")
		f := rapid.SampledFrom([]policy.Family{policy.MultiWorkload, policy.Mailbox}).Draw(t, "family")
		call := &Call{}
		call.Caller.Tenant = "11111111-2222-4333-8444-555555555555"
		own := policy.Policy{Tenant: call.Caller.Tenant, Family: f, Name: name}
		if got := policyIdentity(call, f, distinguishedName(own)); got != name {
			t.Fatalf("%q comes back as %q", name, got)
		}
		if got := policyIdentity(call, f, name); got != name && !strings.HasPrefix(strings.ToUpper(name), "CN=") {
			t.Fatalf("the plain name %q becomes %q", name, got)
		}
		foreign := own
		foreign.Tenant = "another"
		if got := policyIdentity(call, f, distinguishedName(foreign)); got != distinguishedName(foreign) {
			t.Fatalf("a name of another organization becomes %q", got)
		}
	})
}
