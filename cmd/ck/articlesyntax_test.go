package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// A described is a parameter as an article's description of a command has it.
type described struct {
	cmdletName, name, kind string
	mandatory, byPlace     bool
}

// The spellings of a parameter in a description: [-A] <T> by its place, -[A] as it is misprinted,
// [-B <T>] where it may be left out, -C <T>, and -D for a switch.
var describedParam = regexp.MustCompile(`(?:\[-([A-Za-z]+)\]|-\[([A-Za-z]+)\]) *(?:<([^<>]*)>|"[^"]*")|\[-([A-Za-z]+)(?: *<([^<>]*)>)?\]|-([A-Za-z]+)(?: *<([^<>]*)>)?`)

// describe reads the description of a command.
func describe(t *testing.T, a article, line string) (list []described) {
	t.Helper()
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	for _, m := range describedParam.FindAllStringSubmatch(rest, -1) {
		list = append(list, described{
			name: m[1] + m[2] + m[4] + m[6], kind: strings.TrimSpace(m[3] + m[5] + m[7]), mandatory: m[4] == "", byPlace: m[1]+m[2] != "",
			cmdletName: name,
		})
	}
	if left := strings.TrimSpace(describedParam.ReplaceAllString(rest, "")); left != "" {
		t.Errorf("%s: %q is not understood in %s", a.name, left, line)
	}
	return list
}

// articleTypes are the articles' names of types.
var articleTypes = map[string]cmdlet.Type{
	"String": cmdlet.String, "Boolean": cmdlet.Bool, "MultiValuedProperty": cmdlet.StringList,
	"M365DataAtRestEncryptionPolicy DataEncryptionPolicyIdParameter": cmdlet.ID,
}

// otherwise are the places where the table is not what a description says, and why.
var otherwise = map[string]string{
	"Set-M365DataAtRestEncryptionPolicy -Refresh":  "X-8: printed as if it were needed, and left out in the article's own example",
	"Get-M365DataAtRestEncryptionPolicy -Identity": "CK-100: printed as if it were needed, and left out in the article's own example",
}

// The descriptions of commands in the articles are what the table says: the same names, places,
// types and optionality.
func TestArticleSyntax(t *testing.T) {
	t.Parallel()
	var explained []string
	described := 0
	for _, a := range []article{setUp, roll} {
		for _, block := range a.blocks(t) {
			if !isSyntax(block) {
				continue
			}
			described++
			for _, d := range describe(t, a, block) {
				if why := d.differs(t); why != "" {
					if _, known := otherwise[d.cmdletName+" -"+d.name]; !known {
						t.Errorf("%s: %s -%s %s", a.name, d.cmdletName, d.name, why)
					}
					explained = append(explained, d.cmdletName+" -"+d.name)
				}
			}
		}
	}
	if described < 4 {
		t.Errorf("%d descriptions were found", described)
	}
	for place := range otherwise {
		if !slices.Contains(explained, place) {
			t.Errorf("%s does not differ any more", place)
		}
	}
}

// differs says in what the table has another parameter than is described, "" for nothing.
func (d described) differs(t *testing.T) string {
	t.Helper()
	row, err := cmdlet.Find(rows.Table(), d.cmdletName)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(row.Params, func(p cmdlet.Param) bool { return p.Name == d.name })
	if i < 0 {
		return "is not in the table"
	}
	p := row.Params[i]
	want := articleTypes[d.kind]
	switch {
	case d.kind != "" && p.Type != want:
		return "has the type " + string(p.Type)
	case d.kind == "" && !d.byPlace && p.Type != cmdlet.Switch:
		return "is no switch"
	case d.byPlace != (p.Position > 0):
		return "is positional or not"
	case d.mandatory != p.Mandatory:
		return "is mandatory or not"
	}
	return ""
}
