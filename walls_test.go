package customerkey_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/customerkey/customerkey/"

// isTestPackage tells packages that only tests use (storetest, keyvaulttest, ...) by their names.
// They may import anything, and nothing but tests may import them.
func isTestPackage(name string) bool { return strings.HasSuffix(name, "test") }

// walls says which of our own packages a package may import; a package below a listed one
// ("keyvault/rest" below "keyvault") needs a row of its own. A package imports only what stands above it in this list.
// The wall between the service (policy, hierarchy, workload) and the customer's vault
// (keyvault) is the product: neither side may see the other's state.
var walls = map[string][]string{
	"internal/fault":              {},
	"envelope":                    {"internal/fault"},
	"client":                      {"envelope"},
	"test/azkeys":                 {},
	"internal/certs":              {},
	"internal/headroom":           {},
	"internal/hsm":                {"internal/fault"},
	"internal/seal":               {"envelope", "internal/fault"},
	"internal/durable":            {},
	"internal/elapsed":            {},
	"internal/seal/holder":        {"envelope", "internal/durable", "internal/fault", "internal/hsm", "internal/rootkey"},
	"internal/datafolder":         {"envelope", "internal/durable", "internal/fault", "internal/seal", "internal/seal/holder"},
	"internal/directory":          {"envelope", "internal/fault", "internal/seal"},
	"internal/directory/login":    {"internal/directory", "internal/fault"},
	"internal/directory/identity": {"internal/directory", "internal/fault"},
	"internal/directory/graph":    {"internal/directory", "internal/fault"},
	"internal/audit":              {"internal/directory", "internal/fault"},
	"internal/activity":           {"internal/audit", "internal/directory", "internal/fault"},
	"internal/operation":          {"internal/directory", "internal/fault"},
	"internal/purge":              {"internal/durable", "internal/fault"},
	"internal/request":            {"internal/audit", "internal/directory", "internal/elapsed", "internal/fault", "internal/operation"},
	"internal/rootkey":            {"envelope", "internal/fault"},
	"internal/resourcemanager":    {"internal/fault"},
	"internal/rootcheck":          {"internal/fault", "internal/rootkey"},
	"internal/availability":       {"envelope", "internal/audit", "internal/directory", "internal/fault", "internal/seal"},
	"internal/hierarchy":          {"envelope", "internal/audit", "internal/availability", "internal/directory", "internal/fault"},
	"internal/courier":            {"envelope", "internal/fault"},
	"internal/keyvault/naming":    {"internal/fault"},
	"internal/keyvault/rights":    {"internal/directory", "internal/fault", "internal/keyvault/naming"},
	"internal/keyvault":           {"envelope", "internal/audit", "internal/courier", "internal/directory", "internal/elapsed", "internal/fault", "internal/keyvault/backup", "internal/keyvault/naming", "internal/keyvault/protect", "internal/keyvault/rights", "internal/keyvault/throttle", "internal/seal"},
	"internal/keyvault/eventlog":  {"internal/fault"},
	"internal/keyvault/throttle":  {"internal/fault"},
	"internal/keyvault/webhook":   {"internal/courier", "internal/fault", "internal/keyvault", "internal/keyvault/rights"},
	"internal/keyvault/backup":    {"envelope", "internal/fault", "internal/seal"},
	"internal/keyvault/protect":   {"envelope", "internal/fault", "internal/headroom", "internal/hsm", "internal/seal"},
	"internal/keyvault/face":      {"internal/directory", "internal/fault", "internal/keyvault/eventlog", "internal/keyvault/naming"},
	"internal/keyvault/rest":      {"internal/directory", "internal/fault", "internal/keyvault", "internal/keyvault/eventlog", "internal/keyvault/face", "internal/keyvault/naming", "internal/keyvault/rights"},
	"internal/keyvault/arm":       {"internal/directory", "internal/fault", "internal/keyvault", "internal/keyvault/eventlog", "internal/keyvault/face", "internal/keyvault/naming", "internal/keyvault/rights"},
	"internal/policy":             {"internal/audit", "internal/availability", "internal/directory", "internal/elapsed", "internal/fault", "internal/hierarchy", "internal/operation", "internal/purge", "internal/request", "internal/rootcheck", "internal/rootkey"},
	"internal/onboarding":         {"envelope", "internal/audit", "internal/directory", "internal/fault", "internal/operation", "internal/policy", "internal/request", "internal/resourcemanager", "internal/rootcheck", "internal/rootkey"},
	"internal/health":             {"envelope", "internal/audit", "internal/courier", "internal/directory", "internal/fault", "internal/hierarchy", "internal/policy", "internal/rootcheck", "internal/rootkey", "internal/seal"},
	"internal/mailbox":            {"internal/audit", "internal/directory", "internal/fault", "internal/hierarchy", "internal/policy"},
	"internal/workload":           {"envelope", "internal/audit", "internal/directory", "internal/fault", "internal/hierarchy", "internal/operation", "internal/policy"},
	"internal/profile":            {"internal/fault"},
	"internal/importer":           {"client", "internal/fault"},
	"internal/cmdlet":             {"internal/directory", "internal/fault", "internal/policy"},
	"internal/cmdlet/service":     {"internal/activity", "internal/cmdlet", "internal/directory", "internal/fault", "internal/health", "internal/mailbox", "internal/onboarding", "internal/operation", "internal/policy", "internal/purge", "internal/request", "internal/rootcheck", "internal/workload"},
	"internal/cmdlet/rows":        {"internal/cmdlet", "internal/cmdlet/service", "internal/directory"},
	"internal/cmdlet/show":        {"internal/cmdlet", "internal/cmdlet/rows", "internal/fault"},
	"internal/cmdlet/azure":       {"internal/cmdlet", "internal/durable", "internal/fault"},
	"internal/cmdlet/script":      {"internal/cmdlet", "internal/cmdlet/rows", "internal/cmdlet/show", "internal/fault"},
	"internal/cmdlet/prompt":      {"internal/cmdlet", "internal/cmdlet/rows", "internal/cmdlet/script", "internal/cmdlet/show", "internal/fault"},
	"internal/cmdlet/powershell":  {"internal/cmdlet"},
	"internal/cmdlet/operator":    {"internal/cmdlet", "internal/cmdlet/service", "internal/fault"},
	"internal/cmdlet/clixml":      {"internal/cmdlet"},
	"internal/api/throttle":       {"internal/fault"},
	"internal/api":                {"internal/activity", "internal/api/throttle", "internal/audit", "internal/cmdlet", "internal/cmdlet/clixml", "internal/cmdlet/rows", "internal/cmdlet/service", "internal/directory", "internal/fault", "internal/health", "internal/policy", "internal/request", "internal/seal", "internal/workload"},
}

