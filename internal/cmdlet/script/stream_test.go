package script

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// Values go through all stages as they come, and who has enough stops the source.
func TestPipelinesStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.runner.many = 50_000
	out, err := w.do(t, "Get-Mailbox | Where-Object { $_.Licensed } | ForEach-Object { $_.Name } | Select-Object -First 10 | Measure-Object | % Count")
	if out != "10\n" || err != nil || !w.runner.stopped || w.runner.pages != 19 {
		t.Errorf("%q, %v, stopped %v after %d", out, err, w.runner.stopped, w.runner.pages)
	}
	w.runner.pages = 0
	if out, err = w.do(t, "Get-Mailbox | Measure-Object Items -Sum | % Sum; $?"); out != "12500250000\nTrue\n" || err != nil || w.runner.pages != 50_000 {
		t.Errorf("%q, %v after %d", out, err, w.runner.pages)
	}
}

// A halt inside a block that runs for an outer pipeline ends what it is about, and no more.
func TestPipelinesStopInside(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1,2 | % { 'a','b','c' | select -First 2 }":                       "a\nb\na\nb\n",
		"1,2 | % { 'a','b','c' | sort } | select -First 4":                "a\nb\nc\na\n",
		"3,2,1 | sort | select -First 2 | sort -Descending":               "2\n1\n",
		"1,2,3 | select -First 2 | select -First 1":                       "1\n",
		"1,2,3 | select -First 0":                                         "",
		"1,2,3,4 | select -Skip 1 -First 2":                               "2\n3\n",
		"1,2,3,4 | select -Skip 1 -Last 2":                                "2\n3\n",
		"(1,2,3,4 | select -Last 9).Count":                                "4\n",
		"$x = 1,2,3 | select -First 1; $x; 'on'":                          "1\non\n",
		"'b','a' | group | select -First 1 | % Name":                      "b\n",
		"Get-Mailbox | sort Items -Descending | select -First 1 | % Name": "Carol\n",
	} {
		yields(t, text, want)
	}
}

// What was printed stays, and one error says that the service is gone, however many values wait.
func TestServiceGoesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	gone := &leaving{after: 2}
	w.c.Runner = func(cmdlet.Side) (cmdlet.Runner, error) { return gone, nil }
	out, err := w.do(t, "'a','b','c','d','e' | Get-Mailbox | fl Name; 'on'")
	if strings.Count(out, "Name : ") != 2 || strings.Count(out, "ck: error: the service is gone") != 1 || !strings.Contains(out, "on\n") || !fault.Is(err, fault.Unavailable) || gone.calls != 3 {
		t.Errorf("%d calls print\n%s\n%v", gone.calls, out, err)
	}
}

type leaving struct{ calls, after int }

func (l *leaving) Run(_ context.Context, call *cmdlet.Call) error {
	if l.calls++; l.calls > l.after {
		return fault.New(fault.Unavailable, "the service is gone")
	}
	return call.Host.Object(sampleMailbox(call.Args.Text("Identity"), 0))
}

// An interrupt ends a script in the middle of its own work too.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, nil)
	w.c.Runner = func(cmdlet.Side) (cmdlet.Runner, error) { return canceling{cancel}, nil }
	s, err := Parse("Get-Mailbox; $x = 1,2,3; Get-Mailbox")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx, s); !errors.Is(err, context.Canceled) || w.errs.Len() > 0 {
		t.Errorf("%v, %q", err, w.errs.String())
	}
}

type canceling struct{ cancel func() }

func (c canceling) Run(ctx context.Context, _ *cmdlet.Call) error {
	c.cancel()
	return ctx.Err()
}

// What a script may do grows with what it is given to work on, and with nothing else.
func TestSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Steps = 2000 })
	w.runner.many = 5000
	if out, err := w.do(t, "Get-Mailbox | ? { $_.Name -like 'user*' -and $_.Items -gt 20 -and $_.Licensed } | measure | % Count"); out != "2498\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	bomb := "$x = 1,1,1,1,1,1,1,1,1,1; $x = $x,$x,$x,$x,$x,$x,$x,$x; $x | % { $_ | % { $_ | % { $x | % { $_ | % { $x } } } } } | Out-Null; 'never'"
	out, err := w.do(t, bomb)
	if !fault.Is(err, fault.TooLarge) || strings.Contains(out, "never") || strings.Count(out, "ck: error:") != 1 {
		t.Errorf("%q, %v", out, err)
	}
}

