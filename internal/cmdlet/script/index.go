package script

import (
	"context"

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
		return itemOf(of, n)
	}
	found := make([]any, len(many))
	for i, n := range many {
		if found[i], err = itemOf(of, n); err != nil {
			return nil, err
		}
	}
	return found, r.spend(ctx, len(many))
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
	var list []any
	switch of := of.(type) {
	case []any:
		list = of
	case string:
		for _, c := range of {
			list = append(list, string(c))
		}
	case nil:
		return nil, runtimeError("$null has no items")
	default:
		list = []any{of}
	}
	i, ok := asNumber(n).(int64)
	if !ok {
		return nil, runtimeError("the place of an item is a whole number, not %s", typeName(n))
	}
	at := i
	if at < 0 {
		at += int64(len(list))
	}
	if at < 0 || at >= int64(len(list)) {
		return nil, runtimeError("there is no item %d among %d", i, len(list)).WithHint("the first is 0, the last is -1")
	}
	return list[at], nil
}
