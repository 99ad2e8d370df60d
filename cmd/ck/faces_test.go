package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// Who announces a body and does not send it, signed in or not, gets rid of after a while,
// whether the face reads the body or not.
func TestBodyThatNeverComes(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]http.HandlerFunc{
		"read":     func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) },
		"not read": func(http.ResponseWriter, *http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&faces{domain: "localhost", home: handle, patience: 100 * time.Millisecond})
			t.Cleanup(server.CloseClientConnections)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
			if err := conn.SetReadDeadline(time.Now().Add(longWait)); err != nil {
				t.Fatal(err)
			}
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil && err != io.ErrUnexpectedEOF {
				t.Errorf("no answer: %v", err)
			}
		})
	}
}

// TestAnswerThatNobodyReads: who asks and does not read the answer is let go.
func TestAnswerThatNobodyReads(t *testing.T) {
	t.Parallel()
	wrote := make(chan error, 1)
	home := func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20)) // more than all buffers between
		wrote <- err
	}
	server := httptest.NewServer(&faces{domain: "localhost", home: http.HandlerFunc(home), patience: 100 * time.Millisecond})
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case err := <-wrote:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v", err)
		}
	case <-time.After(longWait):
		t.Error("the answer waits for its reader")
		conn.Close()
	}
}
