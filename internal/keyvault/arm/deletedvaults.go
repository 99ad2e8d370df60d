package arm

import (
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// deletedVaultOut is a vault in the deleted state (KV-118).
type deletedVaultOut struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Properties deletedPropertiesOut `json:"properties"`
}

type deletedPropertiesOut struct {
	VaultID         string            `json:"vaultId"` // where it was, and where it can be recovered
	Location        string            `json:"location"`
	Tags            map[string]string `json:"tags"`
	Deleted         time.Time         `json:"deletionDate"`
	PurgeAt         time.Time         `json:"scheduledPurgeDate"`
	PurgeProtection bool              `json:"purgeProtectionEnabled,omitempty"`
}

func deletedVault(v keyvault.Vault) deletedVaultOut {
	return deletedVaultOut{
		ID:   "/subscriptions/" + v.Subscription + "/providers/Microsoft.KeyVault/locations/" + v.Location + "/deletedVaults/" + v.Name,
		Name: v.Name, Type: "Microsoft.KeyVault/deletedVaults",
		Properties: deletedPropertiesOut{
			VaultID: resource(v).ID, Location: v.Location, Tags: tagsOut(v.Tags),
			Deleted: v.Deleted, PurgeAt: v.PurgeAt, PurgeProtection: v.PurgeProtection,
		},
	}
}

// deleteVault answers 204 for a vault that is not there: whoever wants it gone has what he
// wants (KV-117).
func (x *request) deleteVault() error {
	_, err := x.vaults.DeleteVault(x.r.Context(), x.caller, x.params["subscription"], x.params["group"], x.params["vault"])
	switch {
	case fault.As(err).Reason == keyvault.ReasonNoResource:
		x.w.WriteHeader(http.StatusNoContent)
		return nil
	case err != nil:
		return err
	}
	x.w.WriteHeader(http.StatusOK)
	return nil
}

func (x *request) listDeletedVaults() error {
	return page(x, x.vaults.DeletedVaults, deletedVault, everything)
}

func (x *request) getDeletedVault() error {
	v, err := x.vaults.DeletedVault(x.r.Context(), x.caller, x.params["subscription"], x.params["location"], x.params["vault"])
	if err != nil {
		return err
	}
	return x.reply(deletedVault(v))
}

func (x *request) purgeVault() error {
	err := x.vaults.PurgeVault(x.r.Context(), x.caller, x.params["subscription"], x.params["location"], x.params["vault"])
	if err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusOK)
	return nil
}

// recoverVault is a PUT with createMode "recover". All else in it counts for nothing, for
// clients make it up (KV-124).
func (x *request) recoverVault(location string) error {
	x.recovers = true
	v, err := x.vaults.RecoverVault(x.r.Context(), x.caller, x.params["subscription"], x.params["group"], x.params["vault"], location)
	if err != nil {
		return err
	}
	return x.reply(x.vaultOut(v))
}
