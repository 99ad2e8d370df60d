// Package rootkey is the service's only way to a customer's root keys: through the official
// Azure client for keys, whichever vault it is, ours or one that we did not write.
//
// A [Client] knows which vaults may be called at all: [Client.Parse] refuses every key URI
// whose host is not one label in front of a configured suffix, before any connection is made.
// A [Key] is one root key, reached as one service principal. It wraps and unwraps policy keys
// and tells what the vault says about the key.
//
// Every failure of a vault is sorted in one place, [classify], into denied by its owner or
// not to be reached: the answer decides whether the availability key may be used. The caller's
// own cancellation is neither and comes back as it is.
//
// What a vault sends is not trusted: answers are bounded, redirects refused, tokens asked for
// the vault's own audience only, and a key id must be of the key that was asked for.
package rootkey
