package azure

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

func (e *Environment) newSubscription(ctx context.Context, call *cmdlet.Call) error {
	alias, name := call.Args.Text("AliasName"), call.Args.Text("SubscriptionName")
	if name == "" {
		name = alias
	}
	if proceed, err := call.ShouldProcess("Create subscription", name); err != nil || !proceed {
		return err
	}
	client, err := armsubscription.NewAliasClient(e.c.Credential, e.armOptions())
	if err != nil {
		return err
	}
	poller, err := client.BeginCreate(ctx, alias, armsubscription.PutAliasRequest{Properties: &armsubscription.PutAliasRequestProperties{
		DisplayName: &name, Workload: to.Ptr(armsubscription.WorkloadProduction),
	}}, nil)
	if err != nil {
		return err
	}
	made, err := poller.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	if made.Properties == nil {
		return fault.New(fault.Unavailable, "the answer about the new subscription cannot be read")
	}
	return e.showSubscription(ctx, call, deref(made.Properties.SubscriptionID))
}

func (e *Environment) showSubscription(ctx context.Context, call *cmdlet.Call, id string) error {
	client, err := e.subscriptions()
	if err != nil {
		return err
	}
	res, err := client.Get(ctx, id, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(subscriptionObject(&res.Subscription))
}

func (e *Environment) getSubscription(ctx context.Context, call *cmdlet.Call) error {
	if id := call.Args.Text("SubscriptionId"); id != "" {
		return e.showSubscription(ctx, call, id)
	}
	client, err := e.subscriptions()
	if err != nil {
		return err
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, s := range page.Value {
			if err := call.Host.Object(subscriptionObject(s)); err != nil {
				return err
			}
		}
	}
	return nil
}

func subscriptionObject(s *armsubscriptions.Subscription) cmdlet.Object {
	return cmdlet.Object{Type: cmdlet.SubscriptionType, Fields: []cmdlet.Field{
		{Name: "Name", Value: deref(s.DisplayName)},
		{Name: "Id", Value: deref(s.SubscriptionID)},
		{Name: "TenantId", Value: deref(s.TenantID)},
		{Name: "State", Value: string(deref(s.State))},
	}}
}

func (e *Environment) newGroup(ctx context.Context, call *cmdlet.Call) error {
	name := call.Args.Text("Name")
	id, err := e.onlySubscription(ctx, call)
	if err != nil {
		return err
	}
	client, err := armresources.NewResourceGroupsClient(id, e.c.Credential, e.armOptions())
	if err != nil {
		return err
	}
	if strings.Trim(name, ". ") == "" {
		return fault.New(fault.Invalid, "%q cannot be the name of a resource group", name).WithHint("use letters, digits, dashes and underscores")
	}
	action, err := groupAction(ctx, call, client, name)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess(action, name); err != nil || !proceed {
		return err
	}
	res, err := client.CreateOrUpdate(ctx, name, armresources.ResourceGroup{Location: to.Ptr(call.Args.Text("Location")), Tags: tags(call)}, nil)
	if err != nil {
		return err
	}
	state := ""
	if res.Properties != nil {
		state = deref(res.Properties.ProvisioningState)
	}
	return call.Host.Object(cmdlet.Object{Type: cmdlet.ResourceGroupType, Fields: []cmdlet.Field{
		{Name: "ResourceGroupName", Value: deref(res.Name)},
		{Name: "Location", Value: deref(res.Location)},
		{Name: "ProvisioningState", Value: state},
		{Name: "Tags", Value: tagObject(res.Tags)},
		{Name: "ResourceId", Value: deref(res.ID)},
	}})
}

// groupAction says what is about to be done. A group that is there is changed only after a
// question, unless -Force or -Confirm says otherwise (row CK-187).
func groupAction(ctx context.Context, call *cmdlet.Call, client *armresources.ResourceGroupsClient, name string) (string, error) {
	switch _, err := client.Get(ctx, name, nil); {
	case statusOf(err) == http.StatusNotFound:
		return "Create resource group", nil
	case err != nil:
		return "", err
	}
	if call.Common.Confirm == nil {
		call.Common.Confirm = to.Ptr(!call.Args.On("Force"))
	}
	return "Update the resource group, which is there already", nil
}
