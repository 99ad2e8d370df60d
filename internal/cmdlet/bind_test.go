package cmdlet

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

// sample is a command with a parameter of each kind.
func sample() *Cmdlet {
	return &Cmdlet{
		Name: "Set-Sample",
		Params: []Param{
			{Name: "Identity", Type: ID, Position: 1, Mandatory: true, AllowNull: true},
			{Name: "Keys", Type: StringList, Position: 2},
			{Name: "Description", Type: String},
			{Name: "Destination", Type: String, Values: []string{"HSM", "Software"}},
			{Name: "Enabled", Type: Bool},
			{Name: "Refresh", Type: Switch, Sets: []string{"Refresh"}},
			{Name: "Replace", Type: Switch, Mandatory: true, Sets: []string{"Replace"}},
			{Name: "Size", Type: Int, Aliases: []string{"Bits"}},
			{Name: "Expires", Type: Time},
			{Name: "Tag", Type: Map},
			{Name: "Policy", Type: ID, Old: []string{"OldPolicy"}},
		},
		DefaultSet: "Refresh", Impact: Medium, Side: Service,
	}
}

func bindSample(t *testing.T, words ...string) map[string]any {
	t.Helper()
	call, err := Bind(sample(), words)
	if err != nil {
		t.Fatalf("Bind(%q): %v", words, err)
	}
	return call.Args.values
}

func TestBindTakesWhatPowerShellTakes(t *testing.T) {
	t.Parallel()
	never := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		words string // split at spaces; _ stands for a space inside a word
		want  map[string]any
	}{
		{"-Identity x", map[string]any{"Identity": "x"}},
		{"-identity x", map[string]any{"Identity": "x"}},
		{"-IDENTITY:x", map[string]any{"Identity": "x"}},
		{"-Identity: x", map[string]any{"Identity": "x"}},
		{"-Id x", map[string]any{"Identity": "x"}},
		{"x", map[string]any{"Identity": "x"}},
		{"x a,b", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"-Keys a,b x", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"a -Identity x", map[string]any{"Identity": "x", "Keys": []string{"a"}}},
		{"x -Keys a, b", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"x -Keys a ,b", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"x -Keys a , b", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"x -Keys @('a','b_c')", map[string]any{"Identity": "x", "Keys": []string{"a", "b c"}}},
		{"x -Keys @('a', 'b')", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"x -Keys @( 'a' , -Refresh )", map[string]any{"Identity": "x", "Keys": []string{"a", "-Refresh"}}},
		{"x -Keys @()", map[string]any{"Identity": "x", "Keys": []string{}}},
		{`x -Keys "a","b"`, map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{`x -Keys 'it''s','b,c'`, map[string]any{"Identity": "x", "Keys": []string{"it's", "b,c"}}},
		{"x -Keys:a,b", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{"x -Refresh", map[string]any{"Identity": "x", "Refresh": true}},
		{"-Refresh x", map[string]any{"Identity": "x", "Refresh": true}},
		{"x -Refresh:$true", map[string]any{"Identity": "x", "Refresh": true}},
		{"x -Enabled $false", map[string]any{"Identity": "x", "Enabled": false}},
		{"x -Enabled $True", map[string]any{"Identity": "x", "Enabled": true}},
		{"x -Enabled false", map[string]any{"Identity": "x", "Enabled": false}},
		{"x -Enabled 0", map[string]any{"Identity": "x", "Enabled": false}},
		{"-Identity $null", map[string]any{"Identity": nil}},
		{"$NULL", map[string]any{"Identity": nil}},
		{"x -Description $null", map[string]any{"Identity": "x", "Description": ""}},
		{"x -Description Hello, -Refresh", map[string]any{"Identity": "x", "Description": "Hello,", "Refresh": true}},
		{`x -Description "a"`, map[string]any{"Identity": "x", "Description": `"a"`}},
		{"x -Destination software", map[string]any{"Identity": "x", "Destination": "Software"}},
		{"x -Bits 2048", map[string]any{"Identity": "x", "Size": int64(2048)}},
		{"x -Size -5", map[string]any{"Identity": "x", "Size": int64(-5)}},
		{"x -Expires 12/31/9999", map[string]any{"Identity": "x", "Expires": never}},
		{"x -Expires 9999-12-31", map[string]any{"Identity": "x", "Expires": never}},
		{"x -Expires 2027-01-31T08:00:00+02:00", map[string]any{"Identity": "x", "Expires": time.Date(2027, 1, 31, 6, 0, 0, 0, time.UTC)}},
		{"x -Tag @{a='1';_b=two}", map[string]any{"Identity": "x", "Tag": map[string]string{"a": "1", "b": "two"}}},
		{"x -Tag @{ a = '1' }", map[string]any{"Identity": "x", "Tag": map[string]string{"a": "1"}}},
		{"x -Tag a=1,b=2", map[string]any{"Identity": "x", "Tag": map[string]string{"a": "1", "b": "2"}}},
		{"x -Tag @{}", map[string]any{"Identity": "x", "Tag": map[string]string{}}},
		{"-Identity:-Refresh", map[string]any{"Identity": "-Refresh"}},
		{"-- -Refresh", map[string]any{"Identity": "-Refresh"}},
		{"--Identity x", map[string]any{"Identity": "x"}},
		// what web pages make of it (row X-31)
		{"–Identity x —Refresh", map[string]any{"Identity": "x", "Refresh": true}},
		{"-Identity “EUR Policy” -Refresh", map[string]any{"Identity": "EUR Policy", "Refresh": true}},
		{"-Identity “NAM_Policy”", map[string]any{"Identity": "NAM Policy"}},
		{"“Tenant default policy” -Refresh", map[string]any{"Identity": "Tenant default policy", "Refresh": true}},
		{"x -Keys “a b”,“c d” -Refresh", map[string]any{"Identity": "x", "Keys": []string{"a b", "c d"}, "Refresh": true}},
		{"x -Keys “a”,”b”", map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
	} {
		words := strings.Fields(tt.words)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "_", " ")
		}
		call, err := Bind(sample(), words)
		if err != nil {
			t.Errorf("%s: %v", tt.words, err)
			continue
		}
		if diff := cmp.Diff(tt.want, call.Args.values); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.words, diff)
		}
	}
}

func TestBindRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ words, message, hint string }{
		{"", "Set-Sample needs -Identity", "ck help Set-Sample"},
		{"x -Identity y z w", "no place for 'z'", "quotes"},
		{"-Identity x -identity y", "-Identity is given twice", ""},
		{"-Identity", "-Identity has no value", "'$null' in quotes"},
		{"-Identity -Refresh", "-Identity has no value", "-Identity:VALUE"},
		{"x -R", "-R could mean -Refresh or -Replace", "write more"},
		{"x -De a", "-De could mean -Description or -Destination", ""},
		{"x -Rerfesh", "has no parameter -Rerfesh", "did you mean -Refresh?"},
		{"x -Zzzzzzzz", "has no parameter -Zzzzzzzz", "ck help"},
		{"x -Enabled", "-Enabled has no value", "'$false' in quotes"},
		{"x -Enabled maybe", "-Enabled cannot be 'maybe'", "$false"},
		{"x -Confirm:", "-Confirm: has no value", "'$false' in quotes"},
		{"x -Enabled: -Refresh", "-Enabled: has no value", ""},
		{"x -Refresh:", "-Refresh: has no value", ""},
		{"x -Size many", "-Size cannot be 'many'", "whole number"},
		{"x -Size 99999999999", "-Size cannot be", ""},
		{"x -Size $null", "-Size cannot be $null", ""},
		{"x -Expires soon", "-Expires cannot be 'soon'", "2027-01-31"},
		{"x -Destination cloud", "-Destination cannot be 'cloud'", "HSM, Software"},
		{"x -Keys a,,b", "-Keys: the list has an empty item", "@()"},
		{"x -Keys a,", "-Keys: the list has an empty item", ""},
		{"x -Keys @('a'", "is not closed", ""},
		{"x -Keys 'a", "is not closed", ""},
		{"x -Keys 'a'b", "right after the quotation", ""},
		{"x -Tag a", "not a row of name=value", ""},
		{"x -Tag a=1;a=2", "names 'a' twice", ""},
		{"x -Identity “y z", "not closed", ""},
		{"x -Refresh -Replace", "cannot be used together", ""},
		{"x -OutputFormat xml", "-OutputFormat cannot be 'xml'", "table, list, json"},
		{"x -ResultSize 5", "has no parameter -ResultSize", ""},
	} {
		_, err := Bind(sample(), strings.Fields(tt.words))
		checkRefusal(t, tt.words, err, tt.message, tt.hint)
	}
	_, err := Bind(sample(), []string{""})
	checkRefusal(t, `""`, err, "-Identity is empty", "'$null' in quotes")
}

