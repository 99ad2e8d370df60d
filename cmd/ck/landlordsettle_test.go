package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armfeatures"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/keyvault"
)

// visit takes up connections to a server that has just started. It sweeps, which frees every name.
func (l *landlord) visit(server *playground) {
	l.server, l.leaving = server, map[string]bool{}
	l.http = &http.Client{Transport: server.transport(), Timeout: longWait}
	base := "https://management.localhost:" + server.port()
	options := &azarm.ClientOptions{ClientOptions: l.options(cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: base, Audience: base},
	}})}
	options.DisableRPRegistration = true
	var err error
	if l.vaults, err = armkeyvault.NewVaultsClient(l.subscription, l.management, options); err != nil {
		server.tb.Error(err)
	}
	if l.roles, err = armauthorization.NewRoleAssignmentsClient(l.subscription, l.management, options); err != nil {
		server.tb.Error(err)
	}
	if l.features, err = armfeatures.NewClient(l.subscription, l.management, options); err != nil {
		server.tb.Error(err)
	}
}

// options are those of clients that do not try again.
func (l *landlord) options(c cloud.Configuration) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: l.http, Retry: policy.RetryOptions{MaxRetries: -1}, Cloud: c}
}

// keys returns a client of one of the vaults.
func (l *landlord) keys(vault string) (*azkeys.Client, error) {
	return azkeys.NewClient(l.server.vault(vault), l.data, &azkeys.ClientOptions{ClientOptions: l.options(cloud.Configuration{})})
}

// settle reads every holding and resolves doubts.
func (l *landlord) settle(ctx context.Context, interrupted map[string]int) error {
	for name, before := range l.holdings {
		actual, err := l.read(ctx, name)
		if err != nil {
			return fmt.Errorf("reading %s, which was %s: %w", name, before, err)
		}
		d, open := l.doubts[name]
		delete(l.doubts, name)
		switch {
		case actual.same(before) && open:
			tally(interrupted, d.deed+" not done")
		case actual.same(before):
		case open && d.after(actual):
			tally(interrupted, d.deed+" done")
		default:
			return fmt.Errorf("%s is %s, was %s; under way: %q", name, actual, before, d.deed)
		}
		actual.deleted = false // reading what is in it has recovered it
		l.holdings[name] = actual
	}
	return nil
}

// read returns a holding as the server has it. A deleted vault is recovered to see what is in it; the
// name of one that is not there is free, or soon will be.
func (l *landlord) read(ctx context.Context, name string) (h holding, err error) {
	if name == registration {
		res, err := l.features.Get(ctx, keyvault.RetentionNamespace, keyvault.RetentionFeature, nil)
		return holding{exists: err == nil && *res.Properties.State == string(keyvault.Pending)}, err
	}
	v, err := l.vaults.Get(ctx, "playground", name, nil)
	if is404(err) {
		if _, err = l.vaults.GetDeleted(ctx, name, "westeurope", nil); is404(err) {
			return h, l.awaitName(ctx, name)
		} else if err != nil {
			return h, err
		}
		h.deleted = true
		if err := l.takeBack(ctx, name); err != nil {
			return h, err
		}
		v, err = l.vaults.Get(ctx, "playground", name, nil)
	}
	if err != nil {
		return h, err
	}
	h.exists, h.tag = true, *v.Tags["t"]
	for _, e := range v.Properties.AccessPolicies {
		if *e.ObjectID != l.self {
			h.guests = plus(h.guests, *e.ObjectID)
		}
	}
	if h.roles, err = l.rolesAt(ctx, name); err != nil {
		return h, err
	}
	h.keys, err = l.keysIn(ctx, name)
	return h, err
}

// awaitName waits until the name of a vault that is not there is free.
func (l *landlord) awaitName(ctx context.Context, name string) error {
	if l.leaving[name] {
		return nil
	}
	for deadline := time.Now().Add(longWait); ; time.Sleep(10 * time.Millisecond) {
		res, err := l.vaults.CheckNameAvailability(ctx, armkeyvault.VaultCheckNameAvailabilityParameters{Name: &name, Type: to.Ptr("Microsoft.KeyVault/vaults")}, nil)
		if err != nil || *res.NameAvailable {
			return err
		}
		if time.Now().After(deadline) {
			return wrongAnswer("the vault is neither there nor gone")
		}
	}
}

func (l *landlord) rolesAt(ctx context.Context, name string) (list []string, err error) {
	for pages := l.roles.NewListForScopePager(l.scope(name), nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Value {
			if *a.Properties.Scope == l.scope(name) {
				list = plus(list, *a.Name+" "+*a.Properties.PrincipalID)
			}
		}
	}
	return list, nil
}

// keysIn returns the ids of the newest versions.
func (l *landlord) keysIn(ctx context.Context, name string) (list []string, err error) {
	client, err := l.keys(name)
	if err != nil {
		return nil, err
	}
	for pages := client.NewListKeyPropertiesPager(nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range page.Value {
			res, err := client.GetKey(ctx, k.KID.Name(), "", nil)
			if err != nil {
				return nil, err
			}
			list = append(list, string(*res.Key.KID))
		}
	}
	slices.Sort(list)
	return list, nil
}
