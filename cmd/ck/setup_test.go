package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// mustOpenNode opens a node on an empty folder. Nothing is set up in it yet.
func mustOpenNode(t *testing.T) *node {
	t.Helper()
	dir := t.TempDir()
	folder, err := datafolder.Open(t.Context(), datafolder.Config{Path: filepath.Join(dir, "data"), Seals: filepath.Join(dir, "seals")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	s := settings{domain: "localhost", port: 8443, lease: time.Minute, recoveryLevel: "Recoverable+ProtectedSubscription"}
	n, err := openNode(t.Context(), s, folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.close(context.WithoutCancel(t.Context())) })
	return n
}

// A start that ends after it made the operator and before it showed his password must not lock
// him out: the next one gives another. Once he has a password of his own, none does.
func TestOperatorGetsAPasswordThatIsShown(t *testing.T) {
	t.Parallel()
	n := mustOpenNode(t)
	setUp := func() string {
		password, err := n.setUp(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return password
	}
	reason := func(password string) string {
		_, err := n.directory.Authenticate(t.Context(), providerDomain, operatorUPN, password, directory.Origin{})
		return fault.As(err).Reason
	}

	lost, shown := setUp(), setUp()
	if shown == "" || shown == lost {
		t.Fatal("the second start has no password to show")
	}
	if got := reason(shown); got != directory.PasswordMustChange {
		t.Errorf("with the password that is shown: %q", got)
	}
	if got := reason(lost); got != directory.InvalidCredentials {
		t.Errorf("with the password that was lost: %q", got)
	}

	tenant, err := n.directory.Tenant(t.Context(), providerDomain)
	if err != nil {
		t.Fatal(err)
	}
	system := directory.SystemCaller(tenant.ID, "test", "")
	if err := n.directory.SetPassword(t.Context(), system, tenant.ID, operatorUPN, "correct-horse-battery", false); err != nil {
		t.Fatal(err)
	}
	if again := setUp(); again != "" {
		t.Error("an operator with a password of his own was given another")
	}
}
