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
	action keyvault.Action // what a request whose body cannot be read is recorded as
}

const (
	sub    = "subscriptions/{subscription}"
	groups = sub + "/resourceGroups"
	vaults = "/providers/Microsoft.KeyVault/vaults"
	vault  = groups + "/{group}" + vaults + "/{vault}"
	kv     = sub + "/providers/Microsoft.KeyVault"

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
	{Method: "POST", Path: sub + "/providers/{namespace}/register", Do: row{handle: (*request).getProvider}},
	{Method: "GET", Path: sub + "/resources", Do: row{handle: (*request).resources}},

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
	{Method: "POST", Path: kv + "/checkNameAvailability", Do: row{handle: (*request).checkName, action: keyvault.CheckVaultName}},

	{Method: "GET", Path: kv + "/deletedVaults", Do: row{handle: (*request).listDeletedVaults}},
	{Method: "GET", Path: deleted, Do: row{handle: (*request).getDeletedVault}},
	{Method: "POST", Path: deleted + "/purge", Do: row{handle: (*request).purgeVault}},

	// There is nothing of these kinds; clients ask all the same (KV-118).
	{Method: "GET", Path: kv + "/managedHSMs", Do: row{handle: (*request).nothing}},
	{Method: "GET", Path: kv + "/deletedManagedHSMs", Do: row{handle: (*request).nothing}},
	{Method: "GET", Path: groups + "/{group}/providers/Microsoft.KeyVault/managedHSMs", Do: row{handle: (*request).nothing}},
}
