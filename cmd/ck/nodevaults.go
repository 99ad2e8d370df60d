package main

import (
	"cmp"
	"context"

	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/webhook"
	"github.com/customerkey/customerkey/internal/store"
)

// openVaults wires the customer's side. It takes nothing of the service but the directory's
// public keys (openFaces).
func (n *node) openVaults(ctx context.Context) error {
	protector, err := protect.NewSoftware(protect.SoftwareConfig{Seal: n.folder.Seals.Vault})
	if err != nil {
		return err
	}
	kept := store.NewKeyVault(n.vaultDB)
	backups, err := backup.New(backup.Config{Store: kept, Seal: n.folder.Seals.Vault})
	if err != nil {
		return err
	}
	n.way, err = courier.New(courier.Config{Domain: n.host(""), Allow: n.webhooks})
	if err != nil {
		return err
	}
	hooks := webhook.New(n.way)
	hardware, err := n.openHardware(ctx, kept)
	if err != nil {
		return err
	}
	n.vaults, err = keyvault.New(keyvault.Config{
		Store: kept, Protector: protector, Hardware: hardware, Platform: cmp.Or(n.hardware.platform, defaultPlatform), Backups: backups, Audit: n.vaultLog, Throttle: n.throttle, Told: n.vaultChanged,
		InUse: func(ctx context.Context, tenant string, vaults []string) (bool, error) {
			return n.policies.UsesVaults(ctx, tenant, vaults)
		},
		ApproveByRule: n.approveByRule, Courier: hooks, Seal: n.folder.Seals.Vault,
	})
	if err != nil {
		return err
	}
	n.deliverer = webhook.NewDeliverer(n.vaults, hooks, n.log)
	return nil
}
