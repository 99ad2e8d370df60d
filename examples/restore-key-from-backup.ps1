# Restores a root key that is lost from its backup into another vault, and gives the policy its
# root keys anew: the restored one, and the one that still works.
#
# Who        somebody who may restore keys in the new vault and give permissions there, and replace
#            the keys of the policy.
# How often  never, one hopes: when a vault or key cannot be recovered any more. Rehearse it.
# Needs      the newest backup, and a vault in the subscription and geography of the lost one.
# Ends with  an error if the policy does not work with the restored key.

$policy  = 'Contoso_Global'
$vault   = 'contoso-east-2'
$backup  = 'contoso-east-root1.backup'
$other   = @{ vault = 'contoso-west'; key = 'root2' }
$service = 'c066d759-24ae-40e7-a56f-027002b5d3e4'

$ErrorActionPreference = 'Stop'

$restored = Restore-AzKeyVaultKey -VaultName $vault -InputFile $backup
$restored | Format-List Name, Version, Enabled, RecoveryLevel
Get-AzKeyVaultKey -VaultName $vault -Name $restored.Name -IncludeVersions | Format-Table Version, Enabled, Created
Set-AzKeyVaultAccessPolicy -VaultName $vault -ServicePrincipalName $service -PermissionsToKeys get, wrapKey, unwrapKey

$intact = Get-AzKeyVaultKey -VaultName $other.vault -Name $other.key
Set-M365DataAtRestEncryptionPolicy -Identity $policy -Replace -AzureKeyIDs $restored.Id, $intact.Id

# The lost key is still asked about until content has moved; only the two of now must be in order.
$state = Get-M365DataAtRestEncryptionPolicy -Identity $policy
Test-M365DataAtRestEncryptionPolicy -Identity $policy | Where-Object { $state.AzureKeyIDs -contains $_.AzureKeyID -and $_.Verdict -ne 'Pass' } |
    ForEach-Object { Write-Error "the root key $($_.RootKey) is not in order: $($_.Reason)" }
$state | Format-List Name, Health, AzureKeyIDs, PercentEncrypted
