package courier

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8": true, "20.1.2.3": true, "172.32.0.1": true, "2606:4700::1111": true, "2a00:1450::1": true,
		"127.0.0.1": false, "127.255.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "192.0.0.8": false, "192.0.2.1": false,
		"198.18.0.1": false, "203.0.113.9": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "::7f00:1": false, "64:ff9b::7f00:1": false,
		"2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "fec0::1": false, "2606:4700::1111%eth0": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestAllowance(t *testing.T) {
	t.Parallel()
	a, err := ParseAllowance(" 10.1.0.0/16, 127.0.0.1,fd00::/8,Hooks.corp.example,.inside.example ")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{"10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": true, "127.0.0.2": false, "fd01::1": true, "::ffff:10.1.2.3": true} {
		if got := a.address(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	for host, want := range map[string]bool{
		"hooks.corp.example": true, "x.hooks.corp.example": false, "corp.example": false, "a.inside.example": true, "inside.example": false, "notinside.example": false,
	} {
		if got := a.host(host); got != want {
			t.Errorf("%s: %t", host, got)
		}
	}
	for _, bad := range []string{"10.0.0.0/33", "https://a.example", "a.example:443", "*.example", ".", "a b"} {
		if _, err := ParseAllowance(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if none, err := ParseAllowance(""); err != nil || none.address(netip.MustParseAddr("127.0.0.1")) || none.host("localhost") {
		t.Errorf("the empty list allows something, or fails: %v", err)
	}
}

// TestDial: what a name resolves to decides, at the moment of the connection.
func TestDial(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, tt := range []struct {
		allow, host string
		ok          bool
	}{
		{"", "127.0.0.1", false}, {"", "localhost", false}, {"", "::ffff:127.0.0.1", false}, {"10.0.0.0/8", "127.0.0.1", false},
		{"127.0.0.1", "127.0.0.1", true}, {"LocalHost", "localhost", true}, {"other.example", "localhost", false},
	} {
		a, err := ParseAllowance(tt.allow)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := a.dial(context.Background(), "tcp", net.JoinHostPort(tt.host, port))
		if (err == nil) != tt.ok || !tt.ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q with %q allowed: %v", tt.host, tt.allow, err)
		}
		if conn != nil {
			conn.Close()
		}
		if err != nil && strings.Contains(fault.As(err).Message, "127.0.0.1") {
			t.Errorf("the answer names the address: %s", fault.As(err).Message)
		}
	}
}

func FuzzParseAllowance(f *testing.F) {
	for _, seed := range []string{"10.1.0.0/16,127.0.0.1", ".corp.example,hooks.example", ",,", "::/0", "fe80::1%eth0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAllowance(text)
		if err != nil {
			return
		}
		if text == "" && (len(a.blocks) > 0 || len(a.hosts) > 0) {
			t.Error("the empty list allows something")
		}
		for _, h := range a.hosts {
			if h == "" || strings.Trim(h, ".") == "" {
				t.Errorf("%q allows every host", text)
			}
		}
	})
}
