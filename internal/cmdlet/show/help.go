package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// WriteSummary lists all commands with their synopses, by what they are for.
func WriteSummary(w io.Writer, table []cmdlet.Cmdlet) error {
	longest := 0
	for _, c := range table {
		longest = max(longest, len(c.Name))
	}
	var b strings.Builder
	for i, g := range Groups(table) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:\n", g.Title)
		for _, c := range g.Rows {
			fmt.Fprintf(&b, "  %-*s  %s\n", longest, c.Name, c.Synopsis)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteBrief describes one command in short: what it does, and its command lines.
func WriteBrief(w io.Writer, c *cmdlet.Cmdlet) error {
	var b strings.Builder
	brief(&b, c)
	fmt.Fprintf(&b, "\nMore: Get-Help %s -Full\n", c.Name)
	_, err := io.WriteString(w, b.String())
	return err
}

func brief(b *strings.Builder, c *cmdlet.Cmdlet) {
	fmt.Fprintf(b, "%s\n\n", c.Synopsis)
	for _, set := range orOne(c.Sets()) {
		fmt.Fprintf(b, "    %s\n", syntax(c, set))
	}
	if c.Description != "" {
		fmt.Fprintf(b, "\n%s\n", c.Description)
	}
}

// WriteParam describes one parameter.
func WriteParam(b *strings.Builder, p cmdlet.Param) {
	fmt.Fprintf(b, "  -%s <%s>%s\n      %s\n", p.Name, p.Type, traits(&p), p.Help)
}

// ForShell is an example as it is typed in a shell other than ours.
func ForShell(example string) string { return "ck " + forShell(example) }

// ForScript is an example as it is typed in a script.
func ForScript(example string) string { return example }

// WriteHelp describes one command: all that the table knows of it. as writes its examples.
func WriteHelp(w io.Writer, c *cmdlet.Cmdlet, as func(example string) string) error {
	var b strings.Builder
	brief(&b, c)
	b.WriteString("\nParameters:\n")
	for _, p := range c.Known() {
		WriteParam(&b, p)
	}
	if len(c.Roles) > 0 {
		fmt.Fprintf(&b, "\nRoles, one of: %s\n", c.Roles.Names())
	}
	if len(c.Examples) > 0 {
		b.WriteString("\nExamples:\n")
	}
	for _, e := range c.Examples {
		if c.Side == cmdlet.Shell { // a line of a script, not of the user's own shell
			fmt.Fprintf(&b, "    %s\n", e)
			continue
		}
		fmt.Fprintf(&b, "    %s\n", as(e))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orOne(sets []string) []string {
	if len(sets) == 0 {
		return []string{""}
	}
	return sets
}

// syntax is the command line of one parameter set, in PowerShell's notation.
func syntax(c *cmdlet.Cmdlet, set string) string {
	parts := []string{c.Name}
	for _, p := range c.Params {
		if !p.InSet(set) {
			continue
		}
		name := "-" + p.Name
		if p.Position > 0 {
			name = "[" + name + "]"
		}
		if p.Type != cmdlet.Switch {
			name += " <" + string(p.Type) + ">"
		}
		if !p.Mandatory {
			name = "[" + name + "]"
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, " ")
}

func traits(p *cmdlet.Param) string {
	var t []string
	if p.Mandatory {
		t = append(t, "needed")
	}
	if p.Position > 0 {
		t = append(t, fmt.Sprintf("position %d", p.Position))
	}
	if len(p.Aliases) > 0 {
		t = append(t, "also -"+strings.Join(p.Aliases, ", -"))
	}
	if len(p.Values) > 0 && len(p.Values) <= 8 {
		t = append(t, strings.Join(p.Values, " | "))
	}
	if len(t) == 0 {
		return ""
	}
	return "  (" + strings.Join(t, "; ") + ")"
}
