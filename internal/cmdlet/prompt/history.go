package prompt

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	mostLines   = 1000     // that a history gives back
	longestLine = 4096     // bytes; longer ones are not kept
	largestFile = 1 << 20  // bytes; from there on the file is written anew with the last mostLines
	mostRead    = 16 << 20 // bytes of a file that somebody else may have made
)

// A History is the lines that a person typed, in a file that only they can read: a line of text each,
// the newest last. Two shells may use one file: both add to it, and see each other's lines
// when they start.
type History struct {
	path  string   // "": kept in memory only
	lines []string // the newest last
}

// OpenHistory reads the file at path, which need not exist. A file that is not a plain one is
// refused; one that others could read is closed to them.
func OpenHistory(path string) (*History, error) {
	h := &History{path: path}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, fault.New(fault.Invalid, "the history %s is no plain file", path).WithHint("move it away")
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, unreadable(err, path)
	}
	if err := h.load(); err != nil {
		return nil, unreadable(err, path)
	}
	if info.Size() > largestFile {
		return h, h.rewrite()
	}
	return h, nil
}

func unreadable(err error, path string) error {
	return fault.Wrap(fault.Invalid, err, "the history %s cannot be used", path)
}

func (h *History) load() error {
	f, err := os.Open(h.path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(io.LimitReader(f, mostRead), longestLine+1)
	for {
		line, long, err := lines.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if text := string(line); !long && keepable(text) {
			h.remember(text)
		}
		for long && err == nil {
			_, long, err = lines.ReadLine()
		}
	}
}

// keepable reports whether a line can be shown again as it was: text of one line, in which
// nothing can drive a terminal.
func keepable(line string) bool {
	return line != "" && len(line) <= longestLine && utf8.ValidString(line) && !strings.ContainsFunc(line, unicode.IsControl)
}

func (h *History) remember(line string) {
	if n := len(h.lines); n > 0 && h.lines[n-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if over := len(h.lines) - mostLines; over > 0 {
		h.lines = append(h.lines[:0], h.lines[over:]...)
	}
}

// Keep adds lines and writes them to the file.
func (h *History) Keep(lines ...string) error {
	var text strings.Builder
	for _, line := range lines {
		if keepable(line) {
			h.remember(line)
			text.WriteString(line + "\n")
		}
	}
	if h.path == "" || text.Len() == 0 {
		return nil
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return unwritable(err, h.path)
	}
	_, err = f.WriteString(text.String())
	if err = errors.Join(err, f.Close()); err != nil {
		return unwritable(err, h.path)
	}
	return nil
}

// rewrite replaces the file by one with the lines at hand.
func (h *History) rewrite() error {
	f, err := os.CreateTemp(filepath.Dir(h.path), ".history-*") // 0600
	if err != nil {
		return unwritable(err, h.path)
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone if all went well
	_, err = f.WriteString(strings.Join(h.lines, "\n") + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		return unwritable(err, h.path)
	}
	return nil
}

func unwritable(err error, path string) error {
	return fault.Wrap(fault.Unavailable, err, "the history %s cannot be written", path)
}

// Add implements term.History. The editor calls it for every line; which of them are kept the
// shell decides (see Keep).
func (h *History) Add(string) {}

// Len implements term.History.
func (h *History) Len() int { return len(h.lines) }

// At implements term.History: 0 is the newest line.
func (h *History) At(i int) string { return h.lines[len(h.lines)-1-i] }
