package cmdlet

import "slices"

// The rows of the commands of the language itself. Package script carries them out.

// shellRows are the commands that do something with what comes through a pipeline, or that
// make a value of nothing.
func shellRows() []Cmdlet {
	return slices.Concat(formatRows(), chooseRows(), reckonRows(), convertRows(), writeRows(), makeRows(), helpRows(), connectRows())
}

// piped is the parameter that takes what comes through the pipeline.
func piped(name string) Param {
	return Param{Name: name, Type: Any, Pipeline: true, Help: "What the pipeline brings, unless it is given here."}
}

// properties is the parameter that picks properties.
func properties(position int, help string) Param {
	return Param{Name: "Property", Type: AnyList, Position: position, Help: help}
}

const propertyHelp = "Names of properties, with * and ? for several, or @{Name='label'; Expression={ $_.Property }}"

func formatRows() []Cmdlet {
	return []Cmdlet{
		{
			Name: "Format-List", Aliases: []string{"fl"}, Side: Shell,
			Synopsis: "Show objects as lists, a property a line.",
			Examples: []string{`Get-M365DataAtRestEncryptionPolicy | Format-List`, `Get-AzKeyVault -VaultName contoso-east | fl *`, `Get-Mailbox | Format-List Name, DataEncryptionPolicy`},
			Params:   []Param{properties(1, propertyHelp+"; * for all, those that its type shows unless given."), piped("InputObject")},
		},
		{
			Name: "Format-Table", Aliases: []string{"ft"}, Side: Shell,
			Synopsis: "Show objects as a table, a property a column.",
			Examples: []string{`Get-AzKeyVaultKey -VaultName contoso-east | Format-Table Name, Enabled, Expires`, `Get-Mailbox | ft Name, DataEncryptionPolicy -Wrap`},
			Params: []Param{
				properties(1, propertyHelp+"; those that its type shows unless given."),
				{Name: "AutoSize", Type: Switch, Help: "Columns are as wide as they need to be; so they always are."},
				{Name: "Wrap", Type: Switch, Help: "Cut nothing off, also where it is wider than the terminal."},
				piped("InputObject"),
			},
		},
	}
}

