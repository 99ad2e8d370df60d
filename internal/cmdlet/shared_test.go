package cmdlet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

// What goes into a script and comes out again is what it was.
func TestSharedAndBack(t *testing.T) {
	t.Parallel()
	for _, o := range append(sampleObjects(), Object{Type: "Key", Fields: []Field{
		{"Empty", []string{}}, {"Mixed", []any{"a", int64(1), Object{Fields: []Field{{"At", time.Unix(0, 0).UTC()}}}}}, {"Ratio", 0.5},
	}}) {
		shared, ok := Shared(o).(*Object)
		if !ok {
			t.Fatalf("%v is shared as %T", o, Shared(o))
		}
		back, err := Snapshot(shared)
		if diff := cmp.Diff(o, back); err != nil || diff != "" {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
	}
	if got := Shared(TextObject("key.backup")); got != "key.backup" {
		t.Errorf("a text is shared as %#v", got)
	}
}

// An object can be made to hold itself; nothing follows it for ever.
func TestSnapshotEnds(t *testing.T) {
	t.Parallel()
	loop := &Object{}
	loop.Fields = []Field{{"Self", loop}, {"Again", loop}}
	if _, err := Snapshot(loop); !fault.Is(err, fault.Invalid) {
		t.Errorf("a loop: %v", err)
	}
}
