package rows

import (
	"slices"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// The rows of the commands of the language itself. Package script carries them out.

// shellRows are the commands that do something with what comes through a pipeline, or that
// make a value of nothing.
func shellRows() []cmdlet.Cmdlet {
	return slices.Concat(formatRows(), chooseRows(), reckonRows(), convertRows(), writeRows(), makeRows(), helpRows(), Modules(), connectRows())
}

// piped is the parameter that takes what comes through the pipeline.
func piped(name string) cmdlet.Param {
	return cmdlet.Param{Name: name, Type: cmdlet.Any, Pipeline: true, Help: "What the pipeline brings, unless it is given here."}
}

// properties is the parameter that picks properties.
func properties(position int, help string) cmdlet.Param {
	return cmdlet.Param{Name: "Property", Type: cmdlet.AnyList, Position: position, Help: help}
}

const propertyHelp = "Names of properties, with * and ? for several, or @{Name='label'; Expression={ $_.Property }}"

func formatRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name: "Format-List", Aliases: []string{"fl"}, Side: cmdlet.Shell,
			Synopsis: "Show objects as lists, a property a line.",
			Examples: []string{`Get-M365DataAtRestEncryptionPolicy | Format-List`, `Get-AzKeyVault -VaultName contoso-east | fl *`, `Get-Mailbox | Format-List Name, DataEncryptionPolicy`},
			Params:   []cmdlet.Param{properties(1, propertyHelp+"; * for all, those that its type shows unless given."), piped("InputObject")},
		},
		{
			Name: "Format-Table", Aliases: []string{"ft"}, Side: cmdlet.Shell,
			Synopsis: "Show objects as a table, a property a column.",
			Examples: []string{`Get-AzKeyVaultKey -VaultName contoso-east | Format-Table Name, Enabled, Expires`, `Get-Mailbox | ft Name, DataEncryptionPolicy -Wrap`},
			Params: []cmdlet.Param{
				properties(1, propertyHelp+"; those that its type shows unless given."),
				{Name: "AutoSize", Type: cmdlet.Switch, Help: "Columns are as wide as they need to be; so they always are."},
				{Name: "Wrap", Type: cmdlet.Switch, Help: "Cut nothing off, also where it is wider than the terminal."},
				piped("InputObject"),
			},
		},
	}
}

func chooseRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		whereRow(),
		{
			Name: "Select-Object", Aliases: []string{"select"}, Side: cmdlet.Shell,
			Synopsis:    "Take some of the objects, or some of their properties.",
			Description: "With -First what comes before in the pipeline is stopped as soon as there is enough.",
			Examples:    []string{`Get-Mailbox | Select-Object -First 10`, `Get-Mailbox | Select-Object Name, @{Name='Policy'; Expression={ $_.DataEncryptionPolicy }}`, `Get-AzKeyVault | select -ExpandProperty VaultName`},
			Params: []cmdlet.Param{
				properties(1, propertyHelp+"."),
				{Name: "ExpandProperty", Type: cmdlet.String, Help: "The property whose value is wanted instead of the object."},
				{Name: "First", Type: cmdlet.Int, Help: "How many from the beginning."},
				{Name: "Last", Type: cmdlet.Int, Help: "How many from the end."},
				{Name: "Skip", Type: cmdlet.Int, Help: "How many to pass over: at the beginning, or at the end with -Last."},
				{Name: "Unique", Type: cmdlet.Switch, Help: "Each only once."},
				piped("InputObject"),
			},
		},
		{
			Name: "ForEach-Object", Aliases: []string{"foreach", "%"}, Side: cmdlet.Shell,
			Synopsis: "Run a pipeline for each object, or take one property of each.",
			Examples: []string{`Get-Mailbox | ForEach-Object { Get-MailboxStatistics -Identity $_.Identity }`, `Get-AzKeyVault | ForEach-Object VaultName`},
			Params: []cmdlet.Param{
				{Name: "Process", Type: cmdlet.ScriptBlock, Position: 1, Mandatory: true, Sets: []string{"ScriptBlock"}, Help: "What to run; $_ is the object."},
				{Name: "MemberName", Type: cmdlet.String, Position: 2, Mandatory: true, Sets: []string{"Member"}, Help: "The property to take."},
				piped("InputObject"),
			},
			DefaultSet: "ScriptBlock",
		},
	}
}

// Comparisons are the operators that Where-Object takes as parameters.
func Comparisons() []string {
	return []string{"EQ", "NE", "GT", "GE", "LT", "LE", "Like", "NotLike", "Match", "NotMatch", "Contains", "NotContains", "In", "NotIn"}
}

