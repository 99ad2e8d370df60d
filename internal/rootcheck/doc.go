// Package rootcheck is the one table of conditions that a customer's root key must meet.
//
// Making a policy, or refreshing one, refuses a key that breaks a condition. While the policy
// serves, the same conditions are looked at again and again, and some more: what is about to
// break, and what a refresh would be refused for. Both read this table, so a condition has one
// row, one wording and one advice (sections 1.5, 3.6 and 4.2 of the requirements).
//
// The package asks nobody. It judges what others have seen of a key in its vault.
package rootcheck
