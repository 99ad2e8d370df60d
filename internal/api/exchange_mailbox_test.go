package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/store"
)

// must runs a command that has to work.
func (x *exchange) mustRun(token, name, params string) exchangeAnswer {
	x.t.Helper()
	a := x.run(token, name, params)
	if a.status != http.StatusOK {
		x.t.Fatalf("%s %s: %d %s", name, params, a.status, a.text)
	}
	return a
}

// mustPeople puts n people into the directory, p000000 and so on; every second one is licensed.
func (x *exchange) mustPeople(n int) {
	x.t.Helper()
	x.must(x.db.Write(x.t.Context(), func(ctx context.Context, q store.DBTX) error {
		for i := range n {
			licences := []string{`["SPE_E5"]`, `[]`}[i%2]
			_, err := q.ExecContext(ctx, `INSERT INTO directory_people (tenant_id, id, upn, display_name, roles, disabled, must_change, password, epoch, created, licences)
				VALUES ($1, $2, $3, 'Somebody', '[]', FALSE, FALSE, '', 0, 0, $4)`, x.tenant, fmt.Sprintf("00000000-0000-4000-8000-%012d", i), fmt.Sprintf("p%06d@contoso.example", i), licences)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// Fifty thousand mailboxes come page by page, each once and in order.
func TestExchangePagesMailboxes(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	const all = 50_000 / slow
	x.mustPeople(all)
	path, last, seen := "/adminapi/beta/"+contosoDomain+"/InvokeCommand?$select=Name", "", 0
	for token := x.token(x.tenant, directory.GlobalReader); path != ""; {
		a := x.post(token, path, command("Get-Mailbox", `{"ResultSize":"Unlimited"}`))
		if a.status != http.StatusOK || len(a.reply.Value) > 1000 {
			t.Fatalf("%d with %d mailboxes: %.200s", a.status, len(a.reply.Value), a.text)
		}
		for _, o := range a.reply.Value {
			name, _ := o.Get("Name").(string)
			if name <= last {
				t.Fatalf("%s comes after %s", name, last)
			}
			last = name
			seen++
		}
		path = strings.TrimPrefix(a.reply.NextLink, "https://outlook.localhost:8443")
	}
	if seen != all {
		t.Errorf("%d mailboxes came, want %d", seen, all)
	}
}

// countedBoxes is the store, and notes how many mailboxes it is asked for.
type countedBoxes struct {
	mailbox.Store
	x *exchange
}

func (c countedBoxes) Mailboxes(ctx context.Context, tenant, after string, limit int) ([]mailbox.Mailbox, error) {
	list, err := c.Store.Mailboxes(ctx, tenant, after, limit)
	c.x.mu.Lock()
	defer c.x.mu.Unlock()
	c.x.boxes = append(c.x.boxes, len(list))
	return list, err
}

// A page takes from the store what it shows and one more, not what is behind it; where most are
// not wanted, it takes many at a time.
func TestExchangePageReadsNoMore(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.mustPeople(2500)
	reader := x.token(x.tenant, directory.GlobalReader)
	path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"
	for _, tt := range []struct {
		name, params, prefer string
		shown                int
		read                 []int
	}{
		{"Get-Mailbox", `{}`, "odata.maxpagesize=100", 100, []int{101}},
		{"Get-Mailbox", `{}`, "", 1000, []int{1001}},
		{"Get-Mailbox", `{"ResultSize":"5"}`, "", 5, []int{6}},
		{"Get-MailUser", `{}`, "odata.maxpagesize=100", 0, []int{101, 1001, 1001, 397}},
	} {
		x.boxes = nil
		a := x.post(reader, path, command(tt.name, tt.params), "Prefer: "+tt.prefer)
		if diff := cmp.Diff(tt.read, x.boxes); a.status != http.StatusOK || len(a.reply.Value) != tt.shown || diff != "" {
			t.Errorf("%s %s of %q: %d with %d mailboxes, read %s", tt.name, tt.params, tt.prefer, a.status, len(a.reply.Value), diff)
		}
	}
}

// CK-120 to CK-126 as a client of section 7 sees them: Booleans, null, GUIDs, and the filter of CK-124.
func TestExchangeMailboxes(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.mustPeople(3)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	keys, err := json.Marshal(x.keys)
	x.must(err)
	made := x.mustRun(admin, "New-DataEncryptionPolicy", `{"Name":"USA mailboxes","AzureKeyIDs":`+string(keys)+`}`) // CK-105
	if w := made.reply.Warnings; len(w) == 0 || !strings.Contains(w[0], "spaces") {
		t.Errorf("warnings %q", w)
	}
	p := made.reply.Value[0]
	for name, want := range map[string]any{ // CK-158, CK-159, CK-160, CK-161, CK-162
		"Name": "USA mailboxes", "Identity": "USA mailboxes", "Enabled": true, "State": "PendingActivation", "DataEncryptionPolicyType": "mailbox", "Description": "",
		"PermanentDataPurgeContact": "", "PermanentDataPurgeReason": "", "Guid@odata.type": "#Guid",
	} {
		if got := p.Get(name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if scope, _ := p.Get("AvailabilityKeyScope").(string); scope == "" {
		t.Error("CK-312: the scope of the availability key is not shown")
	}
	dn := p.Get("DistinguishedName").(string)
	x.mustRun(admin, "Set-Mailbox", `{"Identity":"p000000","DataEncryptionPolicy":"`+dn+`","Confirm":false}`)
	st := x.mustRun(admin, "Get-MailboxStatistics", `{"Identity":"P000000@contoso.EXAMPLE"}`).reply.Value[0]
	id, _ := st.Get("DataEncryptionPolicyID").(string)
	if st.Get("IsEncrypted") != true || id != p.Get("DataEncryptionPolicyID") || st.Get("DataEncryptionPolicyID@odata.type") != "#Guid" || st.Get("State") != "Empty" {
		t.Errorf("statistics: %v", st)
	}
	if got := x.mustRun(admin, "Get-DataEncryptionPolicy", `{"Identity":"`+id+`"}`).reply.Value[0]; got.Get("Guid") != p.Get("Guid") { // CK-110, CK-126
		t.Errorf("by the mailbox's id: %v", got)
	}
	if got := x.mustRun(admin, "Get-DataEncryptionPolicy", `{"Identity":null}`).reply.Value; len(got) != 1 { // CK-82
		t.Errorf("with $null: %v", got)
	}
	bare := x.mustRun(admin, "Get-MailboxStatistics", `{"Identity":"p000002"}`).reply.Value[0]
	if bare.Get("IsEncrypted") != false || bare.Get("DataEncryptionPolicyID") != nil || bare.Get("DataEncryptionPolicy") != nil { // CK-128
		t.Errorf("without a policy: %v", bare)
	}
	filtered := func(filter string) (names []string) {
		t.Helper()
		text, err := json.Marshal(map[string]string{"Filter": filter})
		x.must(err)
		for _, o := range x.mustRun(admin, "Get-Mailbox", string(text)).reply.Value {
			names = append(names, o.Get("Name").(string))
		}
		return names
	}
	for filter, want := range map[string][]string{
		`DataEncryptionPolicy -eq '` + dn + `'`:   {"p000000@contoso.example"},
		`{dataencryptionpolicy -EQ "` + dn + `"}`: {"p000000@contoso.example"},
		`DataEncryptionPolicy -eq $null`:          {"p000001@contoso.example", "p000002@contoso.example"},
	} {
		if got := filtered(filter); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	for filter, status := range map[string]int{
		"Name -eq 'x'": 400, "DataEncryptionPolicy -eq 'USA mailboxes'": 400, "DataEncryptionPolicy -ne '" + dn + "'": 400,
		"DataEncryptionPolicy -eq '" + strings.Replace(dn, "USA", "EUR", 1) + "'": 404, strings.Repeat("(", 100_000): 400,
	} {
		text, err := json.Marshal(map[string]string{"Filter": filter})
		x.must(err)
		if a := x.run(admin, "Get-Mailbox", string(text)); a.status != status || len(a.text) > 2000 {
			t.Errorf("%.60s: %d %.300s", filter, a.status, a.text)
		}
	}
	x.mustRun(admin, "Set-Mailbox", `{"Identity":"p000000","DataEncryptionPolicy":null}`)
	if got := filtered(`DataEncryptionPolicy -eq '` + dn + `'`); len(got) > 0 {
		t.Errorf("after taking it away: %v", got)
	}
	// CK-111, X-27: Set-DataEncryptionPolicy is of this face, and asks first; over this wire it gives its question back.
	if a := x.mustRun(admin, "Set-DataEncryptionPolicy", `{"Identity":"USA mailboxes","Refresh":true}`); !strings.Contains(a.reply.Confirmation, "Refresh data encryption policy") {
		t.Errorf("no question: %s", a.text)
	}
	global := x.token(x.tenant, directory.GlobalAdministrator) // CK-279
	for params, want := range map[string]string{               // CK-114 to CK-119
		`{"Identity":"USA mailboxes","PermanentDataPurgeRequested":true}`:                                      "PermanentDataPurge",
		`{"Identity":"USA mailboxes","PermanentDataPurgeRequested":true,"PermanentDataPurgeReason":"leaving"}`: "PermanentDataPurgeContact",
		`{"Identity":"USA mailboxes","PermanentDataPurgeReason":"leaving","Refresh":true}`:                     "used together",
		`{"Identity":"USA mailboxes","Replace":true}`:                                                          "-AzureKeyIDs",
		`{"Identity":"USA mailboxes"}`:                                                                         "nothing to change",
		`{"Identity":"USA mailboxes","Refresh":true,"AzureKeyIDs":["a","b"]}`:                                  "-Replace", // CK-318
	} {
		if a := x.run(global, "Set-DataEncryptionPolicy", params); a.status != 400 || !strings.Contains(a.text, want) {
			t.Errorf("%s: %d %s", params, a.status, a.text)
		}
	}
}

// Section 3.6 for the tenant's and the mailbox family: each row is refused, says why and what to
// do, and leaves everything as it was. Rows CK-172 and CK-173 are about purges, CK-176 to CK-178
// about files.
func TestSection36(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.mustPeople(2)
	admin := x.token(x.tenant, directory.GlobalAdministrator)
	keeper := x.vault.Person("another keeper")
	x.vault.MustVault("closed", keyvaulttest.Can(keeper, "create"))
	x.vault.MustVault("open", keyvaulttest.Can(keeper, "create"), keyvaulttest.Can(x.service, "get", "wrapKey", "unwrapKey"))
	off, soon, tomorrow := false, time.Now().AddDate(1, 0, 0), time.Now().Add(24*time.Hour)
	for name, n := range map[string]keyvault.NewKey{
		"elliptic": {Type: "EC", Curve: "P-256"}, "disabled": {Type: "RSA", Bits: 2048, Attributes: keyvault.Attributes{Enabled: &off}},
		"expiring": {Type: "RSA", Bits: 2048, Attributes: keyvault.Attributes{Expires: &soon}}, "later": {Type: "RSA", Bits: 2048, Attributes: keyvault.Attributes{NotBefore: &tomorrow}},
		"signs": {Type: "RSA", Bits: 2048, Ops: []string{"sign"}},
	} {
		_, err := x.vault.CreateKey(t.Context(), keeper, "open", name, n)
		x.must(err)
	}
	_, err := x.vault.CreateKey(t.Context(), keeper, "closed", "root", keyvault.NewKey{Type: "RSA", Bits: 2048})
	x.must(err)
	open := x.vault.VaultURL("open") + "/keys/"
	list := func(uris ...string) string {
		text, err := json.Marshal(uris)
		x.must(err)
		return string(text)
	}
	for _, family := range []struct{ noun, other string }{{"M365DataAtRestEncryptionPolicy", ""}, {"DataEncryptionPolicy", ""}} {
		x.mustRun(admin, "New-"+family.noun, `{"Name":"Good","AzureKeyIDs":`+list(x.keys...)+`}`)
		before := x.mustRun(admin, "Get-"+family.noun, `{}`).text
		for _, tt := range []struct{ row, keys, text string }{
			{"CK-164 none", `[]`, "AzureKeyIDs"},
			{"CK-164 one", list(x.keys[0]), "exactly two"},
			{"CK-164 three", list(x.keys[0], x.keys[1], open+"signs"), "exactly two"},
			{"CK-165 one vault", list(x.keys[0], x.vault.VaultURL("contoso-east")+"/keys/other"), "are in the vault"},
			{"CK-166 EC", list(x.keys[0], open+"elliptic"), "must be RSA"},
			{"CK-167 expiry", list(x.keys[0], open+"expiring"), "12/31/9999"},
			{"CK-169 no permission", list(x.keys[0], x.vault.VaultURL("closed")+"/keys/root"), "wrapKey"},
			{"CK-169 operations", list(x.keys[0], open+"signs"), "does not permit"},
			{"CK-170 disabled", list(x.keys[0], open+"disabled"), "disabled"},
			{"CK-170 not before", list(x.keys[0], open+"later"), "before"},
			{"CK-60 not there", list(x.keys[0], open+"nothing"), "not there"},
			{"CK-85 a port", list(x.keys[0], strings.Replace(x.keys[1], "/keys", "0/keys", 1)), "not the host of a key vault"},
			{"CK-85 a path", list(x.keys[0], strings.Replace(x.keys[1], "/keys/", "/secrets/", 1)), "does not name a key"},
			{"CK-85 user info", list(x.keys[0], strings.Replace(x.keys[1], "https://", "https://user:pass@", 1)), "not allowed"},
			{"CK-85 foreign", list(x.keys[0], "https://vault.evil.example/keys/root"), "not the host of a key vault"},
			{"CK-85 look-alike", list(x.keys[0], strings.Replace(x.keys[1], "contoso", "cоntoso", 1)), "not allowed"},
			{"CK-85 10 kB", list(x.keys[0], x.keys[1]+strings.Repeat("a", 10_000)), ""},
		} {
			for _, call := range []struct{ name, params string }{
				{"New-" + family.noun, `{"Name":"Bad","AzureKeyIDs":` + tt.keys + `}`},
				{"Set-" + family.noun, `{"Identity":"Good","Replace":true,"AzureKeyIDs":` + tt.keys + `,"Confirm":false}`},
			} {
				a := x.run(admin, call.name, call.params)
				if a.status < 400 || a.status >= 500 || !strings.Contains(a.text, tt.text) || a.error.Error.Fault == nil || a.error.Error.Fault.Hint == "" || len(a.text) > 4000 {
					t.Errorf("%s by %s: %d %.500s", tt.row, call.name, a.status, a.text)
				}
			}
		}
		x.vault.SetProtected(false)
		if a := x.run(admin, "New-"+family.noun, `{"Name":"Bad","AzureKeyIDs":`+list(x.keys...)+`}`); !strings.Contains(a.text, "recovery level") {
			t.Errorf("CK-168: %d %s", a.status, a.text)
		}
		x.vault.SetProtected(true)
		if after := x.mustRun(admin, "Get-"+family.noun, `{}`).text; withoutHealth(after) != withoutHealth(before) {
			t.Errorf("something has changed:\n%s\n%s", before, after)
		}
	}
	x.mustRun(admin, setAssignment, `{"DataEncryptionPolicy":"Good"}`)
	x.mustRun(admin, "New-DataEncryptionPolicy", `{"Name":"Off","Enabled":false,"AzureKeyIDs":`+list(x.keys...)+`}`)
	for _, tt := range []struct {
		row, name, params string
		status            int
		text              string
	}{
		{"CK-171", setPolicy, `{"Identity":"Good","Enabled":false}`, 409, "assigned and cannot be disabled"},
		{"CK-174", "Set-Mailbox", `{"Identity":"p000000","DataEncryptionPolicy":"Off"}`, 409, "disabled and cannot be assigned"},
		{"CK-179", "Set-Mailbox", `{"Identity":"p000001","DataEncryptionPolicy":"Good"}`, 409, "no licence that includes Customer Key"},
		{"CK-181", setAssignment, `{"DataEncryptionPolicy":"Service-managed keys"}`, 404, ""},
		{"CK-181", "Set-Mailbox", `{"Identity":"p000000","DataEncryptionPolicy":"Service-managed keys"}`, 404, ""},
		{"CK-182", "New-DataEncryptionPolicy", `{"Name":"good","AzureKeyIDs":` + list(x.keys...) + `}`, 400, "already exists"},
		{"CK-182", newPolicy, `{"Name":"GOOD","AzureKeyIDs":` + list(x.keys...) + `}`, 400, "already exists"},
		{"CK-182", "Set-DataEncryptionPolicy", `{"Identity":"Off","Name":"GOOD","Confirm":false}`, 400, "already exists"},
		{"X-29", "Get-DataEncryptionPolicy", `{"Identity":"Goood"}`, 404, "Good"},
		{"X-29", "Get-MailboxStatistics", `{"Identity":"nobody"}`, 404, "nobody"},
		{"10 kB", "New-DataEncryptionPolicy", `{"Name":"` + strings.Repeat("n", 10_000) + `","AzureKeyIDs":` + list(x.keys...) + `}`, 400, "longer than"},
		{"10 kB", "Get-MailboxStatistics", `{"Identity":"` + strings.Repeat("n", 10_000) + `"}`, 404, ""},
	} {
		a := x.run(admin, tt.name, tt.params)
		if a.status != tt.status || !strings.Contains(a.text, tt.text) || a.error.Error.Fault.Hint == "" {
			t.Errorf("%s: %s %.200s: %d %.500s", tt.row, tt.name, tt.params, a.status, a.text)
		}
	}
}

// withoutHealth leaves out what each question to a vault changes.
func withoutHealth(text string) string {
	before, _, _ := strings.Cut(text, `"RootHealth`)
	return before
}
