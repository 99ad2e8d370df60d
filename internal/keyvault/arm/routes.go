package arm

import (
	"slices"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// A row says what a route does, and whether it needs no token.
type row struct {
	handle func(*request) error
	open   bool
	own    bool            // a path of our own, which has no api-version
	action keyvault.Action // what a request whose body cannot be read is recorded as
}

const (
	sub    = "subscriptions/{subscription}"
	groups = sub + "/resourceGroups"
	vaults = "/providers/Microsoft.KeyVault/vaults"
	vault  = groups + "/{group}" + vaults + "/{vault}"
	hooks  = vault + "/providers/" + hookType
	kv     = sub + "/providers/Microsoft.KeyVault"

	feats     = sub + "/providers/Microsoft.Features"
	oneFeat   = feats + "/providers/{namespace}/features/{feature}"
	regs      = "/subscriptionFeatureRegistrations"
	oneReg    = feats + "/featureProviders/{namespace}" + regs + "/{feature}"
	billing   = sub + "/providers/Microsoft.Subscription"
	requests  = "operator/retentionRequests"
	customers = "operator/subscriptions/{tenant}/{subscription}"

	deleted = kv + "/locations/{location}/deletedVaults/{vault}"
)

// routes is the whole API (section 12.1).
var routes = slices.Concat(core, roleRoutes(sub), roleRoutes(groups+"/{group}"), roleRoutes(vault), roleRoutes(vault+"/keys/{key}"))

// core is what is managed.
var core = []face.Route[row]{
	{Method: "GET", Path: "metadata/endpoints", Do: row{handle: (*request).endpoints, open: true}},

	{Method: "GET", Path: "tenants", Do: row{handle: (*request).tenants}},
	{Method: "PUT", Path: "providers/Microsoft.Subscription/aliases/{alias}", Do: row{handle: (*request).putAlias}},
	{Method: "GET", Path: "providers/Microsoft.Subscription/aliases/{alias}", Do: row{handle: (*request).getAlias}},
	{Method: "GET", Path: "subscriptions", Do: row{handle: (*request).listSubscriptions}},
	{Method: "GET", Path: sub, Do: row{handle: (*request).getSubscription}},
	{Method: "GET", Path: sub + "/locations", Do: row{handle: (*request).locations}},
	{Method: "GET", Path: sub + "/providers", Do: row{handle: (*request).listProviders}},
	{Method: "GET", Path: sub + "/providers/{namespace}", Do: row{handle: (*request).getProvider}},
	{Method: "POST", Path: sub + "/providers/{namespace}/register", Do: row{handle: (*request).registerProvider}},
	{Method: "POST", Path: sub + "/providers/{namespace}/unregister", Do: row{handle: (*request).unregisterProvider}},
	{Method: "POST", Path: billing + "/cancel", Do: row{handle: (*request).cancelSubscription}},
	{Method: "POST", Path: billing + "/enable", Do: row{handle: (*request).enableSubscription}},
	{Method: "POST", Path: billing + "/rename", Do: row{handle: (*request).renameSubscription, action: keyvault.RenameSubscription}},

	{Method: "GET", Path: feats + "/features", Do: row{handle: (*request).listFeatures}},
	{Method: "GET", Path: feats + "/providers/{namespace}/features", Do: row{handle: (*request).listFeatures}},
	{Method: "GET", Path: oneFeat, Do: row{handle: (*request).getFeature}},
	{Method: "POST", Path: oneFeat + "/register", Do: row{handle: (*request).registerFeature}},
	{Method: "POST", Path: oneFeat + "/unregister", Do: row{handle: (*request).unregisterFeature}},
	{Method: "GET", Path: feats + regs, Do: row{handle: (*request).listRegistrations}},
	{Method: "GET", Path: feats + "/featureProviders/{namespace}" + regs, Do: row{handle: (*request).listRegistrations}},
	{Method: "GET", Path: oneReg, Do: row{handle: (*request).getRegistration}},
	{Method: "PUT", Path: oneReg, Do: row{handle: (*request).putRegistration}},
	{Method: "DELETE", Path: oneReg, Do: row{handle: (*request).deleteRegistration}},

	{Method: "GET", Path: requests, Do: row{handle: (*request).listRequests, own: true}},
	{Method: "POST", Path: requests + "/{tenant}/{subscription}/approve", Do: row{handle: (*request).approveRequest, own: true}},
	{Method: "POST", Path: requests + "/{tenant}/{subscription}/deny", Do: row{handle: (*request).denyRequest, own: true}},
	{Method: "POST", Path: customers + "/warn", Do: row{handle: (*request).warnSubscription, own: true}},
	{Method: "POST", Path: customers + "/stop", Do: row{handle: (*request).stopSubscription, own: true}},
	{Method: "POST", Path: customers + "/enable", Do: row{handle: (*request).letSubscription, own: true}},

	{Method: "GET", Path: sub + "/resources", Do: row{handle: (*request).resources}},
	{Method: "GET", Path: groups + "/{group}/resources", Do: row{handle: (*request).resources}},

	{Method: "GET", Path: groups, Do: row{handle: (*request).listGroups}},
	{Method: "GET", Path: groups + "/{group}", Do: row{handle: (*request).getGroup}},
	{Method: "HEAD", Path: groups + "/{group}", Do: row{handle: (*request).headGroup}},
	{Method: "PUT", Path: groups + "/{group}", Do: row{handle: (*request).putGroup, action: keyvault.PutGroup}},
	{Method: "PATCH", Path: groups + "/{group}", Do: row{handle: (*request).patchGroup, action: keyvault.PutGroup}},
	{Method: "DELETE", Path: groups + "/{group}", Do: row{handle: (*request).deleteGroup}},

	{Method: "GET", Path: sub + vaults, Do: row{handle: (*request).listVaults}},
	{Method: "GET", Path: groups + "/{group}" + vaults, Do: row{handle: (*request).listVaults}},
	{Method: "GET", Path: vault, Do: row{handle: (*request).getVault}},
	{Method: "HEAD", Path: vault, Do: row{handle: (*request).headVault}},
	{Method: "PUT", Path: vault, Do: row{handle: (*request).putVault, action: keyvault.PutVault}},
	{Method: "PATCH", Path: vault, Do: row{handle: (*request).patchVault, action: keyvault.PutVault}},
	{Method: "DELETE", Path: vault, Do: row{handle: (*request).deleteVault}},
	{Method: "PUT", Path: vault + "/accessPolicies/{how}", Do: row{handle: (*request).setAccess, action: keyvault.SetAccess}},
	{Method: "GET", Path: hooks, Do: row{handle: (*request).listHooks}},
	{Method: "GET", Path: hooks + "/{hook}", Do: row{handle: (*request).getHook}},
	{Method: "PUT", Path: hooks + "/{hook}", Do: row{handle: (*request).putHook, action: keyvault.PutHook}},
	{Method: "DELETE", Path: hooks + "/{hook}", Do: row{handle: (*request).deleteHook}},
	{Method: "POST", Path: hooks + "/{hook}/getFullUrl", Do: row{handle: (*request).showHook}},
	{Method: "POST", Path: kv + "/checkNameAvailability", Do: row{handle: (*request).checkName, action: keyvault.CheckVaultName}},

	{Method: "GET", Path: kv + "/deletedVaults", Do: row{handle: (*request).listDeletedVaults}},
	{Method: "GET", Path: deleted, Do: row{handle: (*request).getDeletedVault}},
	{Method: "POST", Path: deleted + "/purge", Do: row{handle: (*request).purgeVault}},

	// There is nothing of these kinds; clients ask all the same (KV-118).
	{Method: "GET", Path: kv + "/managedHSMs", Do: row{handle: (*request).nothing}},
	{Method: "GET", Path: kv + "/deletedManagedHSMs", Do: row{handle: (*request).nothing}},
	{Method: "GET", Path: groups + "/{group}/providers/Microsoft.KeyVault/managedHSMs", Do: row{handle: (*request).nothing}},
}
