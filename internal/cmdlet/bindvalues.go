package cmdlet

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Word is one word behind a command's name in a script: a parameter's name, a value, or
// both in one. Values are nil, string, bool, int64, float64, GUID, time.Time, []any, *Object
// (hash tables too, of type HashtableType) or Block.
type Word struct {
	Name    string // the parameter's, without its dash; "" for a value alone
	Value   any
	Given   bool // Value stands there, be it nil
	Literal bool // Value is written there, not computed
}

// HashtableType is the type name of hash tables, the keys of which are the fields.
const HashtableType = "Hashtable"

// A Block is { one pipeline }, which the command that it is given to runs.
type Block interface {
	Block() string // as it is written
}

// A Prompt asks for the value of a mandatory parameter that was not given, as text.
type Prompt func(c *Cmdlet, p *Param) (string, error)

// More is what fills parameters beside the words of a call.
type More struct {
	Piped  bool // Input has come through a pipeline
	Input  any
	Prompt Prompt // nil: what is missing is an error
}

// BindValues brings the words of a script's command together with the parameters of c, by
// the rules of Bind, but with values that have types: each is converted to the parameter's
// type as PowerShell does, an object given where text is wanted to its property of the
// parameter's name, its Identity, Id, Guid or Name, a policy always to its Guid. A value that
// was computed and came out as $null is refused where $null has a meaning of its own ("no policy"): it must be written.
func BindValues(c *Cmdlet, words []Word, more More) (*Call, error) {
	b := newBinding(c, &formatParam)
	loose, err := b.namedValues(words)
	if err != nil {
		return nil, err
	}
	for _, w := range loose {
		p := b.place(w.Value)
		if p == nil {
			return nil, bindError("%s has no place for %s", c.Name, describe(w.Value)).WithHint("see its parameters with: ck help %s", c.Name)
		}
		if err := b.give(p, w); err != nil {
			return nil, err
		}
	}
	if more.Piped {
		err = b.pipe(more.Input)
	} else if more.Prompt != nil {
		err = b.prompt(more.Prompt)
	}
	if err != nil {
		return nil, err
	}
	return b.finish()
}

// namedValues binds all that follows a parameter's name, and returns the other words.
func (b *binding) namedValues(words []Word) (loose []Word, err error) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.Name == "" {
			loose = append(loose, w)
			continue
		}
		p, err := b.resolve(w.Name)
		if err != nil {
			return nil, err
		}
		switch {
		case w.Given:
		case p.Type == Switch:
			w.Value = true
		case i+1 == len(words) || words[i+1].Name != "":
			return nil, bindError("-%s has no value", p.Name).WithHint("%s", emptyHint(p))
		default:
			i++
			w = words[i]
		}
		if err := b.give(p, w); err != nil {
			return nil, err
		}
	}
	return loose, nil
}

// give binds the value of a word to p.
func (b *binding) give(p *Param, w Word) error {
	if w.Value == nil && !w.Literal && p.AllowNull {
		return bindError("-%s was computed and came out as $null, which has a meaning here", p.Name).
			WithHint("see what the variable or the command in parentheses holds; write $null itself if it is meant")
	}
	v, err := p.accept(w.Value)
	if err != nil {
		return err
	}
	return b.set(p, v)
}

// place returns the first positional parameter without a value that takes v: a block goes to
// those that are for blocks, everything else to the others.
func (b *binding) place(v any) *Param {
	_, isBlock := v.(Block)
	var next *Param
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; bound || p.Position == 0 {
			continue
		}
		if free := p.Type == Any || p.Type == AnyList; !free && isBlock != (p.Type == ScriptBlock) {
			continue
		}
		if next == nil || p.Position < next.Position {
			next = p
		}
	}
	return next
}

// pipe binds what came through a pipeline: the value itself to the first parameter that
// takes it, else its properties to the parameters of their names.
func (b *binding) pipe(input any) error {
	if input == nil {
		return bindError("%s was given $null by the pipeline", b.cmdlet.Name)
	}
	object, isObject := input.(*Object)
	for _, p := range b.open(func(p *Param) bool { return p.Pipeline && !(isObject && p.Type == String) }) {
		if v, err := p.accept(input); err == nil {
			return b.set(p, v)
		}
	}
	some := false
	for _, p := range b.open(func(p *Param) bool { return p.ByProperty && isObject }) {
		value := firstOf(object, p.names()...)
		if value == nil {
			continue
		}
		v, err := p.accept(value)
		if err != nil {
			return err
		}
		if err := b.set(p, v); err != nil {
			return err
		}
		some = true
	}
	if !some {
		return bindError("%s takes nothing from %s in a pipeline", b.cmdlet.Name, describe(input)).
			WithHint("give its parameters by name, inside ForEach-Object { } for each")
	}
	return nil
}

