package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

//go:embed sample
var sampleFiles embed.FS

const (
	sampleDomain = "contoso.example"
	samplePolicy = "Contoso_Global"
)

// sampleAdmin is whom the sample signs in: for trying things out, one person who may do what
// otherwise several may.
const sampleAdmin = "admin@" + sampleDomain

// samplePeople are the people of the articles, by the left side of their names.
var samplePeople = []struct {
	name, display string
	roles         []directory.Role
}{
	{"admin", "Adele Admin", []directory.Role{directory.GlobalAdministrator, directory.MailboxImportExport}},
	{"compliance", "Conrad Compliance", []directory.Role{directory.ComplianceAdministrator}},
	{"exchange", "Erika Exchange", []directory.Role{directory.ExchangeAdministrator}},
	{"auditor", "Arthur Auditor", []directory.Role{directory.GlobalReader}},
	{"keys-east", "Kim East", nil},
	{"keys-west", "Kai West", nil},
	{"alice", "Alice Winter", nil},
	{"bob", "Bob Keller", nil},
}

// setUpSample makes the tenant Contoso as far as it is not there, signs its administrator in
// on this machine, and returns what to tell the reader.
func (n *node) setUpSample(ctx context.Context) (*sampleGuide, error) {
	system := directory.SystemCaller("", "sample", uuid.NewString())
	tenant, err := n.ensureTenant(ctx, system, "Contoso", sampleDomain)
	if err != nil {
		return nil, err
	}
	if _, err := n.setUpService(ctx, system); err != nil { // the service-owned policy of the new tenant
		return nil, err
	}
	password, err := n.folder.Secret("sample-password", n.folder.Seals.Service, func() ([]byte, error) {
		return []byte(directory.GeneratePassword()), nil
	})
	if err != nil {
		return nil, err
	}
	system.Tenant = tenant.ID
	for _, p := range samplePeople {
		if err := n.ensureSamplePerson(ctx, system, directory.Person{Tenant: tenant.ID, UPN: p.name + "@" + sampleDomain, DisplayName: p.display, Roles: p.roles}, string(password)); err != nil {
			return nil, err
		}
	}
	admin, err := n.sampleCaller(ctx, tenant.ID, sampleAdmin)
	if err != nil {
		return nil, err
	}
	if err := n.enableFamilies(ctx, system); err != nil {
		return nil, err
	}
	if err := n.ensureSampleVaults(ctx, admin); err != nil {
		return nil, err
	}
	if err := n.ensureSamplePolicy(ctx, admin); err != nil {
		return nil, err
	}
	// Keys that their owners have taken back, to see what happens, are no reason not to start again.
	err = patiently(ctx, n.log, "storing the sample's content", func(ctx context.Context) error {
		return n.ensureSampleContent(ctx, admin)
	})
	if fault.Is(err, fault.Denied) || fault.Is(err, fault.Unavailable) {
		n.log.Warn("the content of the sample is left as it is", "err", err)
	} else if err != nil {
		return nil, err
	}
	return n.signInSample(ctx, tenant, string(password))
}

func (n *node) ensureSamplePerson(ctx context.Context, c directory.Caller, p directory.Person, password string) error {
	_, err := n.directory.Person(ctx, p.Tenant, p.UPN)
	if fault.Is(err, fault.NotFound) {
		p.Licences = []directory.Licence{directory.Microsoft365E5}
		_, err = n.directory.CreatePerson(ctx, c, p, password, false)
	}
	return err
}

// sampleCaller returns a person of the sample as a caller: the start of the server acts in
// their names, and the log says so.
func (n *node) sampleCaller(ctx context.Context, tenant, upn string) (directory.Caller, error) {
	p, err := n.directory.Person(ctx, tenant, upn)
	return directory.Caller{Tenant: tenant, ID: p.ID, Kind: directory.User, Name: p.UPN, Roles: p.Roles, Request: uuid.NewString()}, err
}

