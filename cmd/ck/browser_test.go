package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// TestSignInInChromium signs in through the page that the official client opens, in a real
// browser; CK_REQUIRE_CHROMIUM=1 fails without one.
func TestSignInInChromium(t *testing.T) {
	folder := needJavaScript(t)
	browser, err := exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium"))
	if err != nil {
		missing(t, "CK_REQUIRE_CHROMIUM", "no Chromium: install Debian's chromium, or name it in CHROMIUM")
	}
	w := newWorld(t)
	password := samplePassword.FindStringSubmatch(w.server.out.String())
	if password == nil {
		t.Fatalf("nobody printed the password:\n%s", w.server.out.String())
	}
	opened := opensInto(t)
	port := w.flags[len(w.flags)-1]
	domain := "localhost:" + port
	credential, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login." + domain + "/"},
			Transport: &http.Client{Transport: trusting(t, filepath.Join(w.dir, "data", "ca.pem"), port)},
		},
		DisableInstanceDiscovery: true, TenantID: "organizations",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), longWait)
	defer cancel()
	browsed := make(chan error, 1)
	go func() {
		err := browse(ctx, folder, browser, opened, "alice@"+sampleDomain, password[1])
		if err != nil {
			cancel() // nobody will sign in
		}
		browsed <- err
	}()
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://vault." + domain + "/.default"}})
	if err := errors.Join(err, <-browsed); err != nil {
		t.Fatal(err)
	}
	if strings.Count(token.Token, ".") != 2 {
		t.Error("no token came back")
	}
}

// opensInto returns the file that gets the address which a program opens in the browser.
func opensInto(t *testing.T) string {
	t.Helper()
	bin, opened := t.TempDir(), filepath.Join(t.TempDir(), "opened")
	script := "#!/bin/sh\nprintf %s \"$1\" > '" + opened + ".tmp' && mv '" + opened + ".tmp' '" + opened + "'\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return opened
}

// browse waits for the address and signs in there.
func browse(ctx context.Context, folder, browser, opened, name, password string) error {
	var address []byte
	for err := os.ErrNotExist; err != nil; time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		address, err = os.ReadFile(opened)
	}
	cmd := exec.CommandContext(ctx, "node", "signin.cjs", string(address), name, password)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CHROMIUM="+browser)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New(string(out))
	}
	return nil
}

// trusting reaches a server of this machine under every name, and trusts the authority in a file.
func trusting(tb testing.TB, authority, port string) *http.Transport {
	tb.Helper()
	pem, err := os.ReadFile(authority)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool},
		MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return transport
}
