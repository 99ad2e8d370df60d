package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var updateArticles = flag.Bool("update-articles", false, "write testdata/articles.golden anew")

// An article is one that administrators follow, by the title in its front matter.
type article struct{ name, title string }

var (
	setUp = article{"set up", "Customer Key for Microsoft 365 at the tenant level"}
	roll  = article{"roll", "Roll or rotate a Customer Key or an availability key"}
)

// articleFolder returns where the articles are. They are not ours to keep here.
func articleFolder(t *testing.T) string {
	t.Helper()
	if folder := os.Getenv("CUSTOMERKEY_ARTICLES"); folder != "" {
		return folder
	}
	folder := filepath.Join("..", "..", "..", "shared", "seeds")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the articles are not here: name their folder in CUSTOMERKEY_ARTICLES")
	}
	return folder
}

var powershellBlock = regexp.MustCompile("(?ms)^ *```powershell\r?\n(.*?)^ *```")

// blocks returns the commands of an article, block by block.
func (a article) blocks(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(articleFolder(t), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text[:min(len(text), 300)]), `title: "`+a.title) {
			continue
		}
		var all []string
		for _, m := range powershellBlock.FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
		return all
	}
	t.Fatalf("no article in %s has the title %q", articleFolder(t), a.title)
	return nil
}

// isSyntax tells the description of a command from a command: names in brackets.
func isSyntax(block string) bool {
	return strings.Contains(block, "[-") || strings.Contains(block, "-[")
}

// A step is what goes before a block, or what is particular about it.
type step struct {
	before []string          // commands that the article's text asks for in words; "operator: ..." is the operator's
	fill   map[string]string // placeholders that stand for something else than in articleFills
	exit   int               // of ck; the refusal itself is in the golden file
	moving bool              // what it prints depends on how far the work is that it began
}

const (
	vaultA1, keyA1 = "Contoso-O365EX-NA-VaultA1", "Contoso-O365EX-NA-VaultA1-Key001"
	mailboxApp     = "00000002-0000-0ff1-ce00-000000000000"
	filesApp       = "00000003-0000-0ff1-ce00-000000000000"
)

// articleFills says what stands for each placeholder, and for names of places that are not ours.
var articleFills = map[string]string{
	"<SubscriptionId>": "Contoso keys A", "<vault name>": vaultA1, "<key name>": keyA1, "<UPN of user>": "alice@contoso.example",
	"<Microsoft 365 appID>": "c066d759-24ae-40e7-a56f-027002b5d3e4", "<HSM|Software>": "HSM", "<filename.backup>": "key.backup",
	"<Default_PolicyName or Default_PolicyID>": "Default_Policy", "<SPOAdminSiteUrl>": "https://contoso-admin.sharepoint.com",
	"<ReplacementKeyVaultName>": "contosoEastUSvault01", "<ReplacementKeyName>": "Files_3", "<Primary | Secondary>": "Primary",
	"alice@contoso.com": "alice@contoso.example", ".vault.azure.net": ".vault.localhost:$PORT",
}

// grant lets a principal of the service use the keys of two vaults.
func grant(app string) []string {
	return []string{
		"Set-AzKeyVaultAccessPolicy -VaultName contosoWestUSvault01 -PermissionsToKeys wrapKey,unwrapKey,get -ServicePrincipalName " + app,
		"Set-AzKeyVaultAccessPolicy -VaultName contosoEastUSvault01 -PermissionsToKeys wrapKey,unwrapKey,get -ServicePrincipalName " + app,
	}
}

func keyURIs(names ...string) string {
	return fmt.Sprintf("https://contosoWestUSvault01.vault.localhost:$PORT/keys/%s,https://contosoEastUSvault01.vault.localhost:$PORT/keys/%s", names[0], names[1])
}

func newKeys(names ...string) []string {
	return []string{
		"Add-AzKeyVaultKey -VaultName contosoWestUSvault01 -Name " + names[0] + " -Destination Software -KeyOps wrapKey,unwrapKey",
		"Add-AzKeyVaultKey -VaultName contosoEastUSvault01 -Name " + names[1] + " -Destination Software -KeyOps wrapKey,unwrapKey",
	}
}

