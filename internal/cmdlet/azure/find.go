package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// A location is where a vault lies in the resource manager.
type location struct{ subscription, group, name string }

// subscriptionIDs returns the ids and names of the subscriptions that the caller can see.
func (e *Environment) subscriptionIDs(ctx context.Context) (ids, names []string, err error) {
	client, err := e.subscriptions()
	if err != nil {
		return nil, nil, err
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range page.Value {
			ids = append(ids, deref(s.SubscriptionID))
			names = append(names, deref(s.DisplayName))
		}
	}
	return ids, names, nil
}

// candidates returns the subscriptions that a call may mean: the one it names, the
// environment's, or all that the caller can see.
func (e *Environment) candidates(ctx context.Context, call *cmdlet.Call) ([]string, error) {
	if given := call.Args.Text("SubscriptionId"); given != "" {
		return []string{given}, nil
	}
	if chosen := e.current(); chosen != "" {
		return []string{chosen}, nil
	}
	ids, _, err := e.subscriptionIDs(ctx)
	if err == nil && len(ids) == 0 {
		err = fault.New(fault.NotFound, "you can see no subscription").WithHint("ask its owner for a role in it")
	}
	return ids, err
}

// onlySubscription returns the one subscription that a call means.
func (e *Environment) onlySubscription(ctx context.Context, call *cmdlet.Call) (string, error) {
	ids, err := e.candidates(ctx, call)
	if err != nil || len(ids) == 1 {
		return strings.Join(ids, ""), err
	}
	_, names, err := e.subscriptionIDs(ctx)
	if err != nil {
		return "", err
	}
	var list []string
	for i := range min(len(ids), len(names), 10) {
		list = append(list, fmt.Sprintf("%s (%s)", ids[i], names[i]))
	}
	return "", fault.New(fault.Invalid, "you can see several subscriptions").
		WithHint("choose one with Set-AzContext, or name it with -SubscriptionId: %s", strings.Join(list, ", "))
}

// locate finds the vault that a call names: names of vaults are unique, so where it is not in the
// chosen subscription the others are looked through.
func (e *Environment) locate(ctx context.Context, call *cmdlet.Call) (location, error) {
	name, group := call.Args.Text("VaultName"), call.Args.Text("ResourceGroupName")
	ids, err := e.candidates(ctx, call)
	if err != nil {
		return location{}, err
	}
	if group != "" && len(ids) == 1 {
		return location{ids[0], group, name}, nil
	}
	if !call.Args.Has("SubscriptionId") && e.current() != "" {
		all, _, err := e.subscriptionIDs(ctx)
		if err != nil {
			return location{}, err
		}
		ids = append(ids, slices.DeleteFunc(all, func(id string) bool { return id == ids[0] })...)
	}
	for _, id := range ids {
		found, ok, err := e.search(ctx, id, group, name)
		if err != nil || ok {
			return found, err
		}
	}
	return location{}, fault.New(fault.NotFound, "there is no vault %q in the subscriptions you can see", name).
		WithHint("see them with: ck Get-AzKeyVault")
}

// search looks for a vault by name in one subscription, and in one resource group of it
// unless group is "".
func (e *Environment) search(ctx context.Context, subscription, group, name string) (found location, ok bool, err error) {
	err = e.each(ctx, subscription, func(at location, _ *armkeyvault.Resource) (bool, error) {
		if strings.EqualFold(at.name, name) && (group == "" || strings.EqualFold(at.group, group)) {
			found, ok = at, true
		}
		return !ok, nil
	})
	return found, ok, err
}

// each calls see for every vault of a subscription until it returns false.
func (e *Environment) each(ctx context.Context, subscription string, see func(location, *armkeyvault.Resource) (bool, error)) error {
	client, err := e.vaults(subscription)
	if err != nil {
		return err
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Value {
			id, err := arm.ParseResourceID(deref(r.ID))
			if err != nil {
				return fault.Wrap(fault.Internal, err, "the resource manager's answer cannot be read")
			}
			more, err := see(location{id.SubscriptionID, id.ResourceGroupName, id.Name}, r)
			if err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
