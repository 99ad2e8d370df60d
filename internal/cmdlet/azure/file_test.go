package azure_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A key in a file and back, all versions (CK-197, CK-198). A file that is there is kept.
func TestCK197_BackupAndRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", rights.All)
	for range 2 {
		w.mustCK(admin, "Add-AzKeyVaultKey contoso-east root -Destination Software -KeyType EC -CurveName P-256")
	}
	versions := len(objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root -IncludeVersions -OutputFormat json")))
	file := filepath.Join(t.TempDir(), "root.backup")
	backup := "Backup-AzKeyVaultKey contoso-east root " + file
	if out := w.mustCK(admin, backup+" -WhatIf"); !strings.Contains(out, "What if") {
		t.Errorf("-WhatIf says %q", out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Fatal("-WhatIf wrote the file")
	}
	if out := w.mustCK(admin, backup); out != file+"\n" {
		t.Errorf("the backup answers %q, want the file's name", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info, err)
	}
	before, err := os.ReadFile(file)
	w.must(err)
	wantFault(t, backup, w.ck(admin, backup), fault.Conflict, "exists already", "-Force")
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("a refused backup changed the file: %v", err)
	}
	if out := w.mustCK(admin, backup+" -Force -OutputFormat json"); out != "[\n\""+file+"\"\n]\n" {
		t.Errorf("as JSON: %q", out)
	}
	device := "Backup-AzKeyVaultKey contoso-east root -Force -WhatIf " + os.DevNull
	wantFault(t, device, w.ck(admin, device), fault.Invalid, "is no plain file", "")
	restore := "Restore-AzKeyVaultKey contoso-east " + file
	wantFault(t, restore, w.ck(admin, restore), fault.Conflict, "", "")
	other := w.vaultFor("contoso-west", rights.All)
	w.mustCK(other, "Restore-AzKeyVaultKey contoso-west "+file)
	if got := objects(t, w.mustCK(other, "Get-AzKeyVaultKey contoso-west root -IncludeVersions -OutputFormat json")); len(got) != versions {
		t.Errorf("%d versions came back, want %d", len(got), versions)
	}
}

// Files that hold no backup are refused before or by the vault, and say so.
func TestRestoreRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", rights.All)
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "text": "no backup at all", "long": strings.Repeat("x", 16<<20+1)} {
		w.must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, c := range []struct {
		file    string
		code    fault.Code
		message string
	}{
		{"missing", fault.Invalid, "cannot be read"},
		{"empty", fault.Invalid, "is empty"},
		{"long", fault.TooLarge, "is longer than"},
		{"text", fault.Invalid, ""},
	} {
		line := "Restore-AzKeyVaultKey contoso-east " + filepath.Join(dir, c.file)
		wantFault(t, line, w.ck(admin, line), c.code, c.message, "")
	}
}

