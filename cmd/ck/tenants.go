package main

import (
	"context"
	"errors"

	"github.com/customerkey/customerkey/internal/api"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// tenants is what operators do at the API: it needs the directory and the policies, which know
// nothing of each other.
type tenants struct{ *node }

// Add implements api.Tenants. The policy that the service owns comes before the administrator:
// whoever can sign in finds everything there.
func (n tenants) Add(ctx context.Context, c directory.Caller, in api.NewTenant) (directory.Tenant, directory.Person, string, error) {
	none := directory.Person{}
	t, err := n.directory.CreateTenant(ctx, c, in.Name, in.Domain)
	if fault.Is(err, fault.Conflict) { // perhaps an earlier call that broke off: it is so if nobody is in it
		t, err = n.directory.Tenant(ctx, in.Domain)
	}
	if err != nil {
		return t, none, "", err
	}
	if err := n.coverTenant(ctx, t); err != nil {
		return t, none, "", err
	}
	password := directory.GeneratePassword()
	admin, err := n.directory.CreatePerson(ctx, c, directory.Person{
		Tenant: t.ID, UPN: in.Administrator, Roles: []directory.Role{directory.GlobalAdministrator},
	}, password, true)
	if fault.Is(err, fault.Conflict) {
		err = errors.Join(fault.New(fault.Conflict, "there is a tenant %s already, and it has people", t.Domain).
			WithHint("its administrators add people; an operator does not"), err)
	}
	return t, admin, password, err
}

// coverTenant gives a tenant the policy that the service owns.
func (n *node) coverTenant(ctx context.Context, t directory.Tenant) error {
	provider, err := n.directory.Tenant(ctx, providerDomain)
	if err != nil {
		return err
	}
	roots, err := n.ensureServiceRoots(ctx, provider)
	if err != nil {
		return err
	}
	_, err = n.policies.EnsureServicePolicy(ctx, t.ID, roots)
	return err
}

// List implements api.Tenants.
func (n tenants) List(ctx context.Context, c directory.Caller, after string, limit int) ([]directory.Tenant, error) {
	return n.directory.ListTenants(ctx, c, after, limit)
}
