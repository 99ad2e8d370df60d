package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
)

// maxRanges bounds how many ranges one request may ask for: each costs a segment, however
// short it is. A request for more gets the whole content (RFC 9110 section 14.2).
const maxRanges = 16

func (s *Server) getItem(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	content, err := s.items.Open(r.Context(), caller, ref(r))
	if err != nil {
		return err
	}
	defer content.Close()
	return s.serveContent(w, r, content.Item, content)
}

func (s *Server) headItem(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	item, err := s.items.Head(r.Context(), caller, ref(r))
	if err != nil {
		return err
	}
	return s.serveContent(w, r, item, &unread{size: item.Size})
}

// serveContent answers with content, or the ranges of it that were asked for, under the
// conditions of RFC 9110. net/http knows those; what it does not know is that reading may
// fail. An error before the first byte comes back and becomes a proper answer; a later one
// breaks the connection.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, item workload.Item, content io.ReadSeeker) error {
	r = withUsefulRange(r)
	h := w.Header()
	setItem(h, item)
	h.Set("Content-Type", item.ContentType)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // what people store is not ours to run

	src := &watched{ReadSeeker: content}
	out := &lateWriter{idleWriter: idleWriter{ResponseWriter: w, control: http.NewResponseController(w), idle: s.idle}, src: src}
	http.ServeContent(out, r, "", item.Modified, src)

	err := src.failure()
	switch {
	case out.sent && err != nil:
		s.logFailure(r, h.Get(headerRequest), fmt.Errorf("the answer was cut off: %w", err))
		_ = out.control.Flush() // all that was good arrives, so that asking for the rest gets to the error itself
		panic(http.ErrAbortHandler)
	case err == nil && out.status == http.StatusRequestedRangeNotSatisfiable:
		err = badRange(item.Size)
	case err == nil && out.status == http.StatusPreconditionFailed:
		err = errCondition()
	case err == nil:
		_ = out.send() // nobody is left to be told
		return nil
	}
	dropItem(h)
	if fault.Is(err, fault.BadRange) {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", item.Size))
	}
	return err
}

// withUsefulRange takes away a Range header that need not be answered: of another unit, with
// too many ranges, or on HEAD, for which it means nothing.
func withUsefulRange(r *http.Request) *http.Request {
	text := r.Header.Get("Range")
	if text == "" || r.Method == http.MethodGet && strings.HasPrefix(text, "bytes=") && strings.Count(text, ",") < maxRanges {
		return r
	}
	plain := *r
	plain.Header = r.Header.Clone()
	plain.Header.Del("Range")
	return &plain
}

func badRange(size int64) error {
	return fault.New(fault.BadRange, "the content has %d bytes; the range is outside of it or cannot be understood", size).
		WithHint("ask for bytes=FIRST-LAST, counted from 0")
}

func errCondition() error {
	return fault.New(fault.Conflict, "the item is not as the request expects it").
		WithReason(reasonCondition).
		WithHint("read it again without the condition")
}

// dropItem takes back what was said about an item before it turned out that it cannot be read.
func dropItem(h http.Header) {
	for _, name := range []string{
		"ETag", "Repr-Digest", headerName, headerSource, "Content-Type", "Content-Length", "Content-Range", "Accept-Ranges",
		"Last-Modified", "Content-Security-Policy",
	} {
		h.Del(name)
	}
}

// A lateWriter holds back the status line, and what frames the first part of several, until
// the source has given its first byte. The text of a 416 is left to Server.fail.
type lateWriter struct {
	idleWriter
	src    *watched
	status int
	sent   bool
	frame  bytes.Buffer // one part header at most
}

func (w *lateWriter) WriteHeader(status int) { w.status = status }

func (w *lateWriter) Write(p []byte) (int, error) {
	switch {
	case w.status == http.StatusRequestedRangeNotSatisfiable:
		return len(p), nil
	case !w.sent && !w.src.hasStarted():
		return w.frame.Write(p)
	}
	if err := w.send(); err != nil {
		return 0, err
	}
	return w.idleWriter.Write(p)
}

// send sends what was held back.
func (w *lateWriter) send() error {
	if w.sent {
		return nil
	}
	w.sent = true
	w.idleWriter.WriteHeader(w.status)
	if w.frame.Len() == 0 {
		return nil
	}
	_, err := w.idleWriter.Write(w.frame.Bytes())
	return err
}

// watched notes how reading goes. net/http reads ranges from a goroutine of its own.
type watched struct {
	io.ReadSeeker
	mu      sync.Mutex
	started bool
	err     error
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = c.started || n > 0
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

func (c *watched) hasStarted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

func (c *watched) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// unread stands for the content of an item of which only the headers are wanted.
type unread struct{ size, at int64 }

func (u *unread) Read([]byte) (int, error) {
	return 0, errors.New("api: the content of a HEAD was read")
}

func (u *unread) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += u.at
	case io.SeekEnd:
		offset += u.size
	}
	u.at = offset
	return offset, nil
}
