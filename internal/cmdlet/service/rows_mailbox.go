package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what commands about mailboxes return.
const (
	mailboxType    = "Mailbox"
	statisticsType = "MailboxStatistics"
)

// mailboxRows give mailboxes their policies and show them (rows CK-120 to CK-126).
func mailboxRows() []row {
	return []row{
		getMailboxRow("Get-Mailbox", "Show mailboxes and their policies.", mailboxesHere()...),
		setMailboxRow("Set-Mailbox", "Give a mailbox an encryption policy, or take it away.",
			"A mailbox has one policy; another one takes its place. $null takes it away: the mailbox then goes by the default of mailboxes, by the policy of the organization, or by the keys of the service, the first of these that there is. New content is under the new keys at once, what is stored follows in the background: see Get-MailboxStatistics. Giving it the same policy again looks over what is stored again.",
			mailboxesHere()...),
		newMailboxRow(),
		getMailboxRow("Get-MailUser", "Show people whose mailbox is elsewhere, and their policies.", mailbox.MailUser),
		setMailboxRow("Set-MailUser", "Give somebody whose mailbox is elsewhere a policy.",
			"Before a migration it saves encrypting twice: the content is under the policy as it comes in. In a hybrid organization what is synchronised from the premises falls under it; nothing on the premises is encrypted. $null takes it away.", mailbox.MailUser),
		elsewhereRow("Enable-MailUser", "Say that somebody's mailbox is elsewhere.", "The person stays, and so does a policy. Use it for people whose mailbox has not moved here yet, or stays on premises."),
		elsewhereRow("Enable-Mailbox", "Say that somebody's mailbox is here.", "It ends what Enable-MailUser began: the mailbox has moved."),
		getMailboxRow("Get-UnifiedGroup", "Show the mailboxes of groups and their policies.", mailbox.Group),
		newGroupRow(),
		setMailboxRow("Set-UnifiedGroup", "Give the mailbox of a group a policy, or take it away.", "See Set-Mailbox. Groups need no licence.", mailbox.Group),
		setUserRow(), statisticsRow(), getDefaultRow(), setDefaultRow(), moveMailboxesRow(),
	}
}

// mailboxesHere are the kinds that Get-Mailbox and Set-Mailbox are for.
func mailboxesHere() (kinds []mailbox.Kind) {
	for _, k := range mailbox.Kinds() {
		if k != mailbox.MailUser && k != mailbox.Group {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

const mailboxIdentity = "Address of the mailbox, the part of it before the @, or its GUID"

func getMailboxRow(name, synopsis string, kinds ...mailbox.Kind) row {
	c := row{serve: serveKinds(getMailbox, kinds), Cmdlet: cmdlet.Cmdlet{
		Name: name, Synopsis: synopsis,
		Description: "DataEncryptionPolicy is the policy that the mailbox has for itself. PersistedCapabilities has BPOS_S_EquivioAnalytics where a licence includes Customer Key.",
		Examples:    []string{name, name + ` -Identity alice`, name + ` -Filter "DataEncryptionPolicy -eq 'CN=USA_mailboxes,CN=Mailbox Data Encryption Policies,OU=11111111-2222-4333-8444-555555555555'"`},
		Params: []cmdlet.Param{
			identity(false, mailboxIdentity+"; all unless given."),
			{Name: "Filter", Type: cmdlet.String, Help: "\"DataEncryptionPolicy -eq 'DN'\", with the distinguished name of a policy, or -eq $null for those without one."},
		},
		Output: mailboxType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Read),
	}}
	if len(kinds) > 1 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k)
		}
		c.Params = append(c.Params, cmdlet.Param{Name: "RecipientTypeDetails", Type: cmdlet.StringList, Values: names, Help: "Only mailboxes of these kinds."})
	}
	c.Params = append(c.Params, cmdlet.ResultSize(), domainController)
	return c
}

// givenPolicy is the parameter that names a mailbox policy.
func givenPolicy(mandatory, null bool) cmdlet.Param {
	p := cmdlet.Param{Name: "DataEncryptionPolicy", Type: cmdlet.ID, Mandatory: mandatory, AllowNull: null, Help: "Name, GUID or distinguished name of the policy."}
	if null {
		p.Help = "Name, GUID or distinguished name of the policy; $null for none."
	}
	return p
}

