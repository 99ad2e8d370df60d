package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory/identity"
	"github.com/customerkey/customerkey/internal/fault"
)

// identitySecretFile holds what programs show to get a token of a managed identity: whoever may
// read the data folder's files may be the machine.
const identitySecretFile = "managed-identity.secret"

// serveIdentities answers programs of this machine until ctx ends, if flags say so. The function
// that it returns waits for the end.
func (n *node) serveIdentities(ctx context.Context) (wait func(), err error) {
	t := n.tokens
	if t.identityListen == "" {
		return func() {}, nil
	}
	handler, err := n.identityFace(ctx)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", t.identityListen)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot listen on %s", t.identityListen).
			WithHint("if another program uses the port, choose another one with --managed-identity")
	}
	server := &http.Server{
		Handler: gated(handler, n.gate), ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("managed identities are not served any more", "err", err)
		}
	}()
	stop := context.AfterFunc(ctx, func() { server.Close() })
	return func() { stop(); server.Close(); <-ended }, nil
}

func (n *node) identityFace(ctx context.Context) (http.Handler, error) {
	apps, err := n.tokens.identities()
	if err != nil {
		return nil, err
	}
	for i, app := range apps { // a mistake in a flag shows at the start
		tenant, err := n.directory.Tenant(ctx, app.Tenant)
		if err != nil {
			return nil, err
		}
		p, err := n.directory.ServicePrincipal(ctx, tenant.ID, app.App)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s has no app %s", app.Tenant, app.App).WithHint("make one with: ck app create NAME")
		}
		apps[i].Tenant, apps[i].Object = tenant.ID, p.ID
	}
	secret, err := n.identitySecret()
	if err != nil {
		return nil, err
	}
	return identity.New(identity.Config{
		Token: n.directory.ManagedToken, Identities: apps, Secret: secret, IMDS: n.tokens.imds, Log: n.log,
	})
}

// identitySecret reads the secret, or makes it on the first start.
func (n *node) identitySecret() (string, error) {
	text, err := os.ReadFile(n.folder.File(identitySecretFile))
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(fault.Unavailable, err, "the secret of managed identities cannot be read")
	}
	random := make([]byte, 32)
	rand.Read(random)
	secret := base64.RawURLEncoding.EncodeToString(random)
	return secret, n.folder.Write(identitySecretFile, []byte(secret+"\n"))
}
