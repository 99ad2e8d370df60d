package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armfeatures"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// features returns the client for the features of the subscription that a call means.
func (e *Environment) features(ctx context.Context, call *cmdlet.Call) (*armfeatures.Client, error) {
	id, err := e.onlySubscription(ctx, call)
	if err != nil {
		return nil, err
	}
	return armfeatures.NewClient(id, e.c.Credential, e.armOptions())
}

func (e *Environment) registerFeature(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.features(ctx, call)
	if err != nil {
		return err
	}
	name := call.Args.Text("FeatureName")
	if proceed, err := call.ShouldProcess("Register feature", name); err != nil || !proceed {
		return err
	}
	res, err := client.Register(ctx, call.Args.Text("ProviderNamespace"), name, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(featureObject(&res.FeatureResult))
}

func (e *Environment) unregisterFeature(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.features(ctx, call)
	if err != nil {
		return err
	}
	name := call.Args.Text("FeatureName")
	if proceed, err := call.ShouldProcess("Unregister feature", name); err != nil || !proceed {
		return err
	}
	res, err := client.Unregister(ctx, call.Args.Text("ProviderNamespace"), name, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(featureObject(&res.FeatureResult))
}

func (e *Environment) getFeature(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.features(ctx, call)
	if err != nil {
		return err
	}
	namespace, name := call.Args.Text("ProviderNamespace"), call.Args.Text("FeatureName")
	if name != "" && namespace == "" {
		return fault.New(fault.Invalid, "a feature is named by two things").WithHint("add -ProviderNamespace Microsoft.Resources")
	}
	if name != "" {
		res, err := client.Get(ctx, namespace, name, nil)
		if err != nil {
			return err
		}
		return call.Host.Object(featureObject(&res.FeatureResult))
	}
	for pager := client.NewListAllPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, f := range page.Value {
			if !wantedFeature(call, f) {
				continue
			}
			if err := call.Host.Object(featureObject(f)); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantedFeature leaves out those that nobody asked for, unless they are wanted too, and those
// of other namespaces than the one given.
func wantedFeature(call *cmdlet.Call, f *armfeatures.FeatureResult) bool {
	namespace, _, _ := strings.Cut(deref(f.Name), "/")
	given := call.Args.Text("ProviderNamespace")
	return (given == "" || strings.EqualFold(given, namespace)) && (call.Args.On("ListAvailable") || featureState(f) != "NotRegistered")
}

func featureState(f *armfeatures.FeatureResult) string {
	if f.Properties == nil {
		return ""
	}
	return deref(f.Properties.State)
}

func featureObject(f *armfeatures.FeatureResult) cmdlet.Object {
	namespace, name, _ := strings.Cut(deref(f.Name), "/")
	return cmdlet.Object{Type: cmdlet.FeatureType, Fields: []cmdlet.Field{
		{Name: "FeatureName", Value: name},
		{Name: "ProviderName", Value: namespace},
		{Name: "RegistrationState", Value: featureState(f)},
	}}
}

func (e *Environment) providers(ctx context.Context, call *cmdlet.Call) (*armresources.ProvidersClient, error) {
	id, err := e.onlySubscription(ctx, call)
	if err != nil {
		return nil, err
	}
	return armresources.NewProvidersClient(id, e.c.Credential, e.armOptions())
}

func (e *Environment) registerProvider(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.providers(ctx, call)
	if err != nil {
		return err
	}
	namespace := call.Args.Text("ProviderNamespace")
	if proceed, err := call.ShouldProcess("Register resource provider", namespace); err != nil || !proceed {
		return err
	}
	res, err := client.Register(ctx, namespace, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(providerObject(&res.Provider))
}

func (e *Environment) getProvider(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.providers(ctx, call)
	if err != nil {
		return err
	}
	if namespace := call.Args.Text("ProviderNamespace"); namespace != "" {
		res, err := client.Get(ctx, namespace, nil)
		if err != nil {
			return err
		}
		return call.Host.Object(providerObject(&res.Provider))
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Value {
			if !call.Args.On("ListAvailable") && deref(p.RegistrationState) != "Registered" {
				continue
			}
			if err := call.Host.Object(providerObject(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

func providerObject(p *armresources.Provider) cmdlet.Object {
	types := []string{}
	for _, t := range p.ResourceTypes {
		types = append(types, deref(t.ResourceType))
	}
	return cmdlet.Object{Type: cmdlet.ProviderType, Fields: []cmdlet.Field{
		{Name: "ProviderNamespace", Value: deref(p.Namespace)},
		{Name: "RegistrationState", Value: deref(p.RegistrationState)},
		{Name: "ResourceTypes", Value: types},
	}}
}
