package cmdlet

import (
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

// mailboxObject shows a mailbox; names are those of the mailbox policies by id. A mailbox without
// a policy of its own has $null there, so that scripts find it by -eq $null.
func mailboxObject(m mailbox.Mailbox, names map[string]string) Object {
	var own any
	if m.Policy != "" {
		own = names[m.Policy]
	}
	return Object{Type: mailboxType, Key: m.Name, Fields: []Field{
		{"Name", m.Name},
		{"DisplayName", m.DisplayName},
		{"RecipientTypeDetails", string(m.Kind)},
		{"DataEncryptionPolicy", own},
		{"PersistedCapabilities", directory.Capabilities(m.Licences)},
		{"PrimarySmtpAddress", m.Name},
		{"Identity", m.Name},
		{"Guid", GUID(m.ID)},
		{"WhenCreated", m.Created},
	}}
}

// statisticsObject shows how a mailbox stands (rows CK-125, CK-313). The policy that the service
// owns is shown by neither name nor id (row CK-128).
func statisticsObject(st mailbox.Standing) Object {
	var name, id, own any
	if st.Coverage.Policy.Family != policy.ServiceOwned {
		name, own = st.Coverage.Policy.Name, st.Own
	}
	if st.Under != policy.ServiceOwned {
		id = GUID(st.Generation)
	}
	return Object{Type: statisticsType, Key: st.Name, Fields: []Field{
		{"DisplayName", st.DisplayName},
		{"IsEncrypted", st.Customer},
		{"DataEncryptionPolicyID", id}, // row CK-126
		{"State", encryptionState(st)},
		{"PercentEncrypted", percent(st.Settled, st.Keys)},
		{"DataEncryptionPolicy", name},
		{"DataEncryptionPolicyType", string(st.Coverage.Policy.Family)},
		{"AssignedDirectly", own},
		{"RecipientTypeDetails", string(st.Kind)},
		{"Identity", st.Name},
		{"MailboxGuid", GUID(st.ID)},
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
