package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// A rehearsal is a tenant in which every command of the service has something to change.
type rehearsal struct {
	*twoTenants
	t              *testing.T
	who            map[string]directory.Caller
	move, renew    operation.Operation
	waits, decides request.Request // for an officer's approval; the first is that of another officer
}

func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	d := newTwoTenants(t, func(s *settings) { s.noLicences = true })
	r := &rehearsal{twoTenants: d, t: t, who: map[string]directory.Caller{}}
	r.addPeople()
	r.addKeys("mail", "more", "files", "lost")
	n, ctx, boss := d.node, t.Context(), r.who["boss"]
	for name, key := range map[string]string{"Mail": "mail", "Lost": "lost", "Gone": "lost", "Open": "more"} {
		r.must(n.policies.Create(ctx, boss, policy.Draft{Family: policy.Mailbox, Name: name, KeyURIs: r.uris(key), Enabled: true}))
	}
	r.must(n.mailboxes.Create(ctx, boss, mailbox.Draft{Name: "writers", Kind: mailbox.Group}))
	r.done(n.mailboxes.Assign(ctx, boss, "alice@contoso.example", "Mail"))
	r.done(n.mailboxes.SetElsewhere(ctx, boss, "carol@contoso.example", true))
	r.addGeos()
	r.recover()
	r.askForMuch()
	r.addWork()
	quiet := n.wired.health
	quiet.Unasked = true
	alerts := r.must(health.New(quiet))
	r.must(alerts.(*health.Service).Subscribe(ctx, boss, "pager", "https://alerts.contoso.example/ck", nil))
	return r
}

func (r *rehearsal) done(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rehearsal) must(v any, err error) any {
	r.t.Helper()
	r.done(err)
	return v
}

func (r *rehearsal) addPeople() {
	n, tenant := r.node, r.contoso.id
	system := directory.SystemCaller(tenant, "test", uuid.NewString())
	for _, name := range []string{"carol", "dave", "erin"} {
		r.must(n.directory.CreatePerson(r.t.Context(), system, directory.Person{Tenant: tenant, UPN: name + "@contoso.example", DisplayName: name}, "correct-horse-battery", false))
	}
	for _, name := range []string{"boss", "alice", "carol", "dave", "erin"} {
		r.who[name] = r.must(n.sampleCaller(r.t.Context(), tenant, name+"@contoso.example")).(directory.Caller)
	}
	provider := r.must(n.directory.Tenant(r.t.Context(), providerDomain)).(directory.Tenant)
	r.who["operator"] = r.must(n.sampleCaller(r.t.Context(), provider.ID, operatorUPN)).(directory.Caller)
}

func (r *rehearsal) vault(side string) string { return "contoso-all-" + side }

func (r *rehearsal) uris(key string) []string {
	return []string{r.node.url(r.vault("east")+".vault") + "/keys/" + key, r.node.url(r.vault("west")+".vault") + "/keys/" + key}
}

// addKeys makes two vaults that let the service in for all families, with these keys.
func (r *rehearsal) addKeys(names ...string) {
	ctx, boss := r.t.Context(), r.who["boss"]
	grants := []rights.Grant{{Object: boss.ID, Keys: []rights.Permission{"get", "list", "create", "update"}}}
	for _, app := range []string{directory.MultiWorkloadApp, directory.ExchangeApp, directory.SharePointApp} {
		service := r.must(r.node.directory.ServicePrincipal(ctx, r.contoso.id, app)).(directory.ServicePrincipal)
		grants = append(grants, rights.Grant{Object: service.ID, Keys: []rights.Permission{"get", "wrapKey", "unwrapKey"}})
	}
	for _, side := range []string{"east", "west"} {
		r.done(r.node.ensureVault(ctx, vaultPlan{
			tenant: r.contoso.id, owner: boss.ID, subscription: "keys " + side, name: r.vault(side), location: side + "us", key: names[0], grants: grants,
		}, boss))
		for _, name := range names[1:] {
			r.must(r.node.vaults.CreateKey(ctx, boss, r.vault(side), name, keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey", "unwrapKey"}}))
		}
	}
}

// addGeos registers two geos; the second is in recovery.
func (r *rehearsal) addGeos() {
	ctx, n, boss := r.t.Context(), r.node, r.who["boss"]
	for _, geo := range []string{"default", "apc", "eur"} {
		if geo != "default" {
			r.done(n.items.AddGeo(ctx, r.who["operator"], r.contoso.id, workload.Geo{Name: geo}))
		}
	}
	uris := r.uris("files")
	for _, geo := range []string{"default", "apc"} {
		r.must(n.policies.Register(ctx, boss, geo, [2]policy.RootKey{{URI: uris[0]}, {URI: uris[1]}}))
	}
	system := directory.SystemCaller(r.contoso.id, "test", uuid.NewString())
	r.done(n.policies.BeginRecovery(ctx, system, r.contoso.id, "apc", time.Hour))
}

// recover lets a recovery of Open go on, and takes the root keys of Lost and Gone back.
func (r *rehearsal) recover() {
	ctx, n, boss := r.t.Context(), r.node, r.who["boss"]
	open := r.must(n.policies.Get(ctx, boss, policy.Mailbox, "Open")).(policy.Policy)
	now := time.Now().UTC().Truncate(time.Microsecond)
	r.done(n.wired.policies.Recoveries.Start(ctx, hierarchy.Recovery{
		Tenant: open.Tenant, Policy: open.ID, Request: uuid.NewString(), Started: now, Until: now.Add(time.Hour), Span: time.Hour, Seen: now,
	}))
	off := false
	for _, side := range []string{"east", "west"} {
		r.must(n.vaults.UpdateKey(ctx, boss, r.vault(side), "lost", "", keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &off}}))
	}
}

