package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// BenchmarkRestoreGeo measures how long 10,000 sites take from the last approval of a recovery
// until one of them is read under new root keys (CK-77); the vaults are in memory.
func BenchmarkRestoreGeo(b *testing.B) {
	w := newWorld(b, nil)
	c := w.tenant().files()
	for i := range 10_000 {
		if err := c.seal("sharepoint", fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
	}
	c.mustRegister("")
	w.work()
	c.items = c.items[:1]
	pairs := [2][2]string{c.spare, c.keys}
	for n := 0; b.Loop(); n++ {
		approved := directory.SystemCaller(c.id, "recovery", uuid.NewString())
		if err := w.service.BeginRecovery(b.Context(), approved, c.id, "default", time.Hour); err != nil {
			b.Fatal(err)
		}
		if _, err := w.service.RestoreGeo(b.Context(), c.admin, "", pinned(1, pairs[n%2])); err != nil {
			b.Fatal(err)
		}
		if err := c.reopen(); err != nil {
			b.Fatal(err)
		}
	}
}
