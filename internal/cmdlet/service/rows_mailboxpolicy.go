package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// mailboxPolicyRows are the policies of the mailbox family (section 3.2).
func mailboxPolicyRows() []row {
	return []row{newMailboxPolicyRow(), getMailboxPolicyRow(), setMailboxPolicyRow()}
}

func newMailboxPolicyRow() row {
	c := newPolicyRow()
	c.Name = "New-DataEncryptionPolicy"
	c.Synopsis = "Make a data encryption policy for mailboxes."
	c.Description = "The keys must lie in two vaults of two subscriptions, and the service principal Office 365 Exchange Online must be allowed to get, wrap and unwrap with them. Assign the policy to mailboxes with Set-Mailbox, or make it their default with Set-CKDefaultMailboxPolicy. At most 50 policies can be enabled."
	c.Examples = []string{`New-DataEncryptionPolicy -Name USA_mailboxes -AzureKeyIDs https://contoso-east.vault.localhost:8443/keys/root1,https://contoso-west.vault.localhost:8443/keys/root2 -Description "Root key for mailboxes in USA"`}
	c.Roles = rolesFor(policy.Mailbox, policy.Create)
	c.serve = servePolicy(newPolicy).of(policy.Mailbox)
	return c
}

func getMailboxPolicyRow() row {
	c := getPolicyRow()
	c.Name = "Get-DataEncryptionPolicy"
	c.Synopsis = "Show mailbox policies: keys, health, progress."
	c.Description += " -Identity also takes the DataEncryptionPolicyID that Get-MailboxStatistics shows, of now or of an earlier time."
	c.Examples = []string{`Get-DataEncryptionPolicy`, `Get-DataEncryptionPolicy -Identity USA_mailboxes`}
	c.Roles = rolesFor(policy.Mailbox, policy.Read)
	c.serve = servePolicy(getPolicy).of(policy.Mailbox)
	return c
}

// Parameter sets of Set-DataEncryptionPolicy (rows CK-112 to CK-119). The two of a purge are
// told apart by PermanentDataPurgeRequested, which the tenant's side must give.
const (
	refreshSet = "RefreshKey"
	replaceSet = "ReplaceKey"
	tenantSet  = "TenantAdminPurgeKeyRequest"
	serviceSet = "DCAdminPurgeKeyRequest"
)

func setMailboxPolicyRow() row {
	return row{serve: servePolicy(setPolicy).of(policy.Mailbox), Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-DataEncryptionPolicy",
		Synopsis:    "Refresh, replace keys, rename, disable, or request a purge.",
		Description: "-Refresh takes the newest enabled versions of the policy's two root keys, after they were rolled in their vaults. -Replace takes two other root keys; one of them may be one that the policy has. Either way new content is under the new keys at once and old content follows in the background; the old keys are needed until it has: see SafeToRetire. A disabled policy takes no more mailboxes and keeps those it has. The command asks before it changes anything: -Confirm:$false skips that.",
		Examples: []string{
			`Set-DataEncryptionPolicy -Identity USA_mailboxes -Refresh -Confirm:$false`,
			`Set-DataEncryptionPolicy -Identity USA_mailboxes -Replace -AzureKeyIDs https://contoso-north.vault.localhost:8443/keys/root1,https://contoso-south.vault.localhost:8443/keys/root2`,
			`Set-DataEncryptionPolicy -Identity USA_mailboxes -Enabled $false`,
			`Set-DataEncryptionPolicy -Identity USA_mailboxes -PermanentDataPurgeRequested -PermanentDataPurgeReason "Leaving the service" -PermanentDataPurgeContact admin@contoso.example`,
		},
		Params: []cmdlet.Param{
			identity(true, "Name, GUID or distinguished name of the policy, or the DataEncryptionPolicyID of a mailbox."),
			{Name: "Refresh", Type: cmdlet.Switch, Sets: []string{refreshSet}, Roles: rolesFor(policy.Mailbox, policy.Refresh), Help: "Take the newest versions of both root keys."},
			{Name: "Replace", Type: cmdlet.Switch, Mandatory: true, Sets: []string{replaceSet}, Roles: rolesFor(policy.Mailbox, policy.Replace), Help: "Swap the root keys for those of -AzureKeyIDs."},
			{Name: "AzureKeyIDs", Type: cmdlet.StringList, Mandatory: true, Sets: []string{replaceSet}, Roles: rolesFor(policy.Mailbox, policy.Replace), Help: "The URIs of the two new root keys."},
			{Name: "PermanentDataPurgeRequested", Type: cmdlet.Switch, Mandatory: true, Sets: []string{tenantSet}, Help: "Ask that everything under the policy is destroyed for good. From then on it takes no more mailboxes."},
			{Name: "PermanentDataPurgeReason", Type: cmdlet.String, Mandatory: true, Sets: []string{tenantSet, serviceSet}, Help: "Why."},
			{Name: "PermanentDataPurgeContact", Type: cmdlet.String, Sets: []string{tenantSet, serviceSet}, Help: "Whom to ask about it; needed with -PermanentDataPurgeRequested."},
			{Name: "Enabled", Type: cmdlet.Bool, Roles: rolesFor(policy.Mailbox, policy.Update), Help: "Whether the policy can be assigned."},
			{Name: "Name", Type: cmdlet.String, Roles: rolesFor(policy.Mailbox, policy.Update), Help: "A new name, unique among mailbox policies."},
			{Name: "Description", Type: cmdlet.String, Roles: rolesFor(policy.Mailbox, policy.Update), Help: "A new description."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask; with a purge: also if a vault of the policy has been deleted."},
			domainController,
		},
		DefaultSet: refreshSet, Impact: cmdlet.High, Side: cmdlet.Service, Roles: append(rolesFor(policy.Mailbox, policy.Update, policy.Refresh, policy.Replace, policy.Purge), operators...),
		SetRoles: map[string]cmdlet.Rights{tenantSet: rolesFor(policy.Mailbox, policy.Purge), serviceSet: operators},
		Check:    checkSetPolicy,
	}}
}