// askForMuch names officers and leaves two requests waiting.
func (r *rehearsal) askForMuch() {
	ctx, n, boss := r.t.Context(), r.node, r.who["boss"]
	r.must(n.requests.AddOfficer(ctx, boss, "mailbox", "dave@contoso.example"))
	r.waits = *r.must(n.requests.AddOfficer(ctx, boss, "mailbox", "erin@contoso.example")).(*request.Request)
	r.decides = r.must(n.policies.RequestRecovery(ctx, boss, policy.Mailbox, "Gone", "lost")).(request.Request)
}

// addWork leaves container keys on their way, and a re-encryption held.
func (r *rehearsal) addWork() {
	ctx, n, boss := r.t.Context(), r.node, r.who["boss"]
	all := r.must(n.policies.Operations(ctx, boss, "", 100)).([]operation.Operation)
	i := slices.IndexFunc(all, func(op operation.Operation) bool { return op.Kind == "converge" && !op.State.Final() })
	if i < 0 {
		r.t.Fatalf("nothing moves: %+v", all)
	}
	r.move = all[i]
	p := r.contoso.policy
	r.renew = r.must(n.items.Reencrypt(ctx, boss, workload.Scope{Policy: &p})).(operation.Operation)
	r.renew = r.must(n.policies.Suspend(ctx, boss, r.renew.ID)).(operation.Operation)
}

// A line is a command as somebody types it.
type line struct {
	who, text string
	same      []string // properties of what it then shows that the report has foreseen
}

