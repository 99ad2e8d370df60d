package script

import "strings"

// opensAt tells whether an @ stands here that begins a value, and refuses any other.
func (p *parser) opensAt() bool {
	if p.peek() != '@' {
		return false
	}
	switch r := p.second(); {
	case r == '(', r == '{':
		return true
	case isSingle(r), isDouble(r):
		p.refuse(p.at, refusal{"here-strings are", "a text in quotes may have several lines"})
	case isNameStart(r):
		p.refuse(p.at, refusal{"splatting, @name, is", "write the parameters out"})
	default:
		p.fail(p.at, "put text that begins with @ in quotes", "@ begins neither a list nor a hash table here")
	}
	return false
}

func (p *parser) paren() Expression {
	at := p.at
	p.next()
	return &Paren{At: at, Of: p.enclosed(at, '(', ')')}
}

func (p *parser) block() Expression {
	at := p.at
	p.next()
	defer p.inside()()
	return &Block{At: at, Of: p.enclosed(at, '{', '}')}
}

// inside notes that what follows belongs to a command, and returns what ends that.
func (p *parser) inside() func() {
	before := p.around
	if len(p.stages) > 0 {
		p.around = p.stages
	}
	return func() { p.around = before }
}

// sub reads $( statements ).
func (p *parser) sub() Expression {
	at := p.at
	p.next()
	return &Sub{At: at, Of: p.bracketed(at)}
}

// array reads @( statements ): a List where its items are written out, else a Sub.
func (p *parser) array() Expression {
	at := p.at
	p.next()
	of := p.bracketed(at)
	if items, ok := itemsOf(of); ok {
		return &List{At: at, Items: items}
	}
	return &Sub{At: at, Of: of, IsList: true}
}

// bracketed reads statements in parentheses.
func (p *parser) bracketed(at Pos) []Statement {
	p.deeper(at)
	defer func() { p.depth-- }()
	p.next()
	of := p.statements(')')
	p.close(at, '(', ')')
	return of
}

// itemsOf returns the items that statements between @( and ) write out: those of one list
// with commas, or texts and numbers, one in each statement.
func itemsOf(statements []Statement) ([]Expression, bool) {
	items := []Expression{}
	for _, s := range statements {
		line, ok := s.(*Pipeline)
		if !ok || len(line.Stages) != 1 {
			return nil, false
		}
		v, ok := line.Stages[0].(*Value)
		if !ok {
			return nil, false
		}
		switch e := v.Of.(type) {
		case *List:
			return e.Items, len(statements) == 1
		case *Literal, *Expandable:
			items = append(items, e)
		default:
			return nil, false
		}
	}
	return items, true
}

// table reads @{ name = value }, its entries on lines or with semicolons between them.
func (p *parser) table() Expression {
	t := &Table{At: p.at}
	p.deeper(t.At)
	defer func() { p.depth-- }()
	defer p.inside()()
	p.next()
	p.next()
	names := map[string]bool{}
	for {
		for p.skipLines(); p.peek() == ';'; p.skipLines() {
			p.next()
		}
		if p.peek() == '}' || p.peek() == end {
			p.close(t.At, '{', '}')
			return t
		}
		t.Entries = append(t.Entries, p.entry(names))
		if p.skipSpace(); !p.endsStatement('}') {
			p.unexpected("behind the value; put ; between the entries of a hash table")
		}
	}
}

// entry reads name = value; names are those that the table has already.
func (p *parser) entry(names map[string]bool) Entry {
	at := p.at
	e := Entry{Name: p.entryName()}
	if l, ok := e.Name.(*Literal); ok {
		if name, ok := l.Data.(string); ok {
			if names[strings.ToLower(name)] {
				p.fail(at, "", "the hash table has %s twice", shown(name))
			}
			names[strings.ToLower(name)] = true
		}
	}
	p.skipSpace()
	if p.peek() == end {
		p.failEnd(p.at, "", "the text ends where a hash table has to have = and a value")
	} else if p.peek() != '=' {
		p.fail(p.at, "write @{name='value'; other='value'}", "a hash table has to have = and a value here")
	}
	p.next()
	p.skipLines()
	e.Value = p.entryValue()
	return e
}

func (p *parser) entryName() Expression {
	at := p.at
	if isNameStart(p.peek()) {
		return &Literal{At: at, Data: p.take(isNamePart)}
	}
	return p.unary()
}

// entryValue reads the value of an entry: what a statement yields.
func (p *parser) entryValue() Expression {
	at := p.at
	s := p.statement()
	if line, ok := s.(*Pipeline); ok && len(line.Stages) == 1 {
		if v, ok := line.Stages[0].(*Value); ok {
			return v.Of
		}
	}
	return &Paren{At: at, Of: s}
}
