package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// WriteMarkdown writes the reference of all commands, docs/cmdlets.md, from the table alone.
func WriteMarkdown(w io.Writer, table []cmdlet.Cmdlet) error {
	var b strings.Builder
	b.WriteString(markdownHead)
	for _, g := range Groups(table) {
		fmt.Fprintf(&b, "- %s:", g.Title)
		for i, c := range g.Rows {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, " [%s](#%s)", c.Name, strings.ToLower(c.Name))
		}
		b.WriteByte('\n')
	}
	for _, g := range Groups(table) {
		fmt.Fprintf(&b, "\n## %s\n", g.Title)
		for i := range g.Rows {
			markdownOf(&b, &g.Rows[i])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const markdownHead = `# Cmdlets

Made from the table of commands by a test; edit the table. Names of commands and parameters are taken in any case, and parameters by any unambiguous beginning.
Every command also takes ` + "`-Verbose`, `-ErrorAction`, `-WarningAction` and `-OutputFormat`" + `; those that change something take ` + "`-WhatIf` and `-Confirm`" + `.

`

func markdownOf(b *strings.Builder, c *cmdlet.Cmdlet) {
	fmt.Fprintf(b, "\n### %s\n\n%s", c.Name, c.Synopsis)
	if c.Description != "" {
		b.WriteString(" " + c.Description)
	}
	b.WriteString("\n\n```\n")
	for _, set := range orOne(c.Sets()) {
		b.WriteString(syntax(c, set) + "\n")
	}
	b.WriteString("```\n")
	if len(c.Params) > 0 {
		b.WriteString("\n| parameter | type | |\n| --- | --- | --- |\n")
	}
	for _, p := range c.Params {
		fmt.Fprintf(b, "| `-%s` | %s | %s |\n", p.Name, p.Type, inTable(p.Help+traits(&p)))
	}
	var facts []string
	if len(c.Aliases) > 0 {
		facts = append(facts, "Also called "+strings.Join(c.Aliases, ", ")+".")
	}
	if c.Impact == cmdlet.High {
		facts = append(facts, "Asks before it changes anything.")
	}
	if len(c.Roles) > 0 {
		facts = append(facts, "Roles, one of: "+c.Roles.Names()+".")
	}
	if len(facts) > 0 {
		fmt.Fprintf(b, "\n%s\n", strings.Join(facts, " "))
	}
	b.WriteString("\n```powershell\n" + strings.Join(c.Examples, "\n") + "\n```\n")
}

func inTable(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// A Group is what people do with some of the commands.
type Group struct {
	Title string
	Rows  []cmdlet.Cmdlet
}

// Groups returns the table by what the commands are for, in the table's order within a group.
func Groups(table []cmdlet.Cmdlet) []Group {
	var groups []Group
	at := map[string]int{}
	for _, c := range table {
		title := group(&c)
		if _, ok := at[title]; !ok {
			at[title] = len(groups)
			groups = append(groups, Group{Title: title})
		}
		g := &groups[at[title]]
		g.Rows = append(g.Rows, c)
	}
	return groups
}

// nouns says which group a command is of, by a part of its name; the first that fits counts.
var nouns = []struct{ part, group string }{
	{"-AzKeyVaultKey", "Keys in vaults"},
	{"-AzKeyVault", "Vaults"},
	{"-Az", "Subscriptions and resources"},
	{"RetentionRequest", "Subscriptions and resources"},
	{"M365DataAtRest", "Policies for all workloads of an organization"},
	{"SPO", "Files, by geo"},
	{"CKGeo", "Files, by geo"},
	{"CKSite", "Files, by geo"},
	{"KeyHealth", "Health of root keys"},
	{"AlertSubscription", "Health of root keys"},
	{"AvailabilityKey", "Availability keys"},
	{"CKOperation", "Long work"},
	{"CKReencryption", "Long work"},
	{"Rehearsal", "Recovery, leaving, purges"},
	{"Recovery", "Recovery, leaving, purges"},
	{"Offboarding", "Recovery, leaving, purges"},
	{"CKPurge", "Recovery, leaving, purges"},
	{"Onboarding", "Requests and approvals"},
	{"CKRequest", "Requests and approvals"},
	{"Officer", "Requests and approvals"},
	{"CKRole", "Roles and records"},
	{"Audit", "Roles and records"},
	{"Activity", "Roles and records"},
	{"DataEncryptionPolicy", "Policies for mailboxes"},
	{"Mailbox", "Mailboxes"},
	{"MailUser", "Mailboxes"},
	{"UnifiedGroup", "Mailboxes"},
	{"-User", "Mailboxes"},
}

func group(c *cmdlet.Cmdlet) string {
	switch connects := strings.Contains(c.Name, "onnect"); {
	case c.Side == cmdlet.Shell && connects:
		return "Signing in"
	case c.Side == cmdlet.Shell:
		return "The language"
	}
	for _, n := range nouns {
		if strings.Contains(c.Name, n.part) {
			return n.group
		}
	}
	return "Others"
}