// lines has each command of the service that changes something.
func (r *rehearsal) lines() []line {
	spo := func(key string) string {
		u := r.uris(key)
		return "-PrimaryKeyVaultUri " + u[0] + " -SecondaryKeyVaultUri " + u[1]
	}
	pair := func(key string) string { return strings.Join(r.uris(key), ",") }
	onboarding := func(mode string) string {
		u := r.uris("more")
		return "New-CustomerKeyOnboardingRequest -OrganizationId contoso.example -Scenario EDP -Subscription1 " + r.contoso.subscription + " -KeyIdentifier1 " + u[0] +
			" -Subscription2 " + uuid.NewString() + " -KeyIdentifier2 " + u[1] + " -OnboardingMode " + mode
	}
	state := []string{"State"}
	return []line{
		{who: "boss", text: "New-M365DataAtRestEncryptionPolicy -Name Two -AzureKeyIDs " + pair("more")},
		{who: "boss", text: "Set-M365DataAtRestEncryptionPolicy Contoso_Global -Refresh"},
		{who: "boss", text: "Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy $null"},
		{who: "boss", text: "New-DataEncryptionPolicy -Name Three -AzureKeyIDs " + pair("mail")},
		{who: "boss", text: "Set-DataEncryptionPolicy Mail -Replace -AzureKeyIDs " + pair("more")},
		{who: "boss", text: "Set-DataEncryptionPolicy Mail -PermanentDataPurgeRequested -PermanentDataPurgeReason r -PermanentDataPurgeContact c"},
		{who: "boss", text: "Register-SPODataEncryptionPolicy -Geo eur " + spo("mail")},
		{who: "boss", text: "Update-SPODataEncryptionPolicy -Replace " + spo("more")},
		{who: "boss", text: "Restore-SPODataEncryptionPolicy -Geo apc " + spo("more")},
		{who: "boss", text: "Set-Mailbox alice -DataEncryptionPolicy $null"},
		{who: "boss", text: "New-Mailbox -Shared -Name sales -DataEncryptionPolicy Mail", same: []string{"Name", "RecipientTypeDetails", "DataEncryptionPolicy"}},
		{who: "boss", text: "Set-MailUser carol -DataEncryptionPolicy Mail"},
		{who: "boss", text: "Enable-MailUser dave"},
		{who: "boss", text: "Enable-Mailbox carol"},
		{who: "boss", text: "New-UnifiedGroup -DisplayName Engineers -Alias engineers", same: []string{"Name", "RecipientTypeDetails"}},
		{who: "boss", text: "Set-UnifiedGroup writers -DataEncryptionPolicy Mail"},
		{who: "boss", text: "Set-User alice -ClearDataEncryptionPolicy"},
		{who: "boss", text: "Set-CKDefaultMailboxPolicy -DataEncryptionPolicy Mail"},
		{who: "boss", text: "Move-CKMailboxPolicy Mail -DataEncryptionPolicy Open"},
		{who: "boss", text: "New-CKAlertSubscription -Name other -EndpointUrl https://alerts.contoso.example/other"},
		{who: "boss", text: "Remove-CKAlertSubscription pager"},
		{who: "boss", text: "Set-CKAvailabilityKeyLimit Contoso_Global -PerDay 0"},
		{who: "operator", text: "Update-CKAvailabilityKey " + r.contoso.id},
		{who: "operator", text: "Update-CKAvailabilityKey -All"},
		{who: "boss", text: "Set-CKOperation " + r.move.ID + " -MaximumRate 7", same: []string{"State", "MaximumRate"}},
		{who: "boss", text: "Suspend-CKOperation " + r.move.ID, same: state},
		{who: "boss", text: "Resume-CKOperation " + r.renew.ID, same: state},
		{who: "boss", text: "Stop-CKOperation " + r.renew.ID, same: state},
		{who: "boss", text: "Start-CKReencryption Contoso_Global", same: []string{"Kind", "State", "Subject"}},
		{who: "boss", text: "Start-CKReencryption -Container exchange/alice@contoso.example", same: []string{"Kind", "State", "Subject"}},
		{who: "boss", text: "Request-CKRecovery Lost -Reason lost", same: []string{"Kind", "State", "Subject", "WaitsFor"}},
		{who: "boss", text: "Stop-CKRecovery Open"},
		{who: "boss", text: "Request-CKOffboarding Contoso_Global -TenantDomain contoso.example -Contact c -Reason r", same: []string{"Kind", "State", "Subject", "WaitsFor"}},
		{who: "boss", text: "Request-CKPurge Mail -Reason r -Contact c"},
		{who: "boss", text: onboarding("Validate")},
		{who: "boss", text: onboarding("Enable")},
		{who: "dave", text: "Approve-CKRequest " + r.decides.ID + " " + r.decides.Digest(), same: []string{"Kind", "State", "WaitsFor"}},
		{who: "dave", text: "Approve-CKRequest " + r.waits.ID + " " + r.waits.Digest(), same: []string{"Kind", "State", "WaitsFor"}},
		{who: "operator", text: "Deny-CKRequest " + r.decides.ID + " -Reason no", same: []string{"State", "Outcome", "EndedBy"}},
		{who: "boss", text: "Remove-CKRequest " + r.decides.ID},
		{who: "boss", text: "Add-CKOfficer -Family sharepoint alice@contoso.example"},
		{who: "boss", text: "Add-CKOfficer -Family mailbox carol@contoso.example", same: []string{"Kind", "State", "WaitsFor"}},
		{who: "boss", text: "Remove-CKOfficer -Family mailbox dave@contoso.example", same: []string{"Kind", "State", "WaitsFor"}},
		{who: "operator", text: "Add-CKGeo -Tenant contoso.example -Geo nam -Default", same: []string{"Geo", "Default"}},
		{who: "boss", text: "New-CKSite -Name marketing -Geo eur", same: []string{"Name", "Geo", "Owner"}},
	}
}

// run carries a command out in this process, as the face does, and returns what it shows.
func (r *rehearsal) run(l line, whatIf bool) (shown []cmdlet.Object, said []string, err error) {
	r.t.Helper()
	words := shellWords(l.text)
	row := r.must(cmdlet.Find(rows.Table(), words[0])).(*cmdlet.Cmdlet)
	if words = append(words[1:], "-Confirm:$false"); whatIf {
		words = append(words, "-WhatIf")
	}
	call := r.must(cmdlet.Bind(row, words)).(*cmdlet.Call)
	call.Caller = r.who[l.who]
	call.Host = cmdlet.Host{
		Object: func(o cmdlet.Object) error { shown = append(shown, o); return nil },
		WhatIf: func(text string) { said = append(said, text) },
	}
	err = service.NewLocal(r.must(r.node.services()).(service.Services)).Run(r.t.Context(), call)
	return shown, said, err
}

