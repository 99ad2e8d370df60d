package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

const messageType = "message/rfc822"

// Mail finds the messages below root: a single message, an mbox file, a Maildir, or a folder
// of any of these. Symbolic links are not followed.
func Mail(root string) iter.Seq[Thing] {
	return func(yield func(Thing) bool) {
		for path, err := range walk(root) {
			if err != nil {
				if !yield(Thing{From: path, Err: err}) {
					return
				}
				continue
			}
			if !mailFile(path, yield) {
				return
			}
		}
	}
}

// mailFile gives the messages of one file; false if the receiver wants no more.
func mailFile(path string, yield func(Thing) bool) bool {
	file, err := os.Open(path)
	if err != nil {
		return yield(Thing{From: path, Err: err})
	}
	defer file.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return yield(Thing{From: path, Err: err})
	}
	head = head[:n]
	if bytes.HasPrefix(head, separator) {
		return mboxFile(path, file, yield)
	}
	info, err := file.Stat()
	if err != nil {
		return yield(Thing{From: path, Err: err})
	}
	if info.Size() == 0 && !strings.EqualFold(filepath.Ext(path), ".eml") {
		return true // an archive without messages
	}
	thing := Thing{From: path, ContentType: messageType, Size: info.Size(), Weight: info.Size(), Modified: info.ModTime()}
	if err := looksLikeMessage(head); err != nil {
		thing.Err = err
		return yield(thing)
	}
	if dir := filepath.Dir(path); !isMaildir(filepath.Dir(dir)) { // a Maildir's names mean nothing to people
		thing.Name = filepath.Base(path)
	}
	thing.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	return yield(thing)
}

func mboxFile(path string, file *os.File, yield func(Thing) bool) bool {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return yield(Thing{From: path, Err: err})
	}
	number := 0
	var done int64
	for at, err := range mboxSpans(file) {
		if err != nil {
			return yield(Thing{From: fmt.Sprintf("%s, behind message %d", path, number), Err: err})
		}
		number++
		thing := mboxThing(path, file, at, number)
		thing.Weight, done = at.end-done, at.end
		if !yield(thing) {
			return false
		}
	}
	return true
}

func mboxThing(path string, file *os.File, at span, number int) Thing {
	thing := Thing{From: fmt.Sprintf("%s, message %d", path, number), ContentType: messageType, Size: at.end - at.start}
	if at.quoted {
		thing.Size = -1 // known only once the quoting is undone
	}
	head := make([]byte, min(4096, at.end-at.start))
	if _, err := file.ReadAt(head, at.start); err != nil {
		thing.Err = err
		return thing
	}
	if err := looksLikeMessage(head); err != nil {
		thing.Err = err
		return thing
	}
	thing.Open = func() (io.ReadCloser, error) {
		f, err := os.Open(path) // of its own: things may be opened after the walk has left the file
		if err != nil {
			return nil, err
		}
		var r io.Reader = io.NewSectionReader(f, at.start, at.end-at.start)
		if at.quoted {
			r = newUnquoter(r)
		}
		return readCloser{r, f}, nil
	}
	return thing
}

type readCloser struct {
	io.Reader
	io.Closer
}

// looksLikeMessage asks for one header field (RFC 5322, section 2.2) at the start: archives
// hold odd messages, and dropping an odd one would be a loss, but a picture is no message.
func looksLikeMessage(head []byte) error {
	if len(head) == 0 {
		return errors.New("the message is empty")
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !found || len(name) == 0 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("not a message: it does not start with a header field")
	}
	return nil
}

// walk gives the regular files at or below root in a steady order; of a Maildir only what was
// delivered (cur and new), for tmp holds halves.
func walk(root string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		stop := errors.New("stop")
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			var keep bool
			switch {
			case err != nil:
				keep = yield(path, err)
			case entry.IsDir() && entry.Name() == "tmp" && isMaildir(filepath.Dir(path)):
				return fs.SkipDir
			case entry.IsDir():
				return nil
			case entry.Type()&fs.ModeSymlink != 0:
				keep = yield(path, errors.New("a symbolic link, not followed"))
			case !entry.Type().IsRegular():
				keep = yield(path, errors.New("not a regular file"))
			default:
				keep = yield(path, nil)
			}
			if !keep {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(root, err)
		}
	}
}

func isMaildir(dir string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(dir, sub)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}
