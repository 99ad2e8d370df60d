// Package purge remembers what was destroyed for ever at a customer's order, so that no backup
// brings it back, and proves it.
//
// A [Plan] lists what a purge would destroy; its digest is what people approve. The [Ledger]
// takes down what is purged before the first key goes, in several places that a restore of one
// database does not reach: once the order is in it, the purge cannot be taken back, and a
// crash, or an older database put back later, only means that it is carried out again. Every
// chain of keys asks the ledger, in memory, before it opens anything ([Ledger.Policy],
// [Ledger.Key]). A [Record] says afterwards what was destroyed, when, and by whose order; it is
// signed, and whoever holds it can check it without the service ([VerifyRecord]).
//
// The package destroys nothing and decides nothing: package policy does.
package purge