func checkRefusal(t *testing.T, what string, err error, message, hint string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Errorf("%s: got %v, want a fault", what, err)
		return
	}
	if f.Code != fault.Invalid || f.Reason != ReasonParameter || !strings.Contains(f.Message, message) || !strings.Contains(f.Hint, hint) {
		t.Errorf("%s: %s/%s %q, hint %q; want %q, hint %q", what, f.Code, f.Reason, f.Message, f.Hint, message, hint)
	}
}

func TestBindCommonParameters(t *testing.T) {
	t.Parallel()
	call, err := Bind(sample(), strings.Fields("x -wi -Confirm:$false -vb -ea SilentlyContinue -WarningAction ignore -Out json"))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := Common{WhatIf: true, Confirm: &no, Verbose: true, ErrorAction: "SilentlyContinue", WarningAction: "Ignore", OutputFormat: JSONFormat}
	if diff := cmp.Diff(want, call.Common); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestBindRefusesWhatIfWhereNothingChanges(t *testing.T) {
	t.Parallel()
	row := sample()
	row.Impact = None
	for _, word := range []string{"-WhatIf", "-Confirm", "-Confirm:$false", "-wi"} {
		_, err := Bind(row, []string{"x", word})
		checkRefusal(t, word, err, "it changes nothing", "")
	}
}

func TestBindWarnsOfOldSpellings(t *testing.T) {
	t.Parallel()
	call, err := Bind(sample(), []string{"x", "-oldpolicy", "p"})
	if err != nil {
		t.Fatal(err)
	}
	if call.Args.Text("Policy") != "p" || len(call.Notes) != 1 || !strings.Contains(call.Notes[0], "-Policy") {
		t.Errorf("args %v, notes %q", call.Args.values, call.Notes)
	}
}

func TestBindJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body string
		want map[string]any
	}{
		{`{"Identity":"x"}`, map[string]any{"Identity": "x"}},
		{`{"identity":null}`, map[string]any{"Identity": nil}},
		{`{"Identity":"$null x"}`, map[string]any{"Identity": "$null x"}},
		{`{"Identity":"“x”"}`, map[string]any{"Identity": "“x”"}},
		{`{"Identity":"x","Refresh":true,"Enabled":false}`, map[string]any{"Identity": "x", "Refresh": true, "Enabled": false}},
		{`{"Identity":"x","Enabled":"$true"}`, map[string]any{"Identity": "x", "Enabled": true}},
		{`{"Identity":"x","Keys":["a","b,c"]}`, map[string]any{"Identity": "x", "Keys": []string{"a", "b,c"}}},
		{`{"Identity":"x","Keys":"a, 'b'"}`, map[string]any{"Identity": "x", "Keys": []string{"a", "b"}}},
		{`{"Identity":["x"]}`, map[string]any{"Identity": "x"}},
		{`{"Identity":"x","Size":2048}`, map[string]any{"Identity": "x", "Size": int64(2048)}},
		{`{"Identity":7}`, map[string]any{"Identity": "7"}},
		{`{"Identity":"x","Tag":{"@odata.type":"#Exchange.GenericHashTable","a":"1"}}`, map[string]any{"Identity": "x", "Tag": map[string]string{"a": "1"}}},
		{`{"Identity":"x","Keys@odata.type":"#Collection(String)","Keys":[]}`, map[string]any{"Identity": "x", "Keys": []string{}}},
	} {
		call, _, err := BindJSON(sample(), mustObject(t, tt.body))
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		if diff := cmp.Diff(tt.want, call.Args.values); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.body, diff)
		}
	}
}

func TestBindJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ body, message string }{
		{`{}`, "needs -Identity"},
		{`{"Identity":"x","IDENTITY":"y"}`, "given twice"},
		{`{"Identity":true}`, "wrong type"},
		{`{"Identity":["x","y"]}`, "wrong type"},
		{`{"Identity":{"a":"b"}}`, "wrong type"},
		{`{"Identity":"x","Keys":[1]}`, "wrong type"},
		{`{"Identity":"x","Refresh":1}`, "wrong type"},
		{`{"Identity":"x","Size":1.5}`, "cannot be"},
		{`{"Identity":"x","Enabled":[]}`, "wrong type"},
		{`{"Identity":"x","OutputFormat":"json"}`, "no parameter"},
		{`{"Identity":"x","ResultSize":"-1"}`, "-ResultSize cannot be"},
		{`{"Identity":""}`, "is empty"},
	} {
		_, _, err := BindJSON(sample(), mustObject(t, tt.body))
		checkRefusal(t, tt.body, err, tt.message, "")
	}
}

func TestBindJSONResultSize(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`{"Identity":"x"}`: 0, `{"Identity":"x","ResultSize":"Unlimited"}`: 0,
		`{"Identity":"x","resultsize":5}`: 5, `{"Identity":"x","ResultSize":"7"}`: 7,
	} {
		if _, n, err := BindJSON(sample(), mustObject(t, body)); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", body, n, err, want)
		}
	}
}

func mustObject(t *testing.T, text string) Object {
	t.Helper()
	var o Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func TestArgsKeepCallersApart(t *testing.T) {
	t.Parallel()
	args := Args{bindSample(t, "x", "a,b", "-Tag", "k=v")}
	args.List("Keys")[0] = "changed"
	args.Map("Tag")["k"] = "changed"
	if args.List("Keys")[0] != "a" || args.Map("Tag")["k"] != "v" {
		t.Error("a returned list or map is the one inside")
	}
}

// The work for a long line grows with its length: of what is copied, nothing is copied over and over.
func TestBindWorkGrowsWithInputOnly(t *testing.T) { // not parallel: it looks at what the whole process allocates
	line := strings.Repeat("b ", 200_000)
	words := append([]string{"x", "-Keys", "@(“a"}, strings.Split(line, " ")...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Bind(sample(), words)
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; err == nil || made > 10*uint64(len(line)) {
		t.Errorf("an unclosed list of 200,000 words: %v with %d bytes", err, made)
	}
}

// FuzzBind looks for panics and hangs, and for values that get lost: whatever binds from
// words binds the same when each parameter is given by name.
func FuzzBind(f *testing.F) {
	for _, seed := range []string{
		"-Identity x -Refresh", "x -Keys @('a', 'b')", "“a b” —Refresh", "-Confirm:", "x -Tag @{a='1'; b=2}", "a,b , c -- -d", "-Keys ',,'\"", "‘", "@(", "x -Enabled $null",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		call, err := Bind(sample(), strings.Split(line, " "))
		if err != nil {
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q: %v is not fault.Invalid", line, err)
			}
			return
		}
		words := []string{}
		for name, v := range call.Args.All() {
			if text, ok := v.(string); ok && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "$null") && text != "" && unquoted(text) {
				words = append(words, "-"+name+":"+text)
			}
		}
		again, err := Bind(sample(), words)
		if err != nil {
			return // parameters of other types that were needed are not repeated
		}
		for name, v := range again.Args.All() {
			if call.Args.values[name] != v {
				t.Errorf("%q: -%s was %q, is %q", line, name, call.Args.values[name], v)
			}
		}
	})
}

// FuzzBindJSON looks for panics and hangs in what strangers can send.
func FuzzBindJSON(f *testing.F) {
	for _, seed := range []string{
		`{"Identity":"x","Keys":["a"],"Tag":{"a":"b"}}`, `{"Identity":null,"Size":1e3}`, `{"a":[[[{}]]]}`, `{"Expires":"12/31/9999","Keys":"@('a"}`, `{"":0}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var params Object
		if json.Unmarshal([]byte(text), &params) != nil {
			return
		}
		if _, _, err := BindJSON(sample(), params); err != nil && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v is not fault.Invalid", text, err)
		}
		again, err := json.Marshal(params)
		if err != nil {
			t.Fatalf("%q does not encode: %v", text, err)
		}
		var twice Object
		if err := json.Unmarshal(again, &twice); err != nil {
			t.Errorf("%q comes back as %q: %v", text, again, err)
		}
	})
}

// unquoted reports whether text has no typographic quote at its ends to be taken away.
func unquoted(text string) bool {
	return !strings.ContainsAny(text, singleQuotes[1:]+doubleQuotes[1:])
}
