package cmdlet

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteSummary lists all commands with their synopses, by what they are for.
func WriteSummary(w io.Writer, table []Cmdlet) error {
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
func WriteBrief(w io.Writer, c *Cmdlet) error {
	var b strings.Builder
	c.brief(&b)
	fmt.Fprintf(&b, "\nMore: Get-Help %s -Full\n", c.Name)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Cmdlet) brief(b *strings.Builder) {
	fmt.Fprintf(b, "%s\n\n", c.Synopsis)
	for _, set := range orOne(c.Sets()) {
		fmt.Fprintf(b, "    %s\n", c.syntax(set))
	}
	if c.Description != "" {
		fmt.Fprintf(b, "\n%s\n", c.Description)
	}
}

// WriteParam describes one parameter.
func WriteParam(b *strings.Builder, p Param) {
	fmt.Fprintf(b, "  -%s <%s>%s\n      %s\n", p.Name, p.Type, p.traits(), p.Help)
}

// Known returns all parameters that the command takes, its own before the common ones.
func (c *Cmdlet) Known() []Param {
	all := slices.Clone(c.Params)
	for _, p := range append(commonParams[:len(commonParams):len(commonParams)], formatParam) {
		if c.Impact != None || p.Name != "WhatIf" && p.Name != "Confirm" {
			all = append(all, p)
		}
	}
	return all
}

// ForShell is an example as it is typed in a shell other than ours.
func ForShell(example string) string { return "ck " + forShell(example) }

// ForScript is an example as it is typed in a script.
func ForScript(example string) string { return example }

// WriteHelp describes one command: all that the table knows of it. as writes its examples.
func WriteHelp(w io.Writer, c *Cmdlet, as func(example string) string) error {
	var b strings.Builder
	c.brief(&b)
	b.WriteString("\nParameters:\n")
	for _, p := range c.Known() {
		WriteParam(&b, p)
	}
	if len(c.Roles) > 0 {
		fmt.Fprintf(&b, "\nRoles, one of: %s\n", c.Roles.names())
	}
	if len(c.Examples) > 0 {
		b.WriteString("\nExamples:\n")
	}
	for _, e := range c.Examples {
		if c.Side == Shell { // a line of a script, not of the user's own shell
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
func (c *Cmdlet) syntax(set string) string {
	parts := []string{c.Name}
	for _, p := range c.Params {
		if !p.inSet(set) {
			continue
		}
		name := "-" + p.Name
		if p.Position > 0 {
			name = "[" + name + "]"
		}
		if p.Type != Switch {
			name += " <" + string(p.Type) + ">"
		}
		if !p.Mandatory {
			name = "[" + name + "]"
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, " ")
}

func (p *Param) traits() string {
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