// A key of one's own comes in from a file, and its public half goes out (CK-194, CK-195).
func TestCK194_KeysFromFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", rights.All)
	dir := t.TempDir()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	write := func(name, kind string, der []byte, err error) string {
		w.must(err)
		path := filepath.Join(dir, name)
		w.must(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	rsaFile := write("rsa.pem", "PRIVATE KEY", pkcs8, err)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	ecFile := write("ec.pem", "EC PRIVATE KEY", sec1, err)

	w.mustCK(admin, "Add-AzKeyVaultKey contoso-east mine -KeyFilePath "+rsaFile+" -KeyOps wrapKey,unwrapKey")
	out := filepath.Join(dir, "public.pem")
	w.mustCK(admin, "Get-AzKeyVaultKey contoso-east mine -OutFile "+out)
	text, err := os.ReadFile(out)
	w.must(err)
	block, _ := pem.Decode(text)
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil || !rsaKey.PublicKey.Equal(public) {
		t.Errorf("the public half differs: %v", err)
	}
	again := "Get-AzKeyVaultKey contoso-east mine -OutFile " + out
	wantFault(t, again, w.ck(admin, again), fault.Conflict, "exists already", "")

	k := objects(t, w.mustCK(admin, "Add-AzKeyVaultKey contoso-east curve -KeyFilePath "+ecFile+" -OutputFormat json"))[0]
	if k["KeyType"] != "EC" {
		t.Errorf("the imported EC key is a %v", k["KeyType"])
	}
	if pfx := writePFX(t, dir, rsaFile); pfx != "" {
		right := "Add-AzKeyVaultKey contoso-east packed -Destination Software -KeyFilePath " + pfx + " -KeyFilePassword secret"
		wrong := "Add-AzKeyVaultKey contoso-east packed -KeyFilePath " + pfx + " -KeyFilePassword nonsense"
		if fips140.Enforced() {
			wantFault(t, right, w.ck(admin, right), fault.Invalid, "SHA-1", "openssl pkcs12")
		} else {
			w.mustCK(admin, right)
			wantFault(t, wrong, w.ck(admin, wrong), fault.Invalid, "cannot be read", "password")
		}
	}
	for _, line := range []string{
		"Add-AzKeyVaultKey contoso-east mine",
		"Add-AzKeyVaultKey contoso-east mine -Destination Software -KeyFilePassword x",
		"Add-AzKeyVaultKey contoso-east mine -Size 2048 -KeyFilePath " + rsaFile,
		"Add-AzKeyVaultKey contoso-east mine -KeyFilePath " + out,
	} {
		wantFault(t, line, w.ck(admin, line), fault.Invalid, "", "")
	}
}

// writePFX packs a key with openssl as PKCS #12; "" where there is no openssl.
func writePFX(t *testing.T, dir, key string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CK_REQUIRE_OPENSSL") != "" {
			t.Fatal(err)
		}
		return ""
	}
	cert, pfx := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pfx")
	for _, args := range [][]string{
		{"req", "-x509", "-new", "-key", key, "-subj", "/CN=root", "-days", "2", "-out", cert},
		{"pkcs12", "-export", "-legacy", "-inkey", key, "-in", cert, "-out", pfx, "-passout", "pass:secret"},
	} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v %s", args, err, out)
		}
	}
	return pfx
}

// The article's way to soft delete: a resource is read, its properties changed, and written back
// (CK-190, CK-191). 'True' as text is taken for what it says.
func TestCK190_Resources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.caller(w.owner)
	w.mustCK(owner, "New-AzKeyVault contoso-east keys westeurope -Tag side=east")
	id := objects(t, w.mustCK(owner, "Get-AzKeyVault contoso-east -OutputFormat json"))[0]["ResourceId"].(string)
	one := objects(t, w.mustCK(owner, "Get-AzResource -ResourceId "+id+" -OutputFormat json"))[0]
	if p, _ := one["Properties"].(map[string]any); one["ResourceType"] != "Microsoft.KeyVault/vaults" || p["vaultUri"] == nil {
		t.Errorf("the resource is %v", one)
	}
	e := w.environment(owner)
	set := func(args map[string]any) []cmdlet.Object { return w.invoke(e, "Set-AzResource", args) }
	properties := w.invoke(e, "Get-AzResource", map[string]any{"ResourceId": id})[0].Get("Properties").(cmdlet.Object)
	properties.Fields = append(properties.Fields, cmdlet.Field{Name: "enableSoftDelete", Value: "True"})
	for i, f := range properties.Fields { // the article adds what a vault of its day did not have
		if f.Name == "enableSoftDelete" && i < len(properties.Fields)-1 {
			properties.Fields = append(properties.Fields[:i:i], properties.Fields[i+1:]...)
			break
		}
	}
	back := set(map[string]any{"ResourceId": id, "Properties": properties})[0]
	if on := back.Get("Properties").(cmdlet.Object).Get("enableSoftDelete"); on != true {
		t.Errorf("enableSoftDelete is %v", on)
	}
	if tags, _ := back.Get("Tags").(cmdlet.Object); tags.Get("side") != "east" {
		t.Errorf("the tags became %v", back.Get("Tags"))
	}
	set(map[string]any{"InputObject": back, "Tag": cmdlet.Object{Fields: []cmdlet.Field{{Name: "side", Value: "west"}}}, "UsePatchSemantics": true})
	if got := objects(t, w.mustCK(owner, "Get-AzResource -Tag side=west -OutputFormat json")); len(got) != 1 || got[0]["Properties"] != nil {
		t.Errorf("by tag: %v", got)
	}
	for line, want := range map[string]int{
		"Get-AzResource -ResourceType Microsoft.KeyVault/vaults": 1, "Get-AzResource -Name contoso-*": 1, "Get-AzResource -Name fabrikam": 0,
		"Get-AzResource -ResourceGroupName keys": 1, "Get-AzResource -ResourceGroupName others": 0, "Get-AzResource -Tag side=east": 0,
	} {
		if got := objects(t, w.mustCK(owner, line+" -OutputFormat json")); len(got) != want {
			t.Errorf("%s gives %d", line, len(got))
		}
	}
	for line, code := range map[string]fault.Code{
		"Get-AzResource -ResourceId contoso-east":   fault.Invalid,
		"Get-AzResource -ResourceId " + id + "x":    fault.NotFound,
		"Set-AzResource -InputObject @{Name='x'}":   fault.Invalid,
		"Get-AzResource -ResourceId /subscriptions": fault.Invalid,
	} {
		wantFault(t, line, w.ck(owner, line), code, "", "")
	}
}

