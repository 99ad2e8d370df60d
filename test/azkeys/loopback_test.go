// Package azkeys_test is added to azkeys' own tests when they run against a vault on this
// machine, by go test ./cmd/ck -run TestAzkeysOwnTests. It holds nothing but the way there: every
// host name is this machine. Trust comes from SSL_CERT_FILE, and credentials from the environment.
package azkeys_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
)

func init() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "answering for host names:", err)
		os.Exit(1)
	}
	go answerNames(server)
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answerNames answers questions for addresses (RFC 1035): 127.0.0.1, and no address of IPv6.
func answerNames(server net.PacketConn) {
	query := make([]byte, 1500)
	for {
		n, from, err := server.ReadFrom(query)
		if err != nil {
			return
		}
		if reply := replyTo(query[:n]); reply != nil {
			_, _ = server.WriteTo(reply, from)
		}
	}
}

const header = 12

// replyTo returns the answer to one question, or nil for what is none.
func replyTo(query []byte) []byte {
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root label, type and class
	if len(query) < end {
		return nil
	}
	address := binary.BigEndian.Uint16(query[end-4:]) == 1
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end]...)
	if address {
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return reply
}
