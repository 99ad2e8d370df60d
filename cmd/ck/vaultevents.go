package main

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
)

// vaultChanged is told of everything that happens in the vaults of this process, and wakes what
// sends it to webhooks. It is the one
// place where the service hears of it, and all that it may do is ask the vaults again: an event
// opens nothing and denies nothing. Who has revoked a root key so has it obeyed at the next read
// and not when a lease ends.
func (n *node) vaultChanged(e keyvault.Event) {
	n.deliverer.Wake()
	n.notice(e)
	uri := rootsOf(n.host("vault"), e)
	concerns := func(r hierarchy.RootRef) bool {
		if e.Name == "" {
			return len(r.URI) > len(uri) && strings.EqualFold(r.URI[:len(uri)], uri)
		}
		return strings.EqualFold(r.Key(), uri)
	}
	n.health.Heard(e.Tenant, concerns)
	switch e.Type {
	case keyvault.KeyNewVersionCreated, keyvault.KeyNearExpiry, keyvault.KeyRecovered, keyvault.VaultRecovered:
		return // they take nothing away
	}
	n.keys.AskAnew(concerns)
}

// goOn has the work of a tenant that waits for root keys tried again: one of them works again.
func (n *node) goOn(ctx context.Context, tenant string) {
	if err := n.operations.Hasten(ctx, tenant); err != nil {
		n.log.Error("work that waits for root keys was not told that one works again: it tries by itself within minutes", "tenant", tenant, "err", err)
	}
}

// rootsOf returns the versionless URI of the key that an event is about, or what those of all
// keys of its vault begin with.
func rootsOf(suffix string, e keyvault.Event) string {
	return "https://" + e.Vault + "." + suffix + "/keys/" + e.Name
}
