package prompt

import (
	"fmt"
	"strings"

	"golang.org/x/term"
)

const mostShown = 100 // candidates that Tab lists

// complete is what Tab does: it writes as much as all candidates have in common, and where that
// is nothing more it shows them.
func (s *Shell) complete(line string, cursor int) (string, int) {
	found := s.tab.at(s.ctx, s.begun+line, len(s.begun)+cursor, len(s.begun))
	if len(found.candidates) == 0 {
		return line, cursor
	}
	start := found.start - len(s.begun)
	word := common(found.candidates)
	if len(found.candidates) == 1 && found.ended && !strings.HasPrefix(line[cursor:], " ") {
		word += " "
	}
	typed := line[start:cursor]
	if len(word) > len(typed) || len(found.candidates) == 1 {
		return line[:start] + word + line[cursor:], start + len(word)
	}
	s.list(found.candidates)
	return line, cursor
}

// list shows candidates above the line that is typed, in columns that are read from top to bottom.
func (s *Shell) list(candidates []string) {
	more := len(candidates) - mostShown
	candidates = candidates[:min(len(candidates), mostShown)]
	width, _, err := term.GetSize(int(s.c.Out.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	text := "\n" + inColumns(candidates, width)
	if more > 0 {
		text += fmt.Sprintf("... and %d more\n", more)
	}
	_, _ = s.editor.term.Write([]byte(text)) // the next read of the terminal tells if it is gone
}

func inColumns(words []string, width int) string {
	cell := 0
	for _, w := range words {
		cell = max(cell, len([]rune(w))+2)
	}
	columns := max(1, width/cell)
	rows := (len(words) + columns - 1) / columns
	var b strings.Builder
	for row := range rows {
		var line strings.Builder
		for i := row; i < len(words); i += rows {
			fmt.Fprintf(&line, "%-*s", cell, words[i])
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
