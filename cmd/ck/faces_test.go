package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
			if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil && err != io.ErrUnexpectedEOF {
				t.Errorf("no answer: %v", err)
			}
		})
	}
}
