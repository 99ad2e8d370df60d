// Package backup is the form in which a key leaves a vault to be kept: one opaque blob, sealed
// under a key of the [Ring] (rows KV-71, KV-75).
//
// # Form
//
//	&AzureKeyVaultKeyBackupV1.customerkey ‖ compact JWE
//
// The JWE (RFC 7516) has alg RSA-OAEP-256, enc A256CBC-HS512 and, as kid, the ring's key. Its
// plaintext is a FLOE message under a secret of that key: who knows the public key alone cannot
// make a blob that opens.
//
// What the content means is the business of package keyvault. Private halves in it are sealed
// once more by the protector, under [Key.Export], and are never seen here or there.
package backup
