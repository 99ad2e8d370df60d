package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

var outPath = cmdlet.Param{Name: "FilePath", Aliases: []string{"Path", "LiteralPath"}, Type: cmdlet.String, Position: 1, Mandatory: true, Help: "The file."}

// fileParams say what happens to a file that is there.
func fileParams() []cmdlet.Param {
	return []cmdlet.Param{
		{Name: "Append", Type: cmdlet.Switch, Help: "Write behind what is there."},
		{Name: "Force", Type: cmdlet.Switch, Help: "Replace what is there."},
		{Name: "NoClobber", Aliases: []string{"NoOverwrite"}, Type: cmdlet.Switch, Help: "Replace nothing; so it is unless -Force or -Append is given."},
		{Name: "Encoding", Type: cmdlet.String, Values: []string{"utf8", "utf8NoBOM"}, Help: "UTF-8, which it always is."},
	}
}

const fileText = "A file that is there is neither replaced nor added to unless -Force or -Append says so. The file changes only when the pipeline has ended well."

// convertRows turn objects into text, and put text into files.
func convertRows() []cmdlet.Cmdlet {
	delimiter := cmdlet.Param{Name: "Delimiter", Type: cmdlet.String, Position: 2, Help: "What stands between values; a comma unless given."}
	plain := cmdlet.Param{Name: "NoTypeInformation", Aliases: []string{"nti"}, Type: cmdlet.Switch, Help: "Taken for the sake of older scripts: there is no line of types."}
	const csvText = "Values stand in quotes, dates as 2027-01-31T08:00:00Z, the items of a list with spaces between. They are written as they are: a program that reads cells beginning with = + - or @ as formulas must be told that they are text."
	return []cmdlet.Cmdlet{
		{
			Name: "ConvertTo-Json", Side: cmdlet.Shell,
			Synopsis:    "Write objects as JSON.",
			Description: "One object is written as such, several as an array.",
			Examples:    []string{`Get-M365DataAtRestEncryptionPolicy | ConvertTo-Json -Depth 5`, `Get-Mailbox | Select-Object Name, DataEncryptionPolicy | ConvertTo-Json -Compress`},
			Params: []cmdlet.Param{
				{Name: "Depth", Type: cmdlet.Int, Help: "How many levels of objects in objects are written out, 1 to 32; 16 unless given. What lies deeper is written as text, with a warning."},
				{Name: "Compress", Type: cmdlet.Switch, Help: "No line breaks and spaces."},
				{Name: "AsArray", Type: cmdlet.Switch, Help: "An array also for one object."},
				piped("InputObject"),
			},
		},
		{
			Name: "ConvertTo-Csv", Side: cmdlet.Shell,
			Synopsis: "Write objects as comma-separated values, a line each.", Description: csvText,
			Examples: []string{`Get-Mailbox | Select-Object Name, DataEncryptionPolicy | ConvertTo-Csv -NoTypeInformation`},
			Params:   []cmdlet.Param{inPlace(delimiter, 1), plain, piped("InputObject")},
		},
		{
			Name: "Export-Csv", Side: cmdlet.Shell, Impact: cmdlet.Medium,
			Synopsis: "Write objects as comma-separated values into a file.", Description: csvText + " " + fileText,
			Examples: []string{`Get-Mailbox | Export-Csv mailboxes.csv -NoTypeInformation`},
			Params:   append([]cmdlet.Param{outPath, delimiter, plain, piped("InputObject")}, fileParams()...),
		},
		{
			Name: "Out-File", Side: cmdlet.Shell, Impact: cmdlet.Medium,
			Synopsis: "Put into a file what would be shown.", Description: fileText,
			Examples: []string{`Get-M365DataAtRestEncryptionPolicy | Format-List | Out-File report.txt`, `Get-Mailbox | ConvertTo-Json | Out-File mailboxes.json -Force`},
			Params:   append([]cmdlet.Param{outPath, piped("InputObject")}, fileParams()...),
		},
	}
}

func inPlace(p cmdlet.Param, position int) cmdlet.Param {
	p.Position = position
	return p
}

