package main

import (
	"cmp"
	"crypto/fips140"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestJavaScriptClients runs Azure's own clients for JavaScript (KV-150, KV-171), see test/javascript. They are
// installed by npm ci in that folder; CK_REQUIRE_JAVASCRIPT=1 fails without them.
func TestJavaScriptClients(t *testing.T) {
	t.Parallel()
	needEveryAlgorithm(t)
	folder := needJavaScript(t)
	newPlayground(t).run(t, folder, "NODE_EXTRA_CA_CERTS", "npm", "test")
}

// needJavaScript returns the folder where they are installed.
func needJavaScript(t *testing.T) string {
	t.Helper()
	folder := mustAbs(t, "../../test/javascript")
	for _, module := range []string{"@azure/keyvault-keys", "playwright-core"} {
		_, err := os.Stat(filepath.Join(folder, "node_modules", module))
		if _, none := exec.LookPath("npm"); err != nil || none != nil {
			missing(t, "CK_REQUIRE_JAVASCRIPT", "Azure's clients for JavaScript are not installed: run npm ci in test/javascript")
		}
	}
	return folder
}

// TestPythonClients runs Azure's own clients for Python (KV-171), see test/python, as Debian's package
// python3-azure has them, or as CK_PYTHON finds them; CK_REQUIRE_PYTHON=1 fails without them.
func TestPythonClients(t *testing.T) {
	t.Parallel()
	needEveryAlgorithm(t)
	needPython(t)
	newPlayground(t).run(t, mustAbs(t, "../../test/python"), "REQUESTS_CA_BUNDLE", python(), "-W", "ignore", "keyvault_test.py")
}

func python() string { return cmp.Or(os.Getenv("CK_PYTHON"), "/usr/bin/python3") }

func needPython(t *testing.T) {
	t.Helper()
	if exec.Command(python(), "-c", "import azure.keyvault.keys, azure.identity").Run() != nil {
		missing(t, "CK_REQUIRE_PYTHON", "Azure's clients for Python are not installed: install Debian's python3-azure, or name a Python that has them in CK_PYTHON")
	}
}

// needEveryAlgorithm skips suites that ask for what is not approved, where only that is served.
func needEveryAlgorithm(t *testing.T) {
	t.Helper()
	if fips140.Enforced() {
		t.Skip("these clients also ask for algorithms that are not approved")
	}
}

func missing(t *testing.T, require, what string) {
	t.Helper()
	if os.Getenv(require) != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// vault returns the address of a vault.
func (p *playground) vault(name string) string {
	return "https://" + name + ".vault.localhost:" + p.port()
}

// run runs a command in folder against the vault, which must succeed, and returns what it
// prints; trust is the variable that names the file of the authority to trust.
func (p *playground) run(t *testing.T, folder, trust string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), trust+"="+p.authority(), "GODEBUG=", "NODE_OPTIONS=", "PYTHONDONTWRITEBYTECODE=1",
		"CK_PORT="+p.port(), "CK_VAULT="+p.vault("playground"), "CK_LOGIN=https://login.localhost:"+p.port(),
		"CK_TENANT="+p.told("tenant"), "CK_APP="+p.told("app"), "CK_SECRET="+p.told("secret"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestAzkeysOwnTests runs the tests that azkeys' authors wrote (KV-172), by test/azkeys/run.sh. The modules
// that they need must be in reach; CK_REQUIRE_AZKEYS=1 fails where they are not.
func TestAzkeysOwnTests(t *testing.T) {
	t.Parallel()
	needEveryAlgorithm(t)
	server := newPlayground(t)
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The shape of a managed identity on an App Service host (KV-140), over the server's own token.
		fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","resource":%q,"token_type":"Bearer"}`,
			server.told("token"), time.Now().Add(time.Hour).Unix(), r.URL.Query().Get("resource"))
	}))
	defer identity.Close()
	cmd := exec.CommandContext(t.Context(), "../../test/azkeys/run.sh")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+server.authority(),
		"AZURE_KEYVAULT_URL="+server.vault("playground"), "AZURE_MANAGEDHSM_URL="+server.vault("playground-hsm"),
		"AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential",
		"IDENTITY_ENDPOINT="+identity.URL, "IDENTITY_HEADER=header")
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 77 {
		missing(t, "CK_REQUIRE_AZKEYS", fmt.Sprintf("what azkeys' own tests need is not in reach:\n%s", out))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	passed := len(regexp.MustCompile(`(?m)^\s*--- PASS: \S+/(KV|MHSM)`).FindAll(out, -1))
	t.Logf("%d of their tests on vaults pass", passed)
	if passed < 20 {
		t.Errorf("so few of their tests ran:\n%s", out)
	}
}

