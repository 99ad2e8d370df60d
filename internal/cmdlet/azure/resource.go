package azure

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// resources returns the client for resources of any kind in a subscription.
func (e *Environment) resources(subscription string) (*armresources.Client, error) {
	return armresources.NewClient(subscription, e.c.Credential, e.armOptions())
}

// getResource shows one resource with its properties, or a list (row CK-190).
func (e *Environment) getResource(ctx context.Context, call *cmdlet.Call) error {
	if id := call.Args.Text("ResourceId"); id != "" {
		one, err := e.resource(ctx, call, id)
		if err != nil {
			return err
		}
		return showResource(call, one)
	}
	ids, err := e.candidates(ctx, call)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := e.listResources(ctx, call, id); err != nil {
			return err
		}
	}
	return nil
}

func (e *Environment) listResources(ctx context.Context, call *cmdlet.Call, subscription string) error {
	client, err := e.resources(subscription)
	if err != nil {
		return err
	}
	var options armresources.ClientListOptions
	if kind := call.Args.Text("ResourceType"); kind != "" {
		options.Filter = to.Ptr("resourceType eq '" + strings.ReplaceAll(kind, "'", "''") + "'")
	}
	for pager := client.NewListPager(&options); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Value {
			one := armresources.GenericResource{ID: r.ID, Name: r.Name, Type: r.Type, Location: r.Location, Kind: r.Kind, SKU: r.SKU, Tags: r.Tags}
			if ok, err := wantedResource(call, one); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			if call.Args.On("ExpandProperties") {
				if one, err = e.resource(ctx, call, deref(r.ID)); err != nil {
					return err
				}
			}
			if err := showResource(call, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantedResource reports whether a resource is one that -Name, -ResourceGroupName and -Tag mean.
func wantedResource(call *cmdlet.Call, r armresources.GenericResource) (bool, error) {
	if group := call.Args.Text("ResourceGroupName"); group != "" && !strings.EqualFold(group, groupOf(deref(r.ID))) {
		return false, nil
	}
	if !tagged(call, r.Tags) {
		return false, nil
	}
	return fits(call.Args.Text("Name"), deref(r.Name))
}

// resource reads one resource with its properties.
func (e *Environment) resource(ctx context.Context, call *cmdlet.Call, id string) (r armresources.GenericResource, err error) {
	client, version, err := e.resourceByID(ctx, call, id)
	if err != nil {
		return r, err
	}
	res, err := client.GetByID(ctx, id, version, nil)
	return res.GenericResource, err
}

// resourceByID returns the client for a resource, and the version of the interface to use: the
// newest that its provider names (KV-114).
func (e *Environment) resourceByID(ctx context.Context, call *cmdlet.Call, id string) (client *armresources.Client, version string, err error) {
	at, err := arm.ParseResourceID(id)
	if err != nil || at.SubscriptionID == "" || at.ResourceType.Namespace == "" {
		return nil, "", fault.New(fault.Invalid, "%q is not the id of a resource", id).
			WithHint("it looks like /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.KeyVault/vaults/NAME; see ResourceId in: ck Get-AzKeyVault")
	}
	if client, err = e.resources(at.SubscriptionID); err != nil {
		return nil, "", err
	}
	if version = call.Args.Text("ApiVersion"); version != "" {
		return client, version, nil
	}
	providers, err := armresources.NewProvidersClient(at.SubscriptionID, e.c.Credential, e.armOptions())
	if err != nil {
		return nil, "", err
	}
	provider, err := providers.Get(ctx, at.ResourceType.Namespace, nil)
	if err != nil {
		return nil, "", err
	}
	for _, kind := range provider.ResourceTypes {
		if strings.EqualFold(deref(kind.ResourceType), at.ResourceType.Type) {
			return client, newest(kind.APIVersions), nil
		}
	}
	return nil, "", fault.New(fault.NotFound, "%s has no resources of the kind %q", at.ResourceType.Namespace, at.ResourceType.Type)
}

// newest returns the newest version that is no preview, "" if there is none. Versions begin with
// their day.
func newest(versions []*string) string {
	best := ""
	for _, v := range versions {
		if !strings.Contains(deref(v), "preview") {
			best = max(best, deref(v))
		}
	}
	return best
}

// setResource writes a resource back (row CK-191). What is not given is read first, and stays.
func (e *Environment) setResource(ctx context.Context, call *cmdlet.Call) error {
	id, given := call.Args.Text("ResourceId"), call.Args.Object("InputObject")
	if id == "" {
		if id, _ = given.Get("ResourceId").(string); id == "" {
			return fault.New(fault.Invalid, "-InputObject has no ResourceId").WithHint("give it what Get-AzResource returned")
		}
	}
	client, version, err := e.resourceByID(ctx, call, id)
	if err != nil {
		return err
	}
	next, err := e.nextResource(ctx, call, client, version, id, given)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Update resource", id); err != nil || !proceed {
		return err
	}
	if call.Args.On("UsePatchSemantics") {
		poller, err := client.BeginUpdateByID(ctx, id, version, next, nil)
		if err != nil {
			return err
		}
		done, err := poller.PollUntilDone(ctx, nil)
		if err != nil {
			return err
		}
		return showResource(call, done.GenericResource)
	}
	poller, err := client.BeginCreateOrUpdateByID(ctx, id, version, next, nil)
	if err != nil {
		return err
	}
	done, err := poller.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	return showResource(call, done.GenericResource)
}

// nextResource is what is sent: all of the resource as it is now with the changes on it, or the
// changes alone.
func (e *Environment) nextResource(ctx context.Context, call *cmdlet.Call, client *armresources.Client, version, id string, given cmdlet.Object) (next armresources.GenericResource, err error) {
	if !call.Args.On("UsePatchSemantics") {
		now, err := client.GetByID(ctx, id, version, nil)
		if err != nil {
			return next, err
		}
		next = armresources.GenericResource{Location: now.Location, Tags: now.Tags, Kind: now.Kind, SKU: now.SKU, Properties: now.Properties}
	}
	if properties, ok := given.Get("Properties").(cmdlet.Object); ok {
		next.Properties = properties
	}
	if call.Args.Has("Properties") {
		next.Properties = call.Args.Object("Properties")
	}
	if call.Args.Has("Tag") {
		next.Tags = tags(call)
	}
	if call.Args.Has("Kind") {
		next.Kind = to.Ptr(call.Args.Text("Kind"))
	}
	if call.Args.Has("Sku") {
		text, err := call.Args.Object("Sku").MarshalJSON()
		if err == nil {
			next.SKU = &armresources.SKU{}
			err = json.Unmarshal(text, next.SKU)
		}
		if err != nil {
			return next, fault.Wrap(fault.Invalid, err, "-Sku cannot be read").WithHint("give @{name='...'}")
		}
	}
	return next, nil
}

func showResource(call *cmdlet.Call, r armresources.GenericResource) error {
	properties, err := objectOf(r.Properties)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the properties of %s cannot be read", deref(r.ID))
	}
	sku, err := objectOf(r.SKU)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the SKU of %s cannot be read", deref(r.ID))
	}
	return call.Host.Object(cmdlet.Object{Type: cmdlet.ResourceType, Fields: []cmdlet.Field{
		{Name: "Name", Value: deref(r.Name)},
		{Name: "ResourceGroupName", Value: groupOf(deref(r.ID))},
		{Name: "ResourceType", Value: deref(r.Type)},
		{Name: "Location", Value: deref(r.Location)},
		{Name: "ResourceId", Value: deref(r.ID)},
		{Name: "Kind", Value: deref(r.Kind)},
		{Name: "Sku", Value: sku},
		{Name: "Tags", Value: tagObject(r.Tags)},
		{Name: "Properties", Value: properties},
	}})
}

// objectOf turns what the resource manager's client has decoded into an object, nil for nothing.
func objectOf(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil || string(text) == "null" {
		return nil, err
	}
	var o cmdlet.Object
	if err := o.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	slices.SortFunc(o.Fields, func(a, b cmdlet.Field) int { return cmp.Compare(a.Name, b.Name) })
	return o, nil
}

func groupOf(id string) string {
	at, err := arm.ParseResourceID(id)
	if err != nil {
		return ""
	}
	return at.ResourceGroupName
}
