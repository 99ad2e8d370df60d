// Package hsm speaks to a hardware security module: one token behind a PKCS #11 library.
//
// # What a token does here
//
// It makes, holds and uses private keys, which [Token] names by an id that the caller chooses
// (CKA_ID), and AES keys that it makes when they are first needed, named by a label. Private
// halves are sensitive: the token never gives one out in clear. They leave it wrapped under one
// of its AES keys, for backups, and only a token that has that AES key takes them back.
//
// # Tokens that go away
//
// A module may be restarted, a cable pulled, a token taken out. A call that meets this answers
// fault.Unavailable, and the next one, a second later, sets the library up
// anew: sessions, log-in and handles are made again, and nothing has to be restarted. A call
// never takes longer than its context, nor than [Config.Patience]; what the library still does
// then keeps its session until it ends.
//
// # Builds
//
// The PKCS #11 library is C, so the part that loads it is built with the tag pkcs11 only. In
// other builds [Open] says so, and everything else compiles without it.
//
// Sources: PKCS #11 Cryptographic Token Interface Base Specification 2.40 and 3.0 (OASIS).
package hsm
