package hierarchy

import "testing"

// BenchmarkColdLease measures a lease that nobody holds, without vault, network and disk: what
// the roots' own RSA and the bookkeeping take.
func BenchmarkColdLease(b *testing.B) {
	w := newWorld(b, nil)
	g := w.mustGeneration(policy, 1)
	for b.Loop() {
		w.mustLease(alice, g)
		w.keys.Drop(tenant, g.ID)
	}
}
