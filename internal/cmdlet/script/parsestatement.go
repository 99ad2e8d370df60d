package script

import "strings"

// statements reads statements up to a closing bracket, which stays, or to the end of the text.
func (p *parser) statements(closing rune) []Statement {
	var list []Statement
	for begins := true; ; begins = false {
		begins = p.separators() || begins
		if begins && p.peek() == end {
			p.mark(Place{Kind: CommandPlace})
		}
		if p.peek() == end || p.peek() == closing {
			return list
		}
		list = append(list, p.statement())
		if p.skipSpace(); !p.endsStatement(closing) {
			p.unexpected("behind the statement")
		}
	}
}

// separators steps over what stands between statements, and reports whether anything does.
func (p *parser) separators() bool {
	p.skipSpace()
	before := p.off
	for p.skipLines(); p.peek() == ';'; p.skipLines() {
		p.next()
	}
	return p.off > before
}

func (p *parser) endsStatement(closing rune) bool {
	r := p.peek()
	return r == end || r == ';' || isNewline(r) || r == closing
}

// enclosed reads the only statement between two brackets, of which the first is read.
func (p *parser) enclosed(open Pos, opening, closing rune) Statement {
	p.deeper(open)
	defer func() { p.depth-- }()
	p.skipLines()
	if p.peek() == closing {
		p.fail(open, "", "nothing stands between %c and %c", opening, closing)
	}
	s := p.statement()
	p.skipSpace()
	if p.peek() == ';' || isNewline(p.peek()) {
		p.separators()
		if p.peek() != closing && p.peek() != end {
			p.fail(p.at, "write $( ... ) round several", "only one statement can stand between %c and %c", opening, closing)
		}
	}
	p.close(open, opening, closing)
	return s
}

// close steps over a closing bracket.
func (p *parser) close(open Pos, opening, closing rune) {
	switch p.peek() {
	case closing:
		p.next()
	case end:
		p.failEnd(open, "", "the bracket %c is not closed", opening)
	default:
		p.unexpected("where " + string(closing) + " closes the bracket")
	}
}

func (p *parser) statement() Statement {
	at := p.at
	if p.peek() == end {
		p.mark(Place{Kind: CommandPlace})
		p.failEnd(at, "", "the text ends where a command or a value has to stand")
		return nil
	}
	if p.atPrompt(); p.err != nil {
		return nil
	}
	defer func(before []Stage) { p.stages = before }(p.stages)
	p.stages = nil
	if p.beginsCommand() {
		return p.pipeline(at, p.command())
	}
	value := p.expression()
	p.skipSpace()
	if p.assigns() {
		return p.assignment(at, value)
	}
	return p.pipeline(at, &Value{Of: value})
}

// atPrompt refuses what consoles print in front of a command, copied along with it.
func (p *parser) atPrompt() {
	if prompt := promptOf(p.rest()); prompt != "" {
		p.fail(p.at, "copy only what stands behind it", "%s is the prompt of a console, no part of a command", shown(prompt))
	}
}

// promptOf returns the prompt of Windows that text begins with, "" if it begins with none.
func promptOf(text string) string {
	const longest = 264 // a path, and what stands round it
	text = text[:min(len(text), longest)]
	drive := len(text) > 2 && text[1:3] == `:\`
	if strings.HasPrefix(text, ">>") {
		return ">>"
	}
	if !drive && !strings.HasPrefix(text, "PS ") && !strings.HasPrefix(text, "PS>") {
		return ""
	}
	if i := strings.IndexAny(text, "<>|\"'`;\r\n"); i > 0 && text[i] == '>' {
		return text[:i+1]
	}
	return ""
}

func (p *parser) beginsCommand() bool {
	r := p.peek()
	return isNameStart(r) || r == '%' || r == '?' || r == '\\' || r == '/' || r == '~'
}

// assigns tells the sign of an assignment, of ck or not.
func (p *parser) assigns() bool {
	if p.peek() == '=' {
		return p.second() != '='
	}
	return (strings.ContainsRune("+*/%", p.peek()) || isDash(p.peek())) && p.second() == '=' || p.has("??=")
}

func (p *parser) assignment(at Pos, to Expression) Statement {
	p.deeper(at)
	defer func() { p.depth-- }()
	set := &Assignment{At: at}
	if sign := p.at; p.peek() != '=' {
		how := p.take(func(r rune) bool { return r != '=' })
		p.refuse(sign, refusal{"changing a value by " + how + "= is", ""})
	} else {
		p.target(set, to)
	}
	p.next()
	p.skipLines()
	set.Value = p.statement()
	if p.err != nil {
		return nil
	}
	return set
}

// target notes what an assignment sets.
func (p *parser) target(set *Assignment, to Expression) {
	switch to := to.(type) {
	case *Variable:
		if set.Name = to.Name; fixed(to.Name) {
			p.fail(set.At, "give it another name", "$%s cannot be set", to.Name)
		}
	case *Member:
		set.To = to
	case *Index:
		p.refuse(set.At, refusal{"setting an item is", "the value of a name in a hash table is set by $table.name = ..."})
	default:
		p.refuse(set.At, refusal{"setting anything but a variable or a property is", ""})
	}
}

// fixed tells the variables that only the language itself sets.
func fixed(name string) bool {
	switch strings.ToLower(name) {
	case "true", "false", "?", "_", "psitem": // $null takes anything, and drops it
		return true
	}
	return false
}

// pipeline reads what follows its first stage.
func (p *parser) pipeline(at Pos, first Stage) Statement {
	line := &Pipeline{At: at, Stages: []Stage{first}}
	for p.pipe() {
		p.skipLines()
		p.stages = line.Stages
		if p.peek() == end {
			p.mark(Place{Kind: CommandPlace})
			p.failEnd(p.at, "", "the text ends behind |, where a command has to stand")
			return nil
		}
		if !p.beginsCommand() {
			p.fail(p.at, "a value can only stand at the beginning of a pipeline", "behind | has to stand a command")
			return nil
		}
		line.Stages = append(line.Stages, p.command())
	}
	return line
}

// pipe steps over the | that carries a pipeline on, which may stand at the beginning of the
// next line.
func (p *parser) pipe() bool {
	p.skipSpace()
	before := p.cursor
	p.skipLines()
	if p.peek() != '|' {
		if p.err == nil {
			p.cursor = before
		}
		return false
	}
	if p.has("||") {
		p.refuse(p.at, refusal{"|| is", useAction})
		return false
	}
	p.next()
	return true
}
