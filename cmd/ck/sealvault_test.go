package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// TestSealedByAVault runs two servers: the sealing keys of one are held by a key in a vault of the
// other, which it reaches as any deployment reaches Azure: through azidentity and azkeys.
func TestSealedByAVault(t *testing.T) {
	t.Parallel()
	ops := newPlayground(t)
	mustSealKey(t, ops.client())
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(secret, []byte(ops.told("secret")+"\n"), 0o600))
	data, seals := filepath.Join(dir, "data"), filepath.Join(dir, "seals")
	first := []string{
		"serve", "--data", data, "--seals", seals, "--port", freePort(t), "--seal", "vault", "--seal-vault-key", "https://playground.vault.localhost:" + ops.port() + "/keys/seal",
		"--seal-vault-tenant", ops.told("tenant"), "--seal-vault-client", ops.told("app"), "--seal-vault-secret-file", secret,
		"--seal-vault-authority", "https://login.localhost:" + ops.port(), "--seal-vault-ca", ops.authority(),
	}
	later := first[:7] // the rest is kept beside the sealing keys
	self, err := os.Executable()
	must(err)
	ck := filepath.Join(dir, "ck")
	must(os.Symlink(self, ck))
	var sealed scriptServer
	t.Cleanup(sealed.kill)
	runs := func(flags []string) {
		t.Helper()
		must(sealed.start(ck, dir, os.Environ(), flags))
		must(sealed.end(os.Interrupt))
	}
	refused := func(code int, want string) {
		t.Helper()
		before := tree(t, data, seals)
		out, err := exec.CommandContext(t.Context(), ck, later...).CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != code || !strings.Contains(string(out), want) || !strings.Contains(string(out), "nothing was changed") {
			t.Errorf("%v: %s; want exit code %d and %q", err, out, code, want)
		}
		for path, content := range tree(t, data, seals) {
			if before[path] != content {
				t.Errorf("%s was changed", path)
			}
		}
	}
	runs(first)
	runs(later)

	disabled, enabled := azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(false)}}, azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(true)}}
	_, err = ops.client().UpdateKey(t.Context(), "seal", "", disabled, nil)
	must(err)
	refused(6, "is disabled by its owner")
	_, err = ops.client().UpdateKey(t.Context(), "seal", "", enabled, nil)
	must(err)
	must(os.WriteFile(secret, []byte("not the secret\n"), 0o600))
	refused(7, "no token for the vault")
	started := make(chan error, 1)
	go func() { started <- sealed.start(ck, dir, os.Environ(), append(later, "--seal-wait", "2m")) }()
	time.Sleep(2 * time.Second) // it may try in vain
	must(os.WriteFile(secret, []byte(ops.told("secret")+"\n"), 0o600))
	must(<-started)
	must(sealed.end(os.Interrupt))

	ops.server.kill()
	refused(7, "cannot be reached")
}

func mustSealKey(t *testing.T, client *azkeys.Client) {
	t.Helper()
	_, err := client.CreateKey(context.Background(), "seal", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSA), KeySize: to.Ptr(int32(2048))}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// tree returns the regular files below some folders with their bytes.
func tree(t *testing.T, roots ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			all[path] = string(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