func setMailboxRow(name, synopsis, description string, kinds ...mailbox.Kind) row {
	return row{serve: serveKinds(setMailbox, kinds), Cmdlet: cmdlet.Cmdlet{
		Name: name, Synopsis: synopsis, Description: description,
		Examples: []string{name + ` -Identity alice@contoso.example -DataEncryptionPolicy USA_mailboxes`, name + ` alice -DataEncryptionPolicy $null`},
		Params:   []cmdlet.Param{identity(true, mailboxIdentity+"."), givenPolicy(true, true), domainController},
		Impact:   cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func newMailboxRow() row {
	kind := func(name, set, help string) cmdlet.Param {
		return cmdlet.Param{Name: name, Type: cmdlet.Switch, Mandatory: true, Sets: []string{set}, Help: help}
	}
	return row{serve: newMailbox, Cmdlet: cmdlet.Cmdlet{
		Name:        "New-Mailbox",
		Synopsis:    "Make a mailbox that is not a person's.",
		Description: "Everybody has a mailbox as a person: see ck person add. Other mailboxes need no licence.",
		Examples:    []string{`New-Mailbox -Shared -Name "Sales" -PrimarySmtpAddress sales@contoso.example`, `New-Mailbox -Room -Name atrium`},
		Params: []cmdlet.Param{
			{Name: "Name", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "What people call it; its address too, unless that is given."},
			{Name: "PrimarySmtpAddress", Type: cmdlet.String, Help: "Its address."},
			{Name: "DisplayName", Type: cmdlet.String, Help: "What people are shown instead of the name."},
			kind("Shared", "Shared", "A mailbox of several people."), kind("Room", "Room", "A room's."), kind("Equipment", "Equipment", "A machine's or a car's."),
			kind("Discovery", "Discovery", "One for what a search has found."), kind("PublicFolder", "PublicFolder", "One for public folders."),
			givenPolicy(false, false), domainController,
		},
		DefaultSet: "Shared", Output: mailboxType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func newGroupRow() row {
	return row{serve: newGroup, Cmdlet: cmdlet.Cmdlet{
		Name:        "New-UnifiedGroup",
		Synopsis:    "Make the mailbox of a group.",
		Description: "It is the mailbox alone; who is in the group is the directory's: ck group. Groups need no licence.",
		Examples:    []string{`New-UnifiedGroup -DisplayName "Engineering" -Alias engineering -DataEncryptionPolicy USA_mailboxes`},
		Params: []cmdlet.Param{
			{Name: "DisplayName", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "What people call it."},
			{Name: "Alias", Type: cmdlet.String, Help: "The part of its address before the @."},
			{Name: "PrimarySmtpAddress", Type: cmdlet.String, Help: "Its address, unless there is an alias."},
			givenPolicy(false, false), domainController,
		},
		Output: mailboxType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func elsewhereRow(name, synopsis, description string) row {
	return row{serve: setElsewhere(name == "Enable-MailUser"), Cmdlet: cmdlet.Cmdlet{
		Name: name, Synopsis: synopsis, Description: description,
		Examples: []string{name + ` -Identity alice@contoso.example`},
		Params:   []cmdlet.Param{identity(true, mailboxIdentity+"."), domainController},
		Impact:   cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func setUserRow() row {
	return row{serve: clearPolicy, Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-User",
		Synopsis:    "Take a person's mailbox policy away.",
		Description: "The same as Set-Mailbox or Set-MailUser with -DataEncryptionPolicy $null, whichever it is.",
		Examples:    []string{`Set-User -Identity alice@contoso.example -ClearDataEncryptionPolicy`},
		Params: []cmdlet.Param{
			identity(true, mailboxIdentity+"."),
			{Name: "ClearDataEncryptionPolicy", Type: cmdlet.Switch, Mandatory: true, Help: "Take the policy away."}, domainController,
		},
		Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func statisticsRow() row {
	return row{serve: getStatistics, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-MailboxStatistics",
		Synopsis:    "Show how far the encryption of one mailbox is.",
		Description: "IsEncrypted says that all of it lies under keys of the organization. DataEncryptionPolicyID names the policy and its keys at that time: it changes once a refresh has come to the mailbox, and Get-DataEncryptionPolicy finds the policy by it, now and later. To have a mailbox looked over again, assign it its policy again.",
		Examples:    []string{`Get-MailboxStatistics -Identity alice@contoso.example`},
		Params:      []cmdlet.Param{identity(true, mailboxIdentity+"; mail users too."), domainController},
		Output:      statisticsType, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Read),
	}}
}

func getDefaultRow() row {
	return row{serve: getDefault, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKDefaultMailboxPolicy",
		Synopsis: "Show the policy of mailboxes that have none of their own.",
		Examples: []string{`Get-CKDefaultMailboxPolicy`},
		Params:   []cmdlet.Param{domainController},
		Output:   cmdlet.PolicyType, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Read),
	}}
}

func setDefaultRow() row {
	return row{serve: setDefault, Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-CKDefaultMailboxPolicy",
		Synopsis:    "Choose the policy of mailboxes that have none of their own.",
		Description: "It covers all such mailboxes, those that come later too, and what they hold: nobody has to assign policies to new mailboxes. $null ends that: they go by the policy of the organization, or by the keys of the service. Mailboxes with a policy of their own keep it.",
		Examples:    []string{`Set-CKDefaultMailboxPolicy -DataEncryptionPolicy USA_mailboxes`, `Set-CKDefaultMailboxPolicy -DataEncryptionPolicy $null`},
		Params:      []cmdlet.Param{givenPolicy(true, true), domainController},
		Impact:      cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func moveMailboxesRow() row {
	return row{serve: moveMailboxes, Cmdlet: cmdlet.Cmdlet{
		Name:        "Move-CKMailboxPolicy",
		Synopsis:    "Give all mailboxes of one policy another.",
		Description: "In one act every mailbox that has the one policy for itself gets the other, or none: before a purge, or after both root keys were lost. What they hold follows in the background.",
		Examples:    []string{`Move-CKMailboxPolicy -Identity USA_mailboxes -DataEncryptionPolicy USA_mailboxes_2`},
		Params:      []cmdlet.Param{identity(true, "The policy that the mailboxes have."), givenPolicy(true, true), domainController},
		Impact:      cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.Mailbox, policy.Assign),
	}}
}

func mailboxViews() []cmdlet.View {
	return []cmdlet.View{{
		Type: mailboxType,
		Table: []cmdlet.Column{
			{Label: "Name", Property: "Name"}, {Label: "Kind", Property: "RecipientTypeDetails"}, {Label: "DataEncryptionPolicy", Property: "DataEncryptionPolicy"}, {Label: "DisplayName", Property: "DisplayName"},
		},
	}, {
		Type: statisticsType,
		Table: []cmdlet.Column{
			{Label: "Identity", Property: "Identity"}, {Label: "IsEncrypted", Property: "IsEncrypted"}, {Label: "State", Property: "State"}, {Label: "Percent", Property: "PercentEncrypted"}, {Label: "Policy", Property: "DataEncryptionPolicy"},
		},
	}}
}
