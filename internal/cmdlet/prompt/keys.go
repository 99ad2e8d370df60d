package prompt

import (
	"bytes"
	"io"
	"slices"
)

const ctrlC = 3

// abandon is what the line editor is given for Ctrl-C: to the end of the line, a mark that
// people see, and Enter. The editor itself would take Ctrl-C for the end of all input, and keep
// the line.
const abandon = "\x05^C\r"

// keys are the bytes that a keyboard sends, with Ctrl-C made into an abandoned line. What is
// typed before it goes to the editor first, so that interrupted tells of the line at hand.
type keys struct {
	from        io.Reader
	held        []byte // read, and not yet handed on
	err         error  // comes after held
	interrupted bool   // the line that the editor returns next was abandoned
}

func (k *keys) Read(p []byte) (int, error) {
	if len(p) < len(abandon) {
		return 0, io.ErrShortBuffer
	}
	if len(k.held) == 0 {
		if k.err != nil {
			return 0, k.err
		}
		n, err := k.from.Read(p)
		k.held, k.err = slices.Clone(p[:n]), err
	}
	if len(k.held) == 0 {
		return 0, k.err
	}
	if k.held[0] == ctrlC {
		k.held, k.interrupted = k.held[1:], true
		return copy(p, abandon), nil
	}
	n := bytes.IndexByte(k.held, ctrlC)
	if n < 0 {
		n = len(k.held)
	}
	n = copy(p, k.held[:n])
	k.held = k.held[n:]
	return n, nil
}

// takeInterrupt reports whether the line that was just returned was abandoned.
func (k *keys) takeInterrupt() bool {
	was := k.interrupted
	k.interrupted = false
	return was
}
