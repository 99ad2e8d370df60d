// Package importer reads real input, mail and folders of files, and brings it into a
// container of the service; and it writes a container's content back out.
//
// A source (Mail, Files) is a sequence of Things, found while walking, with bounded memory
// whatever the size of a file. What cannot be read becomes a Thing with an error: it is
// reported with its name, and nothing else is lost. Import is safe to run again: files that
// did not change are skipped, and a message that is there already is not stored twice.
//
// Content is kept byte for byte. A message inside an mbox file is what stands between its
// separator lines, with the quoting of "From " lines undone; nothing else is touched.
package importer

import (
	"io"
	"time"
)

// A Thing is one message or file to import.
type Thing struct {
	From        string    // where it was found, for people: "archive.mbox, message 3"
	ID          string    // item id to store it under; empty: derived from the content
	Name        string    // file name to give it back under; may be empty
	ContentType string    //
	Size        int64     // bytes that Open will give; -1 if unknown before reading
	Modified    time.Time // zero if unknown
	Weight      int64     // bytes of input that are done once this thing is done

	Open func() (io.ReadCloser, error)
	Err  error // set instead of Open when it cannot be read
}
