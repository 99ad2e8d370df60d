package cmdlet

import "slices"

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
// was computed and came out as $null or an empty list is refused where that has a meaning of its
// own ("no policy", "no permissions"): it must be written.
func BindValues(c *Cmdlet, words []Word, more More) (*Call, error) {
	b := newBinding(c, &formatParam)
	loose, err := b.namedValues(words)
	if err != nil {
		return nil, err
	}
	for _, w := range loose {
		p := b.place(w.Value)
		if p == nil {
			return nil, BindError("%s has no place for %s", c.Name, describe(w.Value)).WithHint("see its parameters with: ck help %s", c.Name)
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
			return nil, BindError("-%s has no value", p.Name).WithHint("%s", emptyHint(p))
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
	if p.AllowNull && !w.Literal && isNothing(w.Value) {
		return BindError("-%s was computed and came out as %s, which has a meaning here", p.Name, named(w.Value)).
			WithHint("see what the variable or the command in parentheses holds; write %s itself if it is meant", named(w.Value))
	}
	if p.AllowNull && w.Value == "" {
		return BindError("-%s is empty", p.Name).WithHint("see what stands in its place; write $null itself if nothing is meant")
	}
	v, err := p.accept(w.Value)
	if err != nil {
		return err
	}
	return b.set(p, v)
}

func isNothing(v any) bool {
	list, ok := v.([]any)
	return v == nil || ok && len(list) == 0
}

// named is how a script writes nothing.
func named(nothing any) string {
	if nothing == nil {
		return "$null"
	}
	return "@()"
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
		return BindError("%s was given $null by the pipeline", b.cmdlet.Name)
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
		return BindError("%s takes nothing from %s in a pipeline", b.cmdlet.Name, describe(input)).
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
		fits := len(sets) == 0 || slices.ContainsFunc(sets, p.InSet)
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