// invoke runs a command with parameters as JSON would bring them, and returns its objects.
func (w *world) invoke(e cmdlet.Runner, name string, args map[string]any) (list []cmdlet.Object) {
	w.t.Helper()
	row, err := cmdlet.Find(rows.Table(), name)
	w.must(err)
	var params cmdlet.Object
	for n, v := range args {
		params.Fields = append(params.Fields, cmdlet.Field{Name: n, Value: v})
	}
	call, _, err := cmdlet.BindJSON(row, params)
	w.must(err)
	call.Host = cmdlet.Host{Object: func(o cmdlet.Object) error { list = append(list, o); return nil }}
	w.must(e.Run(w.t.Context(), call))
	return list
}

// Later commands mean the subscription that was chosen, by id or name (CK-183).
func TestCK183_Context(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.caller(w.owner)
	second := w.vault.Subscription
	second.ID, second.DisplayName = uuid.NewString(), "Keys west"
	w.must(w.vault.PutSubscription(t.Context(), w.operator(), second))
	e := w.environment(owner)
	run := func(line string) result { return w.ckIn(e, line) }

	line := "New-AzResourceGroup more eastus"
	wantFault(t, line, run(line), fault.Invalid, "several subscriptions", "Set-AzContext")
	for _, choice := range []string{second.ID, strings.ToUpper(second.ID), "'keys-west'"} {
		got := run("Set-AzContext -OutputFormat json " + choice)
		if choice == "'keys-west'" {
			wantFault(t, choice, got, fault.NotFound, "no subscription", "Get-AzSubscription")
		} else if got.err != nil || !strings.Contains(got.out, second.ID) {
			t.Errorf("%s: %v %s", choice, got.err, got.out)
		}
	}
	if r := run(line); r.err != nil {
		t.Fatal(r.err)
	}
	if got := objects(t, run("Get-AzContext -OutputFormat json").out)[0]; got["SubscriptionName"] != "Keys west" {
		t.Errorf("the context is %v", got)
	}
	wantFault(t, "another organization", run("Set-AzContext "+second.ID+" -Tenant fabrikam.example"), fault.Forbidden, "another organization", "login")

	// A vault of the other subscription is found by its name; new ones come into the chosen one.
	w.must(func() error {
		_, _, err := w.vault.PutVault(t.Context(), owner, keyvault.VaultSpec{
			Subscription: w.vault.Subscription.ID, Group: "keys", Location: keyvaulttest.Location, SKU: "standard", Name: "contoso-east",
		})
		return err
	}())
	if r := run("Get-AzKeyVault contoso-east"); r.err != nil {
		t.Error(r.err)
	}
	if got := objects(t, run("Get-AzKeyVault -OutputFormat json").out); len(got) != 0 {
		t.Errorf("the chosen subscription has the vaults %v", got)
	}
}
