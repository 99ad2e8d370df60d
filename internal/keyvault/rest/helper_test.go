package rest_test

import (
	"crypto/fips140"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// algorithms returns those that this program may use: one alone under GODEBUG=fips140=only.
func algorithms() []azkeys.EncryptionAlgorithm {
	if fips140.Enforced() {
		return []azkeys.EncryptionAlgorithm{azkeys.EncryptionAlgorithmRSAOAEP256}
	}
	return []azkeys.EncryptionAlgorithm{azkeys.EncryptionAlgorithmRSAOAEP256, azkeys.EncryptionAlgorithmRSAOAEP, azkeys.EncryptionAlgorithmRSA15}
}
