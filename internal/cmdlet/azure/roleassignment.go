package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// newRoleAssignment gives somebody a role at a scope.
func (e *Environment) newRoleAssignment(ctx context.Context, call *cmdlet.Call) error {
	name, scope := call.Args.Text("RoleDefinitionName"), call.Args.Text("Scope")
	parts := strings.Split(strings.Trim(scope, "/"), "/")
	if len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") || !guid.MatchString(parts[1]) {
		return fault.New(fault.Invalid, "%.200q is no scope", scope).WithHint("give one such as /subscriptions/ID, or the resource id of a vault")
	}
	object, err := e.principal(ctx, call)
	if err != nil {
		return err
	}
	role, err := e.roleNamed(ctx, scope, name)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Assign the role "+name+" to "+object, scope); err != nil || !proceed {
		return err
	}
	client, err := armauthorization.NewRoleAssignmentsClient(parts[1], e.c.Credential, e.armOptions())
	if err != nil {
		return err
	}
	properties := &armauthorization.RoleAssignmentProperties{PrincipalID: to.Ptr(object), RoleDefinitionID: to.Ptr(role)}
	if call.Args.Has("ServicePrincipalName") {
		properties.PrincipalType = to.Ptr(armauthorization.PrincipalTypeServicePrincipal)
	}
	res, err := client.Create(ctx, scope, uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{Properties: properties}, nil)
	if err != nil {
		return err
	}
	kind := ""
	if res.Properties != nil {
		kind = string(deref(res.Properties.PrincipalType))
	}
	return call.Host.Object(cmdlet.Object{Type: cmdlet.RoleAssignmentType, Fields: []cmdlet.Field{
		{Name: "RoleDefinitionName", Value: name},
		{Name: "Scope", Value: scope},
		{Name: "ObjectId", Value: object},
		{Name: "ObjectType", Value: kind},
		{Name: "RoleDefinitionId", Value: role},
		{Name: "RoleAssignmentId", Value: deref(res.ID)},
	}})
}

// roleNamed returns the id of a role by its name.
func (e *Environment) roleNamed(ctx context.Context, scope, name string) (string, error) {
	client, err := armauthorization.NewRoleDefinitionsClient(e.c.Credential, e.armOptions())
	if err != nil {
		return "", err
	}
	filter := "roleName eq " + literal(name)
	for pager := client.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: &filter}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, role := range page.Value {
			if role.Properties != nil && strings.EqualFold(deref(role.Properties.RoleName), name) {
				return deref(role.ID), nil
			}
		}
	}
	return "", fault.New(fault.NotFound, "there is no role %.64q", name).WithHint(`roles are, for instance, Reader and "Key Vault Crypto Service Encryption User"`)
}
