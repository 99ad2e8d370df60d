package elapsed_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/elapsed"
)

// A process counts for one row, between reading and writing which others may come.
type process struct {
	*elapsed.Watch
	read, passed time.Duration
	reading      bool
}

// However many processes count, stop, begin anew and come between each other: no moment is
// counted twice, and one that goes on alone counts every moment since its second look.
func TestNoMomentIsCountedTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var now, row time.Duration
		fresh := func() *process {
			began := now
			return &process{Watch: elapsed.New(func() time.Duration { return now - began })}
		}
		all := []*process{fresh(), fresh(), fresh()}
		pick := func() *process { return rapid.SampledFrom(all).Draw(t, "process") }
		read := func(p *process) {
			p.Turn()
			p.read, p.reading = row, true
			p.passed, _ = p.Since("row", row)
		}
		write := func(p *process) {
			if p.reading && p.read == row && p.passed > 0 {
				row += p.passed
				p.Counted("row", row)
			}
			p.reading = false
		}
		t.Repeat(map[string]func(*rapid.T){
			"pass":  func(t *rapid.T) { now += time.Duration(rapid.IntRange(1, 1000).Draw(t, "time")) },
			"read":  func(*rapid.T) { read(pick()) },
			"write": func(*rapid.T) { write(pick()) },
			"kill":  func(*rapid.T) { *pick() = *fresh() },
			"alone": func(t *rapid.T) {
				p := pick()
				read(p)
				write(p)
				was, from := row, now
				for range 3 {
					now += time.Duration(rapid.IntRange(1, 1000).Draw(t, "time"))
					read(p)
					now += time.Duration(rapid.IntRange(0, 1000).Draw(t, "writing takes"))
					write(p)
				}
				read(p)
				write(p)
				if row-was != now-from {
					t.Fatalf("alone for %v it counted %v", now-from, row-was)
				}
			},
			"": func(t *rapid.T) {
				if row > now {
					t.Fatalf("after %v the count is %v", now, row)
				}
			},
		})
	})
}

// What nobody asks for any more is forgotten, and then as if it had never been seen.
func TestForgotten(t *testing.T) {
	t.Parallel()
	now := time.Hour
	w := elapsed.New(func() time.Duration { return now })
	w.See("a", 0)
	w.See("b", 0)
	for range 3 {
		w.Turn()
		now += time.Minute
		w.Since("a", 0)
	}
	if passed, known := w.Since("a", 0); passed != 3*time.Minute || !known {
		t.Errorf("of what is asked for %v have passed, known %v", passed, known)
	}
	if passed, known := w.Since("b", 0); passed != 0 || known {
		t.Errorf("of what was forgotten %v have passed, known %v", passed, known)
	}
	w.See("a", 0)
	if passed, _ := w.Since("a", 0); passed != 0 {
		t.Errorf("seen now, %v have passed", passed)
	}
	if passed, known := w.Since("a", time.Minute); passed != 0 || !known {
		t.Errorf("somebody else has counted, and %v have passed, known %v", passed, known)
	}
}
