// Package pipetest is a listener without a network, for tests in virtual time: in a bubble of
// testing/synctest, time passes while everybody waits at a pipe, but not while somebody waits at a
// socket. Only _test.go files import it.
package pipetest

import (
	"context"
	"net"
	"sync"
)

// A Listener accepts what its own Dial connects. Its connections hold nothing back: a write
// waits until all of it is read.
type Listener struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// New returns a Listener, to be used in the bubble in which it was made.
func New() *Listener {
	return &Listener{made: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the listener, whatever the address. It is a DialContext of [net/http.Transport].
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.made <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.made:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. What is connected stays.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener with an address that nobody reaches.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
