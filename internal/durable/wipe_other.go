//go:build !unix

package durable

// wiper does nothing where an open file cannot be replaced.
func wiper(string) func(wipe bool) { return func(bool) {} }