// TestAzureCLI walks through test/azurecli/walk.sh with the az that is installed;
// CK_REQUIRE_AZ=1 fails without one.
func TestAzureCLI(t *testing.T) {
	if _, err := exec.LookPath("az"); err != nil {
		missing(t, "CK_REQUIRE_AZ", "the Azure CLI is not installed: install Debian's azure-cli")
	}
	server := newPlayground(t)
	folder := mustAbs(t, "../../test/azurecli")
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
	t.Setenv("PYTHONPATH", folder)
	server.run(t, folder, "REQUESTS_CA_BUNDLE", "./walk.sh")
}

// TestKeyVaultPage runs the programs of docs/key-vault.md as they stand there.
func TestKeyVaultPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/key-vault.md")
	if err != nil {
		t.Fatal(err)
	}
	server := newPlayground(t)
	for _, program := range []struct {
		language, file, trust string
		prepare               func(t *testing.T, dir, text string) string
		run                   []string
	}{
		{"go", "main.go", "SSL_CERT_FILE", goProgram, []string{"go", "run", "."}},
		{"javascript", "main.mjs", "NODE_EXTRA_CA_CERTS", javaScriptProgram, []string{"node", "--require", "./loopback.cjs", "main.mjs"}},
		{"python", "main.py", "REQUESTS_CA_BUNDLE", pythonProgram, []string{python(), "-W", "ignore", "main.py"}},
	} {
		t.Run(program.language, func(t *testing.T) {
			_, rest, found := strings.Cut(string(page), "```"+program.language+"\n")
			text, _, ended := strings.Cut(rest, "\n```")
			if !found || !ended {
				t.Fatal("the page has no such program")
			}
			dir := t.TempDir()
			text = program.prepare(t, dir, text)
			if err := os.WriteFile(filepath.Join(dir, program.file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out := server.run(t, dir, program.trust, program.run...); !strings.HasSuffix(out, "a key of mine\n") {
				t.Errorf("it printed %s", out)
			}
		})
	}
}

// goProgram makes dir a module that needs what ours needs, and has our way to this machine.
func goProgram(t *testing.T, dir, text string) string {
	t.Helper()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	way, err := os.ReadFile("../../test/azkeys/loopback_test.go")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": strings.Replace(string(mod), "module github.com/customerkey/customerkey", "module example.com/page", 1), "go.sum": string(sum),
		"loopback.go": strings.Replace(string(way), "package azkeys_test", "package main", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

func javaScriptProgram(t *testing.T, dir, text string) string {
	t.Helper()
	folder := needJavaScript(t)
	if err := errors.Join(os.Symlink(filepath.Join(folder, "node_modules"), filepath.Join(dir, "node_modules")),
		os.Symlink(filepath.Join(folder, "loopback.cjs"), filepath.Join(dir, "loopback.cjs"))); err != nil {
		t.Fatal(err)
	}
	return text
}

// pythonProgram has Python find our way to this machine at its start.
func pythonProgram(t *testing.T, _, text string) string {
	t.Helper()
	needPython(t)
	t.Setenv("PYTHONPATH", mustAbs(t, "../../test/azurecli"))
	const old = "import sys, azure.identity as i; sys.exit(i.__version__ != '1.13.0b2')"
	if exec.Command(python(), "-c", old).Run() == nil { // the version that the page says spells it otherwise
		text = strings.Replace(text, "disable_instance_discovery=True", "instance_discovery=False", 1)
	}
	return text
}
