package script

import (
	"regexp"
	"strings"
)

const (
	longestPattern = 1000 // bytes of a pattern: what a regular expression costs grows with it
	mostPatterns   = 64   // kept, for a pattern is used for each object again
)

// patterns are the compiled patterns of -like and -match. Both are matched by Go's regular
// expressions, in a time that grows with the text alone, whatever the pattern; these have no
// backreferences and do not look ahead or behind, as those of PowerShell do.
type patterns map[string]*regexp.Regexp

// wildcard compiles a pattern of -like: * is any text, ? one character, [a-z] one of these, and
// a backtick takes the meaning from the next character.
func (p *patterns) wildcard(pattern string, exact bool) (*regexp.Regexp, error) {
	return p.compile(`\A`+fromWildcard(pattern)+`\z`, pattern, exact)
}

// regular compiles a pattern of -match.
func (p *patterns) regular(pattern string, exact bool) (*regexp.Regexp, error) {
	return p.compile(pattern, pattern, exact)
}

func (p *patterns) compile(expression, given string, exact bool) (*regexp.Regexp, error) {
	if len(given) > longestPattern {
		return nil, limit("a pattern has at most %d bytes", longestPattern)
	}
	flags := "(?s)"
	if expression == given { // -match: as in PowerShell a dot is no line break
		flags = ""
	}
	if !exact {
		flags += "(?i)"
	}
	key := flags + expression
	if done, ok := (*p)[key]; ok {
		return done, nil
	}
	done, err := regexp.Compile(key)
	if err != nil {
		return nil, runtimeError("%q is no pattern", given).WithHint("patterns are those of https://pkg.go.dev/regexp/syntax: no backreferences, no look-around; -like takes * and ?")
	}
	if *p == nil || len(*p) >= mostPatterns {
		*p = patterns{}
	}
	(*p)[key] = done
	return done, nil
}

// fromWildcard writes a wildcard pattern as a regular expression.
func fromWildcard(pattern string) string {
	var b strings.Builder
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteByte('.')
		case '`':
			if i+1 < len(runes) {
				i++
			}
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case '[':
			end := closing(runes, i)
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(class(runes[i+1 : end]))
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}

// closing returns where the bracket at i ends, -1 if nowhere. It holds at least one character.
func closing(runes []rune, i int) int {
	for j := i + 2; j < len(runes); j++ {
		if runes[j] == ']' {
			return j
		}
	}
	return -1
}

// class writes what stands between [ and ], where only a dash between two characters means
// something.
func class(inside []rune) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := 0; i < len(inside); i++ {
		if i+2 < len(inside) && inside[i+1] == '-' && inside[i] <= inside[i+2] {
			b.WriteString(quoteClass(inside[i]) + "-" + quoteClass(inside[i+2]))
			i += 2
			continue
		}
		b.WriteString(quoteClass(inside[i]))
	}
	b.WriteByte(']')
	return b.String()
}

func quoteClass(r rune) string {
	if strings.ContainsRune(`\]^-[&~`, r) {
		return `\` + string(r)
	}
	return string(r)
}
