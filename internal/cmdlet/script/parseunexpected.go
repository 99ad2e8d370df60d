package script

import "strings"

// unexpected refuses what stands here, by its name where PowerShell has a meaning for it.
// where says what is read: "behind the statement".
func (p *parser) unexpected(where string) {
	at := p.at
	if p.peek() == end {
		p.failEnd(at, "", "the text ends too early, %s", where)
		return
	}
	p.opensAt()
	if r, ok := p.outside(); ok {
		p.refuse(at, r)
	}
	if name, ok := p.placeholder(); ok {
		p.fail(at, "put your own value in its place, without < and >", "%s is a placeholder", shown(name))
	}
	if p.err != nil {
		return
	}
	p.fail(at, p.hintHere(), "%s is not expected %s", glyph(p.peek()), where)
}

// hintHere says what is meant to stand in place of what stands here.
func (p *parser) hintHere() string {
	switch r := p.peek(); {
	case p.has("=="):
		return "compare with -eq"
	case p.has("!="):
		return "compare with -ne"
	case r == ',':
		return "a comma stands between two values"
	case isNameStart(r):
		return "put text in quotes, and a command that gives a value in parentheses"
	case strings.ContainsRune(")}]", r):
		return "no bracket is open that it could close"
	}
	return ""
}

// outside names what begins here if it is a part of PowerShell that ck does not take.
func (p *parser) outside() (refusal, bool) {
	for _, o := range outside {
		if p.has(o.sign) {
			return o.refusal, true
		}
	}
	switch r := p.peek(); {
	case p.redirects(), r == '>':
		return refusal{"redirection is", useOutFile}, true
	case r == '.' && (isSpace(p.second()) || p.second() == '\\' || p.second() == '/'):
		return refusal{"running a script by . is", "run it with ck run"}, true
	case r == '[':
		return refusal{"types in brackets, as [DateTime], are", "Get-Date makes dates of text"}, true
	case strings.ContainsRune("+*/%", r), isDash(r):
		return refusal{"arithmetic is", "Measure-Object counts and sums"}, true
	}
	return refusal{}, false
}

// outside are the signs of PowerShell that ck does not take. Longer ones come first.
var outside = []struct {
	sign string
	refusal
}{
	{"&&", refusal{"&& is", useAction}},
	{"||", refusal{"|| is", useAction}},
	{"&", refusal{"&, which calls by name or works in the background, is", "write the command's name alone"}},
	{"..", refusal{"ranges by .. are", ""}},
	{"++", refusal{"arithmetic is", "Measure-Object counts and sums"}},
	{"--", refusal{"arithmetic is", "Measure-Object counts and sums"}},
	{"::", refusal{"static members of types are", ""}},
	{"??", refusal{"?? is", useWhere}},
	{"?.", refusal{"?. is", useWhere}},
	{"?", refusal{"a choice by ? and : is", useWhere}},
}

// placeholder returns a text such as <vault name> that stands here.
func (p *parser) placeholder() (string, bool) {
	const longest = 120
	rest := p.rest()
	rest = rest[:min(len(rest), longest)]
	i := strings.IndexAny(rest, ">\r\n")
	if !p.has("<") || i < 0 || rest[i] != '>' {
		return "", false
	}
	return rest[:i+1], true
}
