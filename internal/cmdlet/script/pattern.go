package script

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

const (
	longestPattern = 1000   // bytes of a pattern
	largestPattern = 10_000 // instructions that it becomes: a{0,1000} is a short text and a thousand of them
	mostPatterns   = 64     // kept, for a pattern is used for each object again
	patternStep    = 32     // instructions tried at a byte of a text that count as one step
)

// patterns are the compiled patterns of -like and -match. Both are matched by Go's regular
// expressions, in a time that grows with the text and the size of the pattern and with nothing
// else; these have no backreferences and do not look ahead or behind, as those of PowerShell do.
type patterns map[string]*pattern

// A pattern is compiled. size is the number of its instructions.
type pattern struct {
	*regexp.Regexp
	size int
}

// cost is the number of steps that a match counts for.
func (p *pattern) cost(text string) int { return len(text) * p.size / patternStep }

// wildcard compiles a pattern of -like: * is any text, ? one character, [a-z] one of these, and
// a backtick takes the meaning from the next character.
func (p *patterns) wildcard(text string, exact bool) (*pattern, error) {
	return p.compile(`\A`+fromWildcard(text)+`\z`, text, exact)
}

// regular compiles a pattern of -match.
func (p *patterns) regular(text string, exact bool) (*pattern, error) {
	return p.compile(text, text, exact)
}

func (p *patterns) compile(expression, given string, exact bool) (*pattern, error) {
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
	done, err := compiled(key)
	if err != nil {
		return nil, runtimeError("%q is no pattern", given).WithHint("patterns are those of https://pkg.go.dev/regexp/syntax: no backreferences, no look-around; -like takes * and ?")
	}
	if done.size > largestPattern {
		return nil, limit("the pattern %q repeats too much", given)
	}
	if *p == nil || len(*p) >= mostPatterns {
		*p = patterns{}
	}
	(*p)[key] = done
	return done, nil
}

func compiled(expression string) (*pattern, error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > largestPattern {
		return &pattern{size: len(program.Inst)}, nil
	}
	done, err := regexp.Compile(expression)
	return &pattern{done, len(program.Inst)}, err
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
