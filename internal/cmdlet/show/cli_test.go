package show

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// scripted is a runner that yields given objects, for tests of what is around a runner.
type scripted struct {
	objects []cmdlet.Object
	fails   error
	changed bool
}

func (s *scripted) Run(_ context.Context, call *cmdlet.Call) error {
	call.Warn("be careful")
	if call.Cmdlet.Impact != cmdlet.None {
		proceed, err := call.ShouldProcess("Change", "it")
		if err != nil || !proceed {
			return err
		}
		s.changed = true
	}
	for _, o := range s.objects {
		if err := call.Host.Object(o); err != nil {
			return err
		}
	}
	return s.fails
}

func runCLI(s *scripted, answer func(string) (cmdlet.Answer, error), name string, words ...string) (out, errs string, err error) {
	var o, e bytes.Buffer
	c := CLI{Runner: func(cmdlet.Side) (cmdlet.Runner, error) { return s, nil }, Out: &o, Err: &e, Ask: answer}
	err = c.Run(context.Background(), name, words)
	return o.String(), e.String(), err
}

func TestCLIChoosesTheLayout(t *testing.T) {
	t.Parallel()
	s := &scripted{objects: samplePolicies()[:1]}
	get := "Get-M365DataAtRestEncryptionPolicy"
	for _, tt := range []struct{ words, begins string }{
		{"", "\nName"}, {"Contoso_Global", "Name                      : Contoso_Global"}, {"-OutputFormat json", "[\n{"}, {"$null", "\nName"}, {"x -OutputFormat table", "\nName"},
	} {
		out, errs, err := runCLI(s, nil, get, strings.Fields(tt.words)...)
		want, _, _ := strings.Cut(tt.begins, "  ")
		if err != nil || !strings.HasPrefix(out, want) || errs != "WARNING: be careful\n" {
			t.Errorf("%q prints %q and %q, %v; want it to begin %q", tt.words, out, errs, err, want)
		}
	}
	if out, _, err := runCLI(&scripted{}, nil, get, "-OutputFormat", "json"); out != "[]\n" || err != nil {
		t.Errorf("no policies as JSON: %q, %v", out, err)
	}
	if _, errs, _ := runCLI(s, nil, get, "-WarningAction", "SilentlyContinue"); errs != "" {
		t.Errorf("a silenced warning is shown: %q", errs)
	}
}

func TestCLIConfirms(t *testing.T) {
	t.Parallel()
	yes := func(string) (cmdlet.Answer, error) { return cmdlet.Yes, nil }
	no := func(string) (cmdlet.Answer, error) { return cmdlet.No, nil }
	medium, high := "Undo-AzKeyVaultKeyRemoval", "Remove-AzKeyVaultKey"
	for _, tt := range []struct {
		name, words string
		answer      func(string) (cmdlet.Answer, error)
		changed     bool
		code        int
	}{
		{medium, "v k", no, true, ExitDone},
		{medium, "v k -Confirm", no, false, ExitDone},
		{medium, "v k -Confirm", yes, true, ExitDone},
		{medium, "v k -Confirm", nil, false, ExitUsage},
		{medium, "v k -WhatIf", yes, false, ExitDone},
		{high, "v k", yes, true, ExitDone},
		{high, "v k", no, false, ExitDone},
		{high, "v k", nil, false, ExitUsage},
		{high, "v k -Force", nil, true, ExitDone},
		{high, "v k -Confirm:$false", nil, true, ExitDone},
		{high, "v k -Force -WhatIf", nil, false, ExitDone},
	} {
		s := &scripted{}
		out, _, err := runCLI(s, tt.answer, tt.name, strings.Fields(tt.words)...)
		if s.changed != tt.changed || ExitCode(err) != tt.code {
			t.Errorf("%s %s: changed %v, exit %d (%v); want %v, %d", tt.name, tt.words, s.changed, ExitCode(err), err, tt.changed, tt.code)
		}
		if strings.Contains(tt.words, "-WhatIf") && !strings.HasPrefix(out, "What if: Performing the operation") {
			t.Errorf("%s %s prints %q", tt.name, tt.words, out)
		}
	}
}

func TestExitCodesAndErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{fault.New(fault.Internal, "oh"), 1, "ck: error: oh\n"},
		{fault.New(fault.Corrupt, "oh"), 1, "ck: error: oh\n"},
		{errors.New("plain"), 1, "ck: error: plain\n"},
		{context.Canceled, 1, "ck: error: interrupted\n"},
		{fault.New(fault.Invalid, "oh"), 2, "ck: error: oh\n"},
		{fault.New(fault.NotFound, "oh").WithReason(cmdlet.ReasonUnknown), 2, "ck: error: oh\n"},
		{fault.New(fault.Unauthenticated, "oh").WithHint("do"), 3, "ck: error: oh\nck: hint: do\n"},
		{fault.New(fault.Conflict, "oh").WithHint("Set-X -Enabled $true"), 5, "ck: error: oh\nck: hint: Set-X -Enabled '$true'\n"},
		{fault.New(fault.Forbidden, "oh"), 3, "ck: error: oh\n"},
		{fault.New(fault.NotFound, "oh"), 4, "ck: error: oh\n"},
		{fault.New(fault.Conflict, "oh"), 5, "ck: error: oh\n"},
		{fault.New(fault.Denied, "oh"), 6, "ck: error: oh\n"},
		{fault.Wrap(fault.Unavailable, errors.New("secret"), "oh"), 7, "ck: error: oh\n"},
		{fault.New(fault.Throttled, "oh"), 7, "ck: error: oh\n"},
		{fmt.Errorf("doing: %w", fault.New(fault.Denied, "oh\x1b[2J")), 6, "ck: error: oh\uFFFD[2J\n"},
	} {
		var out bytes.Buffer
		PrintError(&out, tt.err)
		if got := ExitCode(tt.err); got != tt.code || out.String() != tt.text {
			t.Errorf("%v: exit %d, %q; want %d, %q", tt.err, got, out.String(), tt.code, tt.text)
		}
	}
}

// An error that a command survives is shown once, the rest comes, and the exit code tells.
func TestSurvivedErrors(t *testing.T) {
	t.Parallel()
	for words, shown := range map[string]int{"": 1, "-ErrorAction SilentlyContinue": 0, "-ErrorAction Stop": 0} {
		var o, e bytes.Buffer
		runner := &survivor{}
		c := CLI{Runner: func(cmdlet.Side) (cmdlet.Runner, error) { return runner, nil }, Out: &o, Err: &e}
		err := c.Run(context.Background(), "Get-CKRequest", strings.Fields(words))
		stops := strings.Contains(words, "Stop")
		if strings.Count(e.String(), "ck: error: one is damaged") != shown || strings.Contains(o.String(), "purge") == stops || ExitCode(err) != ExitFailed {
			t.Errorf("%q: %v, exit %d, %s%s", words, err, ExitCode(err), e.String(), o.String())
		}
		PrintError(&e, err)
		if want := map[bool]int{true: 1, false: shown}[stops]; strings.Count(e.String(), "one is damaged") != want {
			t.Errorf("%q is shown again: %s", words, e.String())
		}
	}
}

// survivor is a runner that meets an error and goes on if it may.
type survivor struct{}

func (survivor) Run(_ context.Context, call *cmdlet.Call) error {
	if err := call.Fail(fault.New(fault.Corrupt, "one is damaged")); err != nil {
		return err
	}
	return call.Host.Object(cmdlet.Object{Fields: []cmdlet.Field{{Name: "Kind", Value: "purge"}}})
}

func TestErrorActionHidesTheTextAndKeepsTheCode(t *testing.T) {
	t.Parallel()
	s := &scripted{fails: fault.New(fault.Denied, "no")}
	_, _, err := runCLI(s, nil, "Get-M365DataAtRestEncryptionPolicy", "-ErrorAction", "SilentlyContinue")
	var out bytes.Buffer
	PrintError(&out, err)
	if out.String() != "" || ExitCode(err) != ExitDenied {
		t.Errorf("printed %q, exit %d", out.String(), ExitCode(err))
	}
}

func TestAskTakesOnlyAClearAnswer(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]cmdlet.Answer{
		"y\n": cmdlet.Yes, "YES\n": cmdlet.Yes, "n\n": cmdlet.No, "\n": cmdlet.No, "": cmdlet.No, "yep\nno\n": cmdlet.No, "what?\nA\n": cmdlet.YesToAll, "l\n": cmdlet.NoToAll,
	} {
		if got, err := ask(strings.NewReader(typed), &bytes.Buffer{}, "?"); got != want || err != nil {
			t.Errorf("%q is %v, %v", typed, got, err)
		}
	}
}

// Words of a command line are asked for too, and an answer is one line and no more.
func TestCommandLinePrompts(t *testing.T) {
	t.Parallel()
	in := strings.NewReader("contoso-east\r\nroot1\n")
	asked := ""
	c := CLI{Out: io.Discard, Err: io.Discard, Runner: func(cmdlet.Side) (cmdlet.Runner, error) { return &scripted{}, nil }, Prompt: func(_ *cmdlet.Cmdlet, p *cmdlet.Param) (string, error) {
		answer, err := readAnswer(in, p)
		asked += p.Name + "=" + answer + " "
		return answer, err
	}}
	if err := c.Run(t.Context(), "Undo-AzKeyVaultKeyRemoval", nil); err != nil || asked != "VaultName=contoso-east Name=root1 " {
		t.Errorf("%q, %v", asked, err)
	}
	if err := c.Run(t.Context(), "Get-AzKeyVaultKey", nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("no answer: %v", err)
	}
	if _, err := readAnswer(strings.NewReader(strings.Repeat("x", 2*longestAnswer)), &cmdlet.Param{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an answer without an end: %v", err)
	}
}
