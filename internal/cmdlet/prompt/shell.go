package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what a Shell needs.
type Config struct {
	In, Out, Err *os.File                                        // required: In and Out are terminals
	Runner       func(cmdlet.Side) (cmdlet.Runner, error)        // required, see script.Config
	Who          func() string                                   // required: who is signed in, "" for nobody; part of the prompt
	Interrupts   func(context.Context) (context.Context, func()) // required: a context that the next Ctrl-C ends
	History      *History                                        // in memory only if nil
	Now          func() time.Time                                // time.Now if nil
}

// A Shell is one person at one terminal.
type Shell struct {
	c       Config
	editor  *editor
	session *script.Session
	table   []cmdlet.Cmdlet
	tab     completer
	begun   string // what is typed of a command that goes on in the next line
	who     string
	ctx     context.Context // of Run: questions that Tab asks end with it
	stop    func()          // ends what runs
}

// IsTerminal reports whether somebody can be talked to there.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// New returns a Shell over a terminal. It reads nothing yet.
func New(c Config) (*Shell, error) {
	if c.In == nil || c.Out == nil || c.Err == nil || c.Runner == nil || c.Who == nil || c.Interrupts == nil {
		return nil, errors.New("prompt: In, Out, Err, Runner, Who and Interrupts are required")
	}
	if !IsTerminal(c.In) || !IsTerminal(c.Out) {
		return nil, fault.New(fault.Invalid, "a shell needs a terminal").WithHint("commands from a pipe or a file run with: ck run -")
	}
	if c.History == nil {
		c.History = &History{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Shell{c: c, table: rows.Table(), stop: func() {}}
	session, err := script.New(script.Config{Runner: c.Runner, Out: c.Out, Err: c.Err, Ask: s.ask, Prompt: s.prompt, Now: c.Now})
	if err != nil {
		return nil, err
	}
	s.session = session
	s.tab = completer{table: s.table, names: newNames(c.Runner, c.Now), session: session}
	s.editor = newEditor(c.In, c.Out, c.History)
	s.editor.complete = s.complete
	return s, nil
}

// Run reads commands and runs them until the person leaves, by exit or Ctrl-D, or until ctx
// ends. What a command gets wrong is shown and no error of the shell.
func (s *Shell) Run(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	s.ctx = ctx
	for ctx.Err() == nil {
		text, err := s.read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errInterrupted):
			continue
		case err != nil:
			return fault.Wrap(fault.Internal, err, "the terminal cannot be read")
		}
		if leaves(text) {
			return nil
		}
		s.keep(text)
		if clears(text) {
			fmt.Fprint(s.c.Out, "\x1b[2J\x1b[H")
			continue
		}
		s.run(ctx, text)
	}
	return ctx.Err()
}

func leaves(text string) bool {
	word := strings.TrimSpace(text)
	return strings.EqualFold(word, "exit") || strings.EqualFold(word, "quit")
}

// clears tells the words that empty the screen. They mean nothing but to a terminal.
func clears(text string) bool {
	word := strings.ToLower(strings.TrimSpace(text))
	return word == "cls" || word == "clear" || word == "clear-host"
}

// read returns a command, of as many lines as it takes. An empty line ends one that could go on,
// so that nobody is caught in it.
func (s *Shell) read() (string, error) {
	s.begun = ""
	prompt := s.name()
	for {
		line, err := s.editor.line(prompt)
		if errors.Is(err, io.EOF) && s.begun != "" {
			return "", errInterrupted
		}
		if err != nil {
			return "", err
		}
		text := s.begun + line
		if s.begun != "" && strings.TrimSpace(line) == "" || !script.Incomplete(text) {
			return text, nil
		}
		s.begun, prompt = text+"\n", ">> "
		if len(s.begun) > script.MaxText {
			return text, nil // Parse says that it is too long
		}
	}
}

// name is what stands in front of a command: who would run it. Names that complete a word are
// another's if somebody else is signed in.
func (s *Shell) name() string {
	if who := s.c.Who(); who != s.who {
		s.who = who
		s.tab.names.forget()
	}
	if s.who == "" {
		return "ck> "
	}
	return "ck " + cmdlet.Printable(s.who) + "> "
}

// keep puts the lines of a command into the history, but for those that begin with a space and
// those that may hold a secret.
func (s *Shell) keep(text string) {
	if strings.HasPrefix(text, " ") || holdsSecret(s.table, text) {
		return
	}
	if err := s.c.History.Keep(strings.Split(text, "\n")...); err != nil {
		fmt.Fprintf(s.c.Err, "WARNING: %s\n", cmdlet.Printable(fault.As(err).Message))
		s.c.History.path = "" // say it once
	}
}

// run runs a command. Ctrl-C ends it, and nothing else.
func (s *Shell) run(ctx context.Context, text string) {
	parsed, err := script.Parse(text)
	if err != nil {
		fmt.Fprint(s.c.Err, script.Mark(text, err))
		show.PrintError(s.c.Err, err)
		return
	}
	running, stop := s.c.Interrupts(ctx)
	defer stop()
	s.stop = stop
	if width, _, err := term.GetSize(int(s.c.Out.Fd())); err == nil {
		s.session.SetWidth(width)
	}
	if err := s.session.Run(running, parsed); errors.Is(err, context.Canceled) && ctx.Err() == nil {
		fmt.Fprintln(s.c.Err, "stopped")
	}
}

// ask puts the question whether a change may go ahead. Ctrl-C ends the pipeline.
func (s *Shell) ask(question string) (cmdlet.Answer, error) {
	fmt.Fprintln(s.c.Out, cmdlet.Printable(question))
	for {
		text, pasted, err := s.editor.answer(cmdlet.Choices)
		if err != nil {
			return cmdlet.No, s.unanswered(err)
		}
		if pasted {
			fmt.Fprintln(s.c.Out, "The answer has to be typed.")
			continue
		}
		if answer, ok := cmdlet.ParseAnswer(text); ok {
			return answer, nil
		}
	}
}

// prompt asks for a parameter that is missing; what is secret is not shown.
func (s *Shell) prompt(c *cmdlet.Cmdlet, p *cmdlet.Param) (text string, err error) {
	fmt.Fprintf(s.c.Out, "%s needs -%s: %s\n", c.Name, p.Name, p.Help)
	if p.Secret {
		text, err = s.editor.secret(p.Name + ": ")
	} else {
		text, _, err = s.editor.answer(p.Name + ": ")
	}
	switch {
	case err != nil:
		return "", s.unanswered(err)
	case text == "":
		return "", cmdlet.Unanswered(p)
	}
	return text, nil
}

// Secret asks for something that is not shown, while a command runs. Ctrl-C ends the command.
func (s *Shell) Secret(question string) (string, error) {
	text, err := s.editor.secret(question)
	if err != nil {
		return "", s.unanswered(err)
	}
	return text, nil
}

// unanswered ends what runs, where somebody pressed Ctrl-C or Ctrl-D instead of answering.
func (s *Shell) unanswered(err error) error {
	if errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) {
		s.stop()
		return context.Canceled
	}
	return fault.Wrap(fault.Internal, err, "the answer cannot be read")
}
