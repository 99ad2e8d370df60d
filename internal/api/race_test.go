//go:build race

package api_test

// slow is how many times slower the race detector makes the large tests: they do so much less.
const slow = 10
