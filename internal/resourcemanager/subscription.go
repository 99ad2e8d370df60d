package resourcemanager

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armfeatures"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Subscription is what vaults are paid with and owned through.
type Subscription struct {
	ID, Tenant, Name string
	State            string // Enabled, Warned, PastDue, Disabled, Deleted
	Offer            string // the quota id, which says how it is paid: "FreeTrial_2014-09-01"; "" if the resource manager does not tell
	SpendingLimit    string // On, Off, CurrentPeriodOff; ""
}

// Subscription returns one.
func (r *Reader) Subscription(ctx context.Context, id string) (s Subscription, err error) {
	if err := isID(id); err != nil {
		return s, err
	}
	err = r.ask(ctx, func(ctx context.Context) error {
		client, err := armsubscriptions.NewClient(r.credential, r.options())
		if err != nil {
			return err
		}
		res, err := client.Get(ctx, id, nil)
		if err != nil {
			return err
		}
		s = subscriptionOf(&res.Subscription)
		return nil
	})
	return s, err
}

func subscriptionOf(in *armsubscriptions.Subscription) Subscription {
	s := Subscription{
		ID: strings.ToLower(deref(in.SubscriptionID)), Tenant: strings.ToLower(deref(in.TenantID)), Name: deref(in.DisplayName), State: string(deref(in.State)),
	}
	if p := in.SubscriptionPolicies; p != nil {
		s.Offer, s.SpendingLimit = deref(p.QuotaID), string(deref(p.SpendingLimit))
	}
	return s
}

// maxSubscriptions bounds how many subscriptions are looked through for a vault.
const maxSubscriptions = 200

// Subscriptions returns those that the owners let the service see, the first 200.
func (r *Reader) Subscriptions(ctx context.Context) (all []Subscription, err error) {
	err = r.ask(ctx, func(ctx context.Context) error {
		client, err := armsubscriptions.NewClient(r.credential, r.options())
		if err != nil {
			return err
		}
		all = nil
		for pager := client.NewListPager(nil); pager.More() && len(all) < maxSubscriptions; {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, s := range present(page.Value) {
				all = append(all, subscriptionOf(s))
			}
		}
		return nil
	})
	return all, err
}

// A Retention is how far a subscription is protected against early cancellation (row CK-215):
// both are "Registered" at the end.
type Retention struct{ Feature, Provider string }

// Registered reports whether nothing is left to do.
func (r Retention) Registered() bool {
	return strings.EqualFold(r.Feature, "Registered") && strings.EqualFold(r.Provider, "Registered")
}

// Retention returns the registrations of a subscription.
func (r *Reader) Retention(ctx context.Context, id string) (found Retention, err error) {
	if err := isID(id); err != nil {
		return found, err
	}
	err = r.ask(ctx, func(ctx context.Context) error {
		features, err := armfeatures.NewClient(id, r.credential, r.options())
		if err != nil {
			return err
		}
		f, err := features.Get(ctx, "Microsoft.Resources", "mandatoryRetentionPeriodEnabled", nil)
		if err != nil {
			return err
		}
		providers, err := armresources.NewProvidersClient(id, r.credential, r.options())
		if err != nil {
			return err
		}
		p, err := providers.Get(ctx, "Microsoft.KeyVault", nil)
		if err != nil {
			return err
		}
		if f.Properties != nil {
			found.Feature = deref(f.Properties.State)
		}
		found.Provider = deref(p.RegistrationState)
		return nil
	})
	return found, err
}

// isID refuses what is no subscription's id: it becomes part of an address.
func isID(id string) error {
	if len(id) != 36 || uuid.Validate(id) != nil {
		return fault.New(fault.NotFound, "%.64q is no id of a subscription", id)
	}
	return nil
}

// present leaves out what a hostile list may have in it: nothing.
func present[T any](list []*T) []*T {
	return slices.DeleteFunc(list, func(p *T) bool { return p == nil })
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
