package cmdlet

import (
	"strings"
	"unicode/utf8"
)

// The typographic quotes that web pages and word processors make of ' and " (row X-31).
const (
	singleQuotes = "'\u2018\u2019\u201a\u201b"
	doubleQuotes = "\"\u201c\u201d\u201e"
	openQuotes   = "\u2018\u201a\u201b\u201c\u201e" // those that only ever open
	dashes       = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
)

// quoteClass returns all characters that can close a quotation opened by r, "" if r opens none.
func quoteClass(r rune) string {
	switch {
	case strings.ContainsRune(singleQuotes, r):
		return singleQuotes
	case strings.ContainsRune(doubleQuotes, r):
		return doubleQuotes
	}
	return ""
}

// unquoteTypographic takes away a pair of typographic quotes round the whole text. Plain
// quotes stay: the user's shell has taken its own away already.
func unquoteTypographic(text string) (string, error) {
	first, n := utf8.DecodeRuneInString(text)
	if class := quoteClass(first); class != "" && first != '\'' && first != '"' {
		last, m := utf8.DecodeLastRuneInString(text)
		if len(text) >= n+m && strings.ContainsRune(class, last) {
			return text[n : len(text)-m], nil
		}
		if strings.ContainsRune(openQuotes, first) {
			return "", BindError("the quotation %s is not closed", Quote(text))
		}
	}
	return text, nil
}

// parseList reads the items of a,b or 'a', "b" or @('a','b'). Quotes of one kind may be
// doubled inside to stand for themselves. No item may be empty unless it is quoted.
func parseList(text string) ([]string, error) {
	text = strings.TrimSpace(text)
	bracketed := false
	for _, open := range []string{"@(", "("} {
		if inner, ok := strings.CutPrefix(text, open); ok {
			inner, ok = strings.CutSuffix(inner, ")")
			if !ok {
				return nil, BindError("the list %s is not closed by )", Quote(text))
			}
			text, bracketed = strings.TrimSpace(inner), true
			break
		}
	}
	if text == "" && bracketed {
		return []string{}, nil
	}
	atoms, err := splitAtoms(text, ",")
	if err != nil {
		return nil, err
	}
	items := make([]string, 0, len(atoms))
	for _, a := range atoms {
		if a.text == "" && !a.quoted {
			return nil, BindError("the list has an empty item").WithHint("write @() for an empty list")
		}
		items = append(items, a.text)
	}
	return items, nil
}

// parseMap reads @{name='value'; other='value'}, also without the brackets and with commas.
func parseMap(text string) (map[string]string, error) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "@{"); ok {
		inner, ok = strings.CutSuffix(inner, "}")
		if !ok {
			return nil, BindError("the hash table %s is not closed by }", Quote(text))
		}
		text = strings.TrimSpace(inner)
	}
	m := map[string]string{}
	if text == "" {
		return m, nil
	}
	atoms, err := splitAtoms(text, "=;,\n")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(atoms); i += 2 {
		name := atoms[i]
		if name.text == "" && name.end == 0 && i > 0 {
			break // a separator at the very end
		}
		if name.end != '=' || i+1 >= len(atoms) || atoms[i+1].end == '=' || name.text == "" {
			return nil, BindError("the hash table is not a row of name=value").WithHint("write @{name='value'; other='value'}")
		}
		if _, twice := m[name.text]; twice {
			return nil, BindError("the hash table names %s twice", Quote(name.text))
		}
		m[name.text] = atoms[i+1].text
	}
	return m, nil
}

// An atom is a bare or quoted piece of text and the separator behind it, 0 at the end.
type atom struct {
	text   string
	quoted bool
	end    rune
}

// splitAtoms cuts text at separators outside quotes. Space round an atom is dropped. It
// returns at least one atom.
func splitAtoms(text, separators string) ([]atom, error) {
	var atoms []atom
	for {
		a, rest, err := nextAtom(text, separators)
		if err != nil {
			return nil, err
		}
		atoms = append(atoms, a)
		if a.end == 0 {
			return atoms, nil
		}
		text = rest
	}
}

func nextAtom(text, separators string) (atom, string, error) {
	text = strings.TrimLeft(text, " \t\r\n")
	first, n := utf8.DecodeRuneInString(text)
	class := quoteClass(first)
	if class == "" {
		i := strings.IndexAny(text, separators)
		if i < 0 {
			return atom{text: strings.TrimSpace(text)}, "", nil
		}
		return atom{text: strings.TrimSpace(text[:i]), end: rune(text[i])}, text[i+1:], nil
	}
	inner, rest, ok := cutQuoted(text[n:], class)
	if !ok {
		return atom{}, "", BindError("the quotation %s is not closed", Quote(text))
	}
	rest = strings.TrimLeft(rest, " \t\r")
	if rest == "" {
		return atom{text: inner, quoted: true}, "", nil
	}
	if !strings.ContainsRune(separators, rune(rest[0])) {
		return atom{}, "", BindError("there is more text right after the quotation %s", Quote(inner))
	}
	return atom{text: inner, quoted: true, end: rune(rest[0])}, rest[1:], nil
}

// cutQuoted returns the text up to the closing quote of the class, and what follows it.
func cutQuoted(text, class string) (inner, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !strings.ContainsRune(class, r) || r == utf8.RuneError {
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		i += n
		again, m := utf8.DecodeRuneInString(text[i:])
		if m == 0 || again == utf8.RuneError || !strings.ContainsRune(class, again) {
			return b.String(), text[i:], true
		}
		b.WriteRune(r)
		i += m
	}
	return "", "", false
}