// open returns the parameters without a value that want picks and that go with what is bound.
func (b *binding) open(want func(*Param) bool) (params []*Param) {
	sets := b.fitting()
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		_, bound := b.args[p.Name]
		fits := len(sets) == 0 || slices.ContainsFunc(sets, p.inSet)
		if !bound && fits && want(p) {
			params = append(params, p)
		}
	}
	return params
}

// prompt asks for the mandatory parameters that are missing: those of the default set, if it
// takes what is given. Switches choose sets, so they are not asked for.
func (b *binding) prompt(ask Prompt) error {
	set, fitting := b.cmdlet.DefaultSet, b.fitting()
	if len(fitting) == 0 && set != "" {
		return nil // an error, as finish will say
	}
	if len(fitting) > 0 && !slices.Contains(fitting, set) {
		set = fitting[0]
	}
	for _, p := range b.lacking(set) {
		if p.Type == Switch {
			continue
		}
		text, err := ask(b.cmdlet, p)
		if err != nil {
			return err
		}
		v, err := p.parse(text)
		if err != nil {
			return err
		}
		if err := b.set(p, v); err != nil {
			return err
		}
	}
	return nil
}

// accept turns a script's value into one of the parameter's type.
func (p *Param) accept(v any) (any, error) {
	if filter, ok := v.(Block); ok && p.Name == "Filter" && p.Type == String {
		return p.acceptText(filter.Block()) // as -Filter {Name -eq 'x'} is written for Exchange
	}
	if _, block := v.(Block); block != (p.Type == ScriptBlock) && p.Type != Any && p.Type != AnyList {
		return nil, p.mistyped()
	}
	switch p.Type {
	case Any, ScriptBlock:
		return v, nil
	case AnyList:
		return asList(v), nil
	}
	switch v := v.(type) {
	case nil:
		return p.null()
	case []any:
		return p.acceptList(v)
	case *Object:
		return p.acceptObject(v)
	case string:
		return p.acceptText(v)
	case bool:
		return p.convertBool(v)
	case int64:
		if p.Type == Bool || p.Type == Switch {
			return v != 0, nil
		}
		return p.acceptText(strconv.FormatInt(v, 10))
	case float64:
		return p.acceptText(strconv.FormatFloat(v, 'f', -1, 64))
	case time.Time:
		return p.acceptTime(v)
	case GUID:
		return p.acceptText(string(v))
	}
	return nil, p.mistyped()
}

// acceptText takes text as it is meant: no quotes are taken away, and $null is just a word
// but where a parameter gives it a meaning.
func (p *Param) acceptText(text string) (any, error) {
	if literal := p.Type == String || p.Type == ID; literal && !(p.AllowNull && strings.EqualFold(text, "$null")) {
		return p.checkText(text)
	}
	return p.parse(text)
}

// latest is the last instant that every part can write down.
var latest = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// acceptTime turns a time of any zone into UTC; no zone's 12/31/9999 goes past it (row CK-210).
func (p *Param) acceptTime(t time.Time) (any, error) {
	if t = t.UTC(); t.After(latest) {
		t = latest
	}
	if p.Type == Time {
		return t, nil
	}
	return p.acceptText(t.Format(time.RFC3339))
}

func (p *Param) acceptList(list []any) (any, error) {
	if p.Type != StringList {
		if len(list) == 1 { // PowerShell unrolls a list of one
			return p.accept(list[0])
		}
		return nil, p.mistyped()
	}
	one := Param{Name: p.Name, Type: String, Values: p.Values, Mandatory: p.Mandatory}
	items := make([]string, 0, len(list))
	for _, item := range list {
		v, err := one.accept(item)
		if err != nil {
			return nil, err
		}
		items = append(items, v.(string))
	}
	return p.checkItems(items)
}

func (p *Param) acceptObject(o *Object) (any, error) {
	if p.Type == Map {
		m := make(map[string]string, len(o.Fields))
		text := Param{Name: p.Name, Type: String}
		for _, f := range o.Fields {
			v, err := text.accept(f.Value)
			if err != nil {
				return nil, err
			}
			m[f.Name] = v.(string)
		}
		return m, nil
	}
	if p.Type == PSObject {
		return Snapshot(o)
	}
	names := append(p.names(), "Identity", "Id", "Guid", "Name")
	if o.Type == policyType { // its name can be given to another policy meanwhile
		names = append([]string{"Guid"}, names...)
	}
	switch v := firstOf(o, names...).(type) {
	case nil, *Object, []any:
		return nil, p.mistyped()
	default:
		return p.accept(v)
	}
}

// firstOf returns the first of the named properties that holds something.
func firstOf(o *Object, names ...string) any {
	for _, name := range names {
		if v := o.Get(name); v != nil && v != "" {
			return v
		}
	}
	return nil
}

func asList(v any) any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// describe names a value in a message.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "$null"
	case string:
		return quote(v)
	case Block:
		return "the block " + quote("{ "+v.Block()+" }")
	case []any:
		return "a list"
	case *Object:
		if v.Type == "" {
			return "an object"
		}
		return "an object of type " + printable(v.Type)
	}
	return quote(show(v))
}
