package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestJavaScriptClients runs Azure's own clients for JavaScript, see test/javascript. They are
// installed by npm ci in that folder; CK_REQUIRE_JAVASCRIPT=1 fails without them.
func TestJavaScriptClients(t *testing.T) {
	folder := mustAbs(t, "../../test/javascript")
	_, err := os.Stat(filepath.Join(folder, "node_modules", "@azure", "keyvault-keys"))
	if _, none := exec.LookPath("npm"); err != nil || none != nil {
		if os.Getenv("CK_REQUIRE_JAVASCRIPT") != "" {
			t.Fatalf("Azure's clients for JavaScript are not installed: %v, %v", err, none)
		}
		t.Skip("Azure's clients for JavaScript are not installed: run npm ci in test/javascript")
	}
	server := newPlayground(t)
	cmd := exec.CommandContext(t.Context(), "npm", "test")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+server.authority(), "NODE_OPTIONS=",
		"CK_VAULT=https://playground.vault.localhost:"+server.port(), "CK_LOGIN=https://login.localhost:"+server.port(),
		"CK_TENANT="+server.told("tenant"), "CK_APP="+server.told("app"), "CK_SECRET="+server.told("secret"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
