package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/customerkey/customerkey/client"
)

// everyLongWork is every long operation there is, in an order in which each leaves the
// organization as the next one wants it: under its policy, with its files registered.
var everyLongWork = []longWork{
	{name: "refresh", prepare: nothing, begin: runs("Set-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-Refresh"), done: globalSettled},
	{name: "assign", prepare: nothing, begin: takesBackAndAssigns, done: globalSettled},
	{name: "replace", prepare: newRoots, begin: replaces, done: globalSettled},
	{name: "re-encrypt", prepare: nothing, begin: encryptsAnew, done: globalSettled},
	{name: "roll", prepare: noteKey, begin: rolls, done: rolled},
	{name: "recover", prepare: losesRoots, begin: recovers, done: recovered, after: (*killed).stopRecovery},
	{name: "offboard", prepare: (*killed).noteRequests, begin: leaves, done: hasLeft, after: (*killed).comesBack},
	{name: "purge", prepare: dooms, begin: purges, done: isPurged, after: (*killed).letMailIn, inside: (*killed).inLedger},
	{name: "other availability key of files", prepare: (*killed).changeScope, begin: rolls, done: scopeChanged},
	{name: "change of the keys of files", prepare: newFileRoots, begin: changesFiles, done: filesChanged},
	{name: "registration of files", prepare: newGeo, begin: registers, done: filesChanged},
	{name: "restore of files", prepare: losesFileRoots, begin: restores, done: filesChanged},
}

func nothing(*killed) {}

func runs(args ...string) func(w *killed) error {
	return func(w *killed) error { _, err := w.run("", args...); return err }
}

func takesBackAndAssigns(w *killed) error {
	for _, to := range []string{"$null", samplePolicy} {
		if _, err := w.run("", "Set-M365DataAtRestEncryptionPolicyAssignment", "-DataEncryptionPolicy", to); err != nil {
			return err
		}
	}
	return nil
}

func newRoots(w *killed) { w.now.keys = w.newKeys("contoso", "root") }

func replaces(w *killed) error {
	_, err := w.run("", "Set-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-Replace", "-AzureKeyIDs", w.now.keys[0]+","+w.now.keys[1])
	if err != nil && strings.Contains(err.Error(), "has these two root keys already") {
		return nil
	}
	return err
}

// encryptsAnew starts no second operation while one is open: each goes through all there is.
func encryptsAnew(w *killed) error {
	if err := w.watch(); err == nil || w.during != "reencrypt" {
		_, err = w.run("", "Start-CKReencryption", "-Identity", samplePolicy)
		return err
	}
	return nil
}

func noteKey(w *killed) {
	p, err := w.global()
	if err != nil {
		w.t.Fatal(err)
	}
	w.now.name = p.AvailabilityKeyId
}

func rolls(w *killed) error {
	_, err := w.run("operator", "Update-CKAvailabilityKey", "-Identity", w.tenant)
	if err != nil && strings.Contains(err.Error(), "being rolled already") {
		return nil
	}
	return err
}

func rolled(w *killed) error {
	p, err := w.global()
	switch {
	case err != nil:
		return err
	case p.AvailabilityKeyId == w.now.name || p.AvailabilityKeyState != "Active":
		return fmt.Errorf("the availability key is %s", p.AvailabilityKeyState)
	}
	return p.settled()
}

// losesRoots has both root keys of the policy disabled for ever.
func losesRoots(w *killed) {
	w.noteRequests()
	p, err := w.global()
	if err != nil {
		w.t.Fatal(err)
	}
	w.now.keys = w.newKeys("contoso", "root")
	w.disable([2]string(p.AzureKeyIDs))
}

func recovers(w *killed) error {
	r, err := w.request("recovery", "Request-CKRecovery", "-Identity", samplePolicy, "-Reason", "both root keys are lost")
	if err == nil {
		err = w.approve(r)
	}
	if err == nil {
		err = replaces(w)
	}
	return err
}

func recovered(w *killed) error {
	if err := w.ended("recovery"); err != nil {
		return err
	}
	return globalSettled(w)
}

func (w *killed) stopRecovery() { _, _ = w.run("", "Stop-CKRecovery", "-Identity", samplePolicy) } // it may be over

func leaves(w *killed) error {
	_, err := w.request("offboarding", "Request-CKOffboarding", "-Identity", samplePolicy, "-TenantDomain", sampleDomain, "-Contact", "it@contoso.example", "-Reason", "a try")
	return err
}

func hasLeft(w *killed) error {
	if err := w.ended("offboarding"); err != nil {
		return err
	}
	p, err := w.global()
	if err == nil && (!p.SafeToRemovePermission || p.Assigned) {
		err = fmt.Errorf("%w: offboarded, the policy is %+v", errBroken, p)
	}
	return err
}

func (w *killed) comesBack() {
	w.must("", "Set-M365DataAtRestEncryptionPolicyAssignment", "-DataEncryptionPolicy", samplePolicy)
}

// dooms makes a mailbox with mail under a policy of its own, whose vaults then shut the service out.
func dooms(w *killed) {
	w.noteRequests()
	w.letMailIn()
	keys := w.newKeys("contoso-mail", "mail")
	w.now.name = fmt.Sprint("Leaving-", w.names)
	w.must("", "New-DataEncryptionPolicy", "-Name", w.now.name, "-AzureKeyIDs", keys[0]+","+keys[1])
	person := fmt.Sprintf("leaver-%d@%s", w.names, sampleDomain)
	w.must("", "person", "add", person)
	w.must("", "Set-Mailbox", person, "-DataEncryptionPolicy", w.now.name)
	known := len(w.acknowledged)
	for n := range 3 {
		if err := w.put(w.t.Context(), client.Ref{Workload: "exchange", Container: person, Item: fmt.Sprint(n)}); err != nil {
			w.t.Fatal(err)
		}
	}
	for ref, content := range w.acknowledged {
		if ref.Container == person {
			w.purged[ref] = content
			delete(w.acknowledged, ref)
		}
	}
	if len(w.acknowledged) != known {
		w.t.Fatal("the mail that is to be purged is not there")
	}
	for _, side := range []string{"east", "west"} {
		w.must(side, "Remove-AzKeyVaultAccessPolicy", "-VaultName", "contoso-mail-"+side, "-ServicePrincipalName", exchangeApp)
	}
}

