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
		missing(t, "CK_REQUIRE_JAVASCRIPT", "Azure's clients for JavaScript are not installed: run npm ci in test/javascript")
	}
	server := newPlayground(t)
	server.run(folder, "NODE_EXTRA_CA_CERTS", "npm", "test")
}

// TestPythonClients runs Azure's own clients for Python, see test/python, as Debian's package
// python3-azure has them, or as CK_PYTHON finds them; CK_REQUIRE_PYTHON=1 fails without them.
func TestPythonClients(t *testing.T) {
	python := os.Getenv("CK_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	if exec.Command(python, "-c", "import azure.keyvault.keys, azure.identity").Run() != nil {
		missing(t, "CK_REQUIRE_PYTHON", "Azure's clients for Python are not installed: install Debian's python3-azure, or name a Python that has them in CK_PYTHON")
	}
	server := newPlayground(t)
	server.run(mustAbs(t, "../../test/python"), "REQUESTS_CA_BUNDLE", python, "-W", "ignore", "keyvault_test.py")
}

func missing(t *testing.T, require, what string) {
	t.Helper()
	if os.Getenv(require) != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// run runs a suite in folder against the vault; trust is the variable that names the file of
// the authority to trust.
func (p *playground) run(folder, trust, name string, args ...string) {
	p.tb.Helper()
	cmd := exec.CommandContext(p.tb.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), trust+"="+p.authority(), "NODE_OPTIONS=", "PYTHONDONTWRITEBYTECODE=1",
		"CK_VAULT=https://playground.vault.localhost:"+p.port(), "CK_LOGIN=https://login.localhost:"+p.port(),
		"CK_TENANT="+p.told("tenant"), "CK_APP="+p.told("app"), "CK_SECRET="+p.told("secret"))
	if out, err := cmd.CombinedOutput(); err != nil {
		p.tb.Fatalf("%v\n%s", err, out)
	}
}
