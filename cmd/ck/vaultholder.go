package main

import (
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// openVaultHolder opens a key in a vault elsewhere. It connects to nothing.
func openVaultHolder(s holder.VaultSettings) (holder.Holder, error) {
	ca := ""
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the certificate %s cannot be read", s.CA).WithHint("give the PEM file of the vault's authority with --seal-vault-ca PATH")
		}
		ca = string(pem)
	}
	transport, err := profile.Client(ca)
	if err != nil {
		return nil, err
	}
	options := azcore.ClientOptions{Transport: transport}
	if s.Authority != "" {
		options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: s.Authority}
	}
	credential, err := vaultCredential(s, options)
	if err != nil {
		return nil, err
	}
	return holder.NewVault(holder.VaultConfig{Key: s.Key, Credential: credential, Transport: transport})
}

// vaultCredential is what the settings name, or what Azure's clients find in the environment.
func vaultCredential(s holder.VaultSettings, options azcore.ClientOptions) (credential azcore.TokenCredential, err error) {
	ours := s.Authority != "" // Azure's own directory does not know it
	if s.Client == "" {
		credential, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options, TenantID: s.Tenant, DisableInstanceDiscovery: ours})
	} else {
		var secret []byte
		if secret, err = readSecretFile(s.Secret, "secret of the application"); err != nil {
			return nil, err
		}
		credential, err = azidentity.NewClientSecretCredential(s.Tenant, s.Client, strings.TrimSpace(string(secret)),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: ours})
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the credential for the vault that holds the sealing keys is not complete").
			WithHint("give --seal-vault-tenant, --seal-vault-client and --seal-vault-secret-file, or the variables AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET")
	}
	return credential, nil
}