func (w *killed) letMailIn() {
	for _, side := range []string{"east", "west"} {
		w.must(side, "Set-AzKeyVaultAccessPolicy", "-VaultName", "contoso-mail-"+side, "-ServicePrincipalName", exchangeApp, "-PermissionsToKeys", "get,wrapKey,unwrapKey")
	}
}

func purges(w *killed) error {
	r, err := w.request("purge", "Request-CKPurge", "-Identity", w.now.name, "-Reason", "we leave", "-Contact", "legal@contoso.example", "-Confirm:$false")
	if err != nil {
		return err
	}
	return w.approve(r)
}

// inLedger tells when the ledger has that many more lines: the list of what goes, the order behind it,
// from which nothing leads back, or the record of what is gone.
func (w *killed) inLedger() func() bool {
	file := filepath.Join(w.dir, "data", ledgerFile) // the second of three places
	lines := func() int {
		raw, _ := os.ReadFile(file) // it is made by the first purge
		return bytes.Count(raw, []byte("\n"))
	}
	before, more := lines(), 1+w.dice.IntN(3)
	w.t.Logf("killed when the ledger of purges has %d more lines", more)
	return func() bool { return lines() >= before+more }
}

func isPurged(w *killed) error {
	if err := w.ended("purge"); err != nil {
		return err
	}
	p, err := w.look("Get-DataEncryptionPolicy", w.now.name)
	if err == nil && p.State != "Purged" {
		err = fmt.Errorf("%w: purged, the policy is %s", errBroken, p.State)
	}
	return err
}

// changeScope starts the server with the other setting for whom the key of files serves.
func (w *killed) changeScope() {
	p, err := w.files("default")
	if err != nil {
		w.t.Fatal(err)
	}
	w.now.name = map[string]string{"forest": "tenant", "tenant": "forest"}[p.AvailabilityKeyScope]
	w.server.kill()
	w.flags = append(w.flags, "--sharepoint-availability", w.now.name)
	w.start()
}

func scopeChanged(w *killed) error {
	p, err := w.files("default")
	switch {
	case err != nil:
		return err
	case p.AvailabilityKeyScope != w.now.name || p.AvailabilityKeyState != "Active":
		return fmt.Errorf("the availability key of files is that of the %s, %s", p.AvailabilityKeyScope, p.AvailabilityKeyState)
	}
	return p.settled()
}

func newFileRoots(w *killed) { w.now.name, w.now.keys = "default", w.newKeys("contoso", "files") }

func changesFiles(w *killed) error {
	if filesChanged(w) == nil {
		return nil
	}
	_, err := w.run("", "Update-SPODataEncryptionPolicy", "-Replace", "-PrimaryKeyVaultUri", w.now.keys[0], "-SecondaryKeyVaultUri", w.now.keys[1])
	if err != nil && strings.Contains(err.Error(), "already") {
		return nil
	}
	return err
}

func filesChanged(w *killed) error { return w.filesUnder(w.now.name, w.now.keys) }

// newGeo makes a geo with a site that has files.
func newGeo(w *killed) {
	w.now.keys = w.newKeys("contoso", "files")
	w.now.name = fmt.Sprint("geo", w.names)
	w.must("operator", "Add-CKGeo", "-Tenant", sampleDomain, "-Geo", w.now.name)
	site := fmt.Sprint("site", w.names)
	w.must("", "New-CKSite", "-Name", site, "-Geo", w.now.name, "-Owner", "alice@"+sampleDomain)
	for n := range 3 {
		if err := w.put(w.t.Context(), client.Ref{Workload: "sharepoint", Container: site, Item: fmt.Sprint(n)}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func registers(w *killed) error {
	_, err := w.run("", "Register-SPODataEncryptionPolicy", "-Geo", w.now.name, "-PrimaryKeyVaultUri", w.now.keys[0], "-SecondaryKeyVaultUri", w.now.keys[1])
	if err != nil && strings.Contains(err.Error(), "are under a policy already") {
		return nil
	}
	return err
}

// losesFileRoots has both root keys of files disabled for ever.
func losesFileRoots(w *killed) {
	w.noteRequests()
	p, err := w.files("default")
	if err != nil {
		w.t.Fatal(err)
	}
	w.now.name, w.now.keys = "default", w.newKeys("contoso", "files")
	w.disable([2]string{p.PrimaryKeyVaultUri, p.SecondaryKeyVaultUri})
}

func restores(w *killed) error {
	r, err := w.request("recovery", "Request-CKRecovery", "-Identity", "default", "-Reason", "both root keys are lost")
	if err != nil {
		return err
	}
	if err := w.approve(r); err != nil {
		return err
	}
	if filesChanged(w) == nil {
		return nil
	}
	p, err := w.files("default")
	switch {
	case err != nil:
		return err
	case p.State != "Recovering":
		return errNotYet
	}
	_, err = w.run("", "Restore-SPODataEncryptionPolicy", "-PrimaryKeyVaultUri", w.now.keys[0], "-SecondaryKeyVaultUri", w.now.keys[1])
	return err
}
