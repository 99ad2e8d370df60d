package cmdlet

import (
	"context"

	"github.com/customerkey/customerkey/internal/policy"
)

// rehearsalType is the type name of what a rehearsal shows.
const rehearsalType = "CKRehearsal"

func rehearsalRows() []Cmdlet {
	names := make([]string, len(policy.Scenarios))
	for i, sc := range policy.Scenarios {
		names[i] = string(sc)
	}
	return []Cmdlet{{
		Name:     "Invoke-CKRehearsal",
		Synopsis: "Play what would happen if root keys were taken back, lost, or content purged.",
		Description: "Nothing happens to the real keys: the service opens twins of them, under root keys that refuse as the scenario says and an availability key in the state of the real one, and shows for each generation of the " +
			"policy what people and the service could still open, how long keys that are held open content at most, and what can be done. The vaults are not asked. RevokeRoot and LoseRoot concern either root key: what is shown holds for both.",
		Examples: []string{`Invoke-CKRehearsal -Scenario LoseBoth -Identity Contoso_Global`, `Invoke-CKRehearsal -Scenario Purge -Identity USA_mailboxes -OutputFormat json`},
		Params: []Param{
			identity(true, "Name, GUID or distinguished name of the policy."),
			{Name: "Scenario", Type: String, Mandatory: true, Values: names, Help: "What is to be played."},
			domainController,
		},
		Output: rehearsalType, Detail: "Identity", Side: Service, Roles: rolesForAny(policy.Rehearse), serve: rehearse,
	}}
}

func rehearse(ctx context.Context, s Services, call *Call) error {
	outcomes, err := s.Policies.Rehearse(ctx, call.Caller, anyFamily(call, call.Args.Text("Identity")).Identity, policy.Scenario(call.Args.Text("Scenario")))
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		until := ""
		if !o.Users {
			until = o.Until.String()
		}
		err := call.Host.Object(Object{Type: rehearsalType, Fields: []Field{
			{"Scenario", string(o.Scenario)}, {"Policy", o.Policy}, {"Generation", int64(o.Generation)},
			{"PeopleCanRead", o.Users}, {"ReadableForAtMost", until}, {"ServiceCanRead", o.Service}, {"ByAvailabilityKey", o.ByAvailable}, {"Destroyed", o.Destroyed},
			{"ContainerKeys", o.Under.Keys}, {"Containers", o.Under.Containers}, {"Items", o.Under.Items}, {"Bytes", o.Under.Bytes}, {"People", o.Under.People},
			{"Recovery", orEmpty(o.Recovery)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func rehearsalViews() []View {
	return []View{{Type: rehearsalType, Table: []Column{
		{"Scenario", "Scenario"}, {"Policy", "Policy"}, {"People Can Read", "PeopleCanRead"}, {"For At Most", "ReadableForAtMost"}, {"Service Can Read", "ServiceCanRead"}, {"Items", "Items"}, {"People", "People"},
	}}}
}
