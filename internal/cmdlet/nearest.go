package cmdlet

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	longestName = 128 // names over this are no misspelling; bounds the work of Nearest
	mostNearest = 4
)

// Nearest returns the candidates that look most like name, best first: those that start
// with it, then those within a third of its length by edits.
func Nearest(name string, candidates []string) []string {
	if name == "" || len(name) > longestName {
		return nil
	}
	low := strings.ToLower(name)
	type scored struct {
		name     string
		distance int
	}
	var found []scored
	for _, c := range candidates {
		d := editDistance(low, strings.ToLower(c))
		if len(low) >= 3 && strings.HasPrefix(strings.ToLower(c), low) {
			d = 0
		}
		if d <= max(2, len(low)/3) {
			found = append(found, scored{c, d})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, s := range found[:min(len(found), mostNearest)] {
		if s.distance <= found[0].distance+1 { // what is much farther off is not meant
			names = append(names, s.name)
		}
	}
	return names
}

// editDistance counts the single-character inserts, deletes and changes between a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, diagonal := i+1, i
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j], left = left, min(change, left+1, row[j+1]+1)
		}
		row[len(b)] = left
	}
	return row[len(b)]
}

// Quote shows text that came from outside in a message: quoted, printable, short.
func Quote(text string) string {
	const most = 80
	if len(text) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return "'" + Printable(text) + "'"
}