// writeRows say something, or nothing.
func writeRows() []cmdlet.Cmdlet {
	said := func(name string) cmdlet.Param {
		p := piped(name)
		p.Position, p.Help = 1, "What to write."
		return p
	}
	return []cmdlet.Cmdlet{
		{
			Name: "Write-Output", Aliases: []string{"write", "echo"}, Side: cmdlet.Shell,
			Synopsis: "Pass values on.",
			Examples: []string{`Write-Output 'contoso-east', 'contoso-west' | ForEach-Object { Get-AzKeyVault -VaultName $_ }`},
			Params:   []cmdlet.Param{said("InputObject"), {Name: "NoEnumerate", Type: cmdlet.Switch, Help: "A list goes on as one value."}},
		},
		{
			Name: "Write-Host", Side: cmdlet.Shell,
			Synopsis: "Write to the terminal, past the pipeline.",
			Examples: []string{`Write-Host "Rolling $name"`},
			Params:   []cmdlet.Param{said("Object"), {Name: "NoNewline", Type: cmdlet.Switch, Help: "Stay on the line."}},
		},
		{
			Name: "Write-Warning", Side: cmdlet.Shell,
			Synopsis: "Write a warning.",
			Examples: []string{`Write-Warning "the key $name has no backup"`},
			Params:   []cmdlet.Param{said("Message")},
		},
		{
			Name: "Write-Error", Side: cmdlet.Shell,
			Synopsis:    "Say that something is wrong.",
			Description: "It is an error as those of other commands: -ErrorAction and $ErrorActionPreference say whether the script goes on, and the exit code tells of it.",
			Examples:    []string{`Write-Error "the key $name has no backup" -ErrorAction Stop`},
			Params:      []cmdlet.Param{said("Message")},
		},
		{
			Name: "Out-Null", Side: cmdlet.Shell,
			Synopsis: "Let nothing through.",
			Examples: []string{`New-AzResourceGroup -Name keys -Location eastus | Out-Null`},
			Params:   []cmdlet.Param{piped("InputObject")},
		},
	}
}

// makeRows make values and change them.
func makeRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name: "Add-Member", Side: cmdlet.Shell,
			Synopsis:    "Add a property to an object.",
			Description: "The object itself changes, wherever it is held; -PassThru passes it on.",
			Examples:    []string{`$r.Properties | Add-Member -MemberType NoteProperty -Name enableSoftDelete -Value 'True'`, `$r.Properties | Add-Member -NotePropertyName enableSoftDelete -NotePropertyValue 'True'`},
			Params: []cmdlet.Param{
				{Name: "MemberType", Aliases: []string{"Type"}, Type: cmdlet.String, Position: 1, Mandatory: true, Sets: []string{"Member"}, Values: []string{"NoteProperty"}, Help: "The kind of member."},
				{Name: "Name", Type: cmdlet.String, Position: 2, Mandatory: true, Sets: []string{"Member"}, Help: "The property."},
				{Name: "Value", Type: cmdlet.Any, Position: 3, Sets: []string{"Member"}, Help: "Its value; $null unless given."},
				{Name: "NotePropertyName", Type: cmdlet.String, Mandatory: true, Sets: []string{"NoteProperty"}, Help: "The property."},
				{Name: "NotePropertyValue", Type: cmdlet.Any, Mandatory: true, Sets: []string{"NoteProperty"}, Help: "Its value."},
				{Name: "Force", Type: cmdlet.Switch, Help: "Also where the object has the property: its value is replaced."},
				{Name: "PassThru", Type: cmdlet.Switch, Help: "Pass the object on."},
				piped("InputObject"),
			},
			DefaultSet: "Member",
		},
		{
			Name: "Get-Date", Side: cmdlet.Shell,
			Synopsis:    "The time now, or a given one.",
			Description: "A time without an offset is one of this computer's zone, which is how the articles mean midnight.",
			Examples:    []string{`Get-Date`, `Get-Date -Date "12/31/9999"`, `Get-Date -Format yyyy-MM-dd`},
			Params: []cmdlet.Param{
				{Name: "Date", Type: cmdlet.Any, Position: 1, Help: "Such as 12/27/2016 12:01 AM, 12/31/9999 or 2027-01-31T08:00:00Z."},
				{Name: "Format", Type: cmdlet.String, Help: "Text instead of a time: yyyy MM dd HH hh mm ss tt and their like, or one of d D t T f F g G s u o."},
				{Name: "AsUTC", Type: cmdlet.Switch, Help: "The same instant in UTC."},
			},
		},
		{
			Name: "New-Guid", Side: cmdlet.Shell,
			Synopsis: "A new GUID.",
			Examples: []string{`New-Guid`},
		},
	}
}
