# Rolls both root keys of a policy: a new version of each, backups with the date in their names,
# the policy refreshed, and the proof that the new versions are in use.
#
# Who        somebody who may make and back up keys in both vaults and refresh the policy.
# How often  monthly, or by your own rule. Twice on one day it stops: the backups are there. If it
#            was interrupted, move them away and run it again; one version more does no harm.
# Needs      the folder of the backups.
# Ends with  an error if a new version is not in use. Old versions: leave them alone until they are
#            listed as safe to retire, which a later run shows.

$policy   = 'Contoso_Global'
$vault1   = 'contoso-east'
$key1     = 'root1'
$vault2   = 'contoso-west'
$key2     = 'root2'
$location = 'Software'   # HSM for keys in hardware
$backups  = '.'

$ErrorActionPreference = 'Stop'
$today = Get-Date -Format yyyyMMdd

# Nothing is rolled that does not work: rolling away from a broken key hides what is wrong with it.
Test-M365DataAtRestEncryptionPolicy -Identity $policy | Where-Object { $_.Verdict -ne 'Pass' } |
    ForEach-Object { Write-Error "the root key $($_.RootKey) is not in order: $($_.Reason)" }

# What is there is backed up first, so that a name that is taken stops the script before the roll.
Backup-AzKeyVaultKey -VaultName $vault1 -Name $key1 -OutputFile "$backups/$vault1-$key1-$today-before.backup"
Backup-AzKeyVaultKey -VaultName $vault2 -Name $key2 -OutputFile "$backups/$vault2-$key2-$today-before.backup"

$new1 = Add-AzKeyVaultKey -VaultName $vault1 -Name $key1 -Destination $location -KeyOps wrapKey, unwrapKey
$new2 = Add-AzKeyVaultKey -VaultName $vault2 -Name $key2 -Destination $location -KeyOps wrapKey, unwrapKey
Backup-AzKeyVaultKey -VaultName $vault1 -Name $key1 -OutputFile "$backups/$vault1-$key1-$today.backup"
Backup-AzKeyVaultKey -VaultName $vault2 -Name $key2 -OutputFile "$backups/$vault2-$key2-$today.backup"

Set-M365DataAtRestEncryptionPolicy -Identity $policy -Refresh

# The new versions are in use, and both work.
$state = Get-M365DataAtRestEncryptionPolicy -Identity $policy
$inUse = $state.KeyVersions | Where-Object { $_.Current } | ForEach-Object { $_.KeyID }
$new1.Id, $new2.Id | Where-Object { $inUse -notcontains $_ } | ForEach-Object { Write-Error "$_ is not in use" }
Test-M365DataAtRestEncryptionPolicy -Identity $policy | Where-Object { $_.Verdict -ne 'Pass' } |
    ForEach-Object { Write-Error "the root key $($_.RootKey) is not in order: $($_.Reason)" }
$state | Format-List Name, Health, PercentEncrypted, SafeToRetire, StillNeeded
