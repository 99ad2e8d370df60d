// Package policy keeps data encryption policies: which root keys protect which content of a
// tenant.
//
// A [Policy] names two root keys in two vaults of the customer and owns an availability key
// and the generations of policy keys below them (package hierarchy). Creating one checks
// everything about both root keys and reports all that is wrong at once. Assigning one puts
// new content under it at once and old content in the background; refreshing it makes a new
// generation under the newest versions of its root keys. Every tenant also has a policy that
// the service owns, whose roots lie in the service's own vaults: without assignment, content
// is under that one. Tenants neither see nor change it (rows CK-14, CK-128, CK-181).
//
// # Life of a policy and of its generations
//
//	PendingActivation --first assignment--> Active        (Enabled true or false in both;
//	                                                       false only while not assigned)
//
//	generation: active --newer one made--> draining --no container key left--> destroyed
//
// # Where content belongs
//
// [Service.InForce] says it for new content. For what is stored already, the operation
// "converge" ([Service.Handlers]) walks the container keys of the tenant and moves each one
// to the newest generation of the policy that it belongs under; workloads whose rule says
// new data only keep their policy. Then it destroys the generations that nothing needs.
// [Service.Status] counts, for every version of a root key, what still needs it. Long work is
// seen and controlled through [Service.Operations] and its neighbours.
//
// # Before it happens
//
// [Service.WhatIf] lets changes happen on the real rows in a transaction that is undone, and
// reports what they would come to. [Service.Rehearse] plays what would be open if root keys
// were taken back, lost or purged. Who may do what is a map that can be configured ([Roles]).
//
// # Rules
//
// Each method that takes a caller decides and records at one door before anything happens
// ([Service.authorize]); without the record it refuses. Every change is one transaction that
// names the revision of the policy it was decided on. The package reaches no vault: it is
// handed root keys.
package policy
