// Package customerkey is the tour of a system in which every customer of a multi-tenant
// service holds the root keys of its own mail, files and chats. There is no code here; the
// packages below are meant to be read in this order.
//
//   - envelope: how bytes are sealed (FLOE) and how one key wraps another. Key is the only
//     type that holds key bytes, and it cannot be printed.
//   - internal/fault: the one error type. internal/directory: tenants, people, apps, tokens,
//     and Caller, which is who asks. internal/audit: every decision, recorded before it takes
//     effect, in a log whose tree anybody can check.
//   - internal/courier: the way to addresses that tenants name: guarded, signed, tried again.
//   - internal/keyvault: the customer's side. Vaults, keys, versions, soft delete. Below it, naming
//     says what things may be called, rights who may do what, protect holds the private keys; rest
//     and arm are the faces that Azure's clients know, webhook sends its events out by the courier.
//   - internal/hsm: one PKCS #11 token, in which private keys can live and sealing keys be held.
//   - internal/rootkey: the service's only way to any vault, and the place where "denied" and
//     "cannot be reached" are told apart; internal/rootcheck: what root keys must be like, as one
//     table. internal/availability: the third, service-held key,
//     in a database of its own.
//   - internal/hierarchy: root keys and availability key -> policy key -> container keys ->
//     item keys; leases and generations. internal/policy: which containers fall under which
//     roots: create, assign, refresh, disable. internal/health: root keys watched, what their
//     states make of policies, who is told. internal/operation: long work as rows.
//     internal/request: what needs somebody's approval before it happens. internal/purge: what was
//     destroyed for ever, kept where no restore reaches it, and the signed record of it.
//     internal/onboarding: is an organization ready for a family of policies?
//     internal/resourcemanager: the service's way to ask where a vault lies.
//     internal/activity: commands, as the audit log tells them.
//   - internal/mailbox: which mailboxes there are, of which kinds, and who may have a policy.
//   - internal/workload: mailboxes, chats, files, documents: items are sealed and opened here.
//   - internal/store: the SQL under all of them, one set of texts for SQLite and PostgreSQL,
//     and the folder of sealed blobs.
//   - internal/api and internal/cmdlet: items over HTTP, and the language of the administrators'
//     verbs, which are one table that the command line and the admin endpoint both read;
//     api/throttle is how often one may ask there. Below cmdlet: service has the verbs that the
//     service carries out and what they do, rows the others and the whole table, show what is
//     seen of them at a terminal; azure and operator carry out the rows that run in the
//     client, script is the language of administrators' scripts, prompt the shell for it,
//     powershell writes the rows as a module for real PowerShell, clixml answers as it reads
//     them. client is what other programs import to reach the items.
//   - internal/importer and internal/profile: the command line's own work: reading mail and
//     folders, and staying signed in.
//   - internal/seal: what the secrets of a database are sealed under, and how that is replaced
//     while all runs; holder below it keeps sealing keys in a file, a passphrase, a vault, a token.
//     internal/datafolder, internal/durable and internal/certs: the data folder with its lock,
//     the sealing keys apart from it, and the local certificate authority. internal/headroom:
//     how much garbage a server lets gather.
//   - cmd/ck: one binary; the wiring is written once, in node.go.
//
// Which package may import which is written in walls_test.go, and held by it.
package customerkey
