package script

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// binary evaluates an operation. The right side of -and and -or only where it matters.
func (r *run) binary(ctx context.Context, e *Binary) (any, error) {
	left, err := r.eval(ctx, e.Left)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Op == "and" && !truth(left):
		return false, nil
	case e.Op == "or" && truth(left):
		return true, nil
	}
	right, err := r.eval(ctx, e.Right)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case "and", "or":
		return truth(right), nil
	case "xor":
		return truth(left) != truth(right), nil
	}
	return r.compare(ctx, e.Op, e.Exact, left, right)
}

// compare evaluates a comparison by PowerShell's rules: the right side is taken for what the
// left side is, text is compared without regard to case unless exact, and a list on the left
// yields those of its items that fulfil the condition.
func (r *run) compare(ctx context.Context, op string, exact bool, left, right any) (any, error) {
	switch op {
	case "contains":
		return r.among(ctx, left, right, exact)
	case "notcontains":
		found, err := r.among(ctx, left, right, exact)
		return !found, err
	case "in":
		return r.among(ctx, right, left, exact)
	case "notin":
		found, err := r.among(ctx, right, left, exact)
		return !found, err
	}
	list, ok := left.([]any)
	if !ok {
		return r.holds(ctx, op, exact, left, right)
	}
	found := []any{}
	for _, item := range list {
		ok, err := r.holds(ctx, op, exact, item, right)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, item)
		}
	}
	return found, nil
}

// among tells whether one of the items of a list, or the one value, equals a value.
func (r *run) among(ctx context.Context, list, value any, exact bool) (bool, error) {
	items, ok := list.([]any)
	if !ok {
		items = []any{list}
	}
	for _, item := range items {
		if same, err := r.equals(ctx, item, value, exact); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// effort is the number of steps that it takes to compare two values: texts are read to their end.
func effort(left, right any) int {
	l, _ := left.(string)
	t, _ := right.(string)
	return 1 + max(len(l), len(t))/textStep
}

func (r *run) holds(ctx context.Context, op string, exact bool, left, right any) (bool, error) {
	switch op {
	case "eq":
		return r.equals(ctx, left, right, exact)
	case "ne":
		same, err := r.equals(ctx, left, right, exact)
		return !same, err
	}
	if err := r.spend(ctx, effort(left, right)); err != nil {
		return false, err
	}
	switch op {
	case "like", "notlike", "match", "notmatch":
		return r.matches(ctx, op, exact, left, right)
	}
	order, err := r.order(ctx, left, right, exact)
	if err != nil {
		return false, err
	}
	switch op {
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	case "le":
		return order <= 0, nil
	}
	return false, runtimeError("there is no operator -%s", op)
}

// equals is equal that counts its steps. An object beside a text is compared by its own text, which
// may be a long one: an object can hold itself many times over.
func (r *run) equals(ctx context.Context, left, right any, exact bool) (bool, error) {
	if err := r.spend(ctx, effort(left, right)); err != nil {
		return false, err
	}
	if isObject(right) && isText(left) {
		text, err := r.text(ctx, right)
		if err != nil {
			return false, err
		}
		right = text
	}
	return equal(left, right, exact), nil
}

func isText(v any) bool {
	switch v.(type) {
	case string, cmdlet.GUID:
		return true
	}
	return false
}

// equal tells whether two values are the same, the right one being taken for what the left
// one is. Objects are the same only if they are one.
func equal(left, right any, exact bool) bool {
	switch l := left.(type) {
	case nil:
		return right == nil
	case bool:
		return right != nil && l == truth(right)
	case int64, float64:
		n := asNumber(right)
		return n != nil && orderNumbers(left, n) == 0
	case time.Time:
		t, ok := asTime(right)
		return ok && l.Equal(t)
	case *cmdlet.Object, *block:
		return left == right
	case []any:
		return false
	}
	l, _ := simpleText(left)
	t, ok := simpleText(right)
	if exact {
		return ok && l == t
	}
	return ok && strings.EqualFold(l, t)
}

// order is negative where left comes before right, 0 where they are alike. $null comes first.
func (r *run) order(ctx context.Context, left, right any, exact bool) (int, error) {
	if left == nil || right == nil {
		return cmp.Compare(presence(left), presence(right)), nil
	}
	switch l := left.(type) {
	case int64, float64:
		n := asNumber(right)
		if n == nil {
			return 0, incomparable(left, right)
		}
		return orderNumbers(left, n), nil
	case time.Time:
		t, ok := asTime(right)
		if !ok {
			return 0, incomparable(left, right)
		}
		return l.Compare(t), nil
	case bool:
		return cmp.Compare(oneIf(l), oneIf(truth(right))), nil
	}
	if isObject(left) || isObject(right) { // before their texts are made: these can be long
		return 0, incomparable(left, right)
	}
	l, lok := simpleText(left)
	t, rok := simpleText(right)
	if !lok || !rok {
		return 0, incomparable(left, right)
	}
	if !exact {
		l, t = lower(l), lower(t)
	}
	return strings.Compare(l, t), r.spend(ctx, (len(l)+len(t))/textStep)
}

func isObject(v any) bool {
	_, ok := v.(*cmdlet.Object)
	return ok
}

func presence(v any) int { return oneIf(v != nil) }

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func incomparable(left, right any) error {
	return runtimeError("%s cannot be compared with %s", typeName(left), typeName(right)).WithHint("compare one of their properties, or give both the same type")
}

// matches is -like, with wildcards, and -match, with a regular expression.
func (r *run) matches(ctx context.Context, op string, exact bool, left, right any) (bool, error) {
	text, err := r.text(ctx, left)
	if err != nil {
		return false, err
	}
	pattern, err := r.text(ctx, right)
	if err != nil {
		return false, err
	}
	read := r.patterns.regular
	if strings.HasSuffix(op, "like") {
		read = r.patterns.wildcard
	}
	expression, err := read(pattern, exact)
	if err != nil {
		return false, err
	}
	if err := r.spend(ctx, expression.cost(text)); err != nil {
		return false, err
	}
	return expression.MatchString(text) != strings.HasPrefix(op, "not"), nil
}
