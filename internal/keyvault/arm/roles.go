package arm

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const authorization = "/providers/Microsoft.Authorization"

// roleRoutes are the routes of role definitions and assignments at a scope (KV-121).
func roleRoutes(scope string) []face.Route[row] {
	definitions, assignments := scope+authorization+"/roleDefinitions", scope+authorization+"/roleAssignments"
	return []face.Route[row]{
		{Method: "GET", Path: definitions, Do: row{handle: (*request).listRoles}},
		{Method: "GET", Path: definitions + "/{role}", Do: row{handle: (*request).getRole}},
		{Method: "GET", Path: assignments, Do: row{handle: (*request).listAssignments}},
		{Method: "GET", Path: assignments + "/{assignment}", Do: row{handle: (*request).getAssignment}},
		{Method: "PUT", Path: assignments + "/{assignment}", Do: row{handle: (*request).putAssignment, action: keyvault.AssignRole}},
		{Method: "DELETE", Path: assignments + "/{assignment}", Do: row{handle: (*request).deleteAssignment}},
	}
}

type roleOut struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Properties rolePropertiesOut `json:"properties"`
}

type rolePropertiesOut struct {
	Name        string           `json:"roleName"`
	Type        string           `json:"type"`
	Description string           `json:"description"`
	Scopes      []string         `json:"assignableScopes"`
	Permissions []roleActionsOut `json:"permissions"`
}

type roleActionsOut struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// definitionID is the id of a role as a subscription sees it.
func definitionID(subscription, role string) string {
	return "/subscriptions/" + subscription + authorization + "/roleDefinitions/" + role
}

func (x *request) roleOut(r rights.Role) roleOut {
	list := func(names []string) []string { return append([]string{}, names...) }
	return roleOut{
		ID: definitionID(strings.ToLower(x.params["subscription"]), r.ID), Name: r.ID, Type: "Microsoft.Authorization/roleDefinitions",
		Properties: rolePropertiesOut{
			Name: r.Name, Type: "BuiltInRole", Description: r.Description, Scopes: []string{"/"},
			Permissions: []roleActionsOut{{list(r.Actions), list(r.NotActions), list(r.DataActions), []string{}}},
		},
	}
}

// listRoles lists the roles, or those that a filter names: how clients find a role's id.
func (x *request) listRoles() error {
	filter, err := x.filter("rolename", "type", "atscopeandbelow()")
	if err != nil {
		return err
	}
	name, kind := filter["rolename"], filter["type"]
	roles, err := x.vaults.Roles(x.r.Context(), x.caller, x.scope())
	if err != nil {
		return err
	}
	out := listOf[roleOut](nil)
	for _, r := range roles {
		if (name == "" || strings.EqualFold(name, r.Name)) && (kind == "" || strings.EqualFold(kind, "BuiltInRole")) {
			out.Value = append(out.Value, x.roleOut(r))
		}
	}
	return x.reply(out)
}

func (x *request) getRole() error {
	roles, err := x.vaults.Roles(x.r.Context(), x.caller, x.scope())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(roles, func(r rights.Role) bool { return strings.EqualFold(r.ID, x.params["role"]) })
	if i < 0 {
		return fault.New(fault.NotFound, "The specified role definition with ID '%.64s' does not exist", x.params["role"]).WithReason(reasonNoDefinition)
	}
	return x.reply(x.roleOut(roles[i]))
}

type assignmentIn struct {
	Properties struct {
		Role        string `json:"roleDefinitionId"`
		Principal   string `json:"principalId"`
		Kind        string `json:"principalType"`
		Description string `json:"description"`
		Condition   string `json:"condition"`
		Delegated   string `json:"delegatedManagedIdentityResourceId"`
	} `json:"properties"`
}

type assignmentOut struct {
	ID         string                  `json:"id"`
	Name       string                  `json:"name"`
	Type       string                  `json:"type"`
	Properties assignmentPropertiesOut `json:"properties"`
}

type assignmentPropertiesOut struct {
	Role        string               `json:"roleDefinitionId"`
	Principal   string               `json:"principalId"`
	Kind        rights.PrincipalKind `json:"principalType"`
	Scope       string               `json:"scope"`
	Description string               `json:"description,omitempty"`
	Created     time.Time            `json:"createdOn"`
	Updated     time.Time            `json:"updatedOn"`
	CreatedBy   string               `json:"createdBy"`
	UpdatedBy   string               `json:"updatedBy"`
}

func assignment(a rights.Assignment) assignmentOut {
	scope := a.Scope.String()
	return assignmentOut{
		ID: scope + authorization + "/roleAssignments/" + a.ID, Name: a.ID, Type: "Microsoft.Authorization/roleAssignments",
		Properties: assignmentPropertiesOut{
			Role: definitionID(a.Scope.Subscription, a.Role), Principal: a.Principal, Kind: a.Kind, Scope: scope,
			Description: a.Description, Created: a.Created, Updated: a.Created, CreatedBy: a.CreatedBy, UpdatedBy: a.CreatedBy,
		},
	}
}

// listAssignments lists those at the scope, above and inside it; filters are those of the
// original.
func (x *request) listAssignments() error {
	filter, err := x.filter("principalid", "assignedto()", "atscope()")
	if err != nil {
		return err
	}
	_, atScope := filter["atscope()"]
	list, err := x.vaults.Assignments(x.r.Context(), x.caller, x.scope(), rights.AssignmentFilter{
		AtScope: atScope, Principal: filter["principalid"], AssignedTo: filter["assignedto()"],
	})
	if err != nil {
		return err
	}
	out := listOf[assignmentOut](nil)
	for _, a := range list {
		out.Value = append(out.Value, assignment(a))
	}
	return x.reply(out)
}

func (x *request) getAssignment() error {
	a, err := x.vaults.Assignment(x.r.Context(), x.caller, x.scope(), x.params["assignment"])
	if err != nil {
		return err
	}
	return x.reply(assignment(a))
}

// definition is the end of a role definition's id; what stands before it says where it was
// read, not what it is.
var definition = regexp.MustCompile(`(?i)^/?(?:.*/)?providers/Microsoft\.Authorization/roleDefinitions/([^/]+)$`)

func (x *request) putAssignment() error {
	var in assignmentIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	p := in.Properties
	m := definition.FindStringSubmatch(p.Role)
	switch {
	case m == nil:
		return face.Malformed{Cause: fault.New(fault.Invalid, "Property roleDefinitionId has invalid value")}
	case p.Condition != "" || p.Delegated != "":
		return face.Malformed{Cause: fault.New(fault.Invalid, "Conditions and delegated identities are not supported in role assignments")}
	}
	a, created, err := x.vaults.AssignRole(x.r.Context(), x.caller, rights.Assignment{
		ID: x.params["assignment"], Scope: x.scope(), Role: m[1], Principal: p.Principal,
		Kind: rights.PrincipalKind(p.Kind), Description: p.Description,
	})
	if err != nil {
		return err
	}
	return x.replyPut(created, assignment(a))
}

// deleteAssignment answers what was taken away, or 204 if there was nothing.
func (x *request) deleteAssignment() error {
	a, err := x.vaults.UnassignRole(x.r.Context(), x.caller, x.scope(), x.params["assignment"])
	if fault.As(err).Reason == keyvault.ReasonNoAssignment {
		x.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	return x.reply(assignment(a))
}
