# Takes all permissions on the keys of a vault from a person who leaves.
#
# Who        the contributor of the vault, who gives and takes permissions there.
# How often  when somebody leaves, for each vault.
# Ends with  an error if the person still has permissions, or if nobody is left who can back up.
#            What people have of a group, or of a role, is not seen here: take them out of it.

$vault  = 'contoso-east'
$person = 'alice@contoso.example'

$ErrorActionPreference = 'Stop'

$before = (Get-AzKeyVault -VaultName $vault).AccessPolicies
Remove-AzKeyVaultAccessPolicy -VaultName $vault -UserPrincipalName $person
$after = (Get-AzKeyVault -VaultName $vault).AccessPolicies

$gone = $before | Where-Object { $after.ObjectId -notcontains $_.ObjectId }
$gone | Format-Table DisplayName, ObjectId, PermissionsToKeys
$after | Where-Object { $_.DisplayName -like "*($person)*" } | ForEach-Object { Write-Error "$person still has permissions on the keys of $vault" }
$after | Where-Object { $_.PermissionsToKeys -contains 'backup' } | Measure-Object | Where-Object { $_.Count -eq 0 } |
    ForEach-Object { Write-Error "nobody is left who can back up the keys of $vault" }
