// Package courier carries messages to addresses that tenants have named, and to no others.
//
// A [Client] is the way out: it calls nothing but https on addresses that may be called
// ([Allowance]), follows no redirect, holds little in memory whatever it is answered, and signs
// what it sends. A [Deliverer] takes what waits in a [Queue] to its receivers, at least once and in
// order, and tries again for a day. What the messages are, and whose, is for its users to say: the
// vaults' events on the customer's side, the alerts about root keys on the service's.
package courier
