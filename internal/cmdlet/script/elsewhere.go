package script

import "strings"

const (
	useNothing = "leave the line out: nothing has to be installed or loaded, all commands of ck are there (Get-Command lists them)"
	useConnect = "Connect-ExchangeOnline and Connect-AzAccount ask for the password themselves"
	useFiles   = "files are touched by commands that say so only, as Out-File and Backup-AzKeyVaultKey; " + realPowerShell
	useShell   = "start programs, and wait, in the shell that starts ck; " + realPowerShell
	useMembers = "see all properties of an object with ... | Format-List *"
	usePeople  = "people, groups and apps are those of the service: ck person, ck group and ck app"
)

// elsewhere are commands of PowerShell that administrators' scripts begin with, or are full of, by
// what to do instead. An unknown name that is none of them may be a slip, and is told the nearest.
var elsewhere = byHint(map[string]string{
	useNothing: "Update-Module Uninstall-Module Remove-Module Find-Module Get-Module Get-InstalledModule Install-PSResource Set-ExecutionPolicy Set-PSRepository Import-PSSession New-PSSession",
	useConnect: "Get-Credential ConvertTo-SecureString ConvertFrom-SecureString",
	useFiles:   "Get-Content Set-Content Add-Content Import-Csv Import-Clixml Export-Clixml Get-ChildItem Get-Item New-Item Copy-Item Move-Item Remove-Item Rename-Item Test-Path Join-Path Set-Location Get-Location Start-Transcript Stop-Transcript cd dir ls cat type pwd",
	useShell:   "Start-Process Start-Job Start-Sleep sleep Invoke-Expression iex Invoke-Command Invoke-WebRequest Invoke-RestMethod Read-Host",
	useMembers: "Get-Member gm",
	usePeople:  "Connect-MgGraph Connect-MsolService Connect-AzureAD Get-MgUser Get-MsolUser Get-AzADUser Get-AzADGroup Get-AzADServicePrincipal",
})

// byHint turns lists of names into hints by name, in lower case.
func byHint(lists map[string]string) map[string]string {
	hints := map[string]string{}
	for hint, names := range lists {
		for _, name := range strings.Fields(names) {
			hints[strings.ToLower(name)] = hint
		}
	}
	return hints
}
