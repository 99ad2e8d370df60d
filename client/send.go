package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxPause       = 10 * time.Second
	expectContinue = 1 << 20 // bodies longer than this wait for the service to accept them
)

// A request is what send sends, possibly several times: all requests of this package may be
// repeated without harm. Put writes the same again, Add finds what it added.
type request struct {
	method, url string
	header      http.Header
	body        *outgoing // nil for none
}

// send sends a request until its answer is final, and returns one with a status below 300;
// everything else becomes an error. The caller closes the body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	pause := c.pause
	for attempt := 1; ; attempt++ {
		res, again, err := c.once(ctx, r)
		if err == nil {
			return res, nil
		}
		if !again || attempt == c.attempts || r.body != nil && !r.body.rewind() {
			return nil, err
		}
		wait := max(pause, retryAfter(res))
		select {
		case <-time.After(min(wait, maxPause)):
		case <-ctx.Done():
			return nil, err
		}
		pause *= 2
	}
}

// once sends a request once; again says that an error may pass. With an error of the service
// the answer comes back too, its body closed.
func (c *Client) once(ctx context.Context, r request) (res *http.Response, again bool, err error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, false, err
	}
	req, err := r.build(ctx)
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err = c.http.Do(req)
	if err != nil {
		return nil, ctx.Err() == nil && !isSourceError(err), err
	}
	if res.StatusCode < 300 {
		return res, false, nil
	}
	again = res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests
	return res, again, readError(res)
}

func (r request) build(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.body != nil && r.body.size != 0 {
		body = source{r.body}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if body != nil {
		req.ContentLength = r.body.size
		if r.body.size < 0 || r.body.size > expectContinue {
			req.Header.Set("Expect", "100-continue")
		}
	}
	return req, nil
}

// A source hands a body to net/http, which cannot close it, and marks its errors: reading
// again what could not be read once would not help.
type source struct{ *outgoing }

type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

func (s source) Read(p []byte) (int, error) {
	n, err := s.outgoing.Read(p)
	if err != nil && err != io.EOF {
		err = sourceError{err}
	}
	return n, err
}

func isSourceError(err error) bool {
	_, ok := errors.AsType[sourceError](err)
	return ok
}

// retryAfter returns how long the service asks to wait.
func retryAfter(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
