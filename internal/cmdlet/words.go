package cmdlet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bind brings the words of a command line, as a shell has split them, together with the
// parameters of c. It takes what PowerShell takes: -Name value, -Name:value, switches,
// unambiguous beginnings of names in any case, positional values, lists with commas, with
// or without space round them, @('a','b'), $true, $false and $null; and the dashes and
// quotes that web pages make of the plain ones (row X-31). After a word -- no word is a
// parameter's name. Errors are fault.Invalid with reason "ParameterBinding".
func Bind(c *Cmdlet, words []string) (*Call, error) { return BindAsking(c, words, nil) }

// BindAsking is Bind that asks for what is missing, unless nobody can be asked (nil).
func BindAsking(c *Cmdlet, words []string, ask Prompt) (*Call, error) {
	b := newBinding(c, &formatParam)
	loose, err := b.named(words)
	if err != nil {
		return nil, err
	}
	for _, text := range loose {
		p := b.positional()
		if p == nil {
			return nil, BindError("%s has no place for %s", c.Name, Quote(text)).WithHint("put names that contain spaces in quotes; see: ck help %s", c.Name)
		}
		v, err := p.parse(text)
		if err != nil {
			return nil, err
		}
		if err := b.set(p, v); err != nil {
			return nil, err
		}
	}
	if ask != nil {
		if err := b.prompt(ask); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// named binds everything that follows a parameter's name, and returns the other values.
func (b *binding) named(words []string) (loose []string, err error) {
	for len(words) > 0 {
		if words[0] == "--" {
			return append(loose, words[1:]...), nil
		}
		name, attached, ok := parameterWord(words[0])
		if !ok {
			text, n := takeText(words, StringList)
			loose, words = append(loose, text), words[n:]
			continue
		}
		p, err := b.resolve(name)
		if err != nil {
			return nil, err
		}
		v, n, err := p.take(attached, words[1:])
		if err != nil {
			return nil, err
		}
		if err := b.set(p, v); err != nil {
			return nil, err
		}
		words = words[1+n:]
	}
	return loose, nil
}

// take returns the value of p, given what was attached to its name by a colon (nil:
// nothing) and the words after it, and how many of these it used.
func (p *Param) take(attached *string, words []string) (v any, used int, err error) {
	if p.Type == Switch && attached == nil {
		return true, 0, nil
	}
	if attached != nil && (*attached != "" || p.Type == Switch || p.Type == Bool) {
		if *attached == "" {
			return nil, 0, BindError("-%s: has no value after the colon", p.Name).WithHint("%s", emptyHint(p))
		}
		words = append([]string{*attached}, words...)
		used = -1
	}
	if len(words) == 0 {
		return nil, 0, BindError("-%s has no value", p.Name).WithHint("%s", emptyHint(p))
	}
	if used == 0 && isParameter(words[0]) {
		return nil, 0, BindError("-%s has no value", p.Name).WithHint("%s; if %s is the value, write -%s:VALUE", emptyHint(p), Quote(words[0]), p.Name)
	}
	text, n := takeText(words, p.Type)
	if v, err = p.parse(text); err != nil {
		return nil, 0, err
	}
	return v, used + n, nil
}

// takeText joins the words that make up one value: what stands between typographic quotes,
// and the items of a list or hash table that was typed with spaces in it.
func takeText(words []string, t Type) (text string, used int) {
	compound := t == StringList || t == Map || t == PSObject
	class, marks := openingClass(words[0]), 0
	bracket := ""
	if compound {
		bracket = closingBracket(words[0])
	}
	for used = 1; ; used++ {
		last := words[used-1]
		marks += countMarks(last, class)
		if bracket != "" && strings.HasSuffix(last, bracket) {
			bracket = ""
		}
		if used == len(words) {
			break
		}
		next := words[used]
		listGoesOn := compound && !isParameter(next) && (strings.HasSuffix(last, ",") || strings.HasPrefix(next, ","))
		if marks%2 == 0 && bracket == "" && !listGoesOn {
			break
		}
	}
	return strings.Join(words[:used], " "), used
}

// openingClass returns the quotes that can close the typographic one that word starts with.
func openingClass(word string) string {
	if first, _ := utf8.DecodeRuneInString(word); strings.ContainsRune(openQuotes, first) {
		return quoteClass(first)
	}
	return ""
}

func countMarks(word, class string) (n int) {
	if class == "" {
		return 0
	}
	for _, r := range word {
		if strings.ContainsRune(class, r) {
			n++
		}
	}
	return n
}

// closingBracket returns what ends the list or hash table that word begins, "" if it begins none.
func closingBracket(word string) string {
	switch {
	case strings.HasPrefix(word, "@("), strings.HasPrefix(word, "("):
		return ")"
	case strings.HasPrefix(word, "@{"):
		return "}"
	}
	return ""
}

func isParameter(word string) bool {
	_, _, ok := parameterWord(word)
	return ok || word == "--"
}

// parameterWord splits "-Name" or "-Name:value". A dash before anything but a letter is
// no parameter: "-5" is a number.
func parameterWord(word string) (name string, attached *string, ok bool) {
	bare := strings.TrimLeft(word, dashes)
	if lead := utf8.RuneCountInString(word) - utf8.RuneCountInString(bare); lead < 1 || lead > 2 {
		return "", nil, false
	}
	if first, _ := utf8.DecodeRuneInString(bare); !unicode.IsLetter(first) {
		return "", nil, false
	}
	name, value, colon := strings.Cut(bare, ":")
	if colon {
		attached = &value
	}
	return name, attached, true
}
