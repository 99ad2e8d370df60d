package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/customerkey/customerkey/internal/cmdlet/prompt"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
	"golang.org/x/term"
)

// shell reads commands from a terminal until the person leaves.
func (c *command) shell(ctx context.Context, args []string) error {
	if err := c.parseFlags(c.flags("shell", ""), args); err != nil {
		return err
	}
	history, err := c.history()
	if err != nil {
		return err
	}
	connected := newConnections(c)
	s, err := prompt.New(prompt.Config{
		In: c.in, Out: c.out, Err: c.err, Runner: connected.runner,
		Who: c.who, Interrupts: untilInterrupt, History: history,
	})
	if err != nil {
		return err
	}
	connected.secret = s.Secret
	return s.Run(c.untilTerminated(ctx))
}

// untilInterrupt returns a context that Ctrl-C ends. The shell itself goes on.
func untilInterrupt(ctx context.Context) (context.Context, func()) {
	running, stop := signal.NotifyContext(ctx, os.Interrupt)
	return running, stop
}

// untilTerminated returns a context that Ctrl-C does not end. When the process is told to end while a
// line is typed, nobody looks at a context: the terminal is put back as it was, and that is all.
func (c *command) untilTerminated(ctx context.Context) context.Context {
	lasting, _ := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	before, err := term.GetState(int(c.in.Fd()))
	if err != nil {
		return lasting
	}
	context.AfterFunc(lasting, func() {
		_ = term.Restore(int(c.in.Fd()), before)
		os.Exit(128 + int(syscall.SIGTERM))
	})
	return lasting
}

// who names the signed-in person, "" if there is nobody.
func (c *command) who() string {
	p, err := c.signedIn()
	if err != nil {
		return ""
	}
	return p.Data().User
}

// history opens the history beside the profile: another profile has another one.
func (c *command) history() (*prompt.History, error) {
	path, err := profile.Path(c.profile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the folder of the profile cannot be made")
	}
	return prompt.OpenHistory(strings.TrimSuffix(path, filepath.Ext(path)) + ".history")
}
