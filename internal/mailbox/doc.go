// Package mailbox says which mailboxes a tenant has, of which kinds, and gives them their
// policies.
//
// Every person has a mailbox from the start, with the person's id and name; it needs no row.
// Mailboxes that are nobody's, such as shared ones, rooms and those of groups, are rows of their own, and
// so is the fact that a person's mailbox is elsewhere, which makes the person a mail user. The
// content of a mailbox is a container of package workload. Its id is the mailbox's, so a policy
// can be assigned before the first message is there (CK-234).
//
// Which policy covers a mailbox is decided by package policy. What is decided here is who may
// have one: a user mailbox or a mail user takes a licence, where licences are enforced, and
// other mailboxes do not (CK-179, CK-213).
//
// Every method that takes a caller decides at one door (door.go); who may assign mailbox policies
// manages mailboxes, and who may read those policies sees mailboxes. Changes are recorded before
// they are made, refusals always.
package mailbox
