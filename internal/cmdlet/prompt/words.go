package prompt

import (
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
)

// parameterOf returns the parameter that a name means, in full or in its beginning; nil if it
// is none, or could be several.
func parameterOf(c *cmdlet.Cmdlet, name string) *cmdlet.Param {
	var found []*cmdlet.Param
	known := c.Known()
	for i := range known {
		p := &known[i]
		for _, n := range append([]string{p.Name}, p.Aliases...) {
			if strings.EqualFold(n, name) {
				return p
			}
			if len(n) > len(name) && strings.EqualFold(n[:len(name)], name) {
				found = append(found, p)
				break
			}
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// An argument is a value among the words of a command, and the parameter it is for.
type argument struct {
	param *cmdlet.Param // nil: nothing is known of it
	value script.Expression
}

// arguments says which word is whose, as far as that can be told of a command that is not typed
// to its end. It also returns the parameters that are named or filled.
func arguments(c *cmdlet.Cmdlet, words []script.Word) (list []argument, used map[string]bool) {
	used = map[string]bool{}
	var loose []script.Expression
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.Parameter == "" {
			loose = append(loose, w.Value)
			continue
		}
		p := parameterOf(c, w.Parameter)
		value := w.Value
		if p != nil {
			used[p.Name] = true
		}
		if value == nil && (p == nil || p.Type != cmdlet.Switch) && i+1 < len(words) && words[i+1].Parameter == "" {
			i++
			value = words[i].Value
		}
		list = append(list, argument{p, value})
	}
	for _, value := range loose {
		p := positional(c, used)
		if p != nil {
			used[p.Name] = true
		}
		list = append(list, argument{p, value})
	}
	return list, used
}

// positional returns the first positional parameter that is not used, nil if there is none.
func positional(c *cmdlet.Cmdlet, used map[string]bool) *cmdlet.Param {
	var next *cmdlet.Param
	for i := range c.Params {
		p := &c.Params[i]
		if p.Position > 0 && !used[p.Name] && (next == nil || p.Position < next.Position) {
			next = p
		}
	}
	return next
}

// given returns the text that a command's words give to a parameter, "" if they give none that
// can be read without running anything.
func given(c *cmdlet.Cmdlet, call *script.Command, parameter string) string {
	if call == nil {
		return ""
	}
	list, _ := arguments(c, call.Words)
	for _, a := range list {
		if a.param == nil || a.param.Name != parameter {
			continue
		}
		if l, ok := a.value.(*script.Literal); ok {
			text, _ := l.Data.(string)
			return text
		}
	}
	return ""
}
