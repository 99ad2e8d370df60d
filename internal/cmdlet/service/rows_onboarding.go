package cmdlet

import (
	"github.com/customerkey/customerkey/internal/policy"
)

// onboardingType is the type name of onboarding requests.
const onboardingType = "CustomerKeyOnboardingRequest"

// onboardingRows are section 3.4.
func onboardingRows() []Cmdlet {
	organization := Param{Name: "OrganizationId", Type: String, Mandatory: true, Help: "Id or domain of your organization."}
	text := func(name, help string) Param { return Param{Name: name, Type: String, Mandatory: true, Help: help} }
	return []Cmdlet{
		{
			Name:        "New-CustomerKeyOnboardingRequest",
			Synopsis:    "Check whether two root keys are ready for a family of policies, and enable it.",
			Description: "It looks at both subscriptions, both vaults and both keys, wraps and unwraps with them, and shows every condition with what to type next where it is not met. Validate changes nothing; Enable asks for the family after a pass, and where the service has it so an operator approves.",
			Examples: []string{
				`New-CustomerKeyOnboardingRequest -OrganizationId contoso.example -Scenario MDEP -Subscription1 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -KeyIdentifier1 https://contoso-east.vault.localhost:8443/keys/root1 -Subscription2 1b3b7f3a-0a57-4f0e-8d0b-0d6f4e0a5c22 -KeyIdentifier2 https://contoso-west.vault.localhost:8443/keys/root2 -OnboardingMode Validate`,
				`New-CustomerKeyOnboardingRequest -OrganizationId contoso.example -Scenario SPO -Subscription1 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -KeyIdentifier1 https://contoso-east.vault.localhost:8443/keys/files1 -Subscription2 1b3b7f3a-0a57-4f0e-8d0b-0d6f4e0a5c22 -KeyIdentifier2 https://contoso-west.vault.localhost:8443/keys/files2 -OnboardingMode Enable`,
			},
			Params: []Param{
				organization,
				{Name: "Scenario", Type: String, Mandatory: true, Values: []string{"MDEP", "EDP", "SPO"}, Help: "MDEP: all workloads of the organization. EDP: mailboxes. SPO: SharePoint and OneDrive."},
				text("Subscription1", "Id of the subscription of the first vault."),
				text("KeyIdentifier1", "URI of the first key."),
				text("Subscription2", "Id of the subscription of the second vault."),
				text("KeyIdentifier2", "URI of the second key."),
				{Name: "OnboardingMode", Type: String, Mandatory: true, Values: []string{"Validate", "Enable"}, Help: "Validate only looks; Enable asks for the family after a pass."},
			},
			Output: onboardingType, Impact: Medium, Side: Service, Roles: rolesForAny(policy.Create), serve: newOnboarding,
		},
		{
			Name:     "Get-CustomerKeyOnboardingRequest",
			Synopsis: "Show earlier onboarding requests, and how far they are.",
			Examples: []string{`Get-CustomerKeyOnboardingRequest -OrganizationId contoso.example`},
			Params: []Param{
				organization,
				{Name: "RequestId", Type: String, Help: "Id of one request; all unless given."},
			},
			Output: onboardingType, Detail: "RequestId", Side: Service, Roles: rolesForAny(policy.Read), serve: getOnboarding,
		},
	}
}

func onboardingViews() []View {
	return []View{{
		Type: onboardingType,
		Table: []Column{
			{"ID", "ID"}, {"Scenario", "Scenario"}, {"Mode", "OnboardingMode"}, {"CreatedDate", "CreatedDate"},
			{"ValidationResult", "ValidationResult"}, {"EnablementResult", "EnablementResult"},
		},
		List: []Column{ // the rest says the same in other words, for programs
			{"ID", "ID"}, {"CreatedDate", "CreatedDate"}, {"CreatedBy", "CreatedBy"}, {"Scenario", "Scenario"}, {"OnboardingMode", "OnboardingMode"},
			{"ValidationResult", "ValidationResult"}, {"EnablementResult", "EnablementResult"}, {"ApprovalRequestId", "ApprovalRequestId"},
			{"Outcome", "Outcome"}, {"Checks", "Checks"},
		},
	}}
}
