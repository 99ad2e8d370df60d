package script

import (
	"context"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// A block is { one pipeline } as a value.
type block struct{ of *Block }

// Block implements cmdlet.Block.
func (b *block) Block() string { return FormatStatement(b.of.Of) }

// eval returns the value of an expression.
func (r *run) eval(ctx context.Context, e Expression) (any, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	switch e := e.(type) {
	case *Literal:
		return e.Data, nil
	case *Expandable:
		return r.expand(ctx, e)
	case *Variable:
		return r.variable(e)
	case *Member:
		of, err := r.eval(ctx, e.Of)
		if err != nil {
			return nil, err
		}
		return r.member(ctx, of, e.Name)
	case *Index:
		return r.index(ctx, e)
	case *List:
		return r.list(ctx, e.Items)
	case *Table:
		return r.hashtable(ctx, e)
	case *Paren:
		return r.valueOf(ctx, e.Of)
	case *Sub:
		return r.sub(ctx, e)
	case *Block:
		return &block{e}, nil
	case *Binary:
		return r.binary(ctx, e)
	case *Not:
		v, err := r.eval(ctx, e.Of)
		return !truth(v), err
	}
	return nil, fault.New(fault.Internal, "the script has an expression of no kind that is known: %T", e)
}

func (r *run) expand(ctx context.Context, e *Expandable) (any, error) {
	var b strings.Builder
	for _, part := range e.Parts {
		v, err := r.eval(ctx, part)
		if err != nil {
			return nil, err
		}
		text, err := r.text(ctx, v)
		if err != nil {
			return nil, err
		}
		if b.Len()+len(text) > mostText {
			return nil, limit("a text has at most %d bytes", mostText)
		}
		b.WriteString(text)
	}
	return b.String(), r.spend(ctx, b.Len()/textStep)
}

func (r *run) variable(v *Variable) (any, error) {
	switch name := lower(v.Name); name {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	case "?":
		return r.succeeded, nil
	case "_", "psitem":
		if r.item == nil {
			return nil, runtimeError("there is no $%s outside a block", v.Name).WithHint("it is the object at hand in Where-Object { } and ForEach-Object { }")
		}
		return *r.item, nil
	default:
		if value, ok := r.variables[name]; ok {
			return value, nil
		}
		return nil, r.unknownVariable(v.Name)
	}
}

func (r *run) unknownVariable(name string) error {
	names := make([]string, 0, len(r.variables))
	for n := range r.variables {
		names = append(names, n)
	}
	e := runtimeError("the variable $%s has not been set", name).WithReason("VariableIsUndefined")
	if near := cmdlet.Nearest(name, names); len(near) > 0 {
		return e.WithHint("did you mean $%s?", strings.Join(near, ", $"))
	}
	return e.WithHint("set it first: $%s = ...; a command that failed leaves its variable unset", name)
}

func (r *run) list(ctx context.Context, items []Expression) (any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		v, err := r.eval(ctx, item)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, r.spend(ctx, len(items))
}

// sub runs the statements of $( ) or @( ), which is always a list.
func (r *run) sub(ctx context.Context, e *Sub) (any, error) {
	list, err := r.collect(ctx, e.Of)
	switch {
	case err != nil:
		return nil, err
	case e.IsList && list == nil:
		return []any{}, nil
	case e.IsList || len(list) > 1:
		return list, nil
	case len(list) == 1:
		return list[0], nil
	}
	return nil, nil
}

// hashtable makes @{ }, an object whose fields are the names.
func (r *run) hashtable(ctx context.Context, e *Table) (any, error) {
	o := &cmdlet.Object{Type: cmdlet.HashtableType, Fields: []cmdlet.Field{}}
	seen := map[string]bool{}
	for _, entry := range e.Entries {
		key, err := r.argument(ctx, entry.Name)
		if err != nil {
			return nil, err
		}
		name, err := r.text(ctx, key)
		if err != nil {
			return nil, err
		}
		if seen[lower(name)] || name == "" {
			return nil, runtimeError("a hash table cannot have the name %q twice or none", name)
		}
		seen[lower(name)] = true
		value, err := r.eval(ctx, entry.Value)
		if err != nil {
			return nil, err
		}
		o.Fields = append(o.Fields, cmdlet.Field{Name: name, Value: value})
	}
	return o, nil
}

// block runs a block with $_ being item. What it yields goes to out.
func (r *run) block(ctx context.Context, b *block, item any, out stage) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	outer := r.item
	r.item = &item
	defer func() { r.item = outer }()
	return r.statement(ctx, b.of.Of, out)
}

// blockValue runs a block for one value: nothing, the value, or a list of several.
func (r *run) blockValue(ctx context.Context, b *block, item any) (any, error) {
	c := &collector{run: r}
	if err := r.block(ctx, b, item, c); err != nil || len(c.list) == 0 {
		return nil, err
	}
	if len(c.list) == 1 {
		return c.list[0], nil
	}
	return c.list, nil
}

// typeName says in a message what a value is.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "$null"
	case string:
		return "a text"
	case bool:
		return "a truth value"
	case int64, float64:
		return "a number"
	case time.Time:
		return "a time"
	case cmdlet.GUID:
		return "a GUID"
	case []any:
		return "a list"
	case *block:
		return "a block"
	case *cmdlet.Object:
		if v.Type != "" {
			return "an object of type " + v.Type
		}
		return "an object"
	}
	return "something laid out for people"
}
