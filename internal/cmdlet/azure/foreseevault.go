package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// ofAccess: which rights a principal would gain and lose. entry is nil for one who has none.
func ofAccess(entry *armkeyvault.AccessPolicyEntry, rights []string) look {
	return func(context.Context, *cmdlet.Call) ([]string, error) {
		var had []string
		if entry != nil {
			for _, p := range entry.Permissions.Keys {
				had = append(had, string(deref(p)))
			}
		}
		return []string{fmt.Sprintf("Rights on keys gained: %s; lost: %s.", without(rights, had), without(had, rights))}, nil
	}
}

// without are the names that are not among others, in any case; "all" stands for itself.
func without(names, others []string) string {
	var left []string
	for _, n := range names {
		if !slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, n) }) {
			left = append(left, n)
		}
	}
	if len(left) == 0 {
		return "none"
	}
	return strings.Join(left, ", ")
}

// ofVaultRemoval: which keys go with it, as far as the caller may list them, and for how long.
func (e *Environment) ofVaultRemoval(call *cmdlet.Call, client *armkeyvault.VaultsClient, at location) look {
	return func(ctx context.Context, _ *cmdlet.Call) ([]string, error) {
		vault, err := client.Get(ctx, at.group, at.name, nil)
		if err != nil || vault.Properties == nil {
			return nil, err
		}
		days := int(deref(vault.Properties.SoftDeleteRetentionInDays))
		text := fmt.Sprintf("It could be recovered, with all its keys, for %d days, until %s", days, e.c.Now().AddDate(0, 0, days).UTC().Format(time.DateOnly))
		if !deref(vault.Properties.EnablePurgeProtection) {
			text += ", unless somebody purges it before"
		}
		lines := []string{text + "."}
		keys, err := e.keys(call)
		if err != nil {
			return lines, err
		}
		gone, err := keysGone(ctx, keys)
		if err != nil {
			return lines, err
		}
		return append([]string{gone}, lines...), nil
	}
}

// keysGone names the first page of a vault's keys.
func keysGone(ctx context.Context, client *azkeys.Client) (string, error) {
	page, err := client.NewListKeyPropertiesPager(nil).NextPage(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, len(page.Value))
	for i, k := range page.Value {
		names[i] = keyName(k.KID)
	}
	switch more := deref(page.NextLink) != ""; {
	case len(names) == 0 && !more:
		return "It has no keys.", nil
	case more:
		return "Nobody can use its keys any more: " + strings.Join(names, ", ") + " and others.", nil
	}
	return "Nobody can use its keys any more: " + strings.Join(names, ", ") + ".", nil
}

func ofVaultPurge(gone *armkeyvault.DeletedVault) look {
	return func(context.Context, *cmdlet.Call) ([]string, error) {
		if deref(gone.Properties.PurgeProtectionEnabled) {
			return []string{"The resource manager would refuse: the vault is protected from purging. It goes by itself on " + day(gone.Properties.ScheduledPurgeDate) + "."}, nil
		}
		return []string{
			"All keys of the vault are destroyed. Nothing brings them back but a backup of each.",
			"Deleted on " + day(gone.Properties.DeletionDate) + ", it could be recovered until " + day(gone.Properties.ScheduledPurgeDate) + " otherwise.",
		}, nil
	}
}
