package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A playground is a real server in a process of its own with two premium vaults, "playground" and
// "playground-hsm", whose keys can also be purged: their subscription is not registered for
// retention, which the sample's are. The test binary is this server under the name ck-playground.
type playground struct {
	tb      testing.TB
	dir     string
	flags   []string
	command []string // what starts it; the binary
	server  scriptServer
	first   string // what it printed when it was started first: of the app that all lands belong to
}

// newPlayground starts the server, with further flags; it ends with the test.
func newPlayground(tb testing.TB, flags ...string) *playground {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	p := &playground{tb: tb, dir: tb.TempDir()}
	if err := os.Symlink(self, p.binary()); err != nil {
		tb.Fatal(err)
	}
	p.flags = append(flags, "-data", filepath.Join(p.dir, "data"), "-seals", filepath.Join(p.dir, "seals"), "-port", freePort(tb))
	p.command = []string{p.binary()}
	tb.Cleanup(p.server.kill)
	p.start()
	p.first = p.server.out.String()
	return p
}

func (p *playground) binary() string { return filepath.Join(p.dir, "ck-playground") }

// vaultLogOf is where the key vault log of a playground in dir is.
func vaultLogOf(dir string) string { return filepath.Join(dir, "vault-log") }

// start starts the server on what is in its data folder.
func (p *playground) start() {
	p.tb.Helper()
	if err := p.server.start(p.command[0], p.dir, os.Environ(), slices.Concat(p.command[1:], p.flags)); err != nil {
		p.tb.Fatal(err)
	}
}

// told returns what the server printed under a name; toldFirst, when it was started first.
func (p *playground) told(name string) string      { return toldIn(p.tb, p.server.out.String(), name) }
func (p *playground) toldFirst(name string) string { return toldIn(p.tb, p.first, name) }

func toldIn(tb testing.TB, out, name string) string {
	tb.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `: (\S+)$`).FindStringSubmatch(out)
	if found == nil {
		tb.Fatalf("the server printed no %s:\n%s", name, out)
	}
	return found[1]
}

// port is where the server listens.
func (p *playground) port() string { return p.flags[len(p.flags)-1] }

// authority is the file of the authority that the server's certificate is of.
func (p *playground) authority() string { return filepath.Join(p.dir, "data", "ca.pem") }

// transport trusts the server's authority and reaches it under every name.
func (p *playground) transport() *http.Transport {
	p.tb.Helper()
	return trusting(p.tb, p.authority(), p.port())
}

// client returns an unmodified official client that does not retry, with connections of its own.
func (p *playground) client() *azkeys.Client {
	p.tb.Helper()
	client, err := azkeys.NewClient(p.vault("playground"), fixedToken(p.told("token")), &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: &http.Client{Transport: p.transport(), Timeout: longWait}, Retry: policy.RetryOptions{MaxRetries: -1},
		},
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return client
}

type fixedToken string

func (t fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// playgroundMain is ck serve, with the vault and a token for it.
func playgroundMain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	data := flag.String("data", "", "")
	seals := flag.String("seals", "", "")
	port := flag.Int("port", 0, "")
	rotate := flag.Bool("rotate", false, "")
	more := flag.Int("vaults", 0, "")
	var hardware hardwareSettings
	hardware.flags(flag.CommandLine)
	flag.Parse()
	if err := servePlayground(ctx, *data, *seals, *port, *more, *rotate, hardware); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func servePlayground(ctx context.Context, data, seals string, port, more int, rotate bool, hardware hardwareSettings) error {
	listeners, err := openListeners(ctx, "127.0.0.1", port)
	if err != nil {
		return err
	}
	defer listeners.close()
	folder, err := datafolder.Open(ctx, datafolder.Config{Path: data, Seals: seals})
	if err != nil {
		return err
	}
	s := settings{domain: "localhost", port: port, lease: time.Minute, recoveryLevel: "Recoverable", hardware: hardware, eventFolder: vaultLogOf(filepath.Dir(data))}
	n, err := openNode(ctx, s, folder, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return errors.Join(err, folder.Close())
	}
	access, err := n.setUpPlayground(ctx, more)
	if err == nil {
		fmt.Print(access)
		if rotate {
			defer n.rotateForever(ctx)()
		}
		err = (&command{in: os.Stdin, out: os.Stdout, err: os.Stderr, self: "ck"}).serveNode(ctx, n, listeners, false)
	}
	return errors.Join(err, n.close(context.WithoutCancel(ctx)), folder.Close())
}

// setUpPlayground makes the vaults and so many more, and returns what a program that may do all
// with them needs.
func (n *node) setUpPlayground(ctx context.Context, more int) (string, error) {
	tenant, err := n.ensureTenant(ctx, directory.SystemCaller("", "playground", uuid.NewString()), "Playground", "playground.example")
	if err != nil {
		return "", err
	}
	owner := directory.SystemCaller(tenant.ID, "playground", uuid.NewString())
	app, secret, err := n.directory.CreateApp(ctx, owner, tenant.ID, "Player", nil)
	if err != nil {
		return "", err
	}
	groups, err := n.playgroundGroups(ctx, owner, app.ID)
	if err != nil {
		return "", err
	}
	group := groups[0]
	names := []string{"playground", "playground-hsm"}
	for i := range more {
		names = append(names, fmt.Sprintf("idle-%04d", i))
	}
	for _, name := range names {
		_, _, err = n.vaults.PutVault(ctx, owner, keyvault.VaultSpec{
			Subscription: group.Subscription, Group: group.Name, Name: name, Location: group.Location, SKU: "premium",
			Access: []rights.Grant{{Object: app.ID, Keys: []rights.Permission{rights.All, rights.Purge}}},
		})
		if err != nil {
			return "", err
		}
	}
	out := fmt.Sprintf("tenant: %s\napp: %s\nobject: %s\nsecret: %s\n", tenant.ID, app.AppID, app.ID, secret)
	for name, host := range map[string]string{"token": "vault", "management": "management"} {
		tokens, err := n.directory.ClientCredentials(ctx, tenant.ID, directory.Client{ID: app.AppID, Secret: secret}, n.url(host)+"/.default", directory.Origin{})
		if err != nil {
			return "", err
		}
		out += name + ": " + tokens.Access + "\n"
	}
	for i, g := range groups[1:] {
		out += fmt.Sprintf("land%d: %s\n", i, g.Subscription)
	}
	return out, nil
}

// playgroundGroups makes the subscriptions "Playground", "Land 0" and "Land 1", which belong to
// the first app that asked, and returns the group of each.
func (n *node) playgroundGroups(ctx context.Context, c directory.Caller, app string) (groups []keyvault.Group, err error) {
	all, err := n.vaults.Subscriptions(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Playground", "Land 0", "Land 1"} {
		i := slices.IndexFunc(all, func(s keyvault.Subscription) bool { return s.DisplayName == name })
		if i < 0 {
			i, all = len(all), append(all, keyvault.Subscription{ID: uuid.NewString(), Tenant: c.Tenant, DisplayName: name, Owner: app})
			if err := n.vaults.PutSubscription(ctx, c, all[i]); err != nil {
				return nil, err
			}
		}
		g := keyvault.Group{Tenant: c.Tenant, Subscription: all[i].ID, Name: "playground", Location: "westeurope"}
		if _, _, err := n.vaults.PutGroup(ctx, c, g); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}
