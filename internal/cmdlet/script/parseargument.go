package script

// argument reads one value, or several with commas between them.
func (p *parser) argument(c *Command, parameter string) Expression {
	at := p.at
	items := []Expression{p.item(c, parameter)}
	for p.comma() {
		if p.peek() == end {
			p.mark(Place{Kind: ArgumentPlace, Command: c, Parameter: parameter})
			p.failEnd(p.at, "", "the text ends behind a comma")
		} else if p.endsCommand() {
			p.fail(p.at, "leave the last comma out", "a comma has to have a value behind it")
		}
		items = append(items, p.item(c, parameter))
	}
	if len(items) == 1 {
		return items[0]
	}
	return &List{At: at, Items: items}
}

// comma steps over a comma and the space round it. The line may end behind a comma.
func (p *parser) comma() bool {
	before := p.cursor
	p.skipSpace()
	if p.peek() != ',' {
		if p.err == nil {
			p.cursor = before
		}
		return false
	}
	p.next()
	p.skipLines()
	return true
}

// item reads one value of a command: text as it stands, unless it begins as an expression.
func (p *parser) item(c *Command, parameter string) Expression {
	p.mark(Place{Kind: ArgumentPlace, Command: c, Parameter: parameter})
	e := p.itemValue()
	p.leave()
	p.endWord(false)
	return e
}

func (p *parser) itemValue() Expression {
	switch r := p.peek(); {
	case r == '$' && p.second() != '(':
		return p.variableItem()
	case r == '$', r == '(', r == '{', p.opensAt(), isSingle(r), isDouble(r):
		return p.operand()
	case p.has("[-"):
		p.fail(p.at, "leave the brackets out: they mark what may be left out in the description of a command", "a parameter's name stands in brackets")
	}
	return p.bareItem(&textParts{at: p.at})
}

// variableItem reads a variable with its members, or text that begins with a variable.
func (p *parser) variableItem() Expression {
	t := &textParts{at: p.at}
	v := p.variable()
	switch r := p.peek(); {
	case v == nil && p.err == nil:
		t.write(p.next())
		return p.bareItem(t)
	case r == '.', r == '[':
		return p.members(v)
	case endsWord(r), p.atContinuation():
		return v
	}
	t.value(v)
	return p.bareItem(t)
}

// bareItem reads a bare word, which t may hold the beginning of.
func (p *parser) bareItem(t *textParts) Expression {
	p.bare(t)
	if data, ok := t.plain(); ok {
		return &Literal{At: t.at, Data: data, Bare: true}
	}
	return t.expression()
}
