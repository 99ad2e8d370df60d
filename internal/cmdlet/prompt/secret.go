package prompt

import (
	"strings"
	"unicode"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// telling are parts of words that stand beside something secret.
var telling = []string{"password", "passwd", "secret", "token", "credential"}

// holdsSecret reports whether text may hold something that must not lie in a file: a word that
// speaks of one, or the beginning of a parameter's name that could be one of the table's secret
// parameters. It looks at the words and not at their meaning, so that a line with a mistake in it is left out
// too.
func holdsSecret(table []cmdlet.Cmdlet, text string) bool {
	low := strings.ToLower(text)
	for _, word := range telling {
		if strings.Contains(low, word) {
			return true
		}
	}
	words := strings.FieldsFunc(low, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("|;(){}$:=", r) })
	for i := range table {
		c := &table[i]
		if !names(c, words) {
			continue
		}
		for _, p := range c.Params {
			if p.Secret && couldBe(p, words) {
				return true
			}
		}
	}
	return false
}

// names reports whether one of the words calls c.
func names(c *cmdlet.Cmdlet, words []string) bool {
	for _, w := range words {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if strings.EqualFold(name, w) {
				return true
			}
		}
	}
	return false
}

// couldBe reports whether a word is the beginning of p's name, or p can stand without it.
func couldBe(p cmdlet.Param, words []string) bool {
	if p.Position > 0 {
		return true
	}
	for _, w := range words {
		bare := strings.TrimLeftFunc(w, unicode.IsPunct)
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if bare != w && bare != "" && strings.HasPrefix(strings.ToLower(name), bare) {
				return true
			}
		}
	}
	return false
}
