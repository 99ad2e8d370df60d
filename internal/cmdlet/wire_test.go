package cmdlet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sampleObjects have a property of every type.
func sampleObjects() []Object {
	one := func(name string, enabled bool, items ...string) Object {
		return Object{Type: PolicyType, Fields: []Field{
			{"Name", name}, {"Description", nil}, {"Enabled", enabled}, {"Percent", int64(8)}, {"AzureKeyIDs", items},
			{"Guid", GUID("11111111-2222-4333-8444-555555555555")}, {"DateCreated", time.Date(2026, 11, 22, 3, 5, 15, 0, time.UTC)},
			{"KeyVersions", []Object{{Fields: []Field{{"Current", false}, {"Objects", int64(7)}}}, {Fields: []Field{{"Current", true}, {"Objects", int64(12)}}}}},
		}}
	}
	return []Object{one("Contoso_Global", true, "a", "b"), one("全社ポリシー", false, "https://contoso-east.vault.localhost:8443/keys/root1")}
}

func TestWireRoundTrip(t *testing.T) {
	t.Parallel()
	for _, o := range sampleObjects() {
		text, err := json.Marshal(o.ToWire(nil))
		if err != nil {
			t.Fatal(err)
		}
		got := FromWire(mustObject(t, string(text)))
		got.Type = PolicyType
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
