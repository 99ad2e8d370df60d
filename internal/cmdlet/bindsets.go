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
	fitting := slices.DeleteFunc(sets, func(set string) bool { return !b.fits(set) })
	if len(fitting) == 0 {
		return bindError("these parameters of %s cannot be used together: %s", b.cmdlet.Name, b.given()).
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

func (b *binding) fits(set string) bool {
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; bound && !p.inSet(set) {
			return false
		}
	}
	return true
}

func (p *Param) inSet(set string) bool { return len(p.Sets) == 0 || slices.Contains(p.Sets, set) }

func (b *binding) missing(set string) error {
	var names []*Param
	for i := range b.cmdlet.Params {
		p := &b.cmdlet.Params[i]
		if _, bound := b.args[p.Name]; p.Mandatory && p.inSet(set) && !bound {
			names = append(names, p)
		}
	}
	if len(names) == 0 {
		return nil
	}
	list := make([]string, len(names))
	for i, p := range names {
		list[i] = "-" + p.Name
	}
	return bindError("%s needs %s", b.cmdlet.Name, strings.Join(list, " and ")).WithHint("see its parameters with: ck help %s", b.cmdlet.Name)
}

func (b *binding) given() string {
	var names []string
	for name := range (Args{b.args}).All() {
		names = append(names, "-"+name)
	}
	return strings.Join(names, ", ")
}
