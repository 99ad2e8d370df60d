package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// onboardingType is the type name of onboarding requests.
const onboardingType = "CustomerKeyOnboardingRequest"

// onboardingRows are section 3.4.
func onboardingRows() []row {
	organization := cmdlet.Param{Name: "OrganizationId", Type: cmdlet.String, Mandatory: true, Help: "Id or domain of your organization."}
	text := func(name, help string) cmdlet.Param {
		return cmdlet.Param{Name: name, Type: cmdlet.String, Mandatory: true, Help: help}
	}
	return []row{
		{serve: newOnboarding, Cmdlet: cmdlet.Cmdlet{
			Name:        "New-CustomerKeyOnboardingRequest",
			Synopsis:    "Check whether two root keys are ready for a family of policies, and enable it.",
			Description: "It looks at both subscriptions, both vaults and both keys, wraps and unwraps with them, and shows every condition with what to type next where it is not met. Validate changes nothing; Enable asks for the family after a pass, and where the service has it so an operator approves.",
			Examples: []string{
				`New-CustomerKeyOnboardingRequest -OrganizationId contoso.example -Scenario MDEP -Subscription1 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -KeyIdentifier1 https://contoso-east.vault.localhost:8443/keys/root1 -Subscription2 1b3b7f3a-0a57-4f0e-8d0b-0d6f4e0a5c22 -KeyIdentifier2 https://contoso-west.vault.localhost:8443/keys/root2 -OnboardingMode Validate`,
				`New-CustomerKeyOnboardingRequest -OrganizationId contoso.example -Scenario SPO -Subscription1 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -KeyIdentifier1 https://contoso-east.vault.localhost:8443/keys/files1 -Subscription2 1b3b7f3a-0a57-4f0e-8d0b-0d6f4e0a5c22 -KeyIdentifier2 https://contoso-west.vault.localhost:8443/keys/files2 -OnboardingMode Enable`,
			},
			Params: []cmdlet.Param{
				organization,
				{Name: "Scenario", Type: cmdlet.String, Mandatory: true, Values: []string{"MDEP", "EDP", "SPO"}, Help: "MDEP: all workloads of the organization. EDP: mailboxes. SPO: SharePoint and OneDrive."},
				text("Subscription1", "Id of the subscription of the first vault."),
				text("KeyIdentifier1", "URI of the first key."),
				text("Subscription2", "Id of the subscription of the second vault."),
				text("KeyIdentifier2", "URI of the second key."),
				{Name: "OnboardingMode", Type: cmdlet.String, Mandatory: true, Values: []string{"Validate", "Enable"}, Help: "Validate only looks; Enable asks for the family after a pass."},
			},
			Output: onboardingType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.Create),
		}},
		{serve: getOnboarding, Cmdlet: cmdlet.Cmdlet{
			Name:     "Get-CustomerKeyOnboardingRequest",
			Synopsis: "Show earlier onboarding requests, and how far they are.",
			Examples: []string{`Get-CustomerKeyOnboardingRequest -OrganizationId contoso.example`},
			Params: []cmdlet.Param{
				organization,
				{Name: "RequestId", Type: cmdlet.String, Help: "Id of one request; all unless given."},
			},
			Output: onboardingType, Detail: "RequestId", Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
		}},
	}
}

func onboardingViews() []cmdlet.View {
	return []cmdlet.View{{
		Type: onboardingType,
		Table: []cmdlet.Column{
			{Label: "ID", Property: "ID"}, {Label: "Scenario", Property: "Scenario"}, {Label: "Mode", Property: "OnboardingMode"}, {Label: "CreatedDate", Property: "CreatedDate"},
			{Label: "ValidationResult", Property: "ValidationResult"}, {Label: "EnablementResult", Property: "EnablementResult"},
		},
		List: []cmdlet.Column{ // the rest says the same in other words, for programs
			{Label: "ID", Property: "ID"}, {Label: "CreatedDate", Property: "CreatedDate"}, {Label: "CreatedBy", Property: "CreatedBy"}, {Label: "Scenario", Property: "Scenario"}, {Label: "OnboardingMode", Property: "OnboardingMode"},
			{Label: "ValidationResult", Property: "ValidationResult"}, {Label: "EnablementResult", Property: "EnablementResult"}, {Label: "ApprovalRequestId", Property: "ApprovalRequestId"},
			{Label: "Outcome", Property: "Outcome"}, {Label: "Checks", Property: "Checks"},
		},
	}}
}
