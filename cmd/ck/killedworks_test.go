package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/client"
)

// containers are where items are written.
var containers = func() (all []client.Ref) {
	for n := range 36 {
		workload := []string{"documents", "documents", "teams", "sharepoint"}[n%4]
		all = append(all, client.Ref{Workload: workload, Container: fmt.Sprint("room", n)})
	}
	return append(all, client.Ref{Workload: "exchange", Container: "alice@contoso.example"}, client.Ref{Workload: "exchange", Container: "bob@contoso.example"})
}()

// A situation is what one operation is about.
type situation struct {
	old  map[string]bool // ids of requests of before
	name string          // of a policy or a geo
	keys [2]string       // URIs of root keys
}

// Names of the families' principals, as vaults know them.
const (
	exchangeApp   = "00000002-0000-0ff1-ce00-000000000000"
	sharePointApp = "00000003-0000-0ff1-ce00-000000000000"
)

// setUp signs people in, lets every family into vaults, and writes the first items.
func (w *killed) setUp() {
	t := w.t
	t.Helper()
	out := w.server.out.String()
	w.flags = slices.DeleteFunc(w.flags, func(f string) bool { return f == "--sample" }) // a later start would assign its policy again
	w.signIn("operator", operatorUPN, oneTimePassword.FindStringSubmatch(out)[1], "a-password-of-my-own")
	for profile, user := range map[string]string{"east": "keys-east", "west": "keys-west", "compliance": "compliance"} {
		w.signIn(profile, user+"@"+sampleDomain, samplePassword.FindStringSubmatch(out)[1], "")
	}
	w.tenant = regexp.MustCompile(`"domain":"contoso.example","id":"([0-9a-f-]+)"`).FindStringSubmatch(w.must("operator", "tenant", "list", "--json"))[1]
	for _, family := range []string{"multi-workload", "mailbox", "sharepoint"} {
		w.must("", "Add-CKOfficer", "-Family", family, "-Identity", "compliance@"+sampleDomain)
	}
	for _, side := range []string{"east", "west"} {
		w.must(side, "New-AzKeyVault", "-Name", "contoso-mail-"+side, "-ResourceGroupName", "customer-key", "-Location", side+"us", "-EnablePurgeProtection")
		w.must(side, "Set-AzKeyVaultAccessPolicy", "-VaultName", "contoso-"+side, "-ServicePrincipalName", sharePointApp, "-PermissionsToKeys", "get,wrapKey,unwrapKey")
	}
	keys := w.newKeys("contoso", "files")
	w.must("", "Register-SPODataEncryptionPolicy", "-PrimaryKeyVaultUri", keys[0], "-SecondaryKeyVaultUri", keys[1])
	for _, c := range containers {
		c.Item = "first"
		if err := w.put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *killed) signIn(profile, user, password, change string) {
	w.t.Helper()
	cmd := exec.Command(w.ck, "--profile", profile, "login", "--server", "https://localhost:"+w.port, "--ca", filepath.Join(w.dir, "data", "ca.pem"), "--user", user)
	cmd.Env = w.env
	if err := logIn(cmd, password+"\n"+change+"\n"); err != nil {
		w.t.Fatal(err)
	}
}

// newKeys makes a key in each of two vaults and returns their URIs.
func (w *killed) newKeys(vaults, name string) (uris [2]string) {
	w.t.Helper()
	w.names++
	name = fmt.Sprint(name, "-", w.names)
	for i, side := range []string{"east", "west"} {
		w.must(side, "Add-AzKeyVaultKey", "-VaultName", vaults+"-"+side, "-Name", name, "-Destination", "Software")
		uris[i] = fmt.Sprintf("https://%s-%s.vault.localhost:%s/keys/%s", vaults, side, w.port, name)
	}
	return uris
}

// disable takes both root keys back.
func (w *killed) disable(uris [2]string) {
	w.t.Helper()
	for i, side := range []string{"east", "west"} {
		vault, name, _ := strings.Cut(strings.TrimPrefix(uris[i], "https://"), "/keys/")
		name, _, _ = strings.Cut(name, "/")
		w.must(side, "Update-AzKeyVaultKey", "-VaultName", strings.Split(vault, ".")[0], "-Name", name, "-Enable", "$false")
	}
}

// A policyRow is what the test looks at of any policy.
type policyRow struct {
	State, Rewrap, Name                      string
	PrimaryKeyVaultUri, SecondaryKeyVaultUri string
	AvailabilityKeyScope, AvailabilityKeyId  string
	AvailabilityKeyState                     string
	AzureKeyIDs                              []string
	SafeToRemovePermission, Assigned         bool
	Generations                              []struct{ State string }
}

// look reads the one policy that a cmdlet shows.
func (w *killed) look(args ...string) (p policyRow, err error) {
	var all []policyRow
	if err := w.ask(&all, "", args...); err != nil {
		return p, err
	}
	if len(all) != 1 {
		return p, fmt.Errorf("%d answers to %q", len(all), args)
	}
	return all[0], nil
}

func (w *killed) global() (policyRow, error) {
	return w.look("Get-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy)
}

// settled says why a policy has generations that still drain.
func (p policyRow) settled() error {
	active := 0
	for _, g := range p.Generations {
		switch g.State {
		case "active":
			active++
		case "draining":
			return errors.New("a generation drains")
		}
	}
	if active != 1 {
		return fmt.Errorf("%w: %d generations are active", errBroken, active)
	}
	return nil
}

func globalSettled(w *killed) error {
	p, err := w.global()
	if err != nil {
		return err
	}
	return p.settled()
}

// A requestRow is what Get-CKRequest says.
type requestRow struct{ Identity, Kind, State, Digest, Outcome string }

func (w *killed) requests() (all []requestRow, err error) {
	return all, w.ask(&all, "", "Get-CKRequest", "-All")
}

// noteRequests remembers those that there are.
func (w *killed) noteRequests() {
	w.t.Helper()
	all, err := w.requests()
	if err != nil {
		w.t.Fatal(err)
	}
	w.now.old = map[string]bool{}
	for _, r := range all {
		w.now.old[r.Identity] = true
	}
}

// request returns the request of a kind that is new; it is asked for if there is none.
func (w *killed) request(kind string, args ...string) (requestRow, error) {
	r, err := w.newRequest(kind)
	if errors.Is(err, errNotYet) {
		if _, err := w.run("", args...); err != nil {
			return requestRow{}, err
		}
		return w.newRequest(kind)
	}
	return r, err
}

func (w *killed) newRequest(kind string) (requestRow, error) {
	all, err := w.requests()
	if err != nil {
		return requestRow{}, err
	}
	if i := slices.IndexFunc(all, func(r requestRow) bool { return r.Kind == kind && !w.now.old[r.Identity] }); i >= 0 {
		return all[i], nil
	}
	return requestRow{}, fmt.Errorf("%w: there is no request", errNotYet)
}

// approve has an officer and an operator approve, as far as they have not.
func (w *killed) approve(r requestRow) error {
	for _, profile := range []string{"compliance", "operator"} {
		if r.State != "waiting" {
			return nil
		}
		_, err := w.run(profile, "Approve-CKRequest", r.Identity, r.Digest, "-Force")
		if err != nil && !strings.Contains(err.Error(), "approved this already") {
			return err
		}
	}
	return nil
}

// ended says why a request of a kind is not done.
func (w *killed) ended(kind string) error {
	r, err := w.newRequest(kind)
	switch {
	case err != nil:
		return err
	case r.State == "failed" || r.State == "denied" || r.State == "expired":
		return fmt.Errorf("%w: the request is %s: %s", errBroken, r.State, r.Outcome)
	case r.State != "done":
		return fmt.Errorf("the request is %s", r.State)
	}
	return nil
}

// files reads the policy of the files of a geo.
func (w *killed) files(geo string) (policyRow, error) {
	return w.look("Get-SPODataEncryptionPolicy", "-Geo", geo)
}

// filesUnder says why the files of a geo are not under two root keys.
func (w *killed) filesUnder(geo string, keys [2]string) error {
	p, err := w.files(geo)
	switch {
	case err != nil:
		return err
	case p.State != "Registered":
		return fmt.Errorf("files are %s", p.State)
	case !strings.HasPrefix(p.PrimaryKeyVaultUri, keys[0]+"/") || !strings.HasPrefix(p.SecondaryKeyVaultUri, keys[1]+"/"):
		return fmt.Errorf("files are under %s and %s", p.PrimaryKeyVaultUri, p.SecondaryKeyVaultUri)
	}
	return p.settled()
}
