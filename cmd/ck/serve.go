package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/headroom"
)

// serve runs the server until ctx ends.
func (c *command) serve(ctx context.Context, args []string) error {
	var f serveFlags
	set := c.flags("serve", "[flags]")
	f.flags(set)
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	if err := f.read(c.out); err != nil {
		return err
	}
	listeners, err := openListeners(ctx, f.listen, f.port)
	if err != nil {
		return err
	}
	defer listeners.close()
	if f.data == "" {
		if f.data, err = datafolder.DefaultPath(); err != nil {
			return err
		}
	}
	folder, err := c.openFolder(ctx, datafolder.Config{Path: f.data, Seals: f.seals, Holders: c.holders(f.held)}, f.held.wait)
	if err != nil {
		return err
	}

	logLevel := slog.LevelWarn
	if f.verbose {
		logLevel = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: logLevel}))
	n, err := openNode(ctx, f.settings, folder, logger)
	if err != nil {
		return errors.Join(err, folder.Close())
	}
	return errors.Join(c.serveNode(ctx, n, listeners, f.sample), n.close(context.WithoutCancel(ctx)), folder.Close())
}

// serveNode makes the node ready, says so, and answers requests until ctx ends.
func (c *command) serveNode(ctx context.Context, n *node, listeners *listeners, sample bool) error {
	defer headroom.Keep()()
	operator, guide, err := n.prepare(ctx, sample)
	if err != nil {
		return err
	}
	// Hashing the first passwords takes 19 MiB each. Left to itself the runtime would keep that
	// for minutes, or for ever where nothing else comes; with it given back, what is resident
	// says what serving takes.
	debug.FreeOSMemory()
	waitIdentities, err := n.serveIdentities(ctx)
	if err != nil {
		return err
	}
	defer waitIdentities()
	background, stop := context.WithCancel(ctx)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- n.run(background) }()

	server := &http.Server{
		Handler:           n.faces,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // failed handshakes of strangers
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, len(listeners.all))
	for _, l := range listeners.all {
		go func() { served <- server.Serve(tls.NewListener(l, n.certs.ServerConfig())) }()
	}
	c.welcome(n, operator, guide)

	select {
	case <-ctx.Done():
		err = nil
	case err = <-served:
	}
	fmt.Fprintln(c.out, "stopping: requests under way may end, new ones are refused")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if e := server.Shutdown(patience); e != nil {
		server.Close()
	}
	stop()
	return errors.Join(err, <-ran)
}

// prepare makes what has to be there before anybody is served. It returns the operator's new
// one-time password, "" if there is none, and what a newcomer is told, nil without the sample.
func (n *node) prepare(ctx context.Context, sample bool) (operator string, guide *sampleGuide, err error) {
	err = patiently(ctx, n.log, "setting up", func(ctx context.Context) (err error) {
		operator, err = n.setUp(ctx)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("setting up: %w", err)
	}
	if !sample {
		return operator, nil, nil
	}
	err = patiently(ctx, n.log, "making the sample", func(ctx context.Context) (err error) {
		guide, err = n.setUpSample(ctx)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("making the sample: %w", err)
	}
	return operator, guide, nil
}

// welcome says where everything is and what to try. The line that starts with "ready:" is what
// programs wait for.
func (c *command) welcome(n *node, operator string, guide *sampleGuide) {
	w := columns(c.out)
	fmt.Fprintf(w, "key vaults\t%s\n", n.url("{vault}.vault"))
	fmt.Fprintf(w, "sign-in\t%s\n", n.url("login"))
	fmt.Fprintf(w, "management\t%s\n", n.url("management"))
	fmt.Fprintf(w, "items\t%s/v1/\n", n.url("api"))
	fmt.Fprintf(w, "data\t%s\n", n.folder.Path)
	fmt.Fprintf(w, "certificate\t%s (clients must trust it)\n", n.folder.File("ca.pem"))
	if at := n.tokens.identityListen; at != "" {
		fmt.Fprintf(w, "identities\thttp://%s/msi/token (IDENTITY_ENDPOINT; IDENTITY_HEADER is in %s)\n", at, n.folder.File(identitySecretFile))
	}
	w.Flush()
	if operator != "" {
		fmt.Fprintf(c.out, "\noperator account: %s, one-time password: %s\n", operatorUPN, operator)
		fmt.Fprintf(c.out, "it is shown this once; sign in with: %s login --server %s --ca %s --user %s\n", c.self, n.url(""), n.folder.File("ca.pem"), operatorUPN)
	}
	if guide != nil {
		guide.print(c, n)
	}
	fmt.Fprintf(c.out, "\nready: %s\n", n.url(""))
}

type listeners struct{ all []net.Listener }

// openListeners listens on every address or on none. It comes before anything is written, so a
// port in use changes nothing.
func openListeners(ctx context.Context, addresses string, port int) (*listeners, error) {
	var ls listeners
	var config net.ListenConfig
	for _, address := range strings.Split(addresses, ",") {
		address = strings.Trim(strings.TrimSpace(address), "[]")
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil && address == "::1" && len(ls.all) > 0 && noIPv6(err) {
			continue // a machine without IPv6 still has 127.0.0.1
		}
		if err != nil {
			ls.close()
			return nil, fault.Wrap(fault.Unavailable, err, "cannot listen on %s port %d", address, port).
				WithHint("if another program uses the port, stop it or choose another one with --port")
		}
		ls.all = append(ls.all, l)
	}
	return &ls, nil
}

func noIPv6(err error) bool {
	text := err.Error()
	return strings.Contains(text, "cannot assign requested address") || strings.Contains(text, "address family not supported")
}

func (ls *listeners) close() {
	for _, l := range ls.all {
		l.Close()
	}
}
