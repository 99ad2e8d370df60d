// Package headroom keeps a little room in a server for the short work among the long.
//
// Memory: the Go runtime collects whenever the heap has doubled. A server that holds 5 MiB and
// makes 10 KiB of garbage for each request does so tens of times a second under load, for a tenth
// of its processor time. With headroom it waits for [Size] more garbage, however small the heap is.
//
// Processors: the Go runtime looks for what has come over the network when it has nothing else to
// run. Where private keys are used without a pause, who only wants to read waits for all of them.
// With headroom it runs one goroutine more at once than there are [Processors], and what computes
// for long keeps to that number.
package headroom

import "runtime"

// Size is how many bytes of garbage more may gather. It bounds what resident memory grows by.
const Size = 24 << 20

var processors = runtime.GOMAXPROCS(0) // before anybody adds one

// Processors returns how many processors the process may use: the most that should compute for a
// millisecond or longer at once.
func Processors() int { return processors }

// Keep gives the process headroom until release is called. Call it early: a block that is new
// from the system is never written to, so it takes addresses and no memory.
func Keep() (release func()) {
	block := make([]byte, Size) // counts as heap that is in use, and holds no pointers to follow
	before := runtime.GOMAXPROCS(Processors() + 1)
	return func() {
		runtime.GOMAXPROCS(before)
		runtime.KeepAlive(block)
	}
}
