# Goes back from keys of one's own to those of the service. Nothing is destroyed, and nothing
# becomes unreadable: what is stored moves first, then both vaults let the service in no more.
#
# Who        somebody who may ask for it and who manages both vaults; where two people do, each
#            runs the script once more with his own vault. An operator of the service approves.
# How often  run it again until it ends without an error: the first run asks, the last one removes
#            the permissions.
# Needs      both root keys, until everything has moved. Keep the vaults 90 days longer.

$policy       = 'Contoso_Global'
$organization = 'contoso.example'
$contact      = 'it@contoso.example'
$reason       = 'we give up keys of our own'
$vaults       = 'contoso-east', 'contoso-west'
$service      = 'c066d759-24ae-40e7-a56f-027002b5d3e4'

$ErrorActionPreference = 'Stop'

# Ask, unless that has been done.
$asked = @(Get-CKRequest | Where-Object { $_.Kind -eq 'offboarding' })
Get-CKOffboarding -Identity $policy | Where-Object { $_.Assigned -and $asked.Count -eq 0 } |
    ForEach-Object { Request-CKOffboarding -Identity $policy -TenantDomain $organization -Contact $contact -Reason $reason }

# Once nothing needs the root keys, the policy is closed and the service is let in no more.
$state = Get-CKOffboarding -Identity $policy
$state | Format-List Policy, Assigned, ContainersUnderIt, SafeToRemovePermission
$state | Where-Object { -not $_.SafeToRemovePermission } | ForEach-Object { Write-Error 'not yet: leave keys and permissions alone, and run this script again' }

Set-M365DataAtRestEncryptionPolicy -Identity $policy -Enabled $false
$vaults | ForEach-Object { Remove-AzKeyVaultAccessPolicy -VaultName $_ -ServicePrincipalName $service }
$vaults | ForEach-Object { Get-AzKeyVault -VaultName $_ } | Format-List VaultName, AccessPolicies
