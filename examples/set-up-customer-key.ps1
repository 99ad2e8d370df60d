# Sets Customer Key up from nothing: two subscriptions, a vault with a root key in each, backups,
# and a policy for all workloads, assigned to the organization.
#
# Who        a Global Administrator.
# How often  once. It stops until an operator of the service has approved mandatory retention for
#            both subscriptions; run it again then, it finds the subscriptions again. If it stops
#            later, put right what it says, and run what is left.
# Needs      names of vaults that nobody else has, and the folder of the backups.
# Leaves     one person for each vault who makes, backs up and restores keys, and deletes none.

$organization = 'contoso.example'
$policy       = 'Contoso_Global'
$east         = @{ subscription = 'keys-east'; vault = 'contoso-east'; key = 'contoso-east-root'; location = 'eastus'; person = 'keys-east@contoso.example' }
$west         = @{ subscription = 'keys-west'; vault = 'contoso-west'; key = 'contoso-west-root'; location = 'westus2'; person = 'keys-west@contoso.example' }
$group        = 'customer-key'
$sku          = 'Standard'   # Premium, and HSM below, for keys in hardware
$destination  = 'Software'
$backups      = '.'
$permissions  = 'create', 'import', 'list', 'get', 'update', 'backup', 'restore', 'recover'
$service      = 'c066d759-24ae-40e7-a56f-027002b5d3e4'   # the service, which wraps and unwraps
$onboarding   = '19f7f505-34aa-44a4-9dcc-6a768854d2ea'   # the service, which looks at subscriptions

$ErrorActionPreference = 'Stop'

# 1. Two subscriptions in which nothing is destroyed early.
$eastId = (New-AzSubscriptionAlias -AliasName $east.subscription).Id
$westId = (New-AzSubscriptionAlias -AliasName $west.subscription).Id
$null = Set-AzContext -Subscription $eastId -Scope Process
$eastFeature = Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources
$null = Set-AzContext -Subscription $westId -Scope Process
$westFeature = Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources
$eastFeature, $westFeature | Where-Object { $_.RegistrationState -ne 'Registered' } |
    ForEach-Object { Write-Error "mandatory retention waits for approval in $eastId and $westId; run this script again after it" }

# 2. A vault and a root key in each, kept by a person of its own.
$null = Set-AzContext -Subscription $eastId -Scope Process
$null = Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault
$null = New-AzResourceGroup -Name $group -Location $east.location -Force
$null = New-AzKeyVault -Name $east.vault -ResourceGroupName $group -Location $east.location -Sku $sku -EnablePurgeProtection
$eastKey = Add-AzKeyVaultKey -VaultName $east.vault -Name $east.key -Destination $destination -KeyOps wrapKey, unwrapKey
Set-AzKeyVaultAccessPolicy -VaultName $east.vault -UserPrincipalName $east.person -PermissionsToKeys $permissions
Set-AzKeyVaultAccessPolicy -VaultName $east.vault -ServicePrincipalName $service -PermissionsToKeys get, wrapKey, unwrapKey
$null = New-AzRoleAssignment -ApplicationId $onboarding -RoleDefinitionName Reader -Scope "/subscriptions/$eastId"

$null = Set-AzContext -Subscription $westId -Scope Process
$null = Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault
$null = New-AzResourceGroup -Name $group -Location $west.location -Force
$null = New-AzKeyVault -Name $west.vault -ResourceGroupName $group -Location $west.location -Sku $sku -EnablePurgeProtection
$westKey = Add-AzKeyVaultKey -VaultName $west.vault -Name $west.key -Destination $destination -KeyOps wrapKey, unwrapKey
Set-AzKeyVaultAccessPolicy -VaultName $west.vault -UserPrincipalName $west.person -PermissionsToKeys $permissions
Set-AzKeyVaultAccessPolicy -VaultName $west.vault -ServicePrincipalName $service -PermissionsToKeys get, wrapKey, unwrapKey
$null = New-AzRoleAssignment -ApplicationId $onboarding -RoleDefinitionName Reader -Scope "/subscriptions/$westId"

# 3. Backups, to be kept where the vaults are not.
$today = Get-Date -Format yyyyMMdd
Backup-AzKeyVaultKey -VaultName $east.vault -Name $east.key -OutputFile "$backups/$($east.vault)-$($east.key)-$today.backup"
Backup-AzKeyVaultKey -VaultName $west.vault -Name $west.key -OutputFile "$backups/$($west.vault)-$($west.key)-$today.backup"

# Who makes a vault may delete its keys: not from now on.
$me = "$((Get-AzContext).Account)"
$east.vault, $west.vault | ForEach-Object { Remove-AzKeyVaultAccessPolicy -VaultName $_ -UserPrincipalName $me }

# 4. All conditions are checked, and the family is asked for.
$request = New-CustomerKeyOnboardingRequest -OrganizationId $organization -Scenario MDEP -OnboardingMode Enable `
    -Subscription1 $eastId -KeyIdentifier1 $eastKey.Id -Subscription2 $westId -KeyIdentifier2 $westKey.Id
$request.FailedValidations
$request | Where-Object { $_.ValidationResult -ne 'Success' } | ForEach-Object { Write-Error 'the keys are not ready, see above' }

# 5. The policy, and its assignment: content that is there follows in the background.
New-M365DataAtRestEncryptionPolicy -Name $policy -AzureKeyIDs $eastKey.Id, $westKey.Id -Description 'All of the organization, under two keys of its own'
Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy $policy
Get-M365DataAtRestEncryptionPolicyAssignment | Format-List Name, Enabled, Assigned, AzureKeyIDs
