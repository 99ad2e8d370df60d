// Package keyvault is the key vault: subscriptions, vaults, keys and their versions, soft
// delete and purge, wrap and unwrap.
//
// # Parts
//
// A tenant has subscriptions, each with an owner; a subscription holds vaults in resource
// groups; a vault holds keys; a key is a list of versions, of which the newest is meant when
// none is named. A vault's name is unique in the whole deployment. Private halves live in a
// [protect.Protector]; no method returns one but sealed in a backup (backup.go, restore.go),
// which only the deployment that made it opens.
//
// A key that is deleted, and a vault with all its keys, can be taken back until its retention has
// passed; Sweep then destroys it (delete.go, vaultdelete.go, sweep.go). Nobody can do so earlier
// where the vault has purge protection, or where its subscription is registered for mandatory
// retention: its owner asks for that, and an operator of the service approves (registration.go,
// approval.go).
//
// What things may be called is package naming's to say, and what permissions, roles and networks
// mean package rights'.
//
// # Events
//
// A change is stored with the events that tell of it (event.go), and they are told inside the
// process before its caller has an answer; webhooks are sent them afterwards (hooks.go, outbox.go,
// package webhook). What time does to keys, rotation by policy and notices of expiry, is done by
// Tend (lifetime.go, tend.go).
//
// # One door
//
// Every method takes the caller. There are two doors and no way around them. Through the
// one of the data plane (door.go) a caller uses keys: what he may do is what the vault's
// access policy grants to his object id or one of his groups, or what roles do that are
// assigned to them at the key, its vault or above: a vault goes by one or the other (permit.go).
// Through the one of management (manage.go) subscriptions and vaults are set up, by roles that
// give no right over keys; which right an action takes is a row of managed.go. What operators of
// the service do to subscriptions of all tenants takes their directory role. All
// decide, write the decision into the audit log of the vault's tenant, and only then act;
// where the log cannot be written nothing happens and the error is fault.Unavailable.
// A request that was allowed and then did not take effect gets a second entry that says so.
//
// # What it will not do
//
// It never learns what its keys protect, decides at each request anew who may do what, and
// never stores its own address: key ids are made by the faces (packages rest and arm) when they
// answer.
//
// Rules cite the rows of the key vault requirements as KV-n.
package keyvault
