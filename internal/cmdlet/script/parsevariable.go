package script

// variable reads $name, ${any name}, $_ or $?. It returns nil, and reads nothing, where the
// $ begins none.
func (p *parser) variable() Expression {
	v := &Variable{At: p.at}
	switch r := p.second(); {
	case r == '{':
		v.Name = p.braced()
		return v
	case r == '?':
		p.next()
		p.next()
		v.Name = "?"
		return v
	case r == '$', r == '^':
		p.fail(v.At, "write `$ for a dollar sign", "$%c is outside of what ck takes", r)
		return nil
	case !isNamePart(r):
		if r == end {
			p.mark(Place{Kind: VariablePlace})
		}
		return nil
	}
	p.mark(Place{Kind: VariablePlace})
	p.next()
	v.Name = p.take(isNamePart)
	p.leave()
	p.nameEnds(v)
	return v
}

// nameEnds refuses what PowerShell takes for a part of a variable's name, so that nothing
// has a second meaning here.
func (p *parser) nameEnds(v *Variable) {
	switch {
	case p.peek() == '?':
		p.fail(p.at, "write ${"+v.Name+"} in front of it", "a question mark behind $%s would be a part of its name", shown(v.Name))
	case p.has("::"):
	case p.peek() == ':' && isNamePart(p.second()):
		p.refuse(v.At, refusal{"$" + shown(v.Name) + ": and other scopes and drives are", "give values as variables or text"})
	case p.peek() == ':':
		p.fail(p.at, "write ${"+v.Name+"} in front of it", "a colon behind $%s would be a part of its name", shown(v.Name))
	}
}

// braced reads ${any name}.
func (p *parser) braced() string {
	at := p.at
	p.next()
	p.next()
	t := &textParts{at: at}
	for p.peek() != '}' {
		switch r := p.peek(); {
		case r == end:
			p.failEnd(at, "", "the brace of this name is not closed")
			return ""
		case r == '`':
			p.escape(t)
		case r == '{', r == ':', isNewline(r):
			p.fail(p.at, "", "the name of a variable cannot hold %q", r)
		default:
			t.write(p.next())
		}
	}
	p.next()
	name, _ := t.plain()
	if name == "" && p.err == nil {
		p.fail(at, "", "the variable has no name")
	}
	return name
}
