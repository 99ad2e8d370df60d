package client

import (
	"crypto/sha256"
	"hash"
	"io"
)

// An outgoing body is counted and digested as it leaves, and can be sent again if its source
// can seek.
type outgoing struct {
	src    io.Reader
	seeker io.Seeker // src, if it can seek
	start  int64     // where the body begins in seeker
	size   int64     // of the whole body; -1 if not known
	sum    hash.Hash
	sent   int64
}

func newOutgoing(body io.Reader) *outgoing {
	o := &outgoing{src: body, size: -1, sum: sha256.New()}
	s, ok := body.(io.Seeker)
	if !ok {
		return o
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return o // a pipe, say
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil || end < start {
		return o
	}
	if _, err := s.Seek(start, io.SeekStart); err != nil {
		return o // reading will fail in the same way
	}
	o.seeker, o.start, o.size = s, start, end-start
	return o
}

func (o *outgoing) Read(p []byte) (int, error) {
	n, err := o.src.Read(p)
	o.sum.Write(p[:n])
	o.sent += int64(n)
	return n, err
}

// rewind goes back to the start; false means that what is gone is gone.
func (o *outgoing) rewind() bool {
	if o.sent == 0 {
		return true
	}
	if o.seeker == nil {
		return false
	}
	if _, err := o.seeker.Seek(o.start, io.SeekStart); err != nil {
		return false
	}
	o.sum.Reset()
	o.sent = 0
	return true
}

func (o *outgoing) digest() (d [sha256.Size]byte) {
	o.sum.Sum(d[:0])
	return d
}

// A checkedBody is the content of an answer. At its end the digest is compared. Where it
// breaks off, the rest is asked for: a lost connection goes unnoticed, and content that is
// damaged there gets the service's own words instead of a silent end.
type checkedBody struct {
	io.ReadCloser
	sum  hash.Hash
	want [sha256.Size]byte
	err  error

	rest  func(from int64) (io.ReadCloser, error)
	at    int64 // how much has been read
	asked int64 // where the rest was last asked for; asking again there would not help
}

func (b *checkedBody) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil && len(p) > 0 {
		if b.err != nil {
			return 0, b.err
		}
		n, err = b.ReadCloser.Read(p)
		b.sum.Write(p[:n])
		b.at += int64(n)
		if err == io.EOF && [sha256.Size]byte(b.sum.Sum(nil)) != b.want {
			err = errDigest
		} else if err != nil && err != io.EOF && b.at > b.asked {
			err = b.resume()
		}
		b.err = err
	}
	return n, err
}

// resume goes on with the rest.
func (b *checkedBody) resume() error {
	b.asked = b.at
	rest, err := b.rest(b.at)
	if err != nil {
		return err
	}
	b.ReadCloser.Close()
	b.ReadCloser = rest
	return nil
}
