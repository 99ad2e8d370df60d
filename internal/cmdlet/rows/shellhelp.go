package cmdlet

// CommandType is the type of what Get-Command shows.
const CommandType = "CmdletInfo"

// helpRows are the commands that tell of the others.
func helpRows() []Cmdlet {
	return []Cmdlet{
		{
			Name: "Get-Help", Aliases: []string{"help", "man"}, Side: Shell, Output: TextType,
			Synopsis: "Show what a command does and takes.",
			Examples: []string{`Get-Help Set-DataEncryptionPolicy`, `Get-Help Set-DataEncryptionPolicy -Full`, `Get-Help Set-DataEncryptionPolicy -Parameter Refresh`},
			Params: []Param{
				{Name: "Name", Type: String, Position: 1, Help: "Name of the command; a page of all unless given."},
				{Name: "Full", Aliases: []string{"Detailed"}, Type: Switch, Sets: []string{"All"}, Help: "All that there is to say."},
				{Name: "Examples", Type: Switch, Mandatory: true, Sets: []string{"Examples"}, Help: "Only the examples."},
				{Name: "Parameter", Type: String, Mandatory: true, Sets: []string{"Parameter"}, Help: "Only the parameters of that name, which may contain * and ?."},
			},
			DefaultSet: "All",
		},
		{
			Name: "Get-Command", Aliases: []string{"gcm"}, Side: Shell, Output: CommandType,
			Synopsis: "List commands.",
			Examples: []string{`Get-Command *DataEncryptionPolicy*`, `Get-Command -Verb Get -Noun AzKeyVault*`},
			Params: []Param{
				{Name: "Name", Type: String, Position: 1, Help: "Only those of that name, which may contain * and ?."},
				{Name: "Verb", Type: String, Help: "Only those whose name begins with that verb, as Get; it may contain * and ?."},
				{Name: "Noun", Type: String, Help: "Only those whose name has that behind its dash; it may contain * and ?."},
			},
		},
	}
}

func helpViews() []View {
	list := []Column{{"Name", "Name"}, {"Group", "Group"}, {"Synopsis", "Synopsis"}}
	return []View{{Type: CommandType, Summary: true, Table: list}}
}
