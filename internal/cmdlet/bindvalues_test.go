package cmdlet

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// writtenBlock is a block as the language makes one.
type writtenBlock string

func (b writtenBlock) Block() string { return string(b) }

// takesAll is a row with a parameter of each type.
func takesAll() *Cmdlet {
	return &Cmdlet{Name: "Set-All", Impact: Medium, DefaultSet: "One", Params: []Param{
		{Name: "Text", Type: String, Position: 1}, {Name: "Bool", Type: Bool}, {Name: "Switch", Type: Switch}, {Name: "Int", Type: Int}, {Name: "Time", Type: Time},
		{Name: "List", Type: StringList, Position: 2}, {Name: "Map", Type: Map}, {Name: "Id", Type: ID, AllowNull: true, Pipeline: true, Sets: []string{"One"}}, {Name: "Object", Type: PSObject},
		{Name: "Any", Type: Any}, {Name: "AnyList", Type: AnyList}, {Name: "Script", Type: ScriptBlock, Position: 3}, {Name: "Kind", Type: String, Values: []string{"Hard", "Soft"}},
		{Name: "VaultName", Aliases: []string{"Vault"}, Type: String, ByProperty: true, Sets: []string{"One", "Two"}}, {Name: "Other", Type: Switch, Sets: []string{"Two"}},
	}}
}

// looks is a command that changes nothing.
func looks() *Cmdlet {
	return &Cmdlet{Name: "Get-Key", Side: Vault, Params: []Param{{Name: "VaultName", Type: String, Position: 1, Mandatory: true}, {Name: "Name", Type: String, Position: 2}}}
}

func given(name string, v any) Word { return Word{Name: name, Value: v, Given: true, Literal: true} }

func TestBindValuesConverts(t *testing.T) {
	t.Parallel()
	noon := time.Date(2027, 1, 31, 13, 0, 0, 0, time.FixedZone("", 3600))
	key := &Object{Type: KeyType, Fields: []Field{{"VaultName", "east"}, {"Name", "root1"}, {"Id", "https://east/keys/root1/1"}}}
	policy := &Object{Type: PolicyType, Fields: []Field{{"Identity", "P"}, {"Guid", GUID("1-2")}}}
	table := &Object{Type: HashtableType, Fields: []Field{{"side", "east"}, {"n", int64(1)}}}
	for _, tt := range []struct {
		param       string
		value, want any // want nil: refused
	}{
		{"Text", "a,b '", "a,b '"}, {"Text", int64(5), "5"}, {"Text", 1.5, "1.5"}, {"Text", true, "True"}, {"Text", noon, "2027-01-31T12:00:00Z"}, {"Text", GUID("1-2"), "1-2"}, {"Text", key, "https://east/keys/root1/1"},
		{"Text", []any{"one"}, "one"}, {"Text", []any{"a", "b"}, nil}, {"Text", &Object{}, nil}, {"Text", writtenBlock("x"), nil}, {"Text", "$null", "$null"}, {"Text", []any{[]any{[]any{"x"}}}, "x"},
		{"Bool", true, true}, {"Bool", int64(0), false}, {"Bool", "false", false}, {"Bool", "perhaps", nil}, {"Bool", "$true", true}, {"Switch", false, false}, {"Switch", noon, nil},
		{"Int", int64(7), int64(7)}, {"Int", "7", int64(7)}, {"Int", 7.5, nil}, {"Int", int64(1) << 40, nil}, {"Int", true, nil},
		{"Time", noon, noon.UTC()}, {"Time", "12/31/9999", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, {"Time", "soon", nil}, {"Time", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), latest},
		{"List", []any{"a,b", int64(1)}, []string{"a,b", "1"}}, {"List", "a, b", []string{"a", "b"}}, {"List", []any{key, key}, []string{"https://east/keys/root1/1", "https://east/keys/root1/1"}}, {"List", []any{}, []string{}},
		{"List", []any{[]any{"a", "b"}}, nil}, {"Map", table, map[string]string{"side": "east", "n": "1"}}, {"Map", &Object{Fields: []Field{{"a", &Object{}}}}, nil}, {"Map", int64(3), nil},
		{"Id", policy, "1-2"}, {"Id", "name", "name"}, {"Id", "", nil}, {"Object", table, Object{Type: HashtableType, Fields: []Field{{"side", "east"}, {"n", int64(1)}}}}, {"Object", int64(3), nil},
		{"Any", key, key}, {"Any", writtenBlock("x"), writtenBlock("x")}, {"AnyList", "one", []any{"one"}}, {"AnyList", []any{"a", nil}, []any{"a", nil}},
		{"Script", writtenBlock("x"), writtenBlock("x")}, {"Script", "x", nil}, {"Kind", "soft", "Soft"}, {"Kind", "other", nil},
	} {
		call, err := BindValues(takesAll(), []Word{given(tt.param, tt.value)}, More{})
		if tt.want == nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("-%s %v: %v", tt.param, tt.value, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(call.Args.Value(tt.param), tt.want) {
			t.Errorf("-%s %v: %v, want %v (%v)", tt.param, tt.value, call, tt.want, err)
		}
	}
}

func TestBindValuesPlaces(t *testing.T) {
	t.Parallel()
	alone := func(v any) Word { return Word{Value: v, Given: true, Literal: true} }
	call, err := BindValues(takesAll(), []Word{{Name: "sw"}, alone(writtenBlock("{}")), alone("text"), {Name: "ErrorAction"}, alone("stop"), alone([]any{"a"})}, More{})
	if err != nil || call.Args.Text("Text") != "text" || len(call.Args.List("List")) != 1 || call.Args.Value("Script") != writtenBlock("{}") || !call.Args.On("Switch") || call.Common.ErrorAction != "Stop" {
		t.Errorf("%v, %v", call, err)
	}
	for _, words := range [][]Word{
		{alone("1"), alone("2"), alone("3")}, {{Name: "Text"}}, {{Name: "Text"}, {Name: "Switch"}}, {given("Text", "a"), given("Text", "b")}, {given("Nope", 1)}, {alone(writtenBlock("a")), alone(writtenBlock("b"))},
		{{Name: "Id", Given: true}}, {given("Vault", nil), {Name: "Id", Value: nil, Given: true}},
	} {
		if _, err := BindValues(takesAll(), words, More{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", words, err)
		}
	}
	if call, err := BindValues(takesAll(), []Word{given("Id", nil)}, More{}); err != nil || !call.Args.IsNull("Id") {
		t.Errorf("a written $null: %v", err)
	}
}

func TestBindValuesPipeline(t *testing.T) {
	t.Parallel()
	vault := &Object{Fields: []Field{{"VAULT", "east"}, {"Text", "no"}}}
	for _, tt := range []struct {
		input any
		words []Word
		want  string // "" refused
	}{
		{"alice", nil, "Id=alice"}, {&Object{Fields: []Field{{"Identity", "bob"}}}, nil, "Id=bob"}, {vault, nil, "VaultName=east"}, {vault, []Word{{Name: "Other"}}, "Other=true VaultName=east"},
		{"alice", []Word{{Name: "Other"}}, ""}, {"alice", []Word{given("Id", "bob")}, ""}, {nil, nil, ""}, {&Object{}, nil, ""}, {&Object{Fields: []Field{{"VaultName", nil}}}, nil, ""}, {[]any{"a", "b"}, nil, ""},
	} {
		call, err := BindValues(takesAll(), tt.words, More{Piped: true, Input: tt.input})
		if tt.want == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v: %v", tt.input, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", tt.input, err)
			continue
		}
		var got []string
		for name, v := range call.Args.All() {
			got = append(got, name+"="+Show(v))
		}
		if strings.EqualFold(strings.Join(got, " "), tt.want) == false {
			t.Errorf("%v binds %v, want %s", tt.input, got, tt.want)
		}
	}
}