type goPackage struct {
	ImportPath, Name string
	Imports          []string
}

func TestImportWalls(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		seen[name] = true
		switch {
		case p.Name == "main" || isTestPackage(name): // wiring may import anything, and nobody can import it
			noTestPackages(t, p)
			continue
		case strings.HasPrefix(name, "internal/store"):
			checkStore(t, p)
			continue
		}
		noTestPackages(t, p)
		allowed, listed := walls[name]
		if !listed && strings.HasPrefix(p.ImportPath, module) {
			t.Errorf("%s has no row in walls: say what it may import", name)
		}
		for _, imported := range ours(p.Imports) {
			if !slices.Contains(allowed, imported) {
				t.Errorf("%s must not import %s", name, imported)
			}
		}
	}
	for name := range walls {
		if !seen[name] {
			t.Errorf("walls names %s, which does not exist", name)
		}
	}
}

// checkStore holds the one rule of stores: they know domains, never faces, for a rule in a
// store would be a rule written twice.
func checkStore(t *testing.T, p goPackage) {
	t.Helper()
	noTestPackages(t, p)
	for _, imported := range ours(p.Imports) {
		for _, face := range []string{"cmd/", "client", "internal/api", "internal/cmdlet", "internal/keyvault/face", "internal/keyvault/rest", "internal/keyvault/arm", "internal/directory/login", "internal/directory/graph", "internal/directory/identity", "internal/profile", "internal/importer"} {
			if strings.HasPrefix(imported, face) {
				t.Errorf("%s must not import %s, a face", p.ImportPath, imported)
			}
		}
	}
}

func noTestPackages(t *testing.T, p goPackage) {
	t.Helper()
	for _, imported := range ours(p.Imports) {
		if isTestPackage(imported) && !isTestPackage(p.ImportPath) {
			t.Errorf("%s must not import %s, which is for tests", p.ImportPath, imported)
		}
	}
}

func ours(imports []string) []string {
	var list []string
	for _, i := range imports {
		if name, ok := strings.CutPrefix(i, module); ok {
			list = append(list, name)
		}
	}
	return list
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found only %d packages", len(list))
	}
	return list
}
