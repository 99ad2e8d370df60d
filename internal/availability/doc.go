// Package availability keeps availability keys: one AES-256 key per policy (rows CK-17,
// CK-24) that wraps the policy key beside the customer's two roots, so that an outage of
// both vaults, or the loss of both roots, is not the loss of the data.
//
// The keys live in their own database under their own seal, apart from everything they can
// open, and never leave the package: it is handed policy keys to wrap and unwrap. Nobody
// reads a key, and none is made by hand (CK-34). Every use is in the tenant's log of that
// database before it happens (CK-80).
//
// The package does not decide when an availability key may be used: package hierarchy does.
package availability
