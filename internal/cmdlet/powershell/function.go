package powershell

import (
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// function returns one command: its help, its parameters, and the call that sends them.
func function(c cmdlet.Cmdlet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "function %s {\n", c.Name)
	b.WriteString(help(c))
	fmt.Fprintf(&b, "    [CmdletBinding(%s)]\n", binding(c))
	b.WriteString("    param(\n" + parameters(c) + "    )\n")
	b.WriteString("    process {\n        $send = @{ Cmdlet = $PSCmdlet; Name = " + quote(c.Name) + "; Bound = $PSBoundParameters }\n")
	if ids := identities(c); len(ids) > 0 {
		fmt.Fprintf(&b, "        $send.Identities = @(%s)\n", quoteAll(ids))
	}
	if c.Output != "" {
		fmt.Fprintf(&b, "        $send.Output = %s\n", quote(c.Output))
	}
	if c.Impact != cmdlet.None {
		b.WriteString("        $send.Changes = $true\n        $send.WhatIf = $WhatIfPreference\n")
		if slices.ContainsFunc(c.Params, func(p cmdlet.Param) bool { return p.Name == "Force" }) {
			b.WriteString("        $send.Forced = $Force -and -not $PSBoundParameters.ContainsKey('Confirm')\n")
		}
	}
	b.WriteString("        Invoke-CustomerKeyCommand @send\n    }\n}\n")
	return b.String()
}

// help is PowerShell's comment-based help.
func help(c cmdlet.Cmdlet) string {
	var b strings.Builder
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "    %s\n    %s\n", title, comment(text))
		}
	}
	b.WriteString("    <#\n")
	section(".SYNOPSIS", c.Synopsis)
	section(".DESCRIPTION", c.Description)
	for _, p := range c.Params {
		section(".PARAMETER "+p.Name, p.Help)
	}
	for _, e := range c.Examples {
		section(".EXAMPLE", e)
	}
	b.WriteString("    #>\n")
	return b.String()
}

func binding(c cmdlet.Cmdlet) string {
	var parts []string
	switch c.Impact {
	case cmdlet.Medium:
		parts = append(parts, "SupportsShouldProcess", "ConfirmImpact = 'Medium'")
	case cmdlet.High:
		parts = append(parts, "SupportsShouldProcess", "ConfirmImpact = 'High'")
	}
	if c.DefaultSet != "" {
		parts = append(parts, "DefaultParameterSetName = "+quote(c.DefaultSet))
	}
	return strings.Join(parts, ", ")
}

func parameters(c cmdlet.Cmdlet) string {
	all := make([]string, len(c.Params))
	for i, p := range c.Params {
		all[i] = parameter(p)
	}
	return strings.Join(all, ",\n") + strings.Repeat("\n", min(len(all), 1))
}

func parameter(p cmdlet.Param) string {
	var b strings.Builder
	for _, set := range setsOf(p) {
		fmt.Fprintf(&b, "        [Parameter(%s)]\n", attributes(p, set))
	}
	if others := slices.Concat(p.Aliases, p.Old); len(others) > 0 {
		fmt.Fprintf(&b, "        [Alias(%s)]\n", quoteAll(others))
	}
	if p.AllowNull {
		b.WriteString("        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()]\n")
	}
	if len(p.Values) > 0 {
		fmt.Fprintf(&b, "        [ValidateSet(%s)]\n", quoteAll(p.Values))
	}
	fmt.Fprintf(&b, "        [%s] $%s", typeOf(p), p.Name)
	return b.String()
}

// setsOf returns the parameter sets of p; one without a name is all.
func setsOf(p cmdlet.Param) []string {
	if len(p.Sets) == 0 {
		return []string{""}
	}
	return p.Sets
}

func attributes(p cmdlet.Param, set string) string {
	var parts []string
	if set != "" {
		parts = append(parts, "ParameterSetName = "+quote(set))
	}
	if p.Mandatory {
		parts = append(parts, "Mandatory")
	}
	if p.Position > 0 {
		parts = append(parts, fmt.Sprintf("Position = %d", p.Position-1))
	}
	if p.Pipeline {
		parts = append(parts, "ValueFromPipeline")
	}
	if p.ByProperty {
		parts = append(parts, "ValueFromPipelineByPropertyName")
	}
	return strings.Join(parts, ", ")
}

// typeOf is the type that PowerShell turns a value into. What may be $null, or an object that
// identifies another, stays as it is.
func typeOf(p cmdlet.Param) string {
	if p.AllowNull || p.Type == cmdlet.ID {
		return "object"
	}
	switch p.Type {
	case cmdlet.Bool:
		return "bool"
	case cmdlet.Switch:
		return "switch"
	case cmdlet.Int:
		return "int"
	case cmdlet.Time:
		return "datetime"
	case cmdlet.StringList:
		return "string[]"
	case cmdlet.Map:
		return "hashtable"
	case cmdlet.PSObject:
		return "psobject"
	}
	return "string"
}

// identities returns the parameters for which an object stands that has an identity.
func identities(c cmdlet.Cmdlet) (names []string) {
	for _, p := range c.Params {
		if p.Type == cmdlet.ID {
			names = append(names, p.Name)
		}
	}
	return names
}