func chooseRows() []Cmdlet {
	return []Cmdlet{
		whereRow(),
		{
			Name: "Select-Object", Aliases: []string{"select"}, Side: Shell,
			Synopsis:    "Take some of the objects, or some of their properties.",
			Description: "With -First what comes before in the pipeline is stopped as soon as there is enough.",
			Examples:    []string{`Get-Mailbox | Select-Object -First 10`, `Get-Mailbox | Select-Object Name, @{Name='Policy'; Expression={ $_.DataEncryptionPolicy }}`, `Get-AzKeyVault | select -ExpandProperty VaultName`},
			Params: []Param{
				properties(1, propertyHelp+"."),
				{Name: "ExpandProperty", Type: String, Help: "The property whose value is wanted instead of the object."},
				{Name: "First", Type: Int, Help: "How many from the beginning."},
				{Name: "Last", Type: Int, Help: "How many from the end."},
				{Name: "Skip", Type: Int, Help: "How many to pass over: at the beginning, or at the end with -Last."},
				{Name: "Unique", Type: Switch, Help: "Each only once."},
				piped("InputObject"),
			},
		},
		{
			Name: "ForEach-Object", Aliases: []string{"foreach", "%"}, Side: Shell,
			Synopsis: "Run a pipeline for each object, or take one property of each.",
			Examples: []string{`Get-Mailbox | ForEach-Object { Get-MailboxStatistics -Identity $_.Identity }`, `Get-AzKeyVault | ForEach-Object VaultName`},
			Params: []Param{
				{Name: "Process", Type: ScriptBlock, Position: 1, Mandatory: true, Sets: []string{"ScriptBlock"}, Help: "What to run; $_ is the object."},
				{Name: "MemberName", Type: String, Position: 2, Mandatory: true, Sets: []string{"Member"}, Help: "The property to take."},
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

func whereRow() Cmdlet {
	const byName = "Comparison"
	c := Cmdlet{
		Name: "Where-Object", Aliases: []string{"where", "?"}, Side: Shell,
		Synopsis: "Let only those objects through that fulfil a condition.",
		Examples: []string{`Get-Mailbox | Where-Object { $_.DataEncryptionPolicy -eq 'USA_mailboxes' }`, `Get-Mailbox | where Name -like 'a*'`, `Get-AzKeyVaultKey -VaultName contoso-east | Where-Object Enabled`},
		Params: []Param{
			{Name: "FilterScript", Type: ScriptBlock, Position: 1, Mandatory: true, Sets: []string{"ScriptBlock"}, Help: "The condition; $_ is the object."},
			{Name: "Property", Type: String, Position: 2, Mandatory: true, Sets: []string{byName}, Help: "The property that is compared; alone, it must be true."},
			{Name: "Value", Type: Any, Position: 3, Sets: []string{byName}, Help: "What it is compared with."},
		},
		DefaultSet: "ScriptBlock", check: checkWhere,
	}
	for _, name := range Comparisons() {
		c.Params = append(c.Params, Param{Name: name, Type: Switch, Sets: []string{byName}, Help: "Compare as the operator of this name does."})
	}
	c.Params = append(c.Params, Param{Name: "Not", Type: Switch, Sets: []string{byName}, Help: "The property must be false."}, piped("InputObject"))
	return c
}

func checkWhere(args Args) error {
	operators := 0
	for _, name := range append(Comparisons(), "Not") {
		if args.On(name) {
			operators++
		}
	}
	switch {
	case operators > 1:
		return bindError("Where-Object compares in one way at a time").WithHint("for more, write a block: { $_.Name -like 'a*' -and $_.Enabled }")
	case operators == 0 && args.Has("Value"):
		return bindError("Where-Object does not know how to compare").WithHint("name an operator, as in: Where-Object Name -eq 'root1'")
	}
	return nil
}

func reckonRows() []Cmdlet {
	return []Cmdlet{
		{
			Name: "Sort-Object", Aliases: []string{"sort"}, Side: Shell,
			Synopsis: "Put objects in order.",
			Examples: []string{`Get-Mailbox | Sort-Object DataEncryptionPolicy, Name`, `Get-AzKeyVaultKey -VaultName contoso-east | sort Created -Descending`},
			Params: []Param{
				properties(1, "Properties to sort by, the first before the second, or blocks, or @{Expression='Name'; Descending=$true}; the values themselves unless given."),
				{Name: "Descending", Type: Switch, Help: "The greatest first."},
				{Name: "Unique", Type: Switch, Help: "Of equals only the first."},
				{Name: "CaseSensitive", Type: Switch, Help: "Tell upper case from lower."},
				piped("InputObject"),
			},
		},
		{
			Name: "Group-Object", Aliases: []string{"group"}, Side: Shell,
			Synopsis: "Gather objects that are alike in some properties, and count them.",
			Examples: []string{`Get-Mailbox | Group-Object DataEncryptionPolicy -NoElement`},
			Params: []Param{
				properties(1, "Properties in which they are alike; the values themselves unless given."),
				{Name: "NoElement", Type: Switch, Help: "Only count; do not keep the objects."},
				piped("InputObject"),
			},
		},
		{
			Name: "Measure-Object", Aliases: []string{"measure"}, Side: Shell,
			Synopsis: "Count objects; sum up a property.",
			Examples: []string{`Get-Mailbox | Measure-Object`, `Get-M365DataAtRestEncryptionPolicy | Measure-Object -Property PercentEncrypted -Average -Minimum`},
			Params: []Param{
				properties(1, "Properties to measure; the values themselves unless given."),
				{Name: "Sum", Type: Switch, Help: "Add up."},
				{Name: "Average", Type: Switch, Help: "The mean."},
				{Name: "Maximum", Type: Switch, Help: "The greatest."},
				{Name: "Minimum", Type: Switch, Help: "The least."},
				piped("InputObject"),
			},
		},
	}
}
