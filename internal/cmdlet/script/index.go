package script

import (
	"context"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// index returns an item of a list or text by its number, from the end where that is negative,
// or the value of a name in a hash table; several for a list of them.
func (r *run) index(ctx context.Context, e *Index) (any, error) {
	of, err := r.eval(ctx, e.Of)
	if err != nil {
		return nil, err
	}
	n, err := r.eval(ctx, e.N)
	if err != nil {
		return nil, err
	}
	many, ok := n.([]any)
	if !ok {
		many = []any{n}
	}
	found := make([]any, len(many))
	text, _ := of.(string) // each item of it is found by going over it
	for i, n := range many {
		if err := r.spend(ctx, 1+len(text)/textStep); err != nil {
			return nil, err
		}
		if found[i], err = itemOf(of, n); err != nil {
			return nil, err
		}
	}
	if !ok {
		return found[0], nil
	}
	return found, nil
}

func itemOf(of, n any) (any, error) {
	if o, ok := of.(*cmdlet.Object); ok && o.Type == cmdlet.HashtableType {
		if name, ok := n.(string); ok {
			if f := field(o, name); f != nil {
				return f.Value, nil
			}
			return nil, noMember(of, name)
		}
	}
	if of == nil {
		return nil, runtimeError("$null has no items")
	}
	i, ok := asNumber(n).(int64)
	if !ok {
		return nil, runtimeError("the place of an item is a whole number, not %s", typeName(n))
	}
	length, at := itemsIn(of), i
	if at < 0 {
		at += length
	}
	if at < 0 || at >= length {
		return nil, runtimeError("there is no item %d among %d", i, length).WithHint("the first is 0, the last is -1")
	}
	switch of := of.(type) {
	case []any:
		return of[at], nil
	case string:
		return character(of, at), nil
	}
	return of, nil
}

// itemsIn is how many items a value has: characters for text, 1 for what is no list.
func itemsIn(of any) int64 {
	switch of := of.(type) {
	case []any:
		return int64(len(of))
	case string:
		return int64(utf8.RuneCountInString(of))
	}
	return 1
}

// character returns one character of a text, found by going over it: a list of them would take
// many times the room of the text.
func character(text string, at int64) string {
	for _, c := range text {
		if at == 0 {
			return string(c)
		}
		at--
	}
	return ""
}
