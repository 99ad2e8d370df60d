package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// guardBody bounds the wait for a body from the start of a request. It holds for what no handler
// reads, too: net/http takes in the beginning of an unread body before it sends an answer.
func (s *Server) guardBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	// A writer without deadlines (in tests) is as good as one with them, just not as safe.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.idle))
}

// body returns the body of a request, which fails if nothing comes for the idle time. The
// domain bounds its length.
func (s *Server) body(w http.ResponseWriter, r *http.Request) io.Reader {
	return &idleReader{body: r.Body, control: http.NewResponseController(w), idle: s.idle}
}

// An idleReader moves the deadline before each read. At the end of the body net/http itself
// takes it away.
type idleReader struct {
	body    io.Reader
	control *http.ResponseController
	idle    time.Duration
}

func (b *idleReader) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.idle))
	n, err := b.body.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) { // the deadline stays: the rest is not waited for
		err = fault.Wrap(fault.Invalid, err, "nothing of the body came for %s; nothing was stored", b.idle).
			WithReason(reasonStalled).
			WithHint("send it again")
	}
	return n, err
}

// An idleWriter fails if the client takes nothing for the idle time. What is left in buffers
// when the handler returns is sent under the last deadline; net/http starts the next request
// on the connection without one.
type idleWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	idle    time.Duration
}

func (w *idleWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.idle))
	return w.ResponseWriter.Write(p)
}
