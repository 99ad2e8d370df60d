// Package envelope seals and opens bytes. It is the only place where customerkey
// encrypts anything, and it knows one construction: FLOE (c2sp.org/FLOE, reviewed in
// ePrint 2025/2275) with AES-256-GCM, HKDF-Expand-SHA-384 and a 32 byte IV.
//
// # Parts
//
// A [Key] is 32 secret bytes that cannot be printed. [Key.Derive] makes keys for other
// purposes from it, [Key.Commit] pins a key that travelled through a wrap without
// associated data. [WrapKey] and [UnwrapKey] put one key under another. [Seal] and [Open]
// are for things that fit in memory; [Writer] and [Reader] stream anything in the memory
// of two segments; [Random] reads any part of sealed content by offset.
//
// Everything takes associated data: bytes that are not stored, but without which nothing
// opens. Build them with [Bind] from a purpose (with its version) and the identity of the
// thing, so that sealed bytes moved to another place do not open there.
//
// # Layout
//
// Every sealed thing, a wrapped key too, is one FLOE message. Integers are big-endian.
//
//	header, 74 bytes
//	  0   1  AEAD, 0 = AES-256-GCM
//	  1   1  KDF, 0 = HKDF-Expand-SHA-384
//	  2   4  S, the length of a sealed segment: 65536 for content, 64 for a wrapped key
//	  6   4  length of the IV, 32
//	 10  32  IV, random for every message
//	 42  32  header tag: commits to key, IV, parameters and associated data
//	inner segments, any number, S bytes each
//	  0   4  ff ff ff ff
//	  4  12  nonce, random
//	 16  ..  ciphertext, S-32 bytes
//	 ..  16  tag
//	final segment, exactly one, L bytes, 32 <= L <= S
//	  0   4  L
//	  4  12  nonce, random
//	 16  ..  ciphertext, L-32 bytes
//	 ..  16  tag
//
// A segment's tag covers its position and whether it is final, so segments cannot be
// swapped, dropped or added, and content that was cut off does not open. The key of the
// segments is derived from the message's own key, anew after every 2^20 segments.
//
// # Errors
//
// Where this documentation names a fault, it is the code of the error inside customerkey. Other
// programs need one of them only, fault.Corrupt, and ask for it with [IsCorrupt]; the rest are
// mistakes of the caller or trouble of a source or destination, and their text says which.
//
// # Limits
//
// One key may seal any number of messages: each has a fresh 256 bit IV and a key derived
// from it. The designers' bound for all of them together is 2^65 bytes; nothing here counts.
// One message holds 2^40 segments, for content 2^56 bytes. Sealing hides neither the length
// nor the number of messages. Nothing here keeps old content from being put back in place
// of new: name a version in the associated data where that matters.
//
// Sealing uses [crypto/cipher.NewGCMWithRandomNonce], so the package runs unchanged under
// GODEBUG=fips140=only.
package envelope
