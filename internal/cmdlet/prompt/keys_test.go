package prompt

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/term"
)

// Whatever pieces the bytes come in, Ctrl-C abandons the line that it is typed into and no other.
func TestCtrlCAbandonsItsLine(t *testing.T) {
	t.Parallel()
	const typed = "one\rtw\x03three\r\x03\x03four\r"
	for name, from := range map[string]io.Reader{
		"at once": strings.NewReader(typed), "byte by byte": iotest.OneByteReader(strings.NewReader(typed)), "halves": iotest.HalfReader(strings.NewReader(typed)),
	} {
		k := &keys{from: from}
		editor := term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{k, io.Discard}, "> ")
		var lines []string
		for {
			line, err := editor.ReadLine()
			if errors.Is(err, io.EOF) {
				break
			}
			if k.takeInterrupt() {
				line = "abandoned"
			}
			lines = append(lines, line)
		}
		if got := strings.Join(lines, " "); got != "one abandoned three abandoned abandoned four" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
