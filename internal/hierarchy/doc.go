// Package hierarchy is the chain of keys between a customer's root keys and the content:
//
//	root key 1, root key 2 (in the customer's vaults), availability key (the service's)
//	      \        |        /       each wraps the whole of it, none is needed for the others
//	          policy key            one per generation of a policy, clear in memory only under a lease
//	              |
//	         container key          one per mailbox or workload, in versions, each under some generation
//	              |
//	          item key              one per item; the layers below seal content with it
//
// # Leases
//
// A [Keyring] holds a clear policy key only under a [Lease] (60 s by default). A lease is
// granted after a root has unwrapped the key, or, where section 2.1 of the requirements allows it,
// the availability key. It is renewed ahead of its end by asking a root again; when both
// roots deny, it ends at once. Word that a root has changed makes it serve nobody new, and the
// roots are asked at once (AskAnew). Whatever is opened below it asks the lease before each use.
//
// Denied is not unreachable: outage of both vaults lets everyone go on by the availability
// key, denial lets only the service's own work go on, as often a day as the tenant allows (rows
// CK-44 to CK-62). A lease that system work got in spite of a denial is kept apart and never
// serves a user.
//
// A generation says how its policy key is unwrapped ([Unwrapping]). That of files is hedged: both
// roots are asked, the second a little later; the key is then held for hours, renewed two hours
// before its end (rows CK-66 to CK-73), and the availability key opens it only for [Keyring.Restore].
//
// # Records
//
// Every attempt to unwrap, every use of the availability key and every lease is in the
// tenant's audit log before it takes effect; without the record there is no lease. What was
// done under a lease is counted, and the counts stand in its closing entry.
//
// # Walls
//
// The package reaches no vault and knows none: roots are handed in. It decides nothing about
// policies either: which generation is in force, and when one may be destroyed, is for
// package policy to say.
package hierarchy
