package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
)

// TestConnectAsAnApp: an app that Connect-AzAccount signs in by its certificate reaches a vault as
// itself, for that script alone.
func TestConnectAsAnApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.run("app", "create", "robot")["app"]
	writeAppFiles(t, filepath.Join(w.dir, "robot.pem"), filepath.Join(w.dir, "robot-key.pem"))
	w.run("credential", "add-certificate", app, "robot.pem")

	connect := "Connect-AzAccount -ServicePrincipal -ApplicationId " + app + " -Tenant contoso.example -CertificatePath robot-key.pem"
	cmd := exec.Command(w.ck, "-c", connect+"; Get-ConnectionInformation | fl Name, UserPrincipalName; Get-AzKeyVaultKey contoso-east root1")
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	said := string(out)
	if err == nil || !strings.Contains(said, "Commands run as the app "+app) || !strings.Contains(said, "UserPrincipalName : "+app) || !strings.Contains(said, "UserPrincipalName : admin@contoso.example") {
		t.Errorf("the app: %v\n%s", err, said)
	}
	if cmd.ProcessState.ExitCode() != show.ExitNotAllowed || strings.Contains(said, "signing in failed") {
		t.Errorf("the vault knows the app, and gives it nothing: exit %d\n%s", cmd.ProcessState.ExitCode(), said)
	}
	if who := w.run("whoami"); who["user"] != "admin@contoso.example" {
		t.Errorf("afterwards %v is signed in", who)
	}
}

// writeAppFiles makes a certificate, and a file with it and its private key.
func writeAppFiles(t *testing.T, certificate, both string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	for path, content := range map[string][]byte{certificate: public, both: append(private, public...)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing of ours stands in what goes to Azure: not a client that trusts our authority, not an
// address, not a credential.
func TestCloudsAreApart(t *testing.T) {
	t.Parallel()
	row, err := cmdlet.Find(rows.Table(), "Connect-AzAccount")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range rows.Environments[1:] {
		call, err := cmdlet.Bind(row, []string{"-Environment", name, "-Tenant", "3f0c6a52-7d0e-4a0c-9c0e-0a4f6a1b2c3d"})
		if err != nil {
			t.Fatal(err)
		}
		who, err := clouds()[name].actor(call.Args, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if who.http != nil || who.keep != nil || who.subscription != "" || who.at.Outlook != "" || who.at.API != "" || who.at.Login != "" {
			t.Errorf("%s has something of ours: %+v", name, who.at)
		}
		if _, err := who.runner(cmdlet.Vault); err != nil {
			t.Errorf("%s has no vaults: %v", name, err)
		}
		if _, err := who.runner(cmdlet.Service); err == nil {
			t.Errorf("commands on policies go to %s", name)
		}
	}
}
