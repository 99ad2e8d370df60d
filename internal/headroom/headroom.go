// Package headroom has a server collect garbage less often while its heap is small.
//
// The Go runtime collects whenever the heap has doubled. A server that holds 5 MiB and
// makes 10 KiB of garbage for each request does so tens of times a second under load, for a tenth
// of its processor time. With headroom it waits for [Size] more garbage, however small the heap is.
package headroom

import "runtime"

// Size is how many bytes of garbage more may gather. It bounds what resident memory grows by.
const Size = 24 << 20

// Keep gives the process headroom until release is called. Call it early: a block that is new
// from the system is never written to, so it takes addresses and no memory.
func Keep() (release func()) {
	block := make([]byte, Size) // counts as heap that is in use, and holds no pointers to follow
	return func() { runtime.KeepAlive(block) }
}
