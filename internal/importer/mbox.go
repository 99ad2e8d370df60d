package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// An mbox file is a sequence of messages, each behind a separator line that starts with
// "From " at the start of the file or after an empty line. Lines of a message that would
// look like separators are quoted with '>' (the mboxrd form).
var separator = []byte("From ")

// span is one message's place in an mbox file, without its separator line and without the
// empty line that belongs to the next separator.
type span struct {
	start, end int64
	quoted     bool // holds at least one line that starts with >From, >>From, ...
}

// lineBuffer bounds what is looked at of one line; longer lines pass through in pieces.
const lineBuffer = 64 << 10

// mboxSpans finds the messages of an mbox file in one pass. A read error ends the sequence
// with that error; the messages before it are whole.
func mboxSpans(r io.Reader) iter.Seq2[span, error] {
	return func(yield func(span, error) bool) {
		in := bufio.NewReaderSize(r, lineBuffer)
		var at int64         // offset of the next unread byte
		var cur span         // message being collected
		var open bool        // a separator was seen
		var blank int64 = -1 // where the empty line right before here starts, or -1
		lineStart, first := true, true
		for {
			piece, err := in.ReadSlice('\n')
			switch {
			case !lineStart || len(piece) == 0: // rest of an over-long line, or the end
			case bytes.HasPrefix(piece, separator) && (first || blank >= 0):
				if open {
					cur.end = blank
					if !yield(cur, nil) {
						return
					}
				}
				open, cur, blank = true, span{start: -1}, -1
			case isBlank(piece):
				blank = at
			default:
				blank = -1
				cur.quoted = cur.quoted || isQuotedSeparator(piece)
			}
			at += int64(len(piece))
			lineStart = len(piece) > 0 && piece[len(piece)-1] == '\n'
			if open && cur.start < 0 && lineStart {
				cur.start = at // first byte behind the separator line
			}
			first = false
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if errors.Is(err, io.EOF) {
				if open {
					cur.end = at
					if cur.start < 0 {
						cur.start = at
					}
					if blank >= cur.start {
						cur.end = blank
					}
					yield(cur, nil)
				}
				return
			}
			if err != nil {
				yield(span{}, err)
				return
			}
		}
	}
}

func isBlank(line []byte) bool {
	return len(bytes.TrimRight(line, "\r\n")) == 0 && len(line) > 0
}

func isQuotedSeparator(line []byte) bool {
	rest := bytes.TrimLeft(line, ">")
	return len(rest) < len(line) && bytes.HasPrefix(rest, separator)
}

// unquoter takes one '>' from each quoted separator line of a message.
type unquoter struct {
	in        *bufio.Reader
	lineStart bool
	rest      []byte // of the current piece, still to be given out; valid until the next read of in
	err       error
}

func newUnquoter(r io.Reader) *unquoter {
	return &unquoter{in: bufio.NewReaderSize(r, lineBuffer), lineStart: true}
}

func (u *unquoter) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		piece, err := u.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			u.err = err
		}
		if u.lineStart && isQuotedSeparator(piece) {
			piece = piece[1:]
		}
		u.lineStart = bytes.HasSuffix(piece, []byte("\n"))
		u.rest = piece
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
