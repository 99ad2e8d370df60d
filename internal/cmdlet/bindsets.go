package cmdlet

import (
	"slices"
	"strings"
)

// checkSets finds a parameter set that takes all given parameters and misses none of its
// mandatory ones.
func (b *binding) checkSets() error {
	sets := b.cmdlet.Sets()
	if len(sets) == 0 {
		return b.missing("")
	}
	fitting := b.fitting()
	if len(fitting) == 0 {
		return BindError("these parameters of %s cannot be used together: %s", b.cmdlet.Name, b.given()).
			WithHint("see which belong together with: ck help %s", b.cmdlet.Name)
	}
	first := b.missing(fitting[0])
	for _, set := range fitting {
		err := b.missing(set)
		if err == nil {
			return nil
		}
		if set == b.cmdlet.DefaultSet {
			first = err
		}
	}
	return first
}

// fitting returns the parameter sets that take all that is bound.
func (b *binding) fitting() []string {
	return slices.DeleteFunc(b.cmdlet.Sets(), func(set string) bool { return !b.fits(set) })
}

func (b *binding) fits(set string) bool {
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; bound && !p.InSet(set) {
			return false
		}
	}
	return true
}

// InSet reports whether p can be given in a parameter set.
func (p *Param) InSet(set string) bool { return len(p.Sets) == 0 || slices.Contains(p.Sets, set) }

// lacking returns the mandatory parameters of a set that have no value.
func (b *binding) lacking(set string) (params []*Param) {
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; p.Mandatory && p.InSet(set) && !bound {
			params = append(params, p)
		}
	}
	return params
}

func (b *binding) missing(set string) error {
	params := b.lacking(set)
	if len(params) == 0 {
		return nil
	}
	list := make([]string, len(params))
	for i, p := range params {
		list[i] = "-" + p.Name
	}
	return BindError("%s needs %s", b.cmdlet.Name, strings.Join(list, " and ")).WithHint("see its parameters with: ck help %s", b.cmdlet.Name)
}

func (b *binding) given() string {
	var names []string
	for name := range (Args{b.args}).All() {
		names = append(names, "-"+name)
	}
	return strings.Join(names, ", ")
}
