package prompt

import (
	"context"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
)

// A completer knows what can stand where somebody types.
type completer struct {
	table   []cmdlet.Cmdlet
	names   *Names
	session *script.Session
}

// A completion is what the word at Start, in bytes, could be.
type completion struct {
	start      int
	candidates []string // complete words in order, as they are typed, with dash and quotes
	ended      bool     // a word that is the only one is followed by a space
}

// at returns what can stand in text before the cursor, which must lie behind the byte from: words
// that begin before that are not to be changed.
func (c *completer) at(ctx context.Context, text string, cursor, from int) completion {
	place := script.PlaceAt(text, cursor)
	if place.Kind == script.NoPlace || place.Start < from {
		return completion{}
	}
	found := completion{start: place.Start, ended: place.Kind != script.MemberPlace && place.Kind != script.VariablePlace}
	switch place.Kind {
	case script.CommandPlace:
		found.candidates = beginning(c.commands(), place.Word, "")
	case script.ParameterPlace:
		found.candidates = beginning(c.parameters(place), place.Word, "-")
	case script.VariablePlace:
		found.candidates = beginning(c.session.Variables(), place.Word, "$")
	case script.MemberPlace:
		found.candidates = beginning(c.session.Members(place), place.Word, "")
	case script.ArgumentPlace:
		found.candidates = c.arguments(ctx, place)
	}
	slices.SortFunc(found.candidates, compareFold)
	found.candidates = slices.Compact(found.candidates)
	return found
}

func compareFold(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

// beginning returns those that begin with word in any case, each with lead in front.
func beginning(all []string, word, lead string) []string {
	var some []string
	for _, name := range all {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			some = append(some, lead+name)
		}
	}
	return some
}

func (c *completer) commands() []string {
	all := make([]string, len(c.table))
	for i, row := range c.table {
		all[i] = row.Name
	}
	return all
}

// parameters returns the names of those that are not given yet.
func (c *completer) parameters(at script.Place) []string {
	row, err := cmdlet.Find(c.table, at.Command.Name)
	if err != nil {
		return nil
	}
	_, used := arguments(row, at.Command.Words)
	var all []string
	for _, p := range row.Known() {
		if !used[p.Name] {
			all = append(all, p.Name)
		}
	}
	return all
}

// arguments returns what a parameter can be given, as it is typed.
func (c *completer) arguments(ctx context.Context, at script.Place) []string {
	if at.Command == nil {
		return nil
	}
	row, err := cmdlet.Find(c.table, at.Command.Name)
	if err != nil {
		return nil
	}
	p := parameterAt(row, at)
	switch {
	case p == nil || p.Secret:
		return nil
	case p.Type == cmdlet.Bool && at.Quote == 0:
		return beginning([]string{"$true", "$false"}, at.Word, "")
	}
	return quote(beginning(c.values(ctx, row, p, at), at.Word, ""), at.Quote != 0)
}

// parameterAt returns the parameter whose value stands at a place, nil if that cannot be told.
func parameterAt(row *cmdlet.Cmdlet, at script.Place) *cmdlet.Param {
	if at.Parameter != "" {
		if p := parameterOf(row, at.Parameter); p == nil || p.Type != cmdlet.Switch {
			return p
		}
	}
	_, used := arguments(row, at.Command.Words)
	return positional(row, used)
}

// values returns the values of a parameter that are known, or can be asked for.
func (c *completer) values(ctx context.Context, row *cmdlet.Cmdlet, p *cmdlet.Param, at script.Place) []string {
	switch {
	case len(p.Values) > 0:
		return p.Values
	case row.Name == "Get-Help" && p.Name == "Name":
		return c.commands()
	case p.Name == "Property" || p.Name == "ExpandProperty" || p.Name == "MemberName":
		return c.session.Members(script.Place{Upstream: at.Upstream})
	}
	var all []string
	for _, s := range sources(row, p, at) {
		all = append(all, c.names.list(ctx, s)...)
	}
	return all
}

// quote writes names as they are typed. One that needs quotes, or one that is open, has all of them
// quoted: they are to begin alike. Names that cannot be shown as they are nobody could choose.
func quote(names []string, open bool) []string {
	names = slices.DeleteFunc(names, func(n string) bool { return cmdlet.Printable(n) != n })
	if !open && !slices.ContainsFunc(names, func(n string) bool { return script.Quote(n) != n }) {
		return names
	}
	for i, n := range names {
		names[i] = "'" + strings.ReplaceAll(n, "'", "''") + "'"
	}
	return names
}

// common returns what all candidates begin with, in the spelling of the first.
func common(candidates []string) string {
	first := candidates[0]
	n := len(first)
	for _, c := range candidates[1:] {
		n = min(n, len(c))
		for !strings.EqualFold(first[:n], c[:n]) {
			n--
		}
	}
	return strings.ToValidUTF8(first[:n], "")
}
