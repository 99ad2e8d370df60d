package throttle

import (
	"testing"
	"time"
)

// BenchmarkTake is what a request pays for being counted.
func BenchmarkTake(b *testing.B) {
	l := Azure()
	l.RSA2048.Other = largestLimit
	th := mustNew(b, l)
	b.ReportAllocs()
	for b.Loop() {
		th.Take(vault, Op{Bits: 2048}, time.Now())
	}
}
