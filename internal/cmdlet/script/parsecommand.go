package script

import "strings"

// command reads a command's name and the words behind it.
func (p *parser) command() *Command {
	c := &Command{At: p.at}
	p.mark(Place{Kind: CommandPlace})
	c.Name = p.commandName()
	p.leave()
	p.words(c)
	p.modules(c)
	return c
}

func (p *parser) commandName() string {
	at := p.at
	t := &textParts{at: at}
	p.bare(t)
	name, ok := t.plain()
	if !ok {
		p.refuse(at, refusal{"a command whose name is made of variables is", ""})
		return ""
	}
	name = plainDashes(name)
	word := strings.ToLower(name)
	if r, ok := keywords[word]; ok && (word != "foreach" || len(p.stages) == 0) {
		p.refuse(at, r)
	} else if isProgram(word) {
		p.fail(at, "run programs in a shell, and scripts with ck run", "%s is no cmdlet: programs, files and modules are not run by their path", shown(name))
	} else if instead, ok := elsewhere[word]; ok {
		p.fail(at, instead, "%s is outside of what ck takes", shown(name))
	}
	return name
}

func isProgram(word string) bool {
	if strings.ContainsAny(word, `/\~`) {
		return true
	}
	i := strings.LastIndexByte(word, '.')
	if i < 0 {
		return false
	}
	switch word[i:] {
	case ".exe", ".cmd", ".bat", ".com", ".ps1", ".sh":
		return true
	}
	return false
}

// words reads the parameters and arguments of c, up to what ends it.
func (p *parser) words(c *Command) {
	onlyArguments := false // behind --
	last := ""             // the parameter whose value may come next
	for {
		before := p.off
		p.skipSpace()
		if p.atNextParameter() {
			p.skipLines()
		}
		if p.off > before && p.peek() == end {
			p.mark(Place{Kind: ArgumentPlace, Command: c, Parameter: last})
		}
		if p.endsCommand() {
			return
		}
		switch {
		case !onlyArguments && p.atDashes():
			p.next()
			p.next()
			onlyArguments = true
		case !onlyArguments && p.atParameter():
			last = p.parameter(c)
		default:
			at := p.at
			c.Words = append(c.Words, Word{At: at, Value: p.argument(c, last)})
			last = ""
		}
	}
}

// atDashes tells a word of two dashes alone: behind it no word is a parameter's name.
func (p *parser) atDashes() bool {
	ahead := p.cursor
	first, second := ahead.next(), ahead.next()
	return isDash(first) && isDash(second) && endsWord(ahead.peek())
}

// endsCommand tells the end of a command. What would end it in PowerShell but means nothing
// to ck is refused.
func (p *parser) endsCommand() bool {
	switch r := p.peek(); {
	case r == end, isNewline(r), strings.ContainsRune(";|)}", r):
		return true
	case r == '&', r == '<', r == '>', r == ',', p.redirects():
		p.unexpected("here")
		return true
	}
	return false
}

// redirects tells 2>, *> and their like.
func (p *parser) redirects() bool {
	return (isDigit(p.peek()) || p.peek() == '*') && p.second() == '>'
}

// atParameter tells a parameter's name: a dash or two, then a letter.
func (p *parser) atParameter() bool {
	if !isDash(p.peek()) {
		return false
	}
	ahead := p.cursor
	ahead.next()
	if isDash(ahead.peek()) {
		ahead.next()
	}
	if ahead.peek() == '[' {
		p.fail(ahead.at, "leave the brackets out: they mark what may be left out in the description of a command", "a parameter's name stands in brackets")
	}
	return isNameStart(ahead.peek()) || ahead.peek() == '?' || p.asked && ahead.peek() == end
}

// atNextParameter tells a line's end with a parameter behind it. Articles break lines there,
// and no line of PowerShell begins so, but for the operators that stand before a value.
func (p *parser) atNextParameter() bool {
	if !isNewline(p.peek()) {
		return false
	}
	ahead := p.cursor
	if ahead.next() == '\r' && ahead.peek() == '\n' {
		ahead.next()
	}
	ahead.take(isSpace)
	if !isDash(ahead.next()) || !isNameStart(ahead.peek()) {
		return false
	}
	return !beginsExpression(ahead.take(isNamePart))
}

// parameter reads a parameter's name, and the value that a colon ties to it. It returns the
// name if its value may follow as a word.
func (p *parser) parameter(c *Command) string {
	w := Word{At: p.at}
	p.mark(Place{Kind: ParameterPlace, Command: c})
	for isDash(p.peek()) {
		p.next()
	}
	w.Parameter = plainDashes(p.take(func(r rune) bool { return isNamePart(r) || isDash(r) || r == '?' }))
	p.leave()
	if p.peek() != ':' {
		p.endWord(true)
		c.Words = append(c.Words, w)
		return w.Parameter
	}
	p.next()
	p.skipSpace()
	if p.peek() == end {
		p.mark(Place{Kind: ArgumentPlace, Command: c, Parameter: w.Parameter})
	}
	if p.endsCommand() {
		p.fail(p.at, "write the value behind the colon: -X:$false", "-%s: has no value behind the colon", shown(w.Parameter))
		return ""
	}
	w.Value = p.argument(c, w.Parameter)
	c.Words = append(c.Words, w)
	return ""
}

// endWord refuses what is glued to the end of a word. Behind a name a bracket may open:
// Where-Object{...}.
func (p *parser) endWord(name bool) {
	r := p.peek()
	opens := r == '{' || r == '('
	if opens && name || !opens && endsWord(r) || p.atContinuation() {
		return
	}
	p.fail(p.at, "put a space in front of it, or the whole word in double quotes", "a word goes on with %s, where it has to end", glyph(r))
}
