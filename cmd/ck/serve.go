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

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/headroom"
)

// serve runs the server until ctx ends.
func (c *command) serve(ctx context.Context, args []string) error {
	set := c.flags("serve", "[flags]")
	data := set.String("data", "", "data folder `DIR` (default: customerkey in the user's data folder)")
	seals := set.String("seals", "", "folder `DIR` of sealing keys (default: in the user's configuration folder, apart from the data)")
	held := addHolderFlags(set, "seal", "what holds the sealing keys of a new data folder: file, passphrase, vault or pkcs11 (`KIND`; default file)")
	listen := set.String("listen", "127.0.0.1,::1", "`ADDRESSES` to listen on, separated by commas")
	port := set.Int("port", 8443, "`PORT` to listen on")
	domain := set.String("domain", "localhost", "`DOMAIN` whose names the faces have")
	sample := set.Bool("sample", false, "make the tenant Contoso to try things out with, and sign in to it")
	var files fileKeySettings
	files.flags(set)
	lease := set.Duration("lease", 60*time.Second, "how long a root key's answer holds; a change in this server's own vaults is obeyed at once")
	level := set.String("recovery-level", "Recoverable+ProtectedSubscription", "recovery `LEVEL` that root keys must have: this one or Recoverable")
	limits := set.String("throttle", "off", "limit what each vault may be asked: off, azure, or a JSON `FILE` of other numbers")
	licences := set.String("licences", "enforce", "whether a person needs a licence to be given a mailbox policy: enforce or ignore")
	approve := set.String("approve-retention", "operator", "`WHO` approves that a subscription registers for mandatory retention: operator, or automatically")
	eventFolder := set.String("vault-log", "", "write a record of each request to a vault into hourly files below `DIR`")
	eventLines := set.Bool("vault-log-stdout", false, "write these records to the standard output, each on a line")
	var tokens tokenSettings
	tokens.flags(set)
	var depart departSettings
	depart.flags(set)
	hooks := set.String("webhook-allow", "", "what webhooks may reach beyond the internet: `LIST` of addresses, blocks, hosts and .domains")
	var hardware hardwareSettings
	hardware.flags(set)
	var spare availabilitySettings
	spare.flags(set)
	var onboarded onboardingSettings
	onboarded.flags(set)
	var asked exchangeSettings
	asked.flags(set)
	roleMap := set.String("roles", "", "JSON `FILE` that says which roles may do what with policies (default: as in docs/roles.md)")
	verbose := set.Bool("verbose", false, "log each failed request and long operation in full")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	s := settings{domain: strings.ToLower(*domain), port: *port, lease: *lease, recoveryLevel: *level, approveByRule: *approve == "automatically", eventFolder: *eventFolder, tokens: tokens, depart: depart, hardware: hardware, availability: spare, onboarded: onboarded, exchange: asked}
	if s.noLicences = *licences == "ignore"; !s.noLicences && *licences != "enforce" {
		return fault.New(fault.Invalid, "%q is no way to treat licences", *licences).WithHint("give enforce or ignore")
	}
	s.fileKeys = files
	if *approve != "operator" && *approve != "automatically" {
		return fault.New(fault.Invalid, "%q is no way to approve retention", *approve).WithHint("give operator or automatically")
	}
	if *eventLines {
		s.eventLines = c.out
	}
	err := s.check()
	if err != nil {
		return err
	}
	if s.throttle, err = readThrottle(*limits); err != nil {
		return err
	}
	if s.roles, err = readRoles(*roleMap); err != nil {
		return err
	}
	if s.webhooks, err = courier.ParseAllowance(*hooks); err != nil {
		return err
	}
	listeners, err := openListeners(ctx, *listen, *port)
	if err != nil {
		return err
	}
	defer listeners.close()
	if *data == "" {
		if *data, err = datafolder.DefaultPath(); err != nil {
			return err
		}
	}
	folder, err := c.openFolder(ctx, datafolder.Config{Path: *data, Seals: *seals, Holders: c.holders(held)}, held.wait)
	if err != nil {
		return err
	}

	logLevel := slog.LevelWarn
	if *verbose {
		logLevel = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: logLevel}))
	n, err := openNode(ctx, s, folder, logger)
	if err != nil {
		return errors.Join(err, folder.Close())
	}
	return errors.Join(c.serveNode(ctx, n, listeners, *sample), n.close(context.WithoutCancel(ctx)), folder.Close())
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
