// Package workload keeps items: mail, chat messages, files. It is where content meets its keys.
//
// A [Workload] is a row of a table: exchange, teams, documents. A container is a mailbox, a team,
// a folder tree; an item is one message or file in it. What differs between workloads stands in
// the table's columns, never in code that asks for a name.
//
// # How an item is stored
//
// The content goes into one blob: a FLOE stream (package envelope) under an item key that is
// random for each version of the item. The item key is wrapped under the container's key and
// lies in the database, apart from the blob. Content type, digest and size are sealed beside it
// under a key derived from the item key:
//
//	blob      content   key: item key                       bound to purpose, tenant, workload, container, version
//	row       item key  key: container key, by its version  bound to purpose, tenant, workload, container, version
//	row       metadata  key: derived from the item key      bound to purpose, tenant, workload, container, version, item id
//
// Versions are random and never used again, so a blob or a row that was moved or exchanged does
// not open. The id of an item is bound by the metadata alone, which is opened before anything
// else: an item added by its fingerprint gets its id only when its content has gone by.
//
// Container names, item ids, sizes and times stay readable: they are metadata, like the list
// items of row CK-13. No plain digest of content is stored; an id made from content is keyed
// with a secret of its container.
//
// # What is promised
//
// An item that Put or Add has acknowledged is durable and opens until it is replaced or deleted,
// or its keys are taken away. At every moment before that there is the old item or none; blobs
// that no item came to need are removed by [Service.Sweep]. Deleting an item destroys the only
// copy of its key. Content of any length passes in the memory of a few segments.
//
// [Service.Reencrypt] starts an operation that gives stored content new keys all the way down:
// a new version of the container's key, a new item key and a new blob for each item, and the
// end of the old ones.
//
// Every method takes the caller and decides at one door (access.go). Reads and writes are
// counted under the lease of the keys that they use; refusals, new containers and deletions are
// recorded one by one, before they take effect.
package workload
