package resourcemanager

import (
	"context"
	"path"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// roleOwner is the id of the role Owner, the same everywhere.
const roleOwner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

// maxLooked bounds how many assignments and resources of a subscription are looked through.
const maxLooked = 5000

// Owners returns the object ids of those who have the role Owner on a subscription.
func (r *Reader) Owners(ctx context.Context, id string) (owners []string, err error) {
	if err := isID(id); err != nil {
		return nil, err
	}
	err = r.ask(ctx, func(ctx context.Context) error {
		client, err := armauthorization.NewRoleAssignmentsClient(id, r.credential, r.options())
		if err != nil {
			return err
		}
		owners = nil
		looked := 0
		for pager := client.NewListForSubscriptionPager(&armauthorization.RoleAssignmentsClientListForSubscriptionOptions{Filter: to.Ptr("atScope()")}); pager.More() && looked < maxLooked; {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return err
			}
			looked += len(page.Value) + 1
			for _, a := range present(page.Value) {
				if p := a.Properties; p != nil && strings.EqualFold(path.Base(deref(p.RoleDefinitionID)), roleOwner) {
					owners = append(owners, strings.ToLower(deref(p.PrincipalID)))
				}
			}
		}
		return nil
	})
	return owners, err
}

// Others returns the types of the resources of a subscription that are no vaults, each once.
func (r *Reader) Others(ctx context.Context, id string) (types []string, err error) {
	if err := isID(id); err != nil {
		return nil, err
	}
	err = r.ask(ctx, func(ctx context.Context) error {
		client, err := armresources.NewClient(id, r.credential, r.options())
		if err != nil {
			return err
		}
		types = nil
		seen, looked := map[string]bool{}, 0
		for pager := client.NewListPager(nil); pager.More() && looked < maxLooked; {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return err
			}
			looked += len(page.Value) + 1
			for _, one := range present(page.Value) {
				kind := deref(one.Type)
				if !strings.EqualFold(kind, vaultType) && !seen[strings.ToLower(kind)] {
					seen[strings.ToLower(kind)] = true
					types = append(types, kind)
				}
			}
		}
		return nil
	})
	return types, err
}
