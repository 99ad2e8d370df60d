package keyvault

import (
	"context"
	"iter"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A VaultRef says where a vault is and how it decides over its keys.
type VaultRef struct {
	rights.Scope
	RBAC bool
}

// refPage is how many refs are read at once.
const refPage = 1000

// refs goes through a subscription's vaults by name, those after the named one. It stops after
// an error.
func (s *Service) refs(ctx context.Context, sub Subscription, after string) iter.Seq2[VaultRef, error] {
	return func(yield func(VaultRef, error) bool) {
		for {
			page, err := s.store.VaultRefs(ctx, sub.Tenant, sub.ID, after, refPage)
			if err != nil {
				yield(VaultRef{}, err)
				return
			}
			for _, ref := range page {
				if !yield(ref, nil) {
					return
				}
			}
			if len(page) < refPage {
				return
			}
			after = naming.Fold(page[len(page)-1].Vault)
		}
	}
}

// readable lists the vaults that the caller may read, where he may not read all. Only their
// names are looked at for the rest.
func (s *Service) readable(ctx context.Context, d *desk, after string, limit int) ([]Vault, error) {
	var list []Vault
	seen := d.reach(GetVault)
	for ref, err := range s.refs(ctx, d.subscription, after) {
		if err != nil {
			return nil, err
		}
		if !seen.Covers(ref.Scope) {
			continue
		}
		v, err := s.store.Vault(ctx, ref.Vault)
		if fault.Is(err, fault.NotFound) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, err
		}
		if list = append(list, v); len(list) == limit {
			break
		}
	}
	return list, nil
}

// maxTold bounds how many vaults one change of roles, or of a subscription, is told about.
// Whoever rests on another one notices when he asks next.
const maxTold = 1000

// roleChanged returns the events of an assignment that was made or taken away: it may change
// who is let in by each vault in its scope that goes by roles.
func (s *Service) roleChanged(ctx context.Context, sub Subscription, a rights.Assignment) ([]Event, error) {
	if role, _ := rights.RoleOf(a.Role); len(role.DataActions) == 0 {
		return nil, nil
	}
	if a.Scope.Vault != "" {
		v, err := s.store.Vault(ctx, a.Scope.Vault)
		if fault.Is(err, fault.NotFound) || err == nil && (!v.RBAC || v.Tenant != sub.Tenant || v.Subscription != sub.ID) {
			return nil, nil // it is gone, or goes by its policy
		}
		return []Event{vaultEvent(VaultAccessPolicyChanged, v, s.now())}, err
	}
	var events []Event
	for ref, err := range s.refs(ctx, sub, "") {
		if err != nil || len(events) == maxTold {
			return events, err
		}
		if ref.RBAC && a.Scope.Covers(ref.Scope) {
			events = append(events, vaultEvent(VaultAccessPolicyChanged, Vault{Tenant: sub.Tenant, Name: ref.Vault}, s.now()))
		}
	}
	return events, nil
}