// Mandatory parameters are asked for where somebody can answer.
func TestBindValuesPrompts(t *testing.T) {
	t.Parallel()
	row := looks()
	ask := func(answer string, fails error) Prompt {
		return func(c *Cmdlet, p *Param) (string, error) { return p.Name + answer, fails }
	}
	if call, err := BindValues(row, nil, More{Prompt: ask("-1", nil)}); err != nil || call.Args.Text("VaultName") != "VaultName-1" {
		t.Errorf("%v, %v", call, err)
	}
	gone := errors.New("nobody there")
	if _, err := BindValues(row, nil, More{Prompt: ask("", gone)}); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := BindValues(row, nil, More{}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// A name that got lost on its way does not mean all that there is, however it came; several
// values where one is wanted are told as such.
func TestLostNamesPickNothing(t *testing.T) {
	t.Parallel()
	keys := looks()
	for _, name := range []any{"", nil} {
		_, err := BindValues(keys, []Word{given("VaultName", "east"), given("Name", name)}, More{})
		checkRefusal(t, "-Name", err, "-Name is empty", "leave -Name out")
	}
	_, err := BindAsking(keys, []string{"-VaultName", "east", "-Name", ""}, nil)
	checkRefusal(t, "-Name ''", err, "-Name is empty", "leave -Name out")
	_, _, err = BindJSON(keys, Object{Fields: []Field{{"VaultName", "east"}, {"Name", nil}}})
	checkRefusal(t, `{"Name":null}`, err, "-Name is empty", "leave -Name out")

	mailbox := &Cmdlet{Name: "Set-Box", Impact: Medium, Side: Service, Params: []Param{{Name: "Identity", Type: ID, Position: 1, Mandatory: true, Pipeline: true}}}
	_, err = BindValues(mailbox, []Word{given("Identity", []any{"alice", "bob"})}, More{})
	checkRefusal(t, "two", err, "-Identity takes one value, not a list of 2", "through a pipeline")
	_, err = BindValues(mailbox, []Word{given("Identity", []any{})}, More{})
	checkRefusal(t, "none", err, "not a list of 0", "yielded nothing")
}
