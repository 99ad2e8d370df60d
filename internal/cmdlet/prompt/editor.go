package prompt

import (
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// errInterrupted is what reading a line ends with when the person presses Ctrl-C.
var errInterrupted = errors.New("interrupted")

// An editor reads lines from a terminal. It is not safe for concurrent use.
type editor struct {
	in, out  *os.File
	keys     *keys
	term     *term.Terminal
	history  term.History
	complete func(line string, cursor int) (string, int) // what Tab makes of a line
}

func newEditor(in, out *os.File, history term.History) *editor {
	e := &editor{in: in, out: out, history: history, keys: &keys{from: in}}
	e.renew()
	return e
}

// renew makes the line editor anew. After Ctrl-D it would say for ever that there are no more lines.
func (e *editor) renew() {
	e.term = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e.keys, e.out}, "")
}

// line reads a command line: with history, and with completion by Tab. The error is
// errInterrupted after Ctrl-C and io.EOF after Ctrl-D.
func (e *editor) line(prompt string) (string, error) {
	e.term.History = e.history
	e.term.AutoCompleteCallback = e.pressed
	text, _, err := e.read(prompt, (*term.Terminal).ReadLine)
	return text, err
}

// answer reads what somebody replies to a question. Text that was pasted is marked: the next lines
// of a pasted script are no answers.
func (e *editor) answer(prompt string) (text string, pasted bool, err error) {
	e.term.History = none{}
	e.term.AutoCompleteCallback = nil
	return e.read(prompt, (*term.Terminal).ReadLine)
}

// secret reads a line that is not shown.
func (e *editor) secret(prompt string) (string, error) {
	text, _, err := e.read(prompt, func(t *term.Terminal) (string, error) { return t.ReadPassword(prompt) })
	return text, err
}

func (e *editor) read(prompt string, read func(*term.Terminal) (string, error)) (text string, pasted bool, err error) {
	before, err := term.MakeRaw(int(e.in.Fd()))
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, term.Restore(int(e.in.Fd()), before)) }()
	e.measure()
	e.term.SetBracketedPasteMode(true)
	defer e.term.SetBracketedPasteMode(false)
	e.term.SetPrompt(prompt)
	text, err = read(e.term)
	if errors.Is(err, term.ErrPasteIndicator) {
		pasted, err = true, nil
	}
	switch {
	case e.keys.takeInterrupt():
		return "", false, errInterrupted
	case errors.Is(err, io.EOF):
		e.renew()
		_, _ = io.WriteString(e.out, "\r\n")
	}
	return text, pasted, err
}

// measure tells the line editor how wide the terminal is.
func (e *editor) measure() {
	if width, height, err := term.GetSize(int(e.out.Fd())); err == nil && width > 0 {
		_ = e.term.SetSize(width, height) // fails only where the terminal cannot be written to
	}
}

// pressed is called for each key that is typed. Tab completes; at any other the width is looked
// at, for the window may have changed: no signal tells of it everywhere.
func (e *editor) pressed(line string, cursor int, key rune) (string, int, bool) {
	if key != '\t' {
		e.measure()
		return "", 0, false
	}
	text, at := e.complete(line, cursor)
	return text, at, true
}

// none is a history that stays empty.
type none struct{}

func (none) Add(string)    {}
func (none) Len() int      { return 0 }
func (none) At(int) string { return "" }
