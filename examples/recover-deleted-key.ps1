# Brings back a root key that was deleted, and proves that the policy works with it again.
#
# Who        somebody who may list and recover keys in the vault, and read policies.
# How often  never, one hopes: within 90 days of the deletion. Rehearse it.
# Ends with  an error if the key is not among the deleted ones, or does not work.

$policy = 'Contoso_Global'
$vault  = 'contoso-east'
$key    = 'root1'

$ErrorActionPreference = 'Stop'

$deleted = Get-AzKeyVaultKey -VaultName $vault -Name $key -InRemovedState
$deleted | Format-List Name, DeletedDate, ScheduledPurgeDate

$back = Undo-AzKeyVaultKeyRemoval -VaultName $vault -Name $key
$back | Format-List Name, Version, Enabled

Test-M365DataAtRestEncryptionPolicy -Identity $policy | Format-Table Policy, RootKey, Verdict, Reason
Test-M365DataAtRestEncryptionPolicy -Identity $policy | Where-Object { $_.Verdict -ne 'Pass' } |
    ForEach-Object { Write-Error "the root key $($_.RootKey) is not in order: $($_.Reason)" }
