# Commands in the spelling of the articles, with values filled in.
Set-AzContext -SubscriptionId 11111111-2222-3333-4444-555555555555
Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources
Set-AzKeyVaultAccessPolicy -VaultName contoso-east -UserPrincipalName alice@contoso.example -PermissionsToKeys create,import,list,get,backup,restore
$v = Get-AzKeyVault -VaultName contoso-east
$r = Get-AzResource -ResourceId $v.ResourceId
$r.Properties | Add-Member -MemberType NoteProperty -Name enableSoftDelete -Value 'True'
Set-AzResource -ResourceId $r.ResourceId -Properties $r.Properties
($r = Get-AzResource -ResourceId (Get-AzKeyVault -VaultName "contoso-east").ResourceId).Properties | Add-Member -MemberType "NoteProperty" -Name "enableSoftDelete" -Value "True"
Get-AzKeyVault -VaultName contoso-east | fl
Add-AzKeyVaultKey -VaultName contoso-east -Name root1 -Destination HSM -KeyOps @('wrapKey','unwrapKey') -NotBefore (Get-Date -Date "12/27/2016 12:01 AM")
(Get-AzKeyVaultKey -VaultName contoso-east -Name root1).Attributes
Backup-AzKeyVaultKey -VaultName contoso-east -Name root1
-OutputFile root1.backup
Update-AzKeyVaultKey -VaultName contoso-east -Name root1 -Expires (Get-Date -Date "12/31/9999")
New-M365DataAtRestEncryptionPolicy -Name "Default_Policy" -AzureKeyIDs "https://contoso-east.vault.localhost/keys/root1","https://contoso-west.vault.localhost/keys/root2" -Description "Tenant default policy"
Set-M365DataAtRestEncryptionPolicyAssignment -Policy “Default_Policy”
Set-M365DataAtRestEncryptionPolicy -Identity “EUR Policy” –Refresh
Set-M365DataAtRestEncryptionPolicy -Identity "NAM Policy" -Enabled $false
