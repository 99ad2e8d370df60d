package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// login signs in and keeps the profile.
func (c *command) login(ctx context.Context, args []string) error {
	set := c.flags("login", "[--user NAME]")
	user := set.String("user", "", "sign in as `NAME` with a password, asked for or read from standard input")
	server := set.String("server", "", "`URL` of the service (default: that of the profile, else https://localhost:8443)")
	ca := set.String("ca", "", "PEM `FILE` with the certificate authority of the service (default: that of the profile, else of the local data folder)")
	tenant := set.String("tenant", "", "domain or id of the organization (default: that of the user's name)")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	where, err := c.profileConfig()
	if err != nil {
		return err
	}
	target, err := loginTarget(where, *server, *ca, *tenant)
	if err != nil {
		return err
	}
	var p *profile.Profile
	if *user == "" {
		p, err = c.signInDevice(ctx, where, target)
	} else {
		p, err = c.signInPassword(ctx, where, target, *user, c.secrets())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "signed in as %s\n", p)
	return nil
}

func (c *command) signInDevice(ctx context.Context, where profile.Config, target profile.Target) (*profile.Profile, error) {
	return profile.SignInDevice(ctx, where, target, func(code profile.Code) {
		tell(c.err, "To sign in, open %s\nand enter the code %s (good until %s). Waiting ...\n", code.URL, code.UserCode, code.Expires.Format("15:04"))
	})
}

// signInPassword signs in by a password; ask asks for it, and for a new one where it must be changed.
func (c *command) signInPassword(ctx context.Context, where profile.Config, target profile.Target, user string, ask func(question string) (string, error)) (*profile.Profile, error) {
	password, err := ask("Password of " + user + ": ")
	if err != nil {
		return nil, err
	}
	p, err := profile.SignInPassword(ctx, where, target, profile.Password{User: user, Password: password})
	if fault.As(err).Reason != profile.ReasonMustChange {
		return p, err
	}
	fresh, err := ask("The password must be changed. New password: ")
	if err != nil {
		return nil, err
	}
	return profile.SignInPassword(ctx, where, target, profile.Password{User: user, Password: password, New: fresh})
}

// secrets returns a function that asks for a secret: without echo on a terminal, else one line
// of standard input each.
func (c *command) secrets() func(question string) (string, error) {
	lines := bufio.NewScanner(c.in)
	return func(question string) (string, error) {
		if term.IsTerminal(int(c.in.Fd())) {
			fmt.Fprint(c.err, question)
			secret, err := term.ReadPassword(int(c.in.Fd()))
			fmt.Fprintln(c.err)
			return string(secret), err
		}
		if !lines.Scan() {
			return "", fault.New(fault.Invalid, "standard input holds no password").WithHint("give it as a line on standard input, or run this on a terminal")
		}
		return strings.TrimRight(lines.Text(), "\r"), lines.Err()
	}
}

// loginTarget finds out where to sign in: what the flags say, else what the profile says, else
// the server of this machine.
func loginTarget(where profile.Config, server, ca, tenant string) (profile.Target, error) {
	target := profile.Target{Domain: "localhost:8443", Tenant: tenant}
	if old, err := profile.Open(where); err == nil {
		data := old.Data()
		target.Domain, target.Authority = data.Domain, data.Authority
	}
	if server != "" {
		u, err := url.Parse(server)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return target, fault.New(fault.Invalid, "%q is no address of a service", server).WithHint("give it like https://localhost:8443")
		}
		target.Domain = u.Host
	}
	if ca == "" && target.Authority != "" && server == "" {
		return target, nil
	}
	if ca == "" {
		target.Authority = localAuthority()
		return target, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return target, fault.Wrap(fault.Invalid, err, "the certificate %s cannot be read", ca).WithHint("it is ca.pem in the data folder of the server")
	}
	target.Authority = string(pem)
	return target, nil
}

// localAuthority returns the certificate of the server that uses this user's data folder, ""
// if there is none: the system's authorities are trusted then.
func localAuthority() string {
	folder, err := datafolder.DefaultPath()
	if err != nil {
		return ""
	}
	certificate, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		return ""
	}
	return string(certificate)
}

func (c *command) logout(ctx context.Context, args []string) error {
	if err := c.parseFlags(c.flags("logout", ""), args); err != nil {
		return err
	}
	where, err := c.profileConfig()
	if err != nil {
		return err
	}
	return profile.Remove(ctx, where)
}

func (c *command) whoami(_ context.Context, args []string) error {
	if err := c.parseFlags(c.flags("whoami", ""), args); err != nil {
		return err
	}
	p, err := c.signedIn()
	if err != nil {
		return err
	}
	data := p.Data()
	w := columns(c.out)
	tell(w, "user\t%s\norganization\t%s (%s)\nservice\thttps://%s\n", data.User, data.Organization, data.Tenant, data.Domain)
	return w.Flush()
}

// profileConfig says where the profile of this run lies.
func (c *command) profileConfig() (profile.Config, error) {
	path, err := profile.Path(c.profile)
	return profile.Config{Path: path, Now: time.Now}, err
}

// signedIn opens the profile; its error says how to sign in.
func (c *command) signedIn() (*profile.Profile, error) {
	where, err := c.profileConfig()
	if err != nil {
		return nil, err
	}
	p, err := profile.Open(where)
	if c.profile != "" && fault.Is(err, fault.Unauthenticated) {
		err = fault.As(err).WithHint("sign in with: ck --profile %s login", c.profile)
	}
	return p, err
}

// api returns a client for items and the log, as the signed-in person.
func (c *command) api() (*client.Client, error) {
	p, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	base := p.Addresses().API
	return client.New(client.Config{BaseURL: base, HTTP: p.HTTPClient(), Token: p.TokenSource(base)})
}