func whereRow() cmdlet.Cmdlet {
	const byName = "Comparison"
	c := cmdlet.Cmdlet{
		Name: "Where-Object", Aliases: []string{"where", "?"}, Side: cmdlet.Shell,
		Synopsis: "Let only those objects through that fulfil a condition.",
		Examples: []string{`Get-Mailbox | Where-Object { $_.DataEncryptionPolicy -eq 'USA_mailboxes' }`, `Get-Mailbox | where Name -like 'a*'`, `Get-AzKeyVaultKey -VaultName contoso-east | Where-Object Enabled`},
		Params: []cmdlet.Param{
			{Name: "FilterScript", Type: cmdlet.ScriptBlock, Position: 1, Mandatory: true, Sets: []string{"ScriptBlock"}, Help: "The condition; $_ is the object."},
			{Name: "Property", Type: cmdlet.String, Position: 2, Mandatory: true, Sets: []string{byName}, Help: "The property that is compared; alone, it must be true."},
			{Name: "Value", Type: cmdlet.Any, Position: 3, Sets: []string{byName}, Help: "What it is compared with."},
		},
		DefaultSet: "ScriptBlock", Check: checkWhere,
	}
	for _, name := range Comparisons() {
		c.Params = append(c.Params, cmdlet.Param{Name: name, Type: cmdlet.Switch, Sets: []string{byName}, Help: "Compare as the operator of this name does."})
	}
	c.Params = append(c.Params, cmdlet.Param{Name: "Not", Type: cmdlet.Switch, Sets: []string{byName}, Help: "The property must be false."}, piped("InputObject"))
	return c
}

func checkWhere(args cmdlet.Args) error {
	operators := 0
	for _, name := range append(Comparisons(), "Not") {
		if args.On(name) {
			operators++
		}
	}
	switch {
	case operators > 1:
		return cmdlet.BindError("Where-Object compares in one way at a time").WithHint("for more, write a block: { $_.Name -like 'a*' -and $_.Enabled }")
	case operators == 0 && args.Has("Value"):
		return cmdlet.BindError("Where-Object does not know how to compare").WithHint("name an operator, as in: Where-Object Name -eq 'root1'")
	}
	return nil
}

func reckonRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name: "Sort-Object", Aliases: []string{"sort"}, Side: cmdlet.Shell,
			Synopsis: "Put objects in order.",
			Examples: []string{`Get-Mailbox | Sort-Object DataEncryptionPolicy, Name`, `Get-AzKeyVaultKey -VaultName contoso-east | sort Created -Descending`},
			Params: []cmdlet.Param{
				properties(1, "Properties to sort by, the first before the second, or blocks, or @{Expression='Name'; Descending=$true}; the values themselves unless given."),
				{Name: "Descending", Type: cmdlet.Switch, Help: "The greatest first."},
				{Name: "Unique", Type: cmdlet.Switch, Help: "Of equals only the first."},
				{Name: "CaseSensitive", Type: cmdlet.Switch, Help: "Tell upper case from lower."},
				piped("InputObject"),
			},
		},
		{
			Name: "Group-Object", Aliases: []string{"group"}, Side: cmdlet.Shell,
			Synopsis: "Gather objects that are alike in some properties, and count them.",
			Examples: []string{`Get-Mailbox | Group-Object DataEncryptionPolicy -NoElement`},
			Params: []cmdlet.Param{
				properties(1, "Properties in which they are alike; the values themselves unless given."),
				{Name: "NoElement", Type: cmdlet.Switch, Help: "Only count; do not keep the objects."},
				piped("InputObject"),
			},
		},
		{
			Name: "Measure-Object", Aliases: []string{"measure"}, Side: cmdlet.Shell,
			Synopsis: "Count objects; sum up a property.",
			Examples: []string{`Get-Mailbox | Measure-Object`, `Get-M365DataAtRestEncryptionPolicy | Measure-Object -Property PercentEncrypted -Average -Minimum`},
			Params: []cmdlet.Param{
				properties(1, "Properties to measure; the values themselves unless given."),
				{Name: "Sum", Type: cmdlet.Switch, Help: "Add up."},
				{Name: "Average", Type: cmdlet.Switch, Help: "The mean."},
				{Name: "Maximum", Type: cmdlet.Switch, Help: "The greatest."},
				{Name: "Minimum", Type: cmdlet.Switch, Help: "The least."},
				piped("InputObject"),
			},
		},
	}
}