// ensureSampleVaults makes two vaults as the articles ask for: two subscriptions, two regions,
// another person responsible for each, nobody with the right to delete. The administrator may look.
func (n *node) ensureSampleVaults(ctx context.Context, admin directory.Caller) error {
	service, err := n.directory.ServicePrincipal(ctx, admin.Tenant, directory.MultiWorkloadApp)
	if err != nil {
		return err
	}
	for _, v := range []struct{ side, location, key string }{{"east", "eastus", "root1"}, {"west", "westus", "root2"}} {
		keeper, err := n.sampleCaller(ctx, admin.Tenant, "keys-"+v.side+"@"+sampleDomain)
		if err != nil {
			return err
		}
		manage := []rights.Permission{"get", "list", "create", "import", "update", "backup", "restore"}
		err = n.ensureVault(ctx, vaultPlan{
			tenant: admin.Tenant, owner: keeper.ID, subscription: "Contoso keys " + v.side,
			name: "contoso-" + v.side, location: v.location, key: v.key,
			grants: []rights.Grant{
				{Object: keeper.ID, Keys: manage},
				{Object: admin.ID, Keys: manage},
				{Object: service.ID, Keys: []rights.Permission{"get", "wrapKey", "unwrapKey"}},
			},
		}, keeper)
		if err != nil {
			return err
		}
		if err := n.letOnboardingLook(ctx, keeper, "Contoso keys "+v.side); err != nil {
			return err
		}
		if err := n.letLook(ctx, keeper, "Contoso keys "+v.side, "administrator", admin.ID, rights.UserPrincipal); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) ensureSamplePolicy(ctx context.Context, admin directory.Caller) error {
	assigned, err := n.policies.Assignment(ctx, admin)
	if err != nil || assigned != nil {
		return err
	}
	if _, err := n.policies.Get(ctx, admin, policy.MultiWorkload, samplePolicy); fault.Is(err, fault.NotFound) {
		_, err = n.policies.Create(ctx, admin, policy.Draft{
			Family: policy.MultiWorkload, Name: samplePolicy, Description: "All of Contoso, under two keys of its own", Enabled: true,
			KeyURIs: []string{n.url("contoso-east.vault") + "/keys/root1", n.url("contoso-west.vault") + "/keys/root2"},
		})
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return n.policies.Assign(ctx, admin, samplePolicy)
}

// ensureSampleContent stores some mail, chat and documents; what is there is left alone.
func (n *node) ensureSampleContent(ctx context.Context, admin directory.Caller) error {
	return fs.WalkDir(sampleFiles, "sample", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := sampleFiles.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		kind, rest, _ := strings.Cut(strings.TrimPrefix(name, "sample/"), "/")
		o := workload.PutOptions{ContentType: contentType(name), Name: path.Base(name)}
		switch kind {
		case "mail":
			_, _, err = n.items.Add(ctx, admin, workload.Ref{Workload: "exchange", Container: "alice@" + sampleDomain}, o, f)
			return err
		case "chat":
			return n.ensureSampleItem(ctx, admin, workload.Ref{Workload: "teams", Container: "alice-and-bob", Item: rest}, o, f)
		default:
			return n.ensureSampleItem(ctx, admin, workload.Ref{Workload: "documents", Container: "contoso", Item: rest}, o, f)
		}
	})
}

func (n *node) ensureSampleItem(ctx context.Context, c directory.Caller, ref workload.Ref, o workload.PutOptions, content fs.File) error {
	o.IfNoneMatch = true
	_, _, err := n.items.Put(ctx, c, ref, o, content)
	if fault.As(err).Reason == workload.ReasonItemExists {
		return nil
	}
	return err
}

func contentType(name string) string {
	if path.Ext(name) == ".eml" {
		return "message/rfc822"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// sampleGuide is what a newcomer is told.
type sampleGuide struct {
	password string
	profile  string // flag that chooses the sample's profile; empty if it is the default one
}

func (g *sampleGuide) print(c *command, n *node) {
	ck := strings.TrimSpace(c.self + " " + g.profile)
	fmt.Fprintf(c.out, "\nThe tenant Contoso is ready: two root keys in two vaults, a policy, some mail, chat and documents.\n")
	fmt.Fprintf(c.out, "On this machine you are signed in as %s. Everybody's password is %s ; others sign in with\n", sampleAdmin, g.password)
	fmt.Fprintf(c.out, "    %s --profile alice login --server %s --ca %s --user alice@%s\n", c.self, n.url(""), n.folder.File("ca.pem"), sampleDomain)
	fmt.Fprintf(c.out, "The vaults belong to keys-east@%[1]s and keys-west@%[1]s: they give and take permissions.\n", sampleDomain)
	fmt.Fprintf(c.out, "\nTry, in another terminal:\n")
	for _, line := range []string{
		"list exchange alice@" + sampleDomain,
		"Get-M365DataAtRestEncryptionPolicy -Identity " + samplePolicy,
		"Update-AzKeyVaultKey -VaultName contoso-east -Name root1 -Enable '$false'",
	} {
		fmt.Fprintf(c.out, "    %s %s\n", ck, line)
	}
	if wd, err := os.Getwd(); err == nil && strings.HasPrefix(c.self, "go run") {
		fmt.Fprintf(c.out, "(in %s)\n", wd)
	}
}
