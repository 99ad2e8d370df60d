package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

// mailboxObject shows a mailbox; names are those of the mailbox policies by id. A mailbox without
// a policy of its own has $null there, so that scripts find it by -eq $null.
func mailboxObject(m mailbox.Mailbox, names map[string]string) cmdlet.Object {
	var own any
	if m.Policy != "" {
		own = names[m.Policy]
	}
	return cmdlet.Object{Type: mailboxType, Key: m.Name, Fields: []cmdlet.Field{
		{Name: "Name", Value: m.Name},
		{Name: "DisplayName", Value: m.DisplayName},
		{Name: "RecipientTypeDetails", Value: string(m.Kind)},
		{Name: "DataEncryptionPolicy", Value: own},
		{Name: "PersistedCapabilities", Value: directory.Capabilities(m.Licences)},
		{Name: "PrimarySmtpAddress", Value: m.Name},
		{Name: "Identity", Value: m.Name},
		{Name: "Guid", Value: cmdlet.GUID(m.ID)},
		{Name: "WhenCreated", Value: m.Created},
	}}
}

// statisticsObject shows how a mailbox stands (rows CK-125, CK-313). The policy that the service
// owns is shown by neither name nor id (row CK-128).
func statisticsObject(st mailbox.Standing) cmdlet.Object {
	var name, id, own any
	if st.Coverage.Policy.Family != policy.ServiceOwned {
		name, own = st.Coverage.Policy.Name, st.Own
	}
	if st.Under != policy.ServiceOwned {
		id = cmdlet.GUID(st.Generation)
	}
	return cmdlet.Object{Type: statisticsType, Key: st.Name, Fields: []cmdlet.Field{
		{Name: "DisplayName", Value: st.DisplayName},
		{Name: "IsEncrypted", Value: st.Customer},
		{Name: "DataEncryptionPolicyID", Value: id}, // row CK-126
		{Name: "State", Value: encryptionState(st)},
		{Name: "PercentEncrypted", Value: percent(st.Settled, st.Keys)},
		{Name: "DataEncryptionPolicy", Value: name},
		{Name: "DataEncryptionPolicyType", Value: string(st.Coverage.Policy.Family)},
		{Name: "AssignedDirectly", Value: own},
		{Name: "RecipientTypeDetails", Value: string(st.Kind)},
		{Name: "Identity", Value: st.Name},
		{Name: "MailboxGuid", Value: cmdlet.GUID(st.ID)},
	}}
}

// encryptionState says in a word how far a mailbox is.
func encryptionState(st mailbox.Standing) string {
	switch {
	case st.Settled < st.Keys:
		return "Encrypting"
	case st.Coverage.Policy.Family == policy.ServiceOwned:
		return "ServiceManaged"
	case st.Keys == 0:
		return "Empty" // what comes falls under the policy at once
	}
	return "Encrypted"
}
