// Command ck is customerkey in one binary: the server, and everything that people type.
//
// It reads its verbs from one table here and its cmdlets from the table in package cmdlet;
// both are printed by ck help. Wiring of the server is in node.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &command{in: os.Stdin, out: os.Stdout, err: os.Stderr, self: self()}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// A command is one run of ck: where it reads and writes, and what it calls itself.
type command struct {
	in, out, err *os.File
	self         string // how the reader would start it again: "ck", or "go run ./cmd/ck"
	profile      string // name of the profile to use; empty for the usual one
}

// A verb is a word that ck understands beside the cmdlets.
type verb struct {
	name     string
	usage    string
	synopsis string
	run      func(c *command, ctx context.Context, args []string) error
}

func verbs() []verb {
	return []verb{
		{"serve", "[flags]", "run the server", (*command).serve},
		{"login", "[--user NAME]", "sign in; with --user by password, else by device code", (*command).login},
		{"logout", "", "forget the signed-in profile", (*command).logout},
		{"whoami", "", "who is signed in, and where", (*command).whoami},
		{"import", "mail|files ...", "bring mail or a folder of files in", (*command).importing},
		{"export", "mail|files ...", "write a container's content back out", (*command).exporting},
		{"list", "WORKLOAD [CONTAINER]", "list containers or items", (*command).list},
		{"app", "create|show|redirects ...", "apps that sign in with a secret or certificate of their own", (*command).app},
		{"credential", "list|add-secret|add-certificate|remove ...", "what an app proves itself by", (*command).credential},
		{"token-keys", "[list|rotate|revoke ...]", "the keys that sign tokens, for operators", (*command).tokenKeys},
		{"audit", "[head|verify] ...", "read and check the log of decisions", (*command).audit},
		{"purge", "verify FILE", "check the signed record of what was destroyed for ever", (*command).purge},
		{"seal", "status|rotate|move ...", "see, replace and move the keys that seal the databases", (*command).seal},
		{"person", "list|add|password|disable|enable ...", "the people of your organization", (*command).person},
		{"group", "list|create|show|add|remove|delete ...", "groups of people and apps, which vaults give rights to", (*command).group},
		{"tenant", "add|list ...", "make and list tenants, as an operator of the service", (*command).tenant},
		{"run", "FILE.ps1", "run a script of cmdlets; - reads it from standard input", (*command).runFile},
		{"shell", "", "type commands at a prompt, with history and completion", (*command).shell},
		{"powershell-module", "[--out FOLDER]", "write the commands as a module for real PowerShell", (*command).powershellModule},
		{"help", "[WORD]", "this page, or help on a verb or a cmdlet", (*command).help},
		{"version", "", "which version this is", (*command).version},
	}
}

func (c *command) run(ctx context.Context, args []string) int {
	err := c.dispatch(ctx, args)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(c.err, "ck: stopped")
		return 130
	}
	return c.complain(err)
}

func (c *command) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return c.help(ctx, nil)
	}
	word, rest := args[0], args[1:]
	if option, dashed := strings.CutPrefix(word, "-"); dashed {
		return c.option(ctx, strings.TrimPrefix(option, "-"), rest)
	}
	for _, v := range verbs() {
		if strings.EqualFold(v.name, word) {
			return v.run(c, ctx, rest)
		}
	}
	return c.cmdlet(ctx, word, rest)
}

// option does what stands in front of a word: --profile NAME, -c TEXT, --help, --version.
func (c *command) option(ctx context.Context, option string, rest []string) error {
	name, value, joined := strings.Cut(option, "=")
	switch {
	case name == "profile" && joined:
		c.profile = value
		return c.dispatch(ctx, rest)
	case name == "profile" && len(rest) > 0:
		c.profile = rest[0]
		return c.dispatch(ctx, rest[1:])
	case name == "profile":
		return fault.New(fault.Invalid, "--profile needs a name").WithHint("for example: ck --profile alice login")
	case option == "c":
		return c.runText(ctx, rest)
	case option == "h" || option == "help":
		return c.help(ctx, rest)
	case option == "version":
		return c.version(ctx, rest)
	}
	return fault.New(fault.Invalid, "ck has no option -%s in front of the command", option).WithHint("see all commands with: ck help")
}

// complain prints err and its hint and returns the exit code that goes with it.
func (c *command) complain(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return show.ExitDone
	}
	show.PrintError(c.err, err)
	var some *someFailed
	if errors.As(err, &some) {
		return show.ExitSomeFailed
	}
	return show.ExitCode(err)
}

// flags returns the flag set of a verb; parse it with c.parse. Its own words about mistakes are
// dropped, for parse says the same once.
func (c *command) flags(verb, usage string) *flag.FlagSet {
	set := flag.NewFlagSet("ck "+verb, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {
		fmt.Fprintln(set.Output(), strings.TrimSpace("usage: ck "+verb+" "+usage))
		set.PrintDefaults()
	}
	return set
}

// parse parses args and turns a mistake into a usage error. Help that was asked for is an
// answer: it goes to the command's output.
func (c *command) parse(set *flag.FlagSet, args []string) error {
	err := gather(set, args)
	if errors.Is(err, flag.ErrHelp) {
		set.SetOutput(c.out)
		set.Usage()
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "%s: %v", set.Name(), err).WithHint("%s --help lists what it takes", set.Name())
}

// gather parses flags wherever they stand among the words; behind "--" everything is a word.
func gather(set *flag.FlagSet, args []string) error {
	var words []string
	for {
		if err := set.Parse(args); err != nil {
			return err
		}
		rest := set.Args()
		ended := len(rest) < len(args) && args[len(args)-len(rest)-1] == "--"
		if len(rest) == 0 || ended {
			return set.Parse(append(append([]string{"--"}, words...), rest...))
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// parseFlags is parse for a verb that takes flags and no words.
func (c *command) parseFlags(set *flag.FlagSet, args []string) error {
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fault.New(fault.Invalid, "%s takes no word %q", set.Name(), set.Arg(0)).WithHint("%s --help lists what it takes", set.Name())
	}
	return nil
}

func (c *command) version(_ context.Context, args []string) error {
	if err := c.parseFlags(c.flags("version", ""), args); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary does not say how it was built")
	}
	fmt.Fprintf(c.out, "ck %s (%s)\n", info.Main.Version, info.GoVersion)
	return nil
}

// self says how the reader started this program, so that printed commands work as printed.
func self() string {
	exe, err := os.Executable()
	if err == nil && strings.Contains(exe, "go-build") {
		return "go run ./cmd/ck"
	}
	if len(os.Args) == 0 || !strings.ContainsRune(os.Args[0], os.PathSeparator) {
		return "ck"
	}
	name := filepath.Base(os.Args[0])
	if found, err := exec.LookPath(name); err == nil && found == os.Args[0] {
		return name
	}
	return os.Args[0]
}

// terminalWidth returns the columns of w if it is a terminal, 0 otherwise.
func terminalWidth(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 80
	}
	return width
}

// columns returns a writer that lines up tab-separated cells; Flush it.
func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }
