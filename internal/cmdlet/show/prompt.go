package show

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// longestAnswer bounds what is read for one question, in bytes.
const longestAnswer = 1 << 16

// promptFor asks at a terminal for the value of a parameter that a command needs. What is
// secret is not shown while it is typed.
func promptFor(in *os.File, out io.Writer, c *cmdlet.Cmdlet, p *cmdlet.Param) (string, error) {
	fmt.Fprintf(out, "%s needs -%s. %s\n%s: ", c.Name, p.Name, p.Help, p.Name)
	if p.Secret {
		secret, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(out)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, "-%s has no value", p.Name)
		}
		return string(secret), nil
	}
	return readAnswer(in, p)
}

// readAnswer reads one line, and nothing behind it: that is the next question's.
func readAnswer(in io.Reader, p *cmdlet.Param) (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < longestAnswer; {
		n, err := in.Read(one)
		if n == 1 && one[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, one[:n]...)
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return string(line), nil
		}
		if err != nil {
			return "", cmdlet.Unanswered(p)
		}
	}
	return "", cmdlet.BindError("-%s is longer than %d bytes", p.Name, longestAnswer)
}

// ask asks whoever sits at a terminal. What cannot be read is No.
func ask(in io.Reader, out io.Writer, question string) (cmdlet.Answer, error) {
	fmt.Fprintln(out, cmdlet.Printable(question))
	for {
		fmt.Fprint(out, cmdlet.Choices)
		text, err := readAnswer(in, &cmdlet.Param{Name: "Confirm"})
		if err != nil {
			text = "no"
		}
		if answer, ok := cmdlet.ParseAnswer(text); ok {
			return answer, nil
		}
	}
}
