package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// current returns the subscription that Set-AzContext chose, "" if none was.
func (e *Environment) current() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.subscription
}

// setContext chooses the subscription that later commands mean (row CK-183).
func (e *Environment) setContext(ctx context.Context, call *cmdlet.Call) error {
	if tenant := call.Args.Text("Tenant"); tenant != "" && !strings.EqualFold(tenant, e.c.Tenant) && !strings.EqualFold(tenant, e.c.Organization) {
		return fault.New(fault.Forbidden, "you are signed in to another organization than %q", tenant).WithHint("sign in there, with a profile of its own: ck --profile NAME login")
	}
	chosen, err := e.subscriptionNamed(ctx, call.Args.Text("Subscription"))
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Choose the subscription "+deref(chosen.DisplayName), deref(chosen.SubscriptionID)); err != nil || !proceed {
		return err
	}
	id := deref(chosen.SubscriptionID)
	if call.Args.Text("Scope") != "Process" && e.c.Keep != nil {
		if err := e.c.Keep(ctx, id); err != nil {
			return err
		}
	}
	e.mu.Lock()
	e.subscription = id
	e.mu.Unlock()
	return call.Host.Object(e.contextObject(call.Args.Text("Name"), chosen))
}

func (e *Environment) getContext(ctx context.Context, call *cmdlet.Call) error {
	ids, err := e.candidates(ctx, call)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		call.Warn("no subscription is chosen, and you can see %d; choose one with: Set-AzContext -Subscription NAME", len(ids))
		return call.Host.Object(e.contextObject("", &armsubscriptions.Subscription{}))
	}
	client, err := e.subscriptions()
	if err != nil {
		return err
	}
	res, err := client.Get(ctx, ids[0], nil)
	if err != nil {
		return err
	}
	return call.Host.Object(e.contextObject("", &res.Subscription))
}

// subscriptionNamed finds a subscription by its id or its name, whatever its case. A name that
// several have is refused: the wrong one could be chosen.
func (e *Environment) subscriptionNamed(ctx context.Context, name string) (*armsubscriptions.Subscription, error) {
	client, err := e.subscriptions()
	if err != nil {
		return nil, err
	}
	var found []*armsubscriptions.Subscription
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Value {
			if strings.EqualFold(deref(s.SubscriptionID), name) {
				return s, nil
			}
			if strings.EqualFold(deref(s.DisplayName), name) {
				found = append(found, s)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, fault.New(fault.NotFound, "you can see no subscription %q", name).WithHint("see yours with: ck Get-AzSubscription")
	case 1:
		return found[0], nil
	}
	return nil, fault.New(fault.Conflict, "%d subscriptions are called %q", len(found), name).WithHint("give the id of the one you mean; see: ck Get-AzSubscription")
}

func (e *Environment) contextObject(name string, s *armsubscriptions.Subscription) cmdlet.Object {
	if name == "" {
		name = strings.TrimSpace(deref(s.DisplayName) + " " + e.c.Account)
	}
	return cmdlet.Object{Type: cmdlet.ContextType, Fields: []cmdlet.Field{
		{Name: "Name", Value: name},
		{Name: "Account", Value: e.c.Account},
		{Name: "SubscriptionName", Value: deref(s.DisplayName)},
		{Name: "Environment", Value: strings.TrimPrefix(e.c.Management, "https://management.")},
		{Name: "TenantId", Value: e.c.Tenant},
		{Name: "Subscription", Value: subscriptionObject(s)},
	}}
}
