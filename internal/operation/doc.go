// Package operation runs long work: rows with a state, claimed by runners.
//
// An [Operation] is a row of our domain ("move this tenant's keys"), not an opaque job. A
// [Runner] on any node claims it under a short lease, raises its fence number, keeps the
// lease with heartbeats and calls the [Handler] of its kind. The handler works in batches
// and saves a checkpoint in the very transaction that holds a batch, together with the
// fence number: a runner that lost its lease is refused there, and kill -9 at any moment
// leaves a batch and its checkpoint both done or both not. Another runner goes on at that
// checkpoint once the lease has ended.
//
//	waiting --claim--> running --handler returns nil--> done
//	   ^                  |----handler fails----------> waiting (later), or failed
//	   |                  |----node stops-------------> waiting (now)
//	   |                  |----pause asked------------> paused --resume--> waiting (now)
//	   |                  `----cancel asked-----------> cancelled
//	   `-- lease ended: claimed again as it stands, fence one higher
//
// At most one operation of a kind runs for a tenant at a time, the oldest first, so that
// no tenant's backlog keeps others waiting behind it. A paused one holds the younger ones.
//
// Pause, resume, cancel and a highest rate are wishes in the row: they outlive restarts and
// reach a runner within a heartbeat. A change that calls for work which is open already
// raises the row's calls instead of adding a row; work that was called for again since its
// claim is not done, but goes on.
//
// The package decides nothing about callers: whoever starts or cancels an operation has
// asked and recorded before. Handlers are data handed in; nothing registers itself.
package operation
