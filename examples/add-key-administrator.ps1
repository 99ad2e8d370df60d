# Lets a person administrate the keys of a vault: make, import, back up, restore and recover them.
# Not delete, not purge, not use: who keeps a root key never needs that.
#
# Who        the contributor of the vault, who gives and takes permissions there.
# How often  when somebody joins. Not the same person for both vaults of a policy.
# Ends with  an error if the permissions are not there; a warning for everybody who may destroy keys.

$vault       = 'contoso-east'
$person      = 'alice@contoso.example'
$permissions = 'create', 'import', 'list', 'get', 'update', 'backup', 'restore', 'recover'

$ErrorActionPreference = 'Stop'

Set-AzKeyVaultAccessPolicy -VaultName $vault -UserPrincipalName $person -PermissionsToKeys $permissions

$who = (Get-AzKeyVault -VaultName $vault).AccessPolicies
$who | Format-Table DisplayName, ObjectId, PermissionsToKeys
$who | Where-Object { $_.DisplayName -like "*($person)*" -and $_.PermissionsToKeys -contains 'backup' } | Measure-Object | Where-Object { $_.Count -ne 1 } |
    ForEach-Object { Write-Error "$person cannot back up the keys of $vault" }
$who | Where-Object { $_.PermissionsToKeys -contains 'delete' -or $_.PermissionsToKeys -contains 'purge' } |
    ForEach-Object { Write-Warning "$($_.DisplayName) may delete or purge keys of $vault" }
