package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/customerkey/customerkey/internal/profile"
)

// cmdHTTP sends one request to api.{domain} over TLS, as the signed-in person, with the
// target and the headers exactly as the script has them; no client library tidies them up. The
// answer, as it came, is the standard output. It fails if the status is 400 or above.
func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	r := rawRequest{ts: ts}
	set := flag.NewFlagSet("http", flag.ContinueOnError)
	set.Func("H", "header `LINE`", func(line string) error { r.headers = append(r.headers, line); return nil })
	set.StringVar(&r.token, "token", "", "use this `TOKEN` instead")
	set.BoolVar(&r.half, "half", false, "close the connection after half of the body")
	ts.Check(set.Parse(args))
	if args = set.Args(); len(args) != 2 && len(args) != 3 || r.half && len(args) != 3 {
		ts.Fatalf("usage: http [-H LINE ...] [-token TOKEN] [-half] METHOD TARGET [FILE]")
	}
	r.method, r.target = args[0], args[1]
	if len(args) == 3 {
		body, err := os.ReadFile(ts.MkAbs(args[2]))
		ts.Check(err)
		r.body = body
	}
	status, answer, err := r.send()
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), answer)
	if r.half {
		return // there is nobody to answer to
	}
	if failed := status >= 400; failed != neg {
		ts.Fatalf("the answer is %d", status)
	}
}

// A rawRequest is one request, byte for byte.
type rawRequest struct {
	ts             *testscript.TestScript
	method, target string
	headers        []string
	token          string
	body           []byte // nil: none
	half           bool
}

func (r rawRequest) send() (status int, answer string, err error) {
	conn, err := r.dial()
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: api.localhost:%s\r\nAuthorization: Bearer %s\r\n", r.method, r.target, r.ts.Getenv("PORT"), r.token)
	for _, line := range r.headers {
		head.WriteString(line + "\r\n")
	}
	if r.body != nil {
		fmt.Fprintf(&head, "Content-Length: %d\r\n", len(r.body))
	}
	body := r.body
	if r.half {
		body = body[:len(body)/2]
	}
	if _, err := io.WriteString(conn, head.String()+"\r\n"+string(body)); err != nil || r.half {
		return 0, "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, "", err
	}
	var all strings.Builder
	fmt.Fprintf(&all, "%s\n", res.Status)
	if err := res.Header.Write(&all); err != nil {
		return 0, "", err
	}
	fmt.Fprintf(&all, "\n%s\n", content)
	return res.StatusCode, strings.ReplaceAll(all.String(), "\r", ""), nil
}

// dial connects as the profile says, and fills in its token unless there is one.
func (r *rawRequest) dial() (net.Conn, error) {
	p, err := profile.Open(profile.Config{Path: filepath.Join(r.ts.Getenv("XDG_CONFIG_HOME"), "customerkey", "profile.json")})
	if err != nil {
		return nil, err
	}
	if r.token == "" {
		if r.token, err = p.TokenSource(p.Addresses().API)(context.Background()); err != nil {
			return nil, err
		}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(p.Data().Authority)) {
		return nil, errors.New("the profile holds no certificate")
	}
	conn, err := tls.Dial("tcp", "127.0.0.1:"+r.ts.Getenv("PORT"), &tls.Config{RootCAs: roots, ServerName: "api.localhost", MinVersion: tls.VersionTLS13})
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(longWait))
}
