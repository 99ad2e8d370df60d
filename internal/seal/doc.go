// Package seal is what the secrets of a database are sealed under before they are stored, and
// how that is changed while everything runs.
//
// A [Seal] belongs to one database. It holds one sealing key that is current and, while one is
// being replaced, former ones: what is new is sealed under the current key, what is old opens
// under the key that it names. A [Rotator] goes through the [Shelf] of everything that is sealed,
// re-seals what a former key still seals, and has that key destroyed once nothing needs it; a
// [Gate] tells it when the last one who might still hold older bytes in hand is gone.
//
// # Layout
//
// Sealed bytes name the key they are under:
//
//	0   1  layout, 1
//	1  16  [ID] of the sealing key
//	17  ..  a FLOE message (see package envelope) under that key, with the associated data
//	        Bind("sealed 1", id in hex, binding)
//
// Bytes that begin with 0 are older: a bare FLOE message under a key that is not named, with the
// binding itself as associated data. They still open, and a rotation gives them the layout above.
//
// The package does not know where sealing keys are kept: package datafolder does, with the
// holders below seal/holder.
package seal
