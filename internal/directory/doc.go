// Package directory knows the tenants, their people and their apps, signs them in, and
// says who is calling.
//
// A [Service] keeps the rows: a [Tenant] has people and service principals, which is what
// an app is called inside a tenant, and each [Group] of them. It checks passwords, device codes, refresh tokens and
// app secrets, and signs access tokens (row KV-134). Every sign-in, granted or refused, is
// recorded before its answer leaves; what cannot be recorded is refused.
//
// A [Verifier] is the other end: it turns a bearer token into a [Caller]. Every face uses
// one, whether or not the token was made in the same process, and nothing else makes a
// Caller out of a request. It needs only public keys and could stand in front of an
// outside issuer as well.
//
// The faces that speak HTTP are packages login (tokens) and graph (look-ups). This package
// starts no goroutine. It does not say who may do what with keys, policies or items: those
// packages ask the Caller's roles themselves.
//
// What is stored: passwords as argon2id hashes, app secrets, device codes and refresh tokens
// as SHA-256 of 256 random bits, user codes under a keyed hash, the private keys that sign
// tokens sealed (Bind("issuer key 1", kid)). A copy of the tables lets nobody sign in.
package directory
