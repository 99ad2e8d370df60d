package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what customers see who lose their keys or leave.
const (
	purgeType          = "CKPurge"
	purgeContainerType = "CKPurgeContainer"
	recoveryType       = "CKRecovery"
	offboardingType    = "CKOffboarding"
)

// purgeHelp says in which order a purge goes.
const purgeHelp = "Before: move all content that shall go under one policy, and have the keepers of both vaults remove the service's permissions there. Then ask: an officer of the family and an operator approve exactly what is listed here, and until the waiting period ends Deny-CKRequest and Remove-CKRequest still stop it. What is destroyed then, nothing brings back."

// departingRows are for the end: root keys that are lost (rows CK-74 to CK-80), a policy that is
// left for the service's own keys (CK-249), and data that is destroyed for ever (CK-253 to CK-260).
func departingRows() []row {
	return []row{
		requestRecoveryRow(), getRecoveryRow(), stopRecoveryRow(), requestOffboardingRow(), getOffboardingRow(),
		requestPurgeRow(), getPurgeRow(), getPurgeContainerRow(),
	}
}

func requestRecoveryRow() row {
	return row{serve: requestRecovery, Cmdlet: cmdlet.Cmdlet{
		Name:     "Request-CKRecovery",
		Synopsis: "Ask to open content whose root keys are both lost.",
		Description: "Try first, in this order: enable the keys and give the service its permissions back; undo the deletion of a key or a vault, which works for 90 days; restore a key from its backup. " +
			"Only then ask for this. An officer of the family and an operator of the service approve; then everybody reads what is under the policy by the availability key, without a root key, until the time ends or Stop-CKRecovery ends it. " +
			"Meanwhile give the policy two new root keys with -Replace, or assign another policy: content moves under them by itself. For SharePoint the approval lets Restore-SPODataEncryptionPolicy take two new root keys.",
		Examples: []string{`Request-CKRecovery -Identity Contoso_Global -Reason "both vaults were purged by a former employee"`},
		Params: []cmdlet.Param{
			identity(true, "Name or GUID of the policy."),
			{Name: "Reason", Type: cmdlet.String, Mandatory: true, Help: "How the root keys were lost, for those who approve."},
		},
		Output: approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.Recover),
	}}
}

func getRecoveryRow() row {
	return row{serve: getRecovery, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKRecovery",
		Synopsis: "Show whether content is open without its root keys, and for how long.",
		Examples: []string{`Get-CKRecovery -Identity Contoso_Global`},
		Params:   []cmdlet.Param{identity(true, "Name or GUID of the policy.")},
		Output:   recoveryType, Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func stopRecoveryRow() row {
	return row{serve: stopRecovery, Cmdlet: cmdlet.Cmdlet{
		Name:        "Stop-CKRecovery",
		Synopsis:    "End a recovery before its time.",
		Description: "From then on users need a root key again. Content that has moved under new root keys stays readable.",
		Examples:    []string{`Stop-CKRecovery -Identity Contoso_Global`},
		Params:      []cmdlet.Param{identity(true, "Name or GUID of the policy.")},
		Impact:      cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.Recover),
	}}
}

func requestOffboardingRow() row {
	return row{serve: requestOffboarding, Cmdlet: cmdlet.Cmdlet{
		Name:        "Request-CKOffboarding",
		Synopsis:    "Ask to go back to the keys of the service, for all that is under a policy.",
		Description: "Nothing is destroyed. Once it is approved the policy covers nothing any more, and content moves in the background. Keep the vaults, the keys and the permissions until Get-CKOffboarding shows SafeToRemovePermission: True.",
		Examples:    []string{`Request-CKOffboarding -Identity Contoso_Global -TenantDomain contoso.example -Contact it@contoso.example -Reason "we give up our own keys"`},
		Params: []cmdlet.Param{
			identity(true, "Name or GUID of the policy."),
			{Name: "TenantDomain", Type: cmdlet.String, Mandatory: true, Help: "Domain of the organization, for those who approve."},
			{Name: "Contact", Type: cmdlet.String, Mandatory: true, Help: "Whom to ask about it."},
			{Name: "Reason", Type: cmdlet.String, Mandatory: true, Help: "Why."},
		},
		Output: approvalType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.Offboard),
	}}
}

func getOffboardingRow() row {
	return row{serve: getOffboarding, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-CKOffboarding",
		Synopsis:    "Show whether anything still needs the root keys of a policy.",
		Description: "SafeToRemovePermission is True once the policy is in force nowhere and nothing is under it: then the vaults are not asked any more.",
		Examples:    []string{`Get-CKOffboarding -Identity Contoso_Global`},
		Params:      []cmdlet.Param{identity(true, "Name or GUID of the policy.")},
		Output:      offboardingType, Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func requestPurgeRow() row {
	return row{serve: requestAnyPurge, Cmdlet: cmdlet.Cmdlet{
		Name:        "Request-CKPurge",
		Synopsis:    "Ask that everything under a policy is destroyed for ever.",
		Description: "The same as Set-DataEncryptionPolicy -PermanentDataPurgeRequested, for every family that the service purges. With -WhatIf it says what would be destroyed, and what stands in the way. " + purgeHelp,
		Examples:    []string{`Request-CKPurge -Identity USA_mailboxes -Reason "Leaving the service" -Contact legal@contoso.example -WhatIf`},
		Params: []cmdlet.Param{
			identity(true, "Name or GUID of the policy."),
			{Name: "Reason", Type: cmdlet.String, Mandatory: true, Help: "Why."},
			{Name: "Contact", Type: cmdlet.String, Mandatory: true, Help: "Whom to ask about it."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask; also if a vault of the policy has been deleted."},
		},
		Output: approvalType, Impact: cmdlet.High, Side: cmdlet.Service, Roles: rolesForAny(policy.Purge),
	}}
}

func getPurgeRow() row {
	return row{serve: getPurge, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-CKPurge",
		Synopsis:    "Show what a purge would destroy, or has destroyed.",
		Description: "As long as no purge was asked for, this is the dry run. Once it was carried out, Record is the signed record of it: keep it, and check it with ck purge verify. " + purgeHelp,
		Examples:    []string{`Get-CKPurge -Identity USA_mailboxes`},
		Params: []cmdlet.Param{
			identity(true, "Name or GUID of the policy."),
			{Name: "Force", Type: cmdlet.Switch, Help: "Look at obstacles as if -Force were given."},
		},
		Output: purgeType, Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func getPurgeContainerRow() row {
	return row{serve: getPurgeContainers, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKPurgeContainer",
		Synopsis: "List the mailboxes, sites and teams that a purge of a policy concerns.",
		Examples: []string{`Get-CKPurgeContainer -Identity USA_mailboxes`},
		Params:   []cmdlet.Param{identity(true, "Name or GUID of the policy.")},
		Output:   purgeContainerType, Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func departingViews() []cmdlet.View {
	return []cmdlet.View{
		{Type: purgeType},
		{Type: purgeContainerType, Summary: true, Table: []cmdlet.Column{{Label: "Workload", Property: "Workload"}, {Label: "Name", Property: "Name"}, {Label: "Items", Property: "Items"}, {Label: "Bytes", Property: "Bytes"}}},
		{Type: recoveryType},
		{Type: offboardingType},
	}
}