// Texts and lists that double themselves end before the memory does.
func TestMemoryIsBounded(t *testing.T) {
	for _, text := range []string{
		"$x = 'xxxxxxxxxxxxxxxx'" + strings.Repeat(`; $x = "$x$x$x$x$x$x$x$x"`, 12),
		"$x = @{a=1}" + strings.Repeat(`; $x = @{a=$x; b=$x; c=$x; d=$x}`, 20) + `; "$x"; $x | ConvertTo-Json; $x; $x | fl`,
		"$x = @{a=1}; $x | Add-Member NoteProperty me $x; $x | Add-Member NoteProperty again $x; \"$x\"; $x | ConvertTo-Json -Depth 32; $x; $x | ConvertTo-Csv",
		"$x = 'xxxxxxxxxxxxxxxx'" + strings.Repeat(`; $x = "$x$x$x$x$x$x$x$x"`, 6) + "; $x[0]; $x[0,1,2,3,4,5,6,7]; $nope",
		"$x = 1,1,1,1,1,1,1,1" + strings.Repeat("; $x = @($x | % { 1,1,1,1,1,1,1,1 })", 10),
	} {
		w := newWorld(t, func(c *Config) { c.Steps = 1_000_000 })
		w.c.Out = discard{}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := w.do(t, text)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; err == nil || made > 2<<30 {
			t.Errorf("%.60s... ends with %v after making %d MiB", text, err, made>>20)
		}
	}
}

// A short pattern can be a large program, tried at each character of a text.
func TestPatternsAreBounded(t *testing.T) {
	t.Parallel()
	long := "$x = 'aaaaaaaaaaaaaaaa'" + strings.Repeat(`; $x = "$x$x$x$x$x$x$x$x"`, 4) // 64 KiB
	for _, test := range []struct{ script, message string }{
		{"'a' -match '" + strings.Repeat("a{0,1000}", 100) + "b'", "repeats too much"},
		{long + "; $x -match '" + strings.Repeat("a{0,100}", 10) + "b'", "steps"},
	} {
		out, err := newWorld(t, func(c *Config) { c.Steps = 1_000_000 }).do(t, test.script)
		if !fault.Is(err, fault.TooLarge) || !strings.Contains(out, test.message) {
			t.Errorf("%.40q: %v, %.200q", test.script, err, out)
		}
	}
	yields(t, long+"; $x -match '^a+$'; $x -like 'a*a'", "True\nTrue\n")
}

// What takes time costs steps, also where it yields little.
func TestEffortIsCounted(t *testing.T) {
	t.Parallel()
	long := "$x = 'aaaaaaaaaaaaaaaa'" + strings.Repeat(`; $x = "$x$x$x$x$x$x$x$x"`, 5) + "; $many = $x,$x,$x,$x,$x,$x,$x,$x" // 512 KiB each
	for _, last := range []string{"; $many -contains 1", "; $many -eq 'b'", "; 1,2,3,4,5,6,7,8 -ne $x", "; $many | ? { $_ -in 'a' }"} {
		out, err := newWorld(t, func(c *Config) { c.Steps = 100_000 }).do(t, long+last)
		if !fault.Is(err, fault.TooLarge) || !strings.Contains(out, "steps") {
			t.Errorf("%s: %v, %.200q", last, err, out)
		}
		if out, err := newWorld(t, nil).do(t, long+last); err != nil {
			t.Errorf("%s: %v, %.200q", last, err, out)
		}
	}
	empties := "$x = @()" + strings.Repeat("; $x = $x,$x,$x,$x,$x,$x,$x,$x", 8) + "; $x | ConvertTo-Json -Depth 32 | Out-Null"
	out, err := newWorld(t, func(c *Config) { c.Steps = 1 << 30 }).do(t, empties)
	if !fault.Is(err, fault.TooLarge) || !strings.Contains(out, "a text has at most") {
		t.Errorf("%v, %.200q", err, out)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
