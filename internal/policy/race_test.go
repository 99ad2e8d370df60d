//go:build race

package policy_test

// slow is how many times longer the database takes in this build.
const slow = 15
