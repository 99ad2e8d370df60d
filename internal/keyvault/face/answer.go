package face

import (
	"cmp"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// An Answer is a http.ResponseWriter that remembers what was answered.
type Answer struct {
	http.ResponseWriter
	Text string // what went wrong, in words; "" if nothing did

	status int
}

// NewAnswer returns an Answer that writes to w.
func NewAnswer(w http.ResponseWriter) *Answer { return &Answer{ResponseWriter: w} }

// Unwrap lets an http.ResponseController reach the connection.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) {
	a.status = cmp.Or(a.status, status)
	a.ResponseWriter.WriteHeader(status)
}

// Status returns the status that was written, 200 if none was.
func (a *Answer) Status() int { return cmp.Or(a.status, http.StatusOK) }

// statusLeft stands in logs for a request whose client did not wait for the answer.
const statusLeft = 499

// Left notes that there is nobody to answer to.
func (a *Answer) Left() { a.status, a.Text = statusLeft, "The client has left" }

// Guard runs serve and makes an error of a panic, so that its client gets an answer with the
// request's id, and our log the stack under the same id.
func Guard(serve func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
			panic(p)
		}
		err = fault.New(fault.Internal, "panic: %v\n%s", p, debug.Stack())
	}()
	return serve()
}

// answerWithin is how long a client may take to read an answer, which is short. One that does
// not read would hold its connection, and what was made for it, for ever. It is longer than a body
// may take: net/http waits for the body that nobody has read before it sends the answer.
const answerWithin = 2 * time.Minute

func limitWriting(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin)) // inside the process there is none
}
