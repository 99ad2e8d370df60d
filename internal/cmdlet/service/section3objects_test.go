package service

import (
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-158 to CK-163: the properties that automation reads, and what only this service can tell.
// CK-125: those of mailboxes.
func TestSection3Properties(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		row    string
		object cmdlet.Object
		names  string
	}{
		{"CK-158", policyObject("", policy.Status{}, health.Report{}), "Name Description Enabled AzureKeyIDs Identity"},
		{"CK-159", policyObject("", policy.Status{}, health.Report{}), "PermanentDataPurgeContact PermanentDataPurgeReason"},
		{"CK-160 to CK-162", policyObject("", policy.Status{}, health.Report{}), "Guid DistinguishedName State DateCreated DataEncryptionPolicyType"},
		{"CK-163", policyObject("", policy.Status{}, health.Report{}), "KeyVersions RootHealth AvailabilityKeyUses ObjectsCovered PercentEncrypted"},
		{"CK-120 CK-124", mailboxObject(mailbox.Mailbox{}, nil), "Identity DataEncryptionPolicy"},
		{"CK-125", statisticsObject(mailbox.Standing{}), "IsEncrypted DataEncryptionPolicyID"},
		{"CK-154", onboardingObject("", onboarding.Report{}), "ID CreatedDate ValidationResult EnablementResult PassedValidations FailedValidations"},
	} {
		for _, name := range strings.Fields(tt.names) {
			if !slices.ContainsFunc(tt.object.Fields, func(f cmdlet.Field) bool { return f.Name == name }) {
				t.Errorf("%s: there is no %s", tt.row, name)
			}
		}
	}
}
