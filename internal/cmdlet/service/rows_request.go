package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
)

// Type names of what waits for approval, and of who approves.
const (
	approvalType = "CKRequest"
	officerType  = "CKOfficer"
)

// families are how parameters name the families of policies.
var families = []string{"multi-workload", "mailbox", "sharepoint"}

// requestRows are for those who approve: officers of an organization (row CK-217), who may hold no
// role at all, and operators of the service. Package request decides who may do what.
func requestRows() []row {
	return []row{
		{serve: getRequest, Cmdlet: cmdlet.Cmdlet{
			Name:        "Get-CKRequest",
			Synopsis:    "Show what waits for approval, and what became of it.",
			Description: "Administrators and officers see the requests of their organization, operators of the service those of all organizations that an operator can decide. With -Identity it shows one in full: what a dry run listed, who has approved, and the digest by which it is approved.",
			Examples:    []string{`Get-CKRequest`, `Get-CKRequest -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55`, `Get-CKRequest -All`},
			Params: []cmdlet.Param{
				identity(false, "Id of one request; all that are open unless given."),
				{Name: "All", Type: cmdlet.Switch, Help: "Show also those that have come to their end."},
			},
			Output: approvalType, Detail: "Identity", Side: cmdlet.Service, Anyone: true,
		}},
		{serve: approveRequest, Cmdlet: cmdlet.Cmdlet{
			Name:        "Approve-CKRequest",
			Synopsis:    "Approve a request, as an officer or as an operator of the service.",
			Description: "Nobody approves his own request, and one person is one approval. -Digest says that you approve what you have seen. With the last approval the request takes effect, at once or after its waiting period, in which Deny-CKRequest and Remove-CKRequest still stop it.",
			Examples:    []string{`Approve-CKRequest -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55 -Digest 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef`},
			Params: []cmdlet.Param{
				identity(true, "Id of the request, as Get-CKRequest shows it."),
				{Name: "Digest", Type: cmdlet.String, Position: 2, Mandatory: true, Help: "Digest of the request, as Get-CKRequest -Identity shows it."},
				{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
			},
			Output: approvalType, Impact: cmdlet.High, Side: cmdlet.Service, Anyone: true,
		}},
		{serve: denyRequest, Cmdlet: cmdlet.Cmdlet{
			Name:        "Deny-CKRequest",
			Synopsis:    "Deny a request, as an officer or as an operator of the service.",
			Description: "It ends the request for good, also one that is approved and in its waiting period. What is still wanted has to be asked for again.",
			Examples:    []string{`Deny-CKRequest -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55 -Reason "not agreed with legal"`},
			Params:      endParams(),
			Output:      approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Anyone: true,
		}},
		{serve: removeRequest, Cmdlet: cmdlet.Cmdlet{
			Name:        "Remove-CKRequest",
			Synopsis:    "Take a request back, before it takes effect.",
			Description: "Who asked can, and a Global Administrator of the organization. What has begun cannot be stopped this way.",
			Examples:    []string{`Remove-CKRequest -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55`},
			Params:      endParams(),
			Output:      approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Anyone: true,
		}},
		{serve: getOfficers, Cmdlet: cmdlet.Cmdlet{
			Name:     "Get-CKOfficer",
			Synopsis: "Show who approves on behalf of the organization.",
			Examples: []string{`Get-CKOfficer`, `Get-CKOfficer -Family mailbox`},
			Params:   []cmdlet.Param{{Name: "Family", Type: cmdlet.String, Position: 1, Values: families, Help: "Officers of this family of policies only."}},
			Output:   officerType, Side: cmdlet.Service, Anyone: true,
		}},
		{serve: addOfficer, Cmdlet: cmdlet.Cmdlet{
			Name:        "Add-CKOfficer",
			Synopsis:    "Name an officer, who approves what cannot be undone.",
			Description: "It takes the role Global Administrator. The first officer of a family is named at once. Every later one is asked for, and an officer of the family or an operator of the service approves: nobody can name himself the one who approves what he asks for.",
			Examples:    []string{`Add-CKOfficer -Family mailbox -Identity cfo@contoso.example`},
			Params:      officerParams("Who shall be an officer: user principal name or object id."),
			Output:      approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: cmdlet.Rights{{Role: directory.GlobalAdministrator}},
		}},
		{serve: removeOfficer, Cmdlet: cmdlet.Cmdlet{
			Name:        "Remove-CKOfficer",
			Synopsis:    "Ask that somebody is no officer any more.",
			Description: "It takes the role Global Administrator, and the approval of an officer of the family or of an operator of the service. What the officer has approved stays approved.",
			Examples:    []string{`Remove-CKOfficer -Family mailbox -Identity cfo@contoso.example`},
			Params:      officerParams("Who is an officer: name or object id, as Get-CKOfficer shows them."),
			Output:      approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: cmdlet.Rights{{Role: directory.GlobalAdministrator}},
		}},
	}
}

func endParams() []cmdlet.Param {
	return []cmdlet.Param{
		identity(true, "Id of the request, as Get-CKRequest shows it."),
		{Name: "Reason", Type: cmdlet.String, Help: "Why; everybody who sees the request reads it."},
	}
}

func officerParams(help string) []cmdlet.Param {
	return []cmdlet.Param{
		{Name: "Family", Type: cmdlet.String, Mandatory: true, Values: families, Help: "Family of policies."},
		{Name: "Identity", Type: cmdlet.ID, Position: 1, Mandatory: true, Help: help},
	}
}

func requestViews() []cmdlet.View {
	return []cmdlet.View{
		{
			Type: approvalType,
			Table: []cmdlet.Column{
				{Label: "Identity", Property: "Identity"}, {Label: "Kind", Property: "Kind"}, {Label: "Subject", Property: "Subject"}, {Label: "State", Property: "State"}, {Label: "Waits For", Property: "WaitsFor"},
				{Label: "Requested By", Property: "RequestedBy"}, {Label: "Requested At", Property: "RequestedAt"}, {Label: "Tenant", Property: "TenantId"},
			},
		},
		{
			Type: officerType, Summary: true,
			Table: []cmdlet.Column{{Label: "Family", Property: "Family"}, {Label: "Name", Property: "Name"}, {Label: "Named By", Property: "NamedBy"}, {Label: "Named At", Property: "NamedAt"}, {Label: "Object Id", Property: "ObjectId"}},
		},
	}
}
