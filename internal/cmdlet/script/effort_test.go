package script

import (
	"fmt"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// Whatever a script does with the text of a large object counts as steps, however short the words
// for it are: a script of a few lines does not run for days.
func TestTextOfObjectsCounts(t *testing.T) {
	t.Parallel()
	object := "$long = @{a='" + strings.Repeat("x", 100_000) + "'}\n"
	many := strings.TrimSuffix(strings.Repeat("'b',", 100), ",")
	for _, of := range []string{
		"%s -eq $long", "%s -ne $long", "(%s) -contains $long", "$long -in (%s)", "(%s) -notcontains $long",
		"%s | Where-Object { $_ -eq $long }",
		"$ErrorActionPreference = 'SilentlyContinue'; $l = $long, $long; %s | ForEach-Object { \"$l\" }",
	} {
		text := object + fmt.Sprintf(of, many)
		w := newWorld(t, func(c *Config) { c.Steps = 100_000 })
		if _, err := w.do(t, text); err == nil || fault.As(err).Reason != ReasonLimit {
			t.Errorf("%s: %v", of, err)
		}
	}
}

// An object that holds itself many times over is not written out any further than there are steps.
func TestTextOfWhatHoldsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Steps = 10_000 })
	out, err := w.do(t, `$h = @{a=1}; $h.a=$h; $h.b=$h; $h.c=$h; $h.d=$h; $h.e=$h; $h.f=$h; $h.g=$h; $h.i=$h; $h.j=$h; $h.k=$h
"$h" | Out-Null
'still here'`)
	if fault.As(err).Reason != ReasonLimit || strings.Contains(out, "still here") {
		t.Errorf("%.300q, %v", out, err)
	}
}
