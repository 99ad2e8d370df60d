package script

import "strings"

// expression reads a value: comparisons joined by -and, -or and -xor, which bind alike and
// from the left.
func (p *parser) expression() Expression { return p.chain(false, p.comparison) }

// comparison reads lists that are compared. All comparisons bind alike, from the left.
func (p *parser) comparison() Expression { return p.chain(true, p.list) }

// chain reads operands with operators of one kind between them. Each makes the tree one
// level deeper.
func (p *parser) chain(compares bool, operand func() Expression) Expression {
	depth := p.depth
	defer func() { p.depth = depth }()
	left := operand()
	for {
		at := p.at
		op, exact, ok := p.operator(compares)
		if !ok {
			return left
		}
		p.deeper(at)
		p.skipLines()
		left = &Binary{At: at, Op: op, Exact: exact, Left: left, Right: operand()}
	}
}

// operator steps over an operator of one kind.
func (p *parser) operator(compares bool) (op string, exact, ok bool) {
	p.skipSpace()
	if !isDash(p.peek()) || !isNameStart(p.second()) {
		return "", false, false
	}
	at, before := p.at, p.cursor
	p.next()
	name := p.take(isNamePart)
	op, exact, known := operatorOf(name)
	if instead, is := isOtherOperator(name); is {
		p.refuse(at, refusal{"the operator -" + shown(name) + " is", instead})
	} else if !known {
		p.fail(at, "compare with -eq -ne -gt -ge -lt -le -like -match -contains -in, join with -and -or -xor", "there is no operator -%s", shown(name))
	} else if operators[op] == compares {
		return op, exact, true
	} else {
		p.cursor = before
	}
	return "", false, false
}

// list reads values with commas between them.
func (p *parser) list() Expression {
	at := p.at
	first := p.unary()
	if !p.comma() {
		return first
	}
	items := []Expression{first, p.unary()}
	for p.comma() {
		items = append(items, p.unary())
	}
	return &List{At: at, Items: items}
}

// unary reads a value with -not or ! before it.
func (p *parser) unary() Expression {
	at := p.at
	switch {
	case p.peek() == '!':
		p.next()
	case isDash(p.peek()) && isNameStart(p.second()):
		p.next()
		name := p.take(isNamePart)
		if instead, is := isOtherOperator(name); is {
			p.refuse(at, refusal{"the operator -" + shown(name) + " is", instead})
		} else if !strings.EqualFold(name, "not") {
			p.fail(at, "", "-%s cannot stand in front of a value", shown(name))
		}
	default:
		return p.operand()
	}
	p.deeper(at)
	defer func() { p.depth-- }()
	p.skipLines()
	return &Not{At: at, Of: p.unary()}
}

// operand reads one value with its members.
func (p *parser) operand() Expression {
	switch r := p.peek(); {
	case r == '$' && p.second() == '(':
		return p.members(p.sub())
	case r == '$':
		at := p.at
		if v := p.variable(); v != nil {
			return p.members(v)
		}
		p.next()
		p.fail(at, "", "behind $ has to stand the name of a variable")
		return nil
	case r == '(':
		return p.members(p.paren())
	case r == '{':
		return p.block()
	case isSingle(r), isDouble(r):
		return p.members(p.quoted())
	case r == '@' && p.second() == '(':
		return p.members(p.array())
	case r == '@' && p.second() == '{':
		return p.members(p.table())
	case p.atNumber():
		return p.number()
	}
	p.unexpected("where a value has to stand")
	return nil
}

// members reads the properties and items that are asked of e.
func (p *parser) members(e Expression) Expression {
	depth := p.depth
	defer func() { p.depth = depth }()
	for {
		switch {
		case p.peek() == '.' && p.second() != '.':
			e = p.member(e)
		case p.peek() == '[':
			e = p.index(e)
		case p.has("::"):
			p.refuse(p.at, refusal{"static members of types are", ""})
			return nil
		default:
			return e
		}
	}
}

func (p *parser) member(of Expression) Expression {
	p.deeper(p.at)
	p.next()
	m := &Member{At: p.at, Of: of}
	p.mark(Place{Kind: MemberPlace, Of: of})
	switch r := p.peek(); {
	case isNameStart(r):
		m.Name = p.take(isNamePart)
	case isSingle(r), isDouble(r):
		l, ok := p.quoted().(*Literal)
		if !ok {
			p.refuse(m.At, refusal{"a property whose name is made of variables is", ""})
			return nil
		}
		m.Name = l.Data.(string)
	case r == '$', r == '(':
		p.refuse(m.At, refusal{"a property whose name is a value is", ""})
	case r == end:
		p.failEnd(m.At, "", "the text ends where the name of a property has to stand")
	default:
		p.fail(m.At, "put text that holds a variable and more in double quotes", "behind the dot has to stand the name of a property")
	}
	p.leave()
	if p.peek() == '(' {
		p.refuse(m.At, refusal{"the method ." + shown(m.Name) + "() and all others are", ""})
	}
	return m
}

func (p *parser) index(of Expression) Expression {
	at := p.at
	p.deeper(at)
	p.next()
	p.skipLines()
	n := p.expression()
	p.skipLines()
	p.close(at, '[', ']')
	return &Index{At: at, Of: of, N: n}
}
