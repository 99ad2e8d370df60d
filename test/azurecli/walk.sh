#!/usr/bin/env bash
# A walk with the Azure CLI, unmodified: sign-in, groups, features, providers, vaults, and keys by az rest.
#
# CK_PORT: where the server listens; CK_TENANT, CK_APP, CK_SECRET: a program that owns a subscription in which nothing is
# registered yet; REQUESTS_CA_BUNDLE: the authority of the server's certificate; AZURE_CONFIG_DIR: an empty folder.
# Checked with 2.45, whose own `az keyvault key` and `az role` commands are broken in Debian 12's package.
set -euo pipefail

say() { printf '\n== %s\n' "$*" >&2; }
is() { [ "$1" = "$2" ] || { echo "got \"$1\", want \"$2\"" >&2; exit 1; }; }
fails() { # fails PATTERN COMMAND ...: the command must be refused with a text that holds PATTERN
  local pattern=$1 out; shift
  if out=$("$@" 2>&1); then echo "not refused: $*" >&2; exit 1; fi
  grep -q -- "$pattern" <<<"$out" || { echo "refused for another reason: $out" >&2; exit 1; }
}

base=localhost:$CK_PORT
az config set core.collect_telemetry=false core.instance_discovery=false --only-show-errors

say 'the cloud'
az cloud register --name customerkey --only-show-errors --cloud-config '{
  "endpoints": {
    "resourceManager": "https://management.'"$base"'", "management": "https://management.'"$base"'",
    "activeDirectory": "https://login.'"$base"'/adfs", "activeDirectoryResourceId": "https://management.'"$base"'",
    "activeDirectoryGraphResourceId": "https://graph.'"$base"'", "microsoftGraphResourceId": "https://graph.'"$base"'"
  },
  "suffixes": {"keyvaultDns": ".vault.'"$base"'"}
}'
az cloud set --name customerkey --only-show-errors

say 'sign-in'
fails AADSTS7000215 az login --service-principal --username "$CK_APP" --password not-the-secret --tenant "$CK_TENANT"
is "$(az login --service-principal --username "$CK_APP" --password "$CK_SECRET" --tenant "$CK_TENANT" --query '[0].state' -o tsv --only-show-errors)" Enabled
subscription=$(az account show --query id -o tsv)

say 'group, vault'
is "$(az group create --name cli --location westeurope --query properties.provisioningState -o tsv)" Succeeded
az keyvault create --name cli-vault --resource-group cli --location westeurope --retention-days 90 --only-show-errors -o none
is "$(az keyvault show --name cli-vault --query properties.vaultUri -o tsv)" "https://cli-vault.vault.$base/"
is "$(az keyvault list --query "[?name=='cli-vault'] | length(@)" -o tsv)" 1
az keyvault set-policy --name cli-vault --spn "$CK_APP" --key-permissions all purge -o none
is "$(az keyvault show --name cli-vault --query 'properties.accessPolicies[0].permissions.keys' -o tsv | sort | tr '\n' ' ')" 'all purge '

say 'keys, as az rest sends them'
rest() { az rest --resource "https://vault.$base" --method "$1" --url "https://cli-vault.vault.$base/$2?api-version=7.4" "${@:3}"; }
rest post keys/root1/create --body '{"kty":"RSA","key_size":3072}' -o none
is "$(rest get keys/root1 --query key.kty -o tsv)" RSA
is "$(rest get keys/root1 --query attributes.recoveryLevel -o tsv)" Recoverable+Purgeable
fails KeyNotFound rest get keys/none

say 'roles, as az rest sends them'
me=$(az ad sp show --id "$CK_APP" --query id -o tsv)
id=$(az keyvault show --name cli-vault --query id -o tsv)
is "$(az keyvault update --name cli-vault --enable-rbac-authorization true --query properties.enableRbacAuthorization -o tsv)" true
fails 'vaults/keys/read' rest get keys/root1
roles() { az rest --method "$1" --url "https://management.$base$id/providers/Microsoft.Authorization/$2api-version=2022-04-01" "${@:3}"; }
role=$(roles get "roleDefinitions?\$filter=roleName%20eq%20'Key%20Vault%20Crypto%20Officer'&" --query 'value[0].id' -o tsv)
assignment=11111111-2222-4333-8444-555555555555
roles put "roleAssignments/$assignment?" -o none \
  --body '{"properties":{"roleDefinitionId":"'"$role"'","principalId":"'"$me"'","principalType":"ServicePrincipal"}}'
is "$(rest get keys/root1 --query key.kty -o tsv)" RSA
is "$(roles get "roleAssignments?\$filter=principalId%20eq%20'$me'&" --query "value[?name=='$assignment'] | length(@)" -o tsv)" 1
roles delete "roleAssignments/$assignment?" -o none
fails 'vaults/keys/read' rest get keys/root1
az keyvault update --name cli-vault --enable-rbac-authorization false -o none
is "$(rest get keys/root1 --query key.kty -o tsv)" RSA

say 'network rules'
az keyvault network-rule add --name cli-vault --ip-address 192.0.2.0/24 -o none
az keyvault update --name cli-vault --default-action Deny --bypass None -o none
fails 'Client address is not authorized' rest get keys/root1
is "$(az keyvault network-rule list --name cli-vault --query 'ipRules[0].value' -o tsv)" 192.0.2.0/24
az keyvault update --name cli-vault --default-action Allow -o none
is "$(rest get keys/root1 --query key.kty -o tsv)" RSA

say 'retention: feature, provider'
is "$(az feature show --namespace Microsoft.Resources --name mandatoryRetentionPeriodEnabled --query properties.state -o tsv)" NotRegistered
is "$(az feature register --namespace Microsoft.Resources --name mandatoryRetentionPeriodEnabled --query properties.state -o tsv --only-show-errors)" Pending
az provider register --namespace Microsoft.KeyVault
is "$(az provider show --namespace Microsoft.KeyVault --query registrationState -o tsv)" Registered

say 'delete, recover, purge the vault'
az keyvault delete --name cli-vault --only-show-errors
is "$(az keyvault list-deleted --resource-type vault --query "[?name=='cli-vault'] | length(@)" -o tsv)" 1
fails 'already\|exist\|deleted' az keyvault create --name cli-vault --resource-group cli --location westeurope
az keyvault recover --name cli-vault --only-show-errors -o none
is "$(rest get keys/root1 --query key.kty -o tsv)" RSA
az keyvault delete --name cli-vault --only-show-errors
az keyvault purge --name cli-vault --only-show-errors
is "$(az keyvault list-deleted --resource-type vault --query "[?name=='cli-vault'] | length(@)" -o tsv)" 0

say "done, in subscription $subscription"
