package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// operationType is the type name of long work.
const operationType = "CKOperation"

// operationRows are for work that takes longer than a command: keys that move after a policy
// was assigned or refreshed (row CK-313), and content that is encrypted anew.
func operationRows() []row {
	return []row{getOperationRow(), setOperationRow(),
		controlRow("Suspend-CKOperation", "Hold long work, until it is resumed.",
			"It stops within a second and stays stopped over restarts. What has moved stays where it is, everything can be read and written, and the old versions of root keys stay needed. Later changes of policies wait too.",
			suspendOperation),
		controlRow("Resume-CKOperation", "Let long work go on.",
			"Work that was held goes on where it was, work that waits for its next attempt tries now, and work that was stopped or given up begins anew.",
			resumeOperation),
		controlRow("Stop-CKOperation", "End long work where that is safe.",
			"What has moved stays, the rest stays where it was, and nothing is destroyed that anything needs. Resume-CKOperation or the next change of a policy goes on. Work that must run to its end cannot be stopped.",
			stopOperation),
		startReencryptionRow(),
	}
}

func getOperationRow() row {
	return row{serve: getOperation, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-CKOperation",
		Synopsis:    "Show long work: how far it is, how fast, how long it will take.",
		Description: "The newest comes first. Kind converge moves container keys to the generation and the policy where they belong; its unit is a key. Kind reencrypt encrypts stored content anew; its unit is a byte, and an item counts as at least 4096.",
		Examples:    []string{`Get-CKOperation`, `Get-CKOperation -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55`},
		Params:      []cmdlet.Param{identity(false, "Id of one operation; all of the organization unless given.")},
		Output:      operationType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesForAny(policy.Read),
	}}
}

func setOperationRow() row {
	return row{serve: setOperation, Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-CKOperation",
		Synopsis:    "Slow long work down, or let it run as fast as it can.",
		Description: "The highest rate takes effect within a second and holds over restarts.",
		Examples:    []string{`Set-CKOperation -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55 -MaximumRate 500`},
		Params: []cmdlet.Param{
			identity(true, "Id of the operation, as Get-CKOperation shows it."),
			{Name: "MaximumRate", Type: cmdlet.Int, Mandatory: true, Help: "Most units of work in a second: keys, or bytes for reencrypt. 0: as many as it can."},
		},
		Output: operationType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.LimitOperation),
	}}
}

func controlRow(name, synopsis, description string, serve serveFunc) row {
	return row{serve: serve, Cmdlet: cmdlet.Cmdlet{
		Name: name, Synopsis: synopsis, Description: description,
		Examples: []string{name + ` -Identity 019a7f31-5c1e-7d30-9d0e-2f6b1a1c9e55`},
		Params:   []cmdlet.Param{identity(true, "Id of the operation, as Get-CKOperation shows it.")},
		Output:   operationType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.PauseOperation),
	}}
}

func startReencryptionRow() row {
	policySet, containerSet := []string{"Policy"}, []string{"Container"}
	return row{serve: startReencryption, Cmdlet: cmdlet.Cmdlet{
		Name:        "Start-CKReencryption",
		Synopsis:    "Encrypt stored content anew, under new keys all the way down.",
		Description: "Refreshing a policy wraps the keys of containers anew and leaves the content as it is. This makes new keys for containers and items, seals the contents again in the background, reads each back before the old one goes, and destroys the old keys. It also brings over content of workloads that take new data only, such as chats from before the policy. Readers and writers go on meanwhile.",
		Examples: []string{
			`Start-CKReencryption -Identity Contoso_Global`,
			`Start-CKReencryption -Container exchange/alice@contoso.example`,
		},
		Params: []cmdlet.Param{
			{Name: "Identity", Type: cmdlet.ID, Position: 1, Mandatory: true, Sets: policySet, Help: "Name, GUID or distinguished name of a policy: all content that it covers."},
			{Name: "Family", Type: cmdlet.String, Sets: policySet, Values: families, Help: "Family of the policy, where two families have one of that name."},
			{Name: "Container", Type: cmdlet.String, Mandatory: true, Sets: containerSet, Help: "One container: its workload, a slash, and its name."},
		},
		DefaultSet: "Policy",
		Output:     operationType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesForAny(policy.Reencrypt),
	}}
}

func operationViews() []cmdlet.View {
	return []cmdlet.View{{
		Type: operationType,
		Table: []cmdlet.Column{
			{Label: "Identity", Property: "Identity"}, {Label: "Kind", Property: "Kind"}, {Label: "State", Property: "State"}, {Label: "Percent", Property: "PercentComplete"},
			{Label: "Per Second", Property: "Rate"}, {Label: "Left", Property: "TimeLeft"}, {Label: "Created", Property: "Created"}, {Label: "Error", Property: "Error"},
		},
	}}
}
