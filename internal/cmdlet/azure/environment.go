// Package azure runs the commands on vaults and keys: in the client, through the official
// vault, resource manager and directory interfaces. It knows nothing of our own vault, so
// that the same commands work against any service that speaks them.
package azure

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config says where the vaults are and who asks. A public Azure cloud is one choice of it:
// "vault.azure.net", "https://management.azure.com", "https://graph.microsoft.com".
type Config struct {
	Credential  azcore.TokenCredential // required
	Tenant      string                 // required: GUID of the organization that new vaults belong to
	VaultSuffix string                 // required: what follows a vault's name, "vault.localhost:8443"
	Management  string                 // required: resource manager, "https://management.localhost:8443"; also its audience
	Graph       string                 // required: directory, "https://graph.localhost:8443"; also its audience
	Transport   policy.Transporter     // reaches and trusts all of them; the default client if nil

	// Subscription is meant where a command does not name one; "": the only one there is. Keep
	// makes another one last, when Set-AzContext chose it; nil: it holds for this Environment.
	Subscription string
	Keep         func(ctx context.Context, subscription string) error

	Organization string           // domain of Tenant; may be empty
	Account      string           // who asks, to be shown; may be empty
	Now          func() time.Time // time.Now if nil
}

// An Environment runs the vault side of the cmdlet table. It is safe for concurrent use.
type Environment struct {
	c Config

	mu           sync.Mutex
	subscription string // that commands mean now, "" for none
}

// New returns an Environment. It connects to nothing.
func New(c Config) (*Environment, error) {
	if c.Credential == nil || c.Tenant == "" || c.VaultSuffix == "" || c.Management == "" || c.Graph == "" {
		return nil, errors.New("azure: Credential, Tenant, VaultSuffix, Management and Graph are required")
	}
	c.Management, c.Graph = strings.TrimRight(c.Management, "/"), strings.TrimRight(c.Graph, "/")
	c.Now = clock(c.Now)
	return &Environment{c: c, subscription: c.Subscription}, nil
}

type command func(*Environment, context.Context, *cmdlet.Call) error

// commands has an entry for each row of the vault side.
func commands() map[string]command {
	return map[string]command{
		"New-AzSubscriptionAlias":       (*Environment).newSubscription,
		"Get-AzSubscription":            (*Environment).getSubscription,
		"Set-AzContext":                 (*Environment).setContext,
		"Get-AzContext":                 (*Environment).getContext,
		"Get-AzResource":                (*Environment).getResource,
		"Set-AzResource":                (*Environment).setResource,
		"Backup-AzKeyVaultKey":          (*Environment).backupKey,
		"Restore-AzKeyVaultKey":         (*Environment).restoreKey,
		"New-AzResourceGroup":           (*Environment).newGroup,
		"New-AzRoleAssignment":          (*Environment).newRoleAssignment,
		"New-AzKeyVault":                (*Environment).newVault,
		"Get-AzKeyVault":                (*Environment).getVault,
		"Remove-AzKeyVault":             (*Environment).removeVault,
		"Undo-AzKeyVaultRemoval":        (*Environment).undoVaultRemoval,
		"Register-AzProviderFeature":    (*Environment).registerFeature,
		"Get-AzProviderFeature":         (*Environment).getFeature,
		"Unregister-AzProviderFeature":  (*Environment).unregisterFeature,
		"Register-AzResourceProvider":   (*Environment).registerProvider,
		"Get-AzResourceProvider":        (*Environment).getProvider,
		"Set-AzKeyVaultAccessPolicy":    (*Environment).setAccess,
		"Remove-AzKeyVaultAccessPolicy": (*Environment).removeAccess,
		"Add-AzKeyVaultKey":             (*Environment).addKey,
		"Get-AzKeyVaultKey":             (*Environment).getKey,
		"Update-AzKeyVaultKey":          (*Environment).updateKey,
		"Remove-AzKeyVaultKey":          (*Environment).removeKey,
		"Undo-AzKeyVaultKeyRemoval":     (*Environment).undoRemoval,
	}
}

// Run carries out a call. Errors are faults: what the vault said, and what to do about it.
func (e *Environment) Run(ctx context.Context, call *cmdlet.Call) error {
	run, ok := commands()[call.Cmdlet.Name]
	if !ok {
		return fault.New(fault.Invalid, "%s does not run against vaults", call.Cmdlet.Name)
	}
	if err := run(e, ctx, call); err != nil {
		return translate(ctx, err, call.Args.Text("VaultName"))
	}
	return nil
}

// options are the settings of every client: few retries, for somebody waits.
func (e *Environment) options() azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: e.c.Transport,
		Telemetry: policy.TelemetryOptions{ApplicationID: "ck"},
		Retry:     policy.RetryOptions{MaxRetries: 2, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 5 * time.Second},
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: e.c.Management, Audience: e.c.Management},
		}},
	}
}

func (e *Environment) armOptions() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: e.options(), DisableRPRegistration: true}
}

// vaultName keeps anything out of a host name that could lead elsewhere. It is wider than
// Azure's rule, as our vaults' names are (row X-19).
var vaultName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// keys returns the client for the keys of the vault that the call names.
func (e *Environment) keys(call *cmdlet.Call) (*azkeys.Client, error) {
	name := call.Args.Text("VaultName")
	if !vaultName.MatchString(name) {
		return nil, fault.New(fault.Invalid, "%q cannot be the name of a vault", name).
			WithHint("use letters, digits and dashes; not the vault's address")
	}
	return azkeys.NewClient("https://"+strings.ToLower(name)+"."+e.c.VaultSuffix, e.c.Credential, &azkeys.ClientOptions{ClientOptions: e.options()})
}

func (e *Environment) vaults(subscription string) (*armkeyvault.VaultsClient, error) {
	return armkeyvault.NewVaultsClient(subscription, e.c.Credential, e.armOptions())
}

func (e *Environment) subscriptions() (*armsubscriptions.Client, error) {
	return armsubscriptions.NewClient(e.c.Credential, e.armOptions())
}
