package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// Subscription implements keyvault.Store.
func (k *KeyVault) Subscription(ctx context.Context, tenant, id string) (s keyvault.Subscription, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetSubscription(ctx, keyvaultsql.GetSubscriptionParams{TenantID: tenant, ID: id})
		s = subscriptionOf(row)
		return err
	})
	return s, err
}

// Subscriptions implements keyvault.Store.
func (k *KeyVault) Subscriptions(ctx context.Context, tenant string) (list []keyvault.Subscription, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListSubscriptions(ctx, tenant)
		list = subscriptionsOf(rows)
		return err
	})
	return list, err
}

// Waiting implements keyvault.Store.
func (k *KeyVault) Waiting(ctx context.Context, after keyvault.Subscription, limit int) (list []keyvault.Subscription, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListWaiting(ctx, keyvaultsql.ListWaitingParams{AfterTenant: after.Tenant, AfterID: after.ID, Most: int32(limit)})
		list = subscriptionsOf(rows)
		return err
	})
	return list, err
}

// Cancelled implements keyvault.Store.
func (k *KeyVault) Cancelled(ctx context.Context, before time.Time, after keyvault.Subscription, limit int) (list []keyvault.Subscription, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListCancelled(ctx, keyvaultsql.ListCancelledParams{
			Before: micros(before), AfterTenant: after.Tenant, AfterID: after.ID, Most: int32(limit),
		})
		list = subscriptionsOf(rows)
		return err
	})
	return list, err
}

// AddSubscription implements keyvault.Store.
func (k *KeyVault) AddSubscription(ctx context.Context, s keyvault.Subscription) (created bool, err error) {
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.AddSubscription(ctx, keyvaultsql.AddSubscriptionParams{
			TenantID: s.Tenant, ID: s.ID, DisplayName: s.DisplayName, OwnerID: s.Owner, Created: micros(s.Created),
		})
		created = rows == 1
		return err
	})
	return created, err
}

// PutSubscription implements keyvault.Store.
func (k *KeyVault) PutSubscription(ctx context.Context, s keyvault.Subscription) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		return q.PutSubscription(ctx, keyvaultsql.PutSubscriptionParams{
			TenantID: s.Tenant, ID: s.ID, DisplayName: s.DisplayName, OwnerID: s.Owner, Created: micros(s.Created),
		})
	})
}

// SetSubscription implements keyvault.Store.
func (k *KeyVault) SetSubscription(ctx context.Context, s keyvault.Subscription, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.SetSubscription(ctx, keyvaultsql.SetSubscriptionParams{
			DisplayName: s.DisplayName, State: string(s.State), StateSince: micros(s.StateSince),
			FeatureState: string(s.Retention.State), FeatureSince: micros(s.Retention.Since), FeatureOrder: s.Retention.Order,
			FeatureAskedBy: s.Retention.AskedBy, FeatureAskedName: s.Retention.AskedName, FeatureAskedAt: micros(s.Retention.Asked),
			ProviderState: string(s.Provider.State), ProviderSince: micros(s.Provider.Since), ProviderOrder: s.Provider.Order,
			TenantID: s.Tenant, ID: s.ID, Revision: s.Revision,
		})
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

func subscriptionsOf(rows []keyvaultsql.KeyvaultSubscription) (list []keyvault.Subscription) {
	for _, row := range rows {
		list = append(list, subscriptionOf(row))
	}
	return list
}

func subscriptionOf(row keyvaultsql.KeyvaultSubscription) keyvault.Subscription {
	return keyvault.Subscription{
		Tenant: row.TenantID, ID: row.ID, DisplayName: row.DisplayName, Owner: row.OwnerID,
		State: keyvault.SubscriptionState(row.State), StateSince: fromMicros(row.StateSince),
		Retention: keyvault.Registration{
			State: keyvault.RegistrationState(row.FeatureState), Since: fromMicros(row.FeatureSince), Order: row.FeatureOrder,
			AskedBy: row.FeatureAskedBy, AskedName: row.FeatureAskedName, Asked: fromMicros(row.FeatureAskedAt),
		},
		Provider: keyvault.Registration{
			State: keyvault.RegistrationState(row.ProviderState), Since: fromMicros(row.ProviderSince), Order: row.ProviderOrder,
		},
		Created: fromMicros(row.Created), Revision: row.Revision,
	}
}
