package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// helpRows are the commands that tell of the others.
func helpRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name: "Get-Help", Aliases: []string{"help", "man"}, Side: cmdlet.Shell, Output: cmdlet.TextType,
			Synopsis: "Show what a command does and takes.",
			Examples: []string{`Get-Help Set-DataEncryptionPolicy`, `Get-Help Set-DataEncryptionPolicy -Full`, `Get-Help Set-DataEncryptionPolicy -Parameter Refresh`},
			Params: []cmdlet.Param{
				{Name: "Name", Type: cmdlet.String, Position: 1, Help: "Name of the command; a page of all unless given."},
				{Name: "Full", Aliases: []string{"Detailed"}, Type: cmdlet.Switch, Sets: []string{"All"}, Help: "All that there is to say."},
				{Name: "Examples", Type: cmdlet.Switch, Mandatory: true, Sets: []string{"Examples"}, Help: "Only the examples."},
				{Name: "Parameter", Type: cmdlet.String, Mandatory: true, Sets: []string{"Parameter"}, Help: "Only the parameters of that name, which may contain * and ?."},
			},
			DefaultSet: "All",
		},
		{
			Name: "Get-Command", Aliases: []string{"gcm"}, Side: cmdlet.Shell, Output: cmdlet.CommandType,
			Synopsis: "List commands.",
			Examples: []string{`Get-Command *DataEncryptionPolicy*`, `Get-Command -Verb Get -Noun AzKeyVault*`},
			Params: []cmdlet.Param{
				{Name: "Name", Type: cmdlet.String, Position: 1, Help: "Only those of that name, which may contain * and ?."},
				{Name: "Verb", Type: cmdlet.String, Help: "Only those whose name begins with that verb, as Get; it may contain * and ?."},
				{Name: "Noun", Type: cmdlet.String, Help: "Only those whose name has that behind its dash; it may contain * and ?."},
			},
		},
	}
}

func helpViews() []cmdlet.View {
	list := []cmdlet.Column{{Label: "Name", Property: "Name"}, {Label: "Group", Property: "Group"}, {Label: "Synopsis", Property: "Synopsis"}}
	return []cmdlet.View{{Type: cmdlet.CommandType, Summary: true, Table: list}}
}
