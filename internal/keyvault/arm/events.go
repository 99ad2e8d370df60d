package arm

import (
	"net/http"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// operations are the requests about vaults by the names of CK-375; those that it lacks follow
// its pattern.
var operations = []face.Route[string]{
	{Method: "GET", Path: sub + vaults, Do: "VaultList"},
	{Method: "GET", Path: groups + "/{group}" + vaults, Do: "VaultList"},
	{Method: "GET", Path: vault, Do: "VaultGet"},
	{Method: "PUT", Path: vault, Do: "VaultPut"},
	{Method: "PATCH", Path: vault, Do: "VaultPatch"},
	{Method: "DELETE", Path: vault, Do: "VaultDelete"},
	{Method: "PUT", Path: vault + "/accessPolicies/{how}", Do: "VaultAccessPolicyPut"},
	{Method: "POST", Path: kv + "/checkNameAvailability", Do: "VaultCheckName"},
	{Method: "GET", Path: kv + "/deletedVaults", Do: "VaultListDeleted"},
	{Method: "GET", Path: deleted, Do: "VaultGetDeleted"},
	{Method: "POST", Path: deleted + "/purge", Do: "VaultPurge"},
}

// event returns what makes the record of a request once it is answered. The vault may not be
// there before, or not after.
func (x *request) event(begun time.Time) (tell func()) {
	operation, params, _, err := face.Match(operations, x.r)
	if x.events == nil || err != nil {
		return func() {}
	}
	place, _ := x.locate(params)
	return func() {
		if after, ok := x.locate(params); ok {
			place = after
		}
		if x.recovers && operation == "VaultPut" {
			operation = "VaultRecover"
		}
		x.tell(operation, params, place, begun)
	}
}

// locate returns where the vault is that a path names.
func (x *request) locate(params map[string]string) (keyvault.Place, bool) {
	place, err := x.vaults.Locate(x.r.Context(), params["vault"])
	if err != nil {
		place, err = x.vaults.LocateDeleted(x.r.Context(), params["vault"])
	}
	if err != nil || !strings.EqualFold(place.Subscription, params["subscription"]) {
		return keyvault.Place{}, false
	}
	return place, true
}

// tell makes the record. A request that is refused and names no vault of the caller's tenant
// has none: whose the subscription is, if it is anyone's, must not show in a file.
func (x *request) tell(operation string, params map[string]string, place keyvault.Place, begun time.Time) {
	ours := place.Tenant != "" && place.Tenant == x.caller.Tenant
	if x.caller.Tenant == "" || !ours && x.w.Status() >= http.StatusBadRequest {
		return
	}
	e := face.Event(x.r, x.w, x.caller, x.id, x.caller.Tenant, begun, x.now())
	e.Resource, e.Operation, e.Version = eventlog.SubscriptionID(params["subscription"]), operation, x.version
	if ours {
		e.Resource = eventlog.VaultID(place.Subscription, place.Group, place.Name)
		e.Properties.ID = "https://" + strings.ToLower(place.Name) + ".vault." + x.domain + "/"
	}
	x.events(e)
}