// setUpSteps are those of the first article, by block.
var setUpSteps = map[int]step{
	0: {before: []string{
		`New-AzSubscriptionAlias -AliasName a -SubscriptionName "Contoso keys A"`, `New-AzSubscriptionAlias -AliasName b -SubscriptionName "Contoso keys B"`,
		`Set-AzContext "Contoso keys B"; New-AzResourceGroup -Name keys -Location eastus; New-AzKeyVault -Name contosoEastUSvault01 -ResourceGroupName keys -Location eastus -EnablePurgeProtection`,
		`Set-AzContext "Contoso keys A"; New-AzResourceGroup -Name keys -Location westus; New-AzKeyVault -Name contosoWestUSvault01 -ResourceGroupName keys -Location westus -EnablePurgeProtection`,
		`New-AzKeyVault -Name ` + vaultA1 + ` -ResourceGroupName keys -Location westus -Sku Premium -EnablePurgeProtection`,
	}},
	2: {before: []string{
		`Set-AzContext "Contoso keys B"; Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`,
		"operator: Get-CKRetentionRequest | ForEach-Object { Approve-CKRetentionRequest -SubscriptionId $_.SubscriptionId -Force }",
		`Set-AzContext "Contoso keys B"; Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault; Set-AzContext "Contoso keys A"`,
	}},
	21: {before: append(newKeys("Key_01", "Key_02"), grant("c066d759-24ae-40e7-a56f-027002b5d3e4")...)},
	23: {before: []string{
		`New-M365DataAtRestEncryptionPolicy -Name "Tenant default policy" -AzureKeyIDs ` + keyURIs("Key_01", "Key_02"),
		`New-M365DataAtRestEncryptionPolicy -Name "NAM Policy" -AzureKeyIDs ` + keyURIs("Key_01", "Key_02"),
		`New-M365DataAtRestEncryptionPolicy -Name "EUR Policy" -AzureKeyIDs ` + keyURIs("Key_01", "Key_02"),
	}},
}

// rollSteps are those of the second article.
var rollSteps = map[int]step{
	0: {before: []string{
		"Set-AzKeyVaultAccessPolicy -VaultName " + vaultA1 + " -UserPrincipalName admin@contoso.example -PermissionsToKeys create,list,get",
	}, fill: map[string]string{"Contoso-CK-EX-NA-VaultA1": vaultA1}},
	3: {before: append(append(newKeys("Mail_1", "Mail_2"), grant(mailboxApp)...),
		`New-DataEncryptionPolicy -Name USA_mailboxes -AzureKeyIDs `+keyURIs("Mail_1", "Mail_2"),
		`Set-Mailbox alice -DataEncryptionPolicy USA_mailboxes`,
	), fill: map[string]string{"<DataEncryptionPolicyID>": "USA_mailboxes"}, exit: 2}, // it asks, and nobody is there to be asked (row CK-111)
	4: {before: append(append(newKeys("Files_1", "Files_2"), grant(filesApp)...),
		`$p = Get-AzKeyVaultKey contosoWestUSvault01 Files_1; $s = Get-AzKeyVaultKey contosoEastUSvault01 Files_2; Register-SPODataEncryptionPolicy -PrimaryKeyVaultName $p.VaultName -PrimaryKeyName $p.Name -PrimaryKeyVersion $p.Version -SecondaryKeyVaultName $s.VaultName -SecondaryKeyName $s.Name -SecondaryKeyVersion $s.Version`,
		`until Registered: (Get-SPODataEncryptionPolicy).State`,
		"Add-AzKeyVaultKey -VaultName contosoWestUSvault01 -Name Files_3 -Destination Software -KeyOps wrapKey,unwrapKey",
		`keep VERSION: (Get-AzKeyVaultKey contosoWestUSvault01 Files_3).Version`,
	), fill: map[string]string{"<ReplacementKeyVaultName>": "contosoWestUSvault01", "<ReplacementKeyVersion>": "$VERSION"}, moving: true},
}

// Every block of commands of both articles runs as it is printed, in order, against a real
// server, whose faces share a port (KV-1): it succeeds or is refused as documented (KV-175). The golden file has the commands as they were
// filled in and what ck said; times, versions and ids are masked in it.
func TestArticlesRun(t *testing.T) {
	t.Parallel()
	articleFolder(t) // before anything is started
	a := &reader{world: newWorld(t), t: t, values: map[string]string{}}
	a.values["PORT"] = a.port
	a.signInOperator()
	var got strings.Builder
	for _, part := range []struct {
		article
		steps map[int]step
	}{{setUp, setUpSteps}, {roll, rollSteps}} {
		for n, block := range part.blocks(t) {
			if isSyntax(block) {
				continue // TestArticleSyntax
			}
			st := part.steps[n]
			for _, line := range st.before {
				a.prepare(line)
			}
			a.settle(block)
			text := a.filled(block, st.fill)
			out, exit := a.ck("", text)
			if exit != st.exit {
				t.Errorf("%s, block %d:\n%s\nexit %d, want %d\n%s", part.name, n, text, exit, st.exit, out)
			}
			if st.moving {
				out = "...\n"
			}
			fmt.Fprintf(&got, "== %s %d\n%s-- exit %d\n%s\n", part.name, n, a.masked(text), exit, a.masked(out))
		}
	}
	const golden = "testdata/articles.golden"
	if *updateArticles {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (write it with -update-articles)", err)
	}
	if got.String() != string(want) {
		t.Errorf("the articles run otherwise than in %s (write it with -update-articles):\n%s", golden, firstDifference(string(want), got.String()))
	}
}