// dump reads all tables of the three databases but those of the logs, which tell of refusals and of
// what vaults were asked, and the one of when root keys are looked at next: what a vault has just
// said of a key holds, whoever asked.
func (r *rehearsal) dump() map[string][]string {
	r.t.Helper()
	rows := map[string][]string{}
	for name, db := range map[string]*store.DB{"service": r.node.serviceDB, "vault": r.node.vaultDB, "availability": r.node.availabilityDB} {
		r.done(db.Read(r.t.Context(), func(ctx context.Context, q store.DBTX) error {
			tables, err := rowsOf(ctx, q, `SELECT name FROM sqlite_master WHERE type = 'table'`)
			for _, table := range tables {
				if table = strings.Trim(table, "[]"); strings.HasPrefix(table, "audit_") || table == "health_roots" {
					continue
				}
				if rows[name+"."+table], err = rowsOf(ctx, q, `SELECT * FROM `+table); err != nil {
					return err
				}
			}
			return err
		}))
	}
	return rows
}

// rowsOf reads whatever a query finds, sorted.
func rowsOf(ctx context.Context, q store.DBTX, query string) (list []string, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprint(values))
	}
	slices.Sort(list)
	return list, rows.Err()
}

// CK-338: no command under -WhatIf leaves a trace in any table, and each says what would come of
// it, in sentences and as an object.
func TestCK338_WhatIfOfEveryCommand(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	lines, tried := r.lines(), map[string]bool{}
	before := r.dump()
	for _, l := range lines {
		tried[shellWords(l.text)[0]] = true
		shown, said, err := r.run(l, true)
		if err != nil {
			t.Errorf("%s as %s: %v", l.text, l.who, err)
			continue
		}
		if len(shown) != 1 || shown[0].Get("WhatIf") == nil || shown[0].Get("Effects") == nil || len(said) < 2 || !strings.HasPrefix(said[0], "Performing the operation") {
			t.Errorf("%s shows %v and says %q", l.text, shown, said)
		}
		after := r.dump()
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("%s -WhatIf has changed rows:\n%s", l.text, diff)
		}
	}
	for _, row := range rows.Table() {
		if row.Side == cmdlet.Service && row.Impact != cmdlet.None && !tried[row.Name] {
			t.Errorf("%s was not tried: add a line for it", row.Name)
		}
	}
	r.refusesOthers(lines)
	if diff := cmp.Diff(before, r.dump()); diff != "" {
		t.Fatalf("what was refused has changed rows:\n%s", diff)
	}
	for _, l := range lines {
		r.comesTrue(l)
	}
}

// refusesOthers carries every line out, past the face, as callers with each of the roles to which
// the face would not let it through: the domain refuses them all by itself.
func (r *rehearsal) refusesOthers(lines []line) {
	r.t.Helper()
	for _, l := range lines {
		row := r.must(cmdlet.Find(rows.Table(), shellWords(l.text)[0])).(*cmdlet.Cmdlet)
		for _, role := range everyRole {
			eve := r.who["erin"]
			eve.Roles = []directory.Role{role}
			if row.Anyone || row.MayRun(eve, policy.Roles{}) {
				continue
			}
			r.who["eve"] = eve
			shown, _, err := r.run(line{who: "eve", text: l.text}, false)
			hidden := fault.Is(err, fault.NotFound) && row.Name == "Request-CKPurge" // a policy of a family that is not eve's
			if len(shown) > 0 || !fault.Is(err, fault.Forbidden) && !hidden {
				r.t.Errorf("%s as %q: %v, %v", l.text, role, shown, err)
			}
		}
	}
}

// comesTrue does what was foreseen, and compares what is shown with what the report said would be.
func (r *rehearsal) comesTrue(l line) {
	r.t.Helper()
	if len(l.same) == 0 {
		return
	}
	foreseen, _, err := r.run(l, true)
	r.done(err)
	shown, _, err := r.run(l, false)
	if err != nil || len(shown) != 1 {
		r.t.Errorf("%s: %v, %v", l.text, shown, err)
		return
	}
	then, ok := foreseen[0].Get("Result").(cmdlet.Object)
	if !ok {
		r.t.Errorf("%s: the report has no Result", l.text)
		return
	}
	for _, name := range l.same {
		if diff := cmp.Diff(then.Get(name), shown[0].Get(name)); diff != "" || then.Get(name) == nil {
			r.t.Errorf("%s: %s (-foreseen +shown):\n%s", l.text, name, diff)
		}
	}
}
