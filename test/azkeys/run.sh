#!/usr/bin/env bash
# Runs the tests that azkeys' authors wrote, as their module has them, in live mode (KV-172) against a running server.
#
#   AZURE_KEYVAULT_URL    a premium vault without purge protection; its keys are made and purged
#   AZURE_MANAGEDHSM_URL  a second one, in the place of a managed HSM
#   SSL_CERT_FILE         the server's certificate authority
#   and a credential as azidentity takes it from the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET
#
# What needs attestation or symmetric keys, which vaults do not have, is left out. Exit status 77: their tests' own
# dependencies are not in reach.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${AZURE_KEYVAULT_URL:?}" "${AZURE_MANAGEDHSM_URL:?}"

suite=$(mktemp -d)
trap 'chmod -R u+w "$suite"; rm -rf "$suite"' EXIT
cp -R "$(cd "$here" && go list -m -f '{{.Dir}}' github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys)/." "$suite"
chmod -R u+w "$suite"
cp "$here/loopback_test.go" "$suite" # every host name is this machine

cd "$suite"
export GOFLAGS=-mod=mod GODEBUG= AZURE_RECORD_MODE=live
go list -deps -test ./ >/dev/null || exit 77
go test -count=1 -v -timeout 8m -skip 'TestReleaseKey|TestEncryptDecryptSymmetric|Example' ./