// settle waits until the work that commands began is done, before a block that shows how far it is.
func (a *reader) settle(block string) {
	if strings.Contains(block, "DataEncryptionPolicy") || strings.Contains(block, "M365DataAtRest") {
		a.prepare("until 0: (Get-CKOperation | Where-Object { $_.State -in 'waiting', 'running' } | Measure-Object).Count")
	}
}

// A reader does what the articles say, as the administrator of the sample.
type reader struct {
	*world
	t      *testing.T
	values map[string]string // of $NAMES in what is filled in
}

func (a *reader) signInOperator() {
	a.t.Helper()
	found := oneTimePassword.FindStringSubmatch(a.server.out.String())
	if found == nil {
		a.t.Fatal("nobody printed the operator's password")
	}
	cmd := exec.CommandContext(a.t.Context(), a.world.ck, "--profile", "operator", "login", "--server", "https://localhost:"+a.port, "--ca", filepath.Join(a.dir, "data", "ca.pem"), "--user", operatorUPN)
	cmd.Env, cmd.Dir = a.env, a.dir
	if err := logIn(cmd, found[1]+"\na-password-of-my-own\n"); err != nil {
		a.t.Fatal(err)
	}
}

// ck runs commands as the person of a profile, and returns all that was printed.
func (a *reader) ck(profile, text string) (string, int) {
	a.t.Helper()
	args := []string{"-c", text}
	if profile != "" {
		args = append([]string{"--profile", profile}, args...)
	}
	cmd := exec.CommandContext(a.t.Context(), a.world.ck, args...)
	cmd.Env, cmd.Dir = a.env, a.dir
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// prepare does what goes before a block. "keep NAME: ..." keeps what the commands print under
// that name; "until TEXT: ..." repeats them until they print that.
func (a *reader) prepare(line string) {
	a.t.Helper()
	how, text, _ := strings.Cut(line, ": ")
	verb, word, _ := strings.Cut(how, " ")
	switch {
	case how == "operator":
		a.must("operator", text)
	case verb == "keep":
		a.values[word] = strings.TrimSpace(a.must("", text))
	case verb == "until":
		for tries := 0; strings.TrimSpace(a.must("", text)) != word; tries++ {
			if tries == 300 {
				a.t.Fatalf("%s never says %s", text, word)
			}
			time.Sleep(50 * time.Millisecond)
		}
	default:
		a.must("", line)
	}
}

func (a *reader) must(profile, text string) string {
	a.t.Helper()
	text = os.Expand(strings.ReplaceAll(text, "$PORT", a.port), a.scriptVariable)
	out, exit := a.ck(profile, text)
	if exit != 0 {
		a.t.Fatalf("%s\nexit %d\n%s", text, exit, out)
	}
	return out
}

// scriptVariable leaves variables of the script alone.
func (a *reader) scriptVariable(name string) string {
	if value, ok := a.values[name]; ok {
		return value
	}
	return "$" + name
}

var placeholder = regexp.MustCompile(`<[^<>\n]+>`)

// filled puts values where the article has placeholders. A value with a space is quoted.
func (a *reader) filled(block string, more map[string]string) string {
	a.t.Helper()
	text := placeholder.ReplaceAllStringFunc(block, func(p string) string {
		value, ok := more[p]
		if !ok {
			value, ok = articleFills[p]
		}
		if !ok {
			a.t.Fatalf("nothing is said to stand for %s", p)
		}
		if strings.Contains(value, " ") {
			value = "'" + value + "'"
		}
		return value
	})
	for _, fills := range []map[string]string{more, articleFills} {
		for old, value := range fills {
			if !placeholder.MatchString(old) {
				text = strings.ReplaceAll(text, old, value)
			}
		}
	}
	return os.Expand(text, a.scriptVariable)
}

// What differs from run to run, in the golden file.
var masks = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "GUID"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "VERSION"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\b\d\d/\d\d/20[2-8]\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`(?m) +$`), ""},
	{regexp.MustCompile(`-{4,}`), "----"}, // as wide as what is masked
	{regexp.MustCompile(` {2,}`), "  "},
	{regexp.MustCompile(`LastChecked=(TIME)?`), "LastChecked=TIME"}, // health is looked at meanwhile, or not
}

func (a *reader) masked(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, a.dir, "DIR"), ":"+a.port, ":PORT")
	known := map[string]bool{"c066d759-24ae-40e7-a56f-027002b5d3e4": true}
	for i, m := range masks {
		text = m.pattern.ReplaceAllStringFunc(text, func(found string) string {
			if i == 0 && known[found] {
				return found
			}
			return m.pattern.ReplaceAllString(found, m.mask)
		})
	}
	return text
}

// firstDifference shows the first lines in which two texts differ.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, strings.Join(w[min(i, len(w)):min(i+3, len(w))], "\n     "), strings.Join(g[min(i, len(g)):min(i+3, len(g))], "\n     "))
		}
	}
	return ""
}
