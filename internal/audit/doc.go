// Package audit keeps, for each tenant, a log of who asked for what and what was decided, that
// nobody can change afterwards without being found out: neither an intruder nor the operator.
//
// Entries are the leaves of a Merkle tree (RFC 6962, as in golang.org/x/mod/sumdb/tlog), one
// tree for each tenant and log name ("service", "vault", ...). With every append the [Log] signs
// the tree's size and root hash: the head. Whoever keeps a head can later prove that an entry
// is in the log (tlog.CheckRecord), that the log was only appended to (tlog.CheckTree), or read
// all of it and compare, with nothing but this package's [VerifyHead] and [Verifier].
//
// [Log.Record] returns when the entry, the hashes and the signed head are durable together; a
// caller acts only after that. Order is the index: times come from the clock and may go back
// when the clock does.
//
// The log does not decide anything, and does not hide anything: entries hold no key bytes and
// no content, and it is the callers who see to that.
package audit
