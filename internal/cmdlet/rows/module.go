package rows

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// modules are those of PowerShell whose commands are here, as scripts load and install them; and the
// one that ck powershell-module writes.
var modules = []string{
	"Az", "Az.Accounts", "Az.KeyVault", "Az.Resources", "Az.Subscription",
	"ExchangeOnlineManagement", "Microsoft.Online.SharePoint.PowerShell", "CustomerKey",
}

// IsModule reports whether the commands of a module of PowerShell, or those of them that Customer Key
// needs, are here.
func IsModule(name string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return strings.EqualFold(m, name) })
}

// Modules are the rows of the commands on modules. They do nothing, for nothing has to be done:
// administrators' scripts begin with them.
func Modules() []cmdlet.Cmdlet {
	params := func(more ...string) []cmdlet.Param {
		list := []cmdlet.Param{
			{Name: "Name", Type: cmdlet.StringList, Position: 1, Mandatory: true, Help: "The module: " + strings.Join(modules, ", ") + "."},
			{Name: "Force", Type: cmdlet.Switch, Help: takenForScripts},
		}
		for _, name := range []string{"MinimumVersion", "MaximumVersion", "RequiredVersion", "Scope"} {
			list = append(list, cmdlet.Param{Name: name, Type: cmdlet.String, Help: takenForScripts})
		}
		for _, name := range more {
			list = append(list, cmdlet.Param{Name: name, Type: cmdlet.Switch, Help: takenForScripts})
		}
		return list
	}
	return []cmdlet.Cmdlet{
		{
			Name: "Import-Module", Aliases: []string{"ipmo"}, Side: cmdlet.Shell,
			Synopsis:    "Nothing: the commands of the module are here without it.",
			Description: "Taken for scripts that begin with it. A module whose commands are not here is refused, before anything of the script runs.",
			Examples:    []string{`Import-Module ExchangeOnlineManagement`, `Import-Module Az.Accounts, Az.KeyVault`},
			Params:      params("DisableNameChecking", "NoClobber", "Global", "UseWindowsPowerShell"),
		},
		{
			Name: "Install-Module", Side: cmdlet.Shell,
			Synopsis:    "Nothing: the commands of the module are here without it.",
			Description: "Taken for scripts that begin with it; nothing is fetched or installed. A module whose commands are not here is refused, before anything of the script runs.",
			Examples:    []string{`Install-Module -Name Az.KeyVault -Scope CurrentUser -Force`},
			Params: append(params("AllowClobber", "AcceptLicense", "SkipPublisherCheck", "AllowPrerelease"),
				cmdlet.Param{Name: "Repository", Type: cmdlet.String, Help: takenForScripts}),
		},
	}
}

const takenForScripts = "Taken for scripts that say it; it changes nothing."
