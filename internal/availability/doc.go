// Package availability keeps availability keys: the third wrapper of each policy key, beside the
// customer's two roots, so that an outage of both vaults, or the loss of both roots, is not the
// loss of the data.
//
// A [Scope] says whom a key serves. Mailbox and multi-workload policies have an AES-256 key each
// (rows CK-17, CK-24). SharePoint policies share an RSA-2048 key (CK-17, CK-25, X-1): that of the
// forest, which is this deployment and all its tenants, or that of their tenant, which alone can
// be destroyed when the tenant leaves (CK-36). A scope has one newest key; older ones live until
// nothing is wrapped under them any more.
//
// The keys live in their own database under their own seal, apart from everything they can
// open, and never leave the package: it is handed policy keys to wrap and unwrap. Nobody reads
// a key, and none is made by hand (CK-34). Every use is in the tenant's log of that database
// before it happens (CK-80), and counted: a tenant may set how many uses a day there may be
// although it denies both roots.
//
// The package does not decide when an availability key may be used: package hierarchy does. Nor
// what becomes of policies when a key is rolled: package policy does.
package availability
