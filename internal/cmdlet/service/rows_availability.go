package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what the cmdlets of availability keys return.
const (
	availabilityKeyType = "CKAvailabilityKey"
	availabilityUseType = "CKAvailabilityKeyUse"
)

// availabilityRows are about the third wrapper of policy keys, which the service holds (rows CK-80,
// CK-312, CK-320).
func availabilityRows() []row {
	return []row{getAvailabilityKeyRow(), getAvailabilityUseRow(), setAvailabilityLimitRow(), updateAvailabilityKeyRow()}
}

func getAvailabilityKeyRow() row {
	return row{serve: getAvailabilityKey, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKAvailabilityKey",
		Synopsis: "Show the availability keys of policies: scope, age, uses, limit.",
		Description: "The service wraps each policy key with a key of its own, beside your two root keys. It is used when neither vault can be reached, and for the service's own work when both root keys are denied; never first, and for SharePoint only when you order it. " +
			"Uses counts every use; a blank LimitPerDay means that uses after a denial are not limited. State Rolling: there is a newer key, which the policy takes once both root keys work.",
		Examples: []string{`Get-CKAvailabilityKey`, `Get-CKAvailabilityKey -Identity Contoso_Global`},
		Params:   []cmdlet.Param{identity(false, "Name, GUID or distinguished name of a policy; all policies unless given."), domainController},
		Output:   availabilityKeyType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func getAvailabilityUseRow() row {
	return row{serve: getAvailabilityUse, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKAvailabilityKeyUse",
		Synopsis: "Show each use of a policy's availability key, the newest first.",
		Description: "One record for each use, written before it. Initiator user: somebody's request, served because neither vault could be reached. Initiator system: the service's own work. " +
			"One use opens the policy key for a minute. RequestId is also in the vaults' logs.",
		Examples: []string{`Get-CKAvailabilityKeyUse -Identity Contoso_Global`},
		Params:   []cmdlet.Param{identity(true, "Name, GUID or distinguished name of the policy."), domainController},
		Output:   availabilityUseType, Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func setAvailabilityLimitRow() row {
	return row{serve: setAvailabilityLimit, Cmdlet: cmdlet.Cmdlet{
		Name:     "Set-CKAvailabilityKeyLimit",
		Synopsis: "Limit how often a day the service may use an availability key after a denial.",
		Description: "It is for the service's own work while both root keys of the policy are denied: such as moving content to another policy. 0 forbids it: then a denial stops all of the service's work with the content, a recovery by that too. $null, which is how policies begin, allows any number. " +
			"An outage of both vaults is not limited. The limit holds at once, and counts what was used today, in UTC.",
		Examples: []string{
			`Set-CKAvailabilityKeyLimit -Identity Contoso_Global -PerDay 100`,
			`Set-CKAvailabilityKeyLimit -Identity Contoso_Global -PerDay $null`,
		},
		Params: []cmdlet.Param{
			identity(true, "Name, GUID or distinguished name of the policy."),
			{Name: "PerDay", Type: cmdlet.Int, Mandatory: true, AllowNull: true, Help: "The most uses a day; 0: none; $null: any number."},
			domainController,
		},
		Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.LimitAvailability),
	}}
}

func updateAvailabilityKeyRow() row {
	return row{serve: updateAvailabilityKey, Cmdlet: cmdlet.Cmdlet{
		Name:     "Update-CKAvailabilityKey",
		Synopsis: "Roll the availability keys of an organization, or of all.",
		Description: "For operators of the service. Each policy gets a new availability key, and a new policy key under it and its two root keys; content follows in the background, and the old keys are destroyed when nothing needs them. Nobody sees a key. " +
			"A policy whose root keys do not both work is tried again every hour. The key that SharePoint policies of all organizations share is rolled with -All only.",
		Examples: []string{`Update-CKAvailabilityKey -Identity 8a7f7c54-6f1e-4d0b-9a39-0d2f7a3b1c11`, `Update-CKAvailabilityKey -All`},
		Params: []cmdlet.Param{
			{Name: "Identity", Type: cmdlet.ID, Position: 1, Mandatory: true, Sets: []string{"Organization"}, Help: "Id of the organization."},
			{Name: "All", Type: cmdlet.Switch, Mandatory: true, Sets: []string{"All"}, Help: "All organizations. It begins within a minute."},
		},
		DefaultSet: "Organization", Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: operators,
	}}
}

func availabilityViews() []cmdlet.View {
	return []cmdlet.View{
		{Type: availabilityKeyType, Table: []cmdlet.Column{
			{Label: "Policy", Property: "Identity"}, {Label: "Scope", Property: "Scope"}, {Label: "Algorithm", Property: "Algorithm"}, {Label: "State", Property: "State"}, {Label: "Created", Property: "Created"},
			{Label: "Today", Property: "UsesToday"}, {Label: "Uses", Property: "Uses"}, {Label: "LimitPerDay", Property: "LimitPerDay"},
		}},
		{Type: availabilityUseType, Summary: true, Table: []cmdlet.Column{
			{Label: "Time", Property: "CreationTime"}, {Label: "Initiator", Property: "Initiator"}, {Label: "UserId", Property: "UserId"}, {Label: "Cause", Property: "Cause"}, {Label: "RequestId", Property: "RequestId"},
		}},
	}
}
