//go:build !race

package main

// raced says that the tests run under the race detector, which takes memory and time of its own.
const raced = false
