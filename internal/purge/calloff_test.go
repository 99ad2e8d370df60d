package purge

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A request that was called off stays so whatever is restored, as long as one place knows; it keeps
// nobody from asking anew, and says nothing about other organizations.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}
	places := []Place{NewFile(paths[0]), NewFile(paths[1]), NewFile(paths[2])}
	l := mustOpen(t, key, places...)
	for range 2 {
		if err := l.CallOff(t.Context(), tenant, leaving, "stopped"); err != nil {
			t.Fatal(err)
		}
	}
	for mask := range 7 {
		for i, path := range paths {
			if mask>>i&1 == 1 {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}
		l = mustOpen(t, key, places...)
		if !l.CalledOff(tenant, "stopped") || l.CalledOff(tenant, "another") || l.CalledOff("another", "stopped") || l.Policy(tenant, leaving) {
			t.Fatalf("restored %03b: called off %v", mask, l.CalledOff(tenant, "stopped"))
		}
	}
	mustAdd(t, l, leaving, 3)
	if l = mustOpen(t, key, places...); !l.Policy(tenant, leaving) || !l.CalledOff(tenant, "stopped") {
		t.Error("a purge that was asked for anew is not in force")
	}
}

// One place that can be written is enough, and none is said.
func TestCalledOffOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), newKey(t)
	for good := range 3 { // of two places
		place := func(name string, whole bool) Place {
			p := NewFile(filepath.Join(dir, fmt.Sprint(name, good)))
			if whole {
				return p
			}
			return &failing{Place: p}
		}
		l := mustOpen(t, key, place("a", good > 1), place("b", good > 0))
		err := l.CallOff(t.Context(), tenant, leaving, "stopped")
		if (err == nil) != (good > 0) || l.CalledOff(tenant, "stopped") != (good > 0) {
			t.Errorf("%d places can be written: %v, called off %v", good, err, l.CalledOff(tenant, "stopped"))
		}
		if again := mustOpen(t, key, place("a", true), place("b", true)); again.CalledOff(tenant, "stopped") != (good > 0) {
			t.Errorf("%d places could be written: after a start called off %v", good, again.CalledOff(tenant, "stopped"))
		}
	}
}
