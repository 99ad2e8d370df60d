package main

import (
	"context"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// connect carries out a Connect cmdlet.
func (n *connections) connect(ctx context.Context, call *cmdlet.Call, to connection) error {
	a := call.Args
	if err := checkAdminSite(a.Text("Url")); err != nil {
		return err
	}
	environment := a.Text("Environment")
	var err error
	switch app := firstText(a, "AppId", "ApplicationId"); {
	case environment != "" && environment != rows.Environments[0]:
		err = n.connectCloud(call, environment)
	case app != "":
		err = n.connectApp(ctx, call, to, app)
	default:
		err = n.connectPerson(ctx, call, to)
	}
	if subscription := a.Text("Subscription"); err == nil && subscription != "" {
		return n.chooseSubscription(ctx, call, subscription)
	}
	return err
}

func checkAdminSite(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
		return fault.New(fault.Invalid, "%q is no address of an admin site", address).WithHint("give it like https://contoso-admin.sharepoint.com")
	}
	return nil
}

func firstText(a cmdlet.Args, names ...string) string {
	for _, name := range names {
		if text := a.Text(name); text != "" {
			return text
		}
	}
	return ""
}

// connectPerson goes on as who is signed in, if that is who is asked for.
func (n *connections) connectPerson(ctx context.Context, call *cmdlet.Call, to connection) error {
	a := call.Args
	user, tenant := firstText(a, "UserPrincipalName", "AccountId"), firstText(a, "Organization", "Tenant")
	device := a.On("Device") || a.On("UseDeviceAuthentication")
	p, err := n.c.signedIn()
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	if err == nil {
		who := actorOf(p)
		at := tenant == "" || strings.EqualFold(tenant, who.tenant) || strings.EqualFold(tenant, who.organization)
		if who.is(user) && at && !device {
			n.begin(to, nil)
			n.say("You are signed in as %s.", p)
			return nil
		}
	}
	fresh, err := n.signIn(ctx, user, tenant, device)
	if err != nil {
		return err
	}
	n.reopen()
	n.begin(to, nil)
	n.say("You are signed in as %s, for all commands.", fresh)
	return nil
}

// connectApp signs an app in, by a certificate of its own, to the service that the profile or this
// machine knows of. It is not kept.
func (n *connections) connectApp(ctx context.Context, call *cmdlet.Call, to connection, app string) error {
	where, err := n.c.profileConfig()
	if err != nil {
		return err
	}
	tenant := firstText(call.Args, "Organization", "Tenant")
	target, err := loginTarget(where, "", "", tenant)
	if err != nil {
		return err
	}
	if tenant == "" {
		return fault.New(fault.Invalid, "an app needs the organization that it signs in to").WithHint("add -Organization contoso.example, or -Tenant for Connect-AzAccount")
	}
	who, err := appActor(ctx, call.Args, target, app)
	if err != nil {
		return err
	}
	n.begin(to, who)
	n.say("Commands run as the app %s.", app)
	return nil
}

func appActor(ctx context.Context, a cmdlet.Args, target profile.Target, app string) (*actor, error) {
	client, err := profile.Client(target.Authority)
	if err != nil {
		return nil, err
	}
	at := profile.AddressesOf(target.Domain)
	tenant, err := profile.TenantID(ctx, client, at.Login, target.Tenant)
	if err != nil {
		return nil, err
	}
	options := azcore.ClientOptions{Transport: client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: at.Login + "/"}}
	credential, err := certificateCredential(a, tenant, app, options, true)
	if err != nil {
		return nil, err
	}
	return &actor{
		at: at, tenant: tenant, organization: target.Tenant, account: app, http: client,
		credential: credential, token: tokensOf(credential),
	}, nil
}

func certificateCredential(a cmdlet.Args, tenant, app string, options azcore.ClientOptions, ours bool) (azcore.TokenCredential, error) {
	path := firstText(a, "CertificateFilePath", "CertificatePath")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the certificate %s cannot be read", path)
	}
	certificates, key, err := azidentity.ParseCertificates(data, []byte(a.Text("CertificatePassword")))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s holds no certificate with its private key", path).WithHint("it is a PEM or PFX file; give its password with -CertificatePassword")
	}
	credential, err := azidentity.NewClientCertificateCredential(tenant, app, certificates, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: ours})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the app cannot sign in with that").WithHint("see that its id and the organization are right")
	}
	return signing{credential}, nil
}

// chooseSubscription does what Set-AzContext does, for this shell or script.
func (n *connections) chooseSubscription(ctx context.Context, call *cmdlet.Call, name string) error {
	row, err := cmdlet.Find(rows.Table(), "Set-AzContext")
	if err != nil {
		return err
	}
	choose, err := cmdlet.Bind(row, []string{"-Subscription", name, "-Scope", "Process"})
	if err != nil {
		return err
	}
	choose.Host = call.Host
	r, err := n.open(toAzure, cmdlet.Vault)
	if err != nil {
		return err
	}
	return r.Run(ctx, choose)
}
