package powershell

import "strings"

// quotes are the characters that PowerShell takes for a single quote.
const quotes = "'\u2018\u2019\u201a\u201b"

// quote returns text as a string of PowerShell in which nothing is expanded.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range text {
		if strings.ContainsRune(quotes, r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, ", ")
}

// comment returns text for one line of comment-based help: it neither ends the comment nor
// begins with a point, which would be a heading.
func comment(text string) string {
	text = strings.NewReplacer("#>", "# >", "<#", "< #", "\r", " ", "\n", " ").Replace(text)
	text = strings.NewReplacer("#>", "# >", "<#", "< #").Replace(text) // "<#" and "#>" can overlap
	if text = strings.TrimSpace(text); strings.HasPrefix(text, ".") {
		return "- " + text
	}
	return text
}
