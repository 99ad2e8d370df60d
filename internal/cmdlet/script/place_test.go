package script

import (
	"fmt"
	"testing"
)

// TestPlaceAt holds what stands at the end of texts as somebody types them.
func TestPlaceAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"", "command ''"},
		{"Ge", "command 'Ge'"},
		{"  Ge", "command 'Ge'"},
		{"$a = Ge", "command 'Ge'"},
		{"$a = ", "command ''"},
		{"X; ", "command ''"},
		{"X\n", "command ''"},
		{"X | ", "command '' after [X]"},
		{"X | Y | Fo", "command 'Fo' after [X] | [Y]"},
		{"X -Name (Ge", "command 'Ge'"},
		{"X -Name (", "command ''"},
		{"X \"$(Ge", "command 'Ge'"},
		{"Y | % { Ge", "command 'Ge' around [Y]"},
		{"@{a = Ge", "command 'Ge'"},
		{"@(X; ", "command ''"},
		{"X -", "parameter '' of [X]"},
		{"X -Na", "parameter 'Na' of [X]"},
		{"X a –Na", "parameter 'Na' of [X a]"},
		{"W | X -Na", "parameter 'Na' of [X] after [W]"},
		{"X ", "argument '' of [X]"},
		{"X al", "argument 'al' of [X]"},
		{"X -Name ", "argument '' of [X -Name] for Name"},
		{"X -Name al", "argument 'al' of [X -Name] for Name"},
		{"X -Name al ", "argument '' of [X -Name al]"},
		{"X -Name:", "argument '' of [X] for Name"},
		{"X -Name:al", "argument 'al' of [X] for Name"},
		{"X -Name \"NAM Po", "argument 'NAM Po' of [X -Name] for Name in \""},
		{"X -Name ‘NAM", "argument 'NAM' of [X -Name] for Name in ‘"},
		{"X -Ids a,", "argument '' of [X -Ids] for Ids"},
		{"X -Ids a, b", "argument 'b' of [X -Ids] for Ids"},
		{"X -Ids 'a','b", "argument 'b' of [X -Ids] for Ids in '"},
		{"W | Select-Object Na", "argument 'Na' of [Select-Object] after [W]"},
		{"X `\n  al", "argument 'al' of [X]"},
		{"X\n -Na", "parameter 'Na' of [X]"},
		{"$a.Na", "member 'Na' of $a"},
		{"$a.", "member '' of $a"},
		{"$a.b[0].Na", "member 'Na' of $a.b[int64(0)]"},
		{"X $a.Na", "member 'Na' of $a"},
		{"(X).Na", "member 'Na' of (paren [X])"},
		{"W | ? { $_.Na", "member 'Na' of $_ around [W]"},
		{"W | ? { $_.A -eq 'x' -and $_.Na", "member 'Na' of $_ around [W]"},
		{"W | X @{n='a';e={$_.Na", "member 'Na' of $_ around [W]"},
		{"$", "variable ''"},
		{"$na", "variable 'na'"},
		{"X $na", "variable 'na'"},
		{"X \"a $na", "variable 'na'"},
		{"'a", "nothing"},
		{"$a ", "nothing"},
		{"$a -e", "nothing"},
		{"(X).Name ", "nothing"},
		{"X # al", "nothing"},
		{"foreach ($a in ", "nothing"},
		{"X ) Ge", "nothing"},
		{"5", "nothing"},
	} {
		if got := describe(PlaceAt(tt.text, len(tt.text)), tt.text); got != tt.want {
			t.Errorf("PlaceAt(%q)\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// TestPlaceAtCursor shows that what stands behind the cursor does not matter.
func TestPlaceAtCursor(t *testing.T) {
	t.Parallel()
	text := "\ufeffX -Name alice | foreach"
	place := PlaceAt(text, len("\ufeffX -Name al"))
	if place.Kind != ArgumentPlace || place.Word != "al" || place.Start != len("\ufeffX -Name ") {
		t.Errorf("%+v", place)
	}
	for _, cursor := range []int{-1, 1000} {
		PlaceAt(text, cursor)
	}
}

func describe(l Place, text string) string {
	if l.Kind == NoPlace {
		return "nothing"
	}
	kinds := map[PlaceKind]string{CommandPlace: "command", ParameterPlace: "parameter", ArgumentPlace: "argument", MemberPlace: "member", VariablePlace: "variable"}
	s := fmt.Sprintf("%s '%s'", kinds[l.Kind], l.Word)
	if l.Command != nil {
		s += " of " + sexp(l.Command)
	}
	if l.Of != nil {
		s += " of " + sexp(l.Of)
	}
	if l.Parameter != "" {
		s += " for " + l.Parameter
	}
	if l.Quote != 0 {
		s += " in " + string(l.Quote)
	}
	if len(l.Upstream) > 0 {
		s += " after " + each(l.Upstream, " | ")
	}
	if len(l.Around) > 0 {
		s += " around " + each(l.Around, " | ")
	}
	return s
}

// FuzzPlaceAt asks for the place in any text.
func FuzzPlaceAt(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text, len(text)/2)
	}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		place := PlaceAt(text, cursor)
		if place.Start < 0 || place.Start > len(text) {
			t.Fatalf("PlaceAt(%q, %d) begins at %d", text, cursor, place.Start)
		}
	})
}
